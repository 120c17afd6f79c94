"""The judge's process: receive a job, run pytest over the exercise's checks, send the outcomes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import traceback
from typing import Any

from gdgrade.judge.job import Job
from gdgrade.processes.launcher import Launcher, ZygoteClient
from gdgrade.wire.frames import WireError, receive_frame, send_frame


def judge_process(sock: socket.socket, control: socket.socket | None) -> None:
    """Serve one job that comes over `sock`; `control` leads to the zygote, or is None to spawn workers."""
    with contextlib.suppress(WireError):
        job = Job.from_json(receive_frame(sock).header["job"])
        signal.signal(signal.SIGINT, signal.SIG_IGN)

        def emit(event: dict[str, Any]) -> None:
            send_frame(sock, event)

        try:
            launcher = make_launcher(job, control)
            try:
                result = run_job(job, launcher, emit)
            finally:
                launcher.close()
        except Exception as error:
            details = traceback.format_exc(limit=-8)
            result = {"outcomes": [], "errors": [f"{type(error).__name__}: {error}"], "details": details}
        emit({"event": "done", **result})


def make_launcher(job: Job, control: socket.socket | None) -> Launcher:
    """Workers from the zygote behind `control`, or spawned ones."""
    if control is not None:
        return ZygoteClient(control)
    from gdgrade.processes.spawn import SpawnLauncher

    return SpawnLauncher(settings_of(job))


def settings_of(job: Job) -> Any:
    """What a launcher must know about a job."""
    from gdgrade.processes.launcher import Settings

    return Settings(preload=job.preload, forbidden=job.forbidden, confine=job.confine)


def run_job(job: Job, launcher: Launcher, emit: Any = None) -> dict[str, Any]:
    """Run pytest over the graders of one exercise; returns outcomes and errors as plain data."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import pytest

    from gdgrade.judge.outcome import weigh
    from gdgrade.judge.plugin import Judge
    from gdgrade.pytest_plugin import JUDGE

    judge = Judge(job, launcher, emit)

    class Introduce:
        """Hands the judge to the fixtures of `gdgrade.pytest_plugin`."""

        @pytest.hookimpl(tryfirst=True)
        def pytest_configure(self, config: pytest.Config) -> None:
            config.stash[JUDGE] = judge

    folder = str(job.graders)
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = False
    arguments = [folder, "--rootdir", job.root, "-c", _ini_file(), "--import-mode=importlib", "-s"]
    for name in (
        "cacheprovider",
        "unraisableexception",
        "threadexception",
        "terminal",
        "junitxml",
        "doctest",
        "logging",
        "faulthandler",
        "recwarn",
        "warnings",
        "setuponly",
        "stepwise",
        "debugging",
        "pastebin",
    ):
        arguments += ["-p", f"no:{name}"]
    try:
        code = pytest.main([*arguments, "-p", "gdgrade.pytest_plugin"], plugins=[Introduce(), judge])
    finally:
        judge.pool.close()
        sys.path.remove(folder)
    errors = list(judge.collection_errors)
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not errors:
        errors.append(f"pytest ended with {code!r} in {job.graders}")
    outcomes = weigh(judge.outcomes, lambda: judge.diagnostician.mistakes)
    return {
        "outcomes": [outcome.to_json() for outcome in outcomes],
        "errors": errors,
        "confinement": judge.pool.confinement,
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Versions of what decided: Python and the numerical libraries that are loaded."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("torch", "numpy"):
        module = sys.modules.get(name)
        if module is not None:
            found[name] = str(module.__version__)
    return found


def _ini_file() -> str:
    """An empty pytest configuration, so that no project's settings apply to graders."""
    from pathlib import Path

    return str(Path(__file__).with_name("pytest-judge.ini"))
