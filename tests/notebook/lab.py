"""JupyterLab on loopback and a headless browser that reads it, for a test and for the picture in the documentation.

python -m tests.notebook.lab docs/images/notebook.png
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import element_to_be_clickable, presence_of_element_located
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
DRIVER = shutil.which("chromedriver")
SECONDS = 240.0  # for a loaded machine; a quiet one needs a tenth
BADGE = ".jp-OutputArea-output .gdgrade .badge"


def notebook() -> Any:
    """Part 5.2 with noise of deviation eta in place of variance eta, checked; then mended, and checked again."""
    step = """\
def langevin_step(x, score_fn, eta, noise=None):
    if noise is None:
        noise = torch.randn_like(x)
    return x + 0.5 * eta * score_fn(x) + {} * noise"""
    cells = [
        "%load_ext gdgrade\nimport torch", step.format("eta"), "%check 5.2", step.format("eta**0.5"), "%check 5.2"
    ]  # fmt: skip
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """JupyterLab in a folder; the address of its page for `ex05.ipynb`, token included."""
    config, token = folder / "config", secrets.token_hex(16)
    (config / "labconfig").mkdir(parents=True)
    # Announcements ask the network for news, and the person whether they may; nbgrader's panels are not the subject.
    disabled = {"@jupyterlab/apputils-extension:announcements": True, "@jupyter/nbgrader": True}
    (config / "labconfig/page_config.json").write_text(json.dumps({"disabledExtensions": disabled}))
    work = folder / "work"
    work.mkdir()
    nbformat.write(notebook(), work / "ex05.ipynb")
    command = ["jupyterlab", f"--ServerApp.root_dir={work}", "--LabApp.extension_manager=readonly"]
    with jupyter(folder, command, token, cwd=work, GDGRADE_COURSE=str(ROOT)) as address:
        yield f"{address}doc/tree/ex05.ipynb?token={token}"


@contextlib.contextmanager
def jupyter(folder: Path, command: list[str], token: str, *, cwd: Path, **variables: str) -> Iterator[str]:
    """A Jupyter server on loopback, with all that it keeps in `folder`; its address, without the token.

    Args:
        command: module and options.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GDGRADE_", "JUPYTER_", "JPY_"))}
    environment = {
        **kept, **variables, "HOME": str(folder), "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    options = ["--no-browser", "--ip=127.0.0.1", "--allow-root", f"--IdentityProvider.token={token}"]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", *command, *options], env=environment, cwd=cwd,
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # fmt: skip
        try:
            yield str(_wait_for_server(process, folder)["url"])
        finally:
            process.terminate()
            process.wait()


def _wait_for_server(process: subprocess.Popen[bytes], folder: Path) -> dict[str, Any]:
    """What the server writes about itself once it listens: it may have taken another port than the usual one."""
    path, until = folder / f"runtime/jpserver-{process.pid}.json", time.monotonic() + SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            found: dict[str, Any] = json.loads(path.read_text())
            return found
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{(folder / 'server.log').read_text()[-3000:]}")


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Chrome]:
    """A headless Chromium with a fresh profile that asks no other host for anything."""
    options = Options()
    options.binary_location = str(CHROMIUM)
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
        "--disable-component-update", "--no-first-run", "--disable-dev-shm-usage", "--force-device-scale-factor=1",
        "--window-size=1000,1000", f"--user-data-dir={folder / 'profile'}",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(str(DRIVER)))
    try:
        driver.set_page_load_timeout(SECONDS)
        yield driver
    finally:
        driver.quit()


def open_and_run(driver: Chrome, address: str) -> None:
    """Open the notebook and choose "Run All Cells" from the menu."""
    driver.get(address)
    wait = WebDriverWait(driver, SECONDS)
    wait.until(presence_of_element_located((By.CSS_SELECTOR, ".jp-Notebook .jp-CodeCell")))
    # Told to run before its kernel is connected, a notebook asks for one. The indicator above the cells is idle from
    # the beginning; the words in the status bar are not.
    idle = '//*[contains(@class, "jp-StatusBar-TextItem")][contains(text(), "(ipykernel) | Idle")]'
    wait.until(presence_of_element_located((By.XPATH, idle)))
    wait.until(
        element_to_be_clickable((By.XPATH, '//*[contains(@class, "lm-MenuBar-itemLabel")][text()="Run"]'))
    ).click()
    entry = '//*[contains(@class, "lm-Menu-itemLabel")][starts-with(text(), "Run All Cells")]'
    wait.until(element_to_be_clickable((By.XPATH, entry))).click()


def badges(driver: Chrome, count: int) -> list[str]:
    """The words of the verdicts, once so many are visible."""

    def visible(driver: Chrome) -> list[str]:
        found = driver.find_elements(By.CSS_SELECTOR, BADGE)
        texts = [element.text for element in found if element.is_displayed()]
        return texts if len(texts) == count else []

    return WebDriverWait(driver, SECONDS).until(visible)


def main(picture: Path) -> None:
    """Take the picture for the documentation."""
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as address, browser(Path(name)) as driver:
        open_and_run(driver, address)
        badges(driver, 2)
        driver.execute_script("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
        picture.write_bytes(driver.get_screenshot_as_png())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
