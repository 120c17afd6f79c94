"""nbgrader's form grader over grades of gdgrade, in a real browser."""

import importlib.util
import shutil
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from .helpers import RIGHT, WRONG_DOUBLE, answered, cells_of, hand_in, notebook, run_app

SPEC = importlib.util.spec_from_file_location("lab", Path(__file__).parents[1] / "notebook/lab.py")
assert SPEC is not None
assert SPEC.loader is not None
lab = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(lab)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(lab.CHROMIUM is None or lab.DRIVER is None, reason="no Chromium with its driver here"),
]
TOKEN = "a-token-for-this-test"


def test_a_person_looks_and_decides(released_once: Path, tmp_path: Path) -> None:
    """The list of hand-ins, a page with scores and verdicts; a score by hand is in the gradebook afterwards."""
    course_dir = Path(shutil.copytree(released_once, tmp_path / "course"))
    released = notebook(course_dir / "release/ex01/ex01.ipynb")
    hand_in(course_dir, "ada", "ex01", answered(released, RIGHT))
    hand_in(course_dir, "bob", "ex01", answered(released, WRONG_DOUBLE))
    run_app("AutogradeApp", "ex01", cwd=course_dir)
    folder = tmp_path / "server"
    folder.mkdir()
    command = ["jupyter_server", "--ServerApp.jpserver_extensions=nbgrader.server_extensions.formgrader=True"]
    with lab.jupyter(folder, command, TOKEN, cwd=course_dir) as address, lab.browser(folder) as driver:
        wait = WebDriverWait(driver, lab.SECONDS)

        def found(selector: str, count: int) -> list[WebElement]:
            """So many elements, once they are there and nothing is being loaded."""
            wait.until(lambda _: len(driver.find_elements(By.CSS_SELECTOR, selector)) == count)
            return driver.find_elements(By.CSS_SELECTOR, selector)

        driver.get(f"{address}api/status?token={TOKEN}")  # the browser keeps the session from here on
        driver.get(f"{address}formgrader/gradebook/ex01/ex01")
        names = found("td.name a.name-shown, td.name a.name-hidden", 4)
        totals = [row.text.split()[2:5] for row in found("tbody tr", 2)]
        assert sorted(totals) == [["4", "/", "8"], ["8", "/", "8"]]
        bob = names[2 * totals.index(["4", "/", "8"])]
        driver.get(str(bob.get_attribute("href")))
        boxes = found("input.score", 3)
        # nbgrader shows automatic scores and comments as what stays if nobody writes anything else
        wait.until(lambda _: boxes[0].get_attribute("placeholder"))
        assert [box.get_attribute("placeholder") for box in boxes] == ["0", "2", "2"]
        comments = [str(box.get_attribute("placeholder")) for box in found("textarea.comment", 3)]
        assert "How many times do you add the input?" in comments[0]
        verdict = found(".gdgrade", 3)[0].text
        assert "1.1 Doubling: 0 of 4 points" in verdict
        assert "the first at [0, 0]" in verdict
        boxes[0].send_keys("1.5", Keys.TAB)
        wait.until(lambda _: cells_of(course_dir, "bob", "ex01")["part-1-1"][2] == 1.5)
        # No network here: MathJax, which nbgrader loads from one, is missing, and nothing else.
        severe = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
        assert [message for message in severe if "athjax" not in message.lower()] == []
    run_app("AutogradeApp", "ex01", "--force", cwd=course_dir)
    assert cells_of(course_dir, "bob", "ex01")["part-1-1"][:3] == (0.0, 1.5, 1.5)
