"""The verdict in JupyterLab, read by a real browser."""

from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from . import lab

pytestmark = [
    pytest.mark.slow,  # 20 s: a server, a browser, a kernel, torch
    pytest.mark.skipif(lab.CHROMIUM is None or lab.DRIVER is None, reason="no Chromium with its driver here"),
]


def test_run_all_cells(tmp_path: Path) -> None:
    """Open, run all: a wrong function shows its hint, a right one its points; the browser's console stays quiet."""
    with lab.server(tmp_path) as address, lab.browser(tmp_path) as driver:
        lab.open_and_run(driver, address)
        assert lab.badges(driver, 2) == ["not yet right", "passed"]
        wrong, right = (element.text for element in driver.find_elements(By.CSS_SELECTOR, ".gdgrade"))
        assert "1 of 3 points" in wrong
        assert "How should the spread of the noise change when you halve the step?" in wrong
        assert "3 of 3 points" in right
        # No error output, no stderr: the two verdicts are all that appears.
        assert len(driver.find_elements(By.CSS_SELECTOR, ".jp-OutputArea-output")) == 2
        severe = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
        assert severe == []
