"""The judge's process: receive a job, run pytest over the exercise's checks, send the outcomes."""

from __future__ import annotations

import contextlib
import importlib
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from gdgrade.judge.job import Job
from gdgrade.language import use
from gdgrade.processes.launcher import Launcher, LaunchError, Worker, WorkerLimits, ZygoteClient
from gdgrade.processes.messages import send_message
from gdgrade.wire.frames import WireError, receive_frame, send_frame


def judge_process(sock: socket.socket, control: socket.socket | None) -> None:
    """Serve one job that comes over `sock`; `control` leads to the zygote, or is None to spawn workers."""
    with contextlib.suppress(WireError):
        header = receive_frame(sock).header
        job = Job.from_json(header["job"])
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if header.get("serve"):
            serve_jobs(job, sock, control)
            return

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


def serve_jobs(template: Job, sock: socket.socket, control: socket.socket | None) -> None:
    """Collect the checks once, then fork a judge for every job that is asked for over `sock`."""
    from gdgrade.judge.plugin import Judge
    from gdgrade.judge.pytest_run import run_pytest
    from gdgrade.judge.server import JudgeServer

    judge = Judge(template, NoLauncher())
    launcher = ZygoteClient(control) if control is not None else None
    code = run_pytest(judge, [JudgeServer(judge, sock, launcher)])
    if judge.collection_errors or code == 5:
        send_message(sock, {"errors": judge.collection_errors or [f"no checks in {template.graders}"]})


class NoLauncher:
    """Stands where a server judges nothing itself."""

    fresh_per_check = True

    def worker(self, limits: WorkerLimits, scipy: tuple[str, ...] = ()) -> Worker:
        raise LaunchError("a server of judges has no workers of its own")

    def end(self, pid: int, grace: float = 0.0) -> dict[str, Any]:
        raise LaunchError("a server of judges has no workers of its own")

    def close(self) -> None:
        """Nothing to close."""


def run_job(job: Job, launcher: Launcher, emit: Any = None) -> dict[str, Any]:
    """Run pytest over the graders of one exercise; returns outcomes and errors as plain data."""
    from gdgrade.judge.plugin import Judge
    from gdgrade.judge.pytest_run import run_pytest

    if "figures" in job.extra:
        use(job.language, *job.catalogues)
        from gdgrade.judge.figures import make_figures

        return make_figures(job, launcher)
    judge = Judge(job, launcher, emit)
    lab = make_lab(job, judge)
    judge.direct = not lab
    code = run_pytest(judge, lab)
    errors = list(judge.collection_errors)
    if code not in (0, 1) and not errors:
        errors.append(f"pytest ended with code {code} in {job.graders}")
    if lab and not errors:
        return lab_result(lab[0])
    return result_of(judge, errors)


def result_of(judge: Any, errors: Sequence[str] = ()) -> dict[str, Any]:
    """What a judge found, as plain data."""
    from gdgrade.judge.outcome import weigh
    from gdgrade.mistakes import spoken

    known = judge.job.extra.get("known_mistakes", ())
    outcomes = weigh(judge.in_order(), lambda: [spoken(mistake) for mistake in judge.diagnostician.mistakes], known)
    return {
        "outcomes": [outcome.to_json() for outcome in outcomes],
        "errors": list(errors),
        "confinement": judge.pool.confinement,
        "loaded": getattr(judge.pool, "loaded", True),
        "versions": versions(),
        "missing": sorted(judge.missing),
    }


def make_lab(job: Job, judge: Any) -> list[Any]:
    """The investigation that the job asks for, as a further pytest plugin; none for an ordinary verdict."""
    wanted = job.extra.get("lab")
    if wanted is None:
        return []
    module, _, name = wanted["name"].partition(":")
    return [getattr(importlib.import_module(module), name)(judge, wanted)]


def lab_result(lab: Any) -> dict[str, Any]:
    """What an investigation found, in the place of outcomes."""
    return {"outcomes": [], "errors": [], "lab": lab.result(), "versions": versions()}


def versions() -> dict[str, str]:
    """Versions of what decided: Python and the numerical libraries that are loaded."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("torch", "numpy"):
        module = sys.modules.get(name)
        if module is not None:
            found[name] = str(module.__version__)
    return found
