"""What one task of a batch is: a file and an exercise in, a verdict out; nothing of it depends on who runs it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from gdgrade import __version__
from gdgrade.batch.slots import Slots
from gdgrade.batch.store import Key, Verdict
from gdgrade.course.manifest import Course, Exercise
from gdgrade.course.submission import Submission, parse_submission
from gdgrade.judge.job import Job
from gdgrade.judging import Options, make_job, run, settings_for, to_report
from gdgrade.language import use
from gdgrade.processes.judges import JudgePool
from gdgrade.processes.launcher import LaunchError, fork_available
from gdgrade.report.model import Report

ATTEMPTS = 3  # at what grader or machine kept from being judged


@dataclass(frozen=True)
class Task:
    """One distinct file to be graded; `cost` are expected seconds, `students` those who handed it in."""

    exercise: str
    sha256: str
    students: int = 1
    cost: float = 0.0


class Judges(Protocol):
    """Whoever decides jobs."""

    def judge(self, job: Job) -> dict[str, Any]: ...

    def alive(self) -> bool: ...

    def close(self) -> None: ...


class SpawnedJudges:
    """Where processes cannot be forked: a fresh judge for each submission."""

    def judge(self, job: Job) -> dict[str, Any]:
        return run(job, None)

    def alive(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing stays behind."""


def judges_for(course: Course, exercise: Exercise, options: Options) -> Judges:
    """Judges of one exercise, ready.

    Raises:
        LaunchError: the checks cannot be collected, or confinement is not to be had.
    """
    use(options.language, course.root / "locale")  # titles of parts, and the sentence on lateness
    if not fork_available() or options.start_method == "spawn":
        return SpawnedJudges()
    nobody = Submission(source="", display_name=exercise.entry, kind="py", sha256="")
    return JudgePool(make_job(course, exercise, nobody, options), settings_for(exercise, options.confine))


def load(kind: str, data: bytes, exercise: Exercise) -> Submission:
    """The submission from its bytes in the store."""
    return parse_submission(data, exercise.entry.removesuffix(".py") + "." + kind)


def grade(
    course: Course,
    exercise: Exercise,
    submission: Submission,
    options: Options,
    judges: Judges,
    slots: Slots | None = None,
) -> Verdict:
    """Judge a submission, again where the machine got in the way; in one of the slots, if there are any.

    Returns:
        A verdict with a report; or with a problem, for a person, after `ATTEMPTS` attempts.

    Raises:
        LaunchError: the judges are gone; with new ones the submission can be graded again.
    """
    job = make_job(course, exercise, submission, options)
    began, seconds, problem = time.time(), 0.0, ""
    first: Mapping[str, Any] | None = None
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with slots.one() if slots is not None else contextlib.nullcontext() as processor:
                start = time.monotonic()
                result = judges.judge(_placed(job, processor))
                seconds += time.monotonic() - start
        except LaunchError as error:
            if not judges.alive():
                raise
            problem = str(error)
            continue
        if result["errors"]:
            problem = str(result["errors"][0])
            continue
        causes = {outcome["cause"] for outcome in result["outcomes"]}
        missing = tuple(result.get("missing", ()))
        # A check that was skipped for want of a package is skipped at the next attempt too.
        failing = any((entry["outcome"], entry["cause"]) == ("error", "infrastructure") for entry in result["outcomes"])
        if failing and attempt < ATTEMPTS:
            if not judges.alive():
                raise LaunchError("the judges are gone")
            continue
        if "crash" in causes and first is None and attempt < ATTEMPTS:
            # A worker may have been killed from outside (by a person, or for want of memory): a second look tells.
            first = result
            continue
        report = to_report(course, exercise, submission, job, result, started=began)
        if first is not None and _crashes(first) > _crashes(result):
            remark = "A process was ended from outside at the first attempt; this is the second one."
            report = report.model_copy(update={"remarks": (*report.remarks, remark)})
        timings = report.timings.model_copy(update={"seconds": seconds})
        report = report.model_copy(update={"timings": timings})
        problem = "the machine kept some checks from being judged" if failing else ""
        return Verdict(report.to_json(indent=None), problem, seconds, attempt, result.get("tape"), missing=missing)
    return Verdict(None, problem or "it could not be judged", seconds, ATTEMPTS)


def _placed(job: Job, processor: int | None) -> Job:
    """The job as the judges are to do it: with a recording; on one processor, if it is named, and there in turn."""
    how = {"record": True, "in_turn": processor is not None, "processor": processor}
    return replace(job, extra={**job.extra, **how})


def _crashes(result: Mapping[str, Any]) -> int:
    return sum(outcome["cause"] == "crash" for outcome in result["outcomes"])


def key_of(course: Course, exercise: Exercise, sha256: str, options: Options, checks: str) -> Key:
    """The key of a verdict; `checks` is of `checks_digest`."""
    from gdgrade.course.seeds import grading_seed

    seeds = grading_seed(course, os.environ, public=options.seed)
    named = f"{seeds.public}:{seeds.fingerprint or '-'}"
    how = "quick" if options.quick else "full"
    how += "" if options.language == "en" else f" {options.language}"
    return Key(course.revision, exercise.id, sha256, named, __version__, checks, how)


def checks_digest(exercise: Exercise) -> str:
    """16 hexadecimal digits of what decides: graders, reference, and the exercise's entry in the course file."""
    digest = hashlib.sha256(exercise.model_dump_json(exclude={"deadline", "weight", "title"}).encode())
    digest.update(exercise.limits.model_dump_json().encode())
    files = [path for path in exercise.graders_dir.rglob("*") if path.suffix in (".py", ".json", ".npz", ".yml")]
    for path in [*sorted(files), exercise.reference_path]:
        if path.is_file() and "__pycache__" not in path.parts:
            data = path.read_bytes()
            digest.update(f"{path.name}:{len(data)}:".encode() + data)
    return digest.hexdigest()[:16]


def shown_as(report: Report, name: str) -> Report:
    """The report of a shared verdict under the name of one student's file."""
    return report.model_copy(update={"submission": report.submission.model_copy(update={"name": name})})


def expected_cost(seconds: float | None, size: int, exercise: Exercise) -> float:
    """Seconds that grading will take: as last time; else the reference's, a little more for longer files."""
    if seconds is not None:
        return seconds
    return (exercise.reference_seconds or 1.0) * (1 + min(size, 20_000) / 20_000)


def default_jobs(memory_per_job: int = 400 << 20) -> int:
    """As many as there are processors, fewer where memory is short."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    free = _free_memory()
    return max(1, cores if free is None else min(cores, int(free // memory_per_job)))


def _free_memory() -> int | None:
    """Bytes that can be had without swapping, where Linux tells."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None
    return None


def with_spawn(options: Options) -> Options:
    """The same options where nothing can be forked or confined."""
    return replace(options, start_method="spawn", confine="none")
