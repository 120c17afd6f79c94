"""pytest as the judge runs it: only the plugins that checks need, and no project's settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gdgrade.judge.plugin import Judge
from gdgrade.pytest_plugin import JUDGE

# What reports, caches, captures or warns: the judge has its own ways, and some cost a second over torch's objects.
LEFT_OUT = (
    "cacheprovider", "unraisableexception", "threadexception", "terminal", "junitxml", "doctest", "logging",
    "faulthandler", "recwarn", "warnings", "setuponly", "stepwise", "debugging", "pastebin",
)  # fmt: skip


class _Introduce:
    """Hands the judge to the fixtures of `gdgrade.pytest_plugin`."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[JUDGE] = self._judge

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport | None:
        """A report without pytest's rendering of the traceback: it takes longer than most checks, and nobody reads it.

        The judge makes its verdict of the error itself.
        """
        if call.excinfo is None or call.when == "collect":
            return None
        skipped = isinstance(call.excinfo.value, pytest.skip.Exception)
        return pytest.TestReport(
            item.nodeid,
            item.location,
            dict.fromkeys(item.keywords, 1),
            "skipped" if skipped else "failed",
            call.excinfo.typename,
            call.when,
            duration=call.duration,
            start=call.start,
            stop=call.stop,
        )


def run_pytest(judge: Judge, plugins: Sequence[Any] = ()) -> int:
    """Collect and run the checks of the judge's exercise; returns pytest's exit code."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    folder = str(judge.job.graders)
    ini = str(Path(__file__).with_name("pytest-judge.ini"))
    # Without the cut, pytest would run conftest.py files of whatever project the course lies in.
    arguments = [
        folder,
        "--rootdir",
        judge.job.root,
        "--confcutdir",
        judge.job.root,
        "-c",
        ini,
        "--import-mode=importlib",
        "-s",
    ]
    for name in LEFT_OUT:
        arguments += ["-p", f"no:{name}"]
    sys.path.insert(0, folder)  # checks import their neighbours by plain name
    try:
        return int(
            pytest.main([*arguments, "-p", "gdgrade.pytest_plugin"], plugins=[_Introduce(judge), judge, *plugins])
        )
    finally:
        judge.pool.close()
        sys.path.remove(folder)
