"""From a file to a report: the one road that every command takes."""

from __future__ import annotations

import os
import platform
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gdgrade import __version__
from gdgrade.judge.job import Job, PartInfo
from gdgrade.language import language
from gdgrade.processes.launcher import LaunchError, Settings, Zygote, fork_available
from gdgrade.wire.frames import WireError, receive_frame, send_frame

if TYPE_CHECKING:
    from gdgrade.course.manifest import Course, Exercise
    from gdgrade.course.submission import Submission
    from gdgrade.report.model import Report

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Options:
    """How to judge; None leaves the choice to the course or the machine. Messages come in `language`."""

    seed: int | None = None
    confine: str = "best"
    start_method: str | None = None
    only_part: str | None = None
    quick: bool = False
    language: str = field(default_factory=language)


def make_job(course: Course, exercise: Exercise, submission: Submission, options: Options | None = None) -> Job:
    """The job of judging one submission of one exercise.

    Raises:
        gdgrade.course.errors.CourseError: the secret seed is set but cannot be used.
    """
    from gdgrade.course.seeds import grading_seed

    options = options or Options()
    seeds = grading_seed(course, os.environ)
    public = course.seeds.public if options.seed is None else options.seed
    return Job(
        root=str(course.root.resolve()),
        exercise=exercise.id,
        entry=exercise.entry,
        source=submission.code_for(exercise),
        display=submission.display_name,
        parts=tuple(
            PartInfo(part.id, part.title, part.points, tuple(part.needs), part.optional) for part in exercise.parts
        ),
        library=course.arrays,
        public_seed=public,
        secret_seed=seeds.secret.hex() if seeds.secret is not None else None,
        seconds=exercise.limits.seconds,
        memory_mib=exercise.limits.memory_mib,
        submission_seconds=exercise.limits.submission_seconds,
        only_part=options.only_part,
        quick=options.quick,
        preload=tuple(exercise.preload),
        forbidden=tuple(exercise.forbidden_packages),
        confine=options.confine,
        start_method=options.start_method or ("fork" if fork_available() else "spawn"),
        language=options.language,
        extra={"secret_fingerprint": seeds.fingerprint, "seed_warning": seeds.warning},
    )


def settings_for(exercise: Exercise, confine: str = "best") -> Settings:
    """What a zygote that serves this exercise must import and forbid."""
    return Settings(preload=tuple(exercise.preload), forbidden=tuple(exercise.forbidden_packages), confine=confine)


def run(job: Job, zygote: Zygote | None, on_event: Callable[[Event], None] | None = None) -> dict[str, Any]:
    """Have a judge process decide the job.

    Args:
        zygote: a started one; it forks the judge and its workers. None spawns them.
        on_event: called for each decided check, while the others still run.

    Returns:
        outcomes, errors, confinement and versions, as `gdgrade.judge.main.run_job` makes them.

    Raises:
        LaunchError: the judge did not start or died.
    """
    process = None
    if zygote is not None:
        zygote.wait_ready()
        sock, _ = zygote.judge()
    else:
        from gdgrade.processes.spawn import start_program

        sock, process = start_program("gdgrade.processes.spawn", "judge")
    try:
        with sock:
            return _converse(sock, job, on_event)
    finally:
        if process is not None:
            process.kill()
            process.wait()


def _converse(sock: socket.socket, job: Job, on_event: Callable[[Event], None] | None) -> dict[str, Any]:
    try:
        send_frame(sock, {"job": job.to_json()})
        while True:
            event = receive_frame(sock).header
            if event["event"] == "done":
                return event
            if on_event is not None:
                on_event(event)
    except WireError as error:
        raise LaunchError("the process that judges has ended unexpectedly") from error


def to_report(
    course: Course,
    exercise: Exercise,
    submission: Submission,
    job: Job,
    result: Mapping[str, Any],
    *,
    started: float | None = None,
) -> Report:
    """The report of a judged job.

    Args:
        started: `time.time` of the beginning, for the report's timings.
    """
    from gdgrade.report.assembly import assemble
    from gdgrade.report.model import CheckResult, Confinement, RunTimings, SeedInfo, SubmissionRef, Versions

    checks = [_check_result(CheckResult, outcome, submission) for outcome in result["outcomes"]]
    reached = result.get("confinement") or {}
    layers = tuple(f"{name}: {state}" for name, state in (reached.get("layers") or {}).items())
    seconds = None if started is None else time.time() - started
    began = None if started is None else datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds")
    return assemble(
        exercise,
        checks,
        submission=SubmissionRef(name=submission.display_name, sha256=submission.sha256, kind=submission.kind),
        confinement=Confinement(level=reached.get("level") or "none", layers=layers),
        versions=Versions(gdgrade=__version__, course=course.revision, platform=_platform(), **_versions(result)),
        seeds=SeedInfo(public=job.public_seed, secret=job.extra.get("secret_fingerprint")),
        remarks=submission.remarks,
        timings=RunTimings(started_at=began, seconds=seconds),
    )


def _check_result(model: Any, outcome: Mapping[str, Any], submission: Submission) -> Any:
    fields = {key: value for key, value in outcome.items() if key not in ("matches", "entered")}
    fields["traceback"] = [_frame(frame, submission) for frame in outcome["traceback"]]
    for name in ("expected", "got"):
        fields[name] = outcome[name] or None
    return model.model_validate(fields)


def _frame(frame: Mapping[str, Any], submission: Submission) -> dict[str, Any]:
    """A frame in the words of the student's file: for notebooks, the cell and the line in it."""
    if frame["line"] in submission.lines:
        cell, line = submission.lines[frame["line"]]
        return {**frame, "file": f"{frame['file']} cell {cell}", "line": line}
    return dict(frame)


def _versions(result: Mapping[str, Any]) -> dict[str, str]:
    found = dict(result.get("versions") or {})
    found.setdefault("python", platform.python_version())
    return found


def _platform() -> str:
    return f"{platform.system()} {platform.machine()}"
