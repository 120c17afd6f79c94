"""`author check`: everything that must hold of an exercise before a student meets it, examined and summed up."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gdgrade.author import paper
from gdgrade.author.cache import Cache
from gdgrade.author.examination import Examination, Expect
from gdgrade.author.runner import Gate, Progress, Runner, side_by_side
from gdgrade.author.tasks import QUICK, Effort
from gdgrade.author.verdict import Verdict, section
from gdgrade.course.manifest import Course, Exercise
from gdgrade.processes.judges import CollectionError


def examine(
    course: Course,
    exercise: Exercise,
    effort: Effort = QUICK,
    *,
    jobs: int = 2,
    cache: Cache | None = None,
    expect: Expect | None = None,
    progress: Progress | None = None,
    gate: Gate | None = None,
) -> Verdict:
    """Examine one exercise.

    Args:
        effort: quick or full, see `gdgrade.author.tasks`.
        jobs: judges at a time.
        cache: of verdicts; None: nothing is kept.
        expect: told how many more runs there will be, whenever that becomes known.
        progress: told the name of each run that is done.
        gate: limits the judges of several examinations together, and stops them.

    Raises:
        LaunchError: the machine could not start a judge.
    """
    started = time.monotonic()
    missing = paper.missing_files(course, exercise)
    if missing.problems:
        return Verdict(exercise.id, exercise.title, effort.mode, (missing,))
    with (
        Runner(exercise, jobs, cache or Cache(None), progress, gate) as runner,
        tempfile.TemporaryDirectory(prefix="gdgrade-check-") as scratch,
    ):
        examination = Examination(course, exercise, effort, runner, expect or (lambda count: None), Path(scratch))
        try:
            sections = [missing, *examination.sections()]
        except CollectionError as error:
            sections = [missing, section("checks", "they cannot be run", [str(error)])]
        return Verdict(
            exercise.id,
            exercise.title,
            effort.mode,
            tuple(sections),
            examination.confusion,
            tuple(examination.survivors),
            round(time.monotonic() - started, 2),
            runner.judged,
        )


def examine_all(
    course: Course,
    exercises: Sequence[Exercise],
    effort: Effort = QUICK,
    *,
    jobs: int = 2,
    cache: Cache | None = None,
    expect: Expect | None = None,
    progress: Progress | None = None,
    tell: Callable[[Verdict], None] | None = None,
) -> list[Verdict]:
    """Examine several exercises side by side; see `gdgrade.author.runner.side_by_side`.

    Args and errors: those of `examine`; `jobs` is for all together. `tell` is called with each verdict as soon as it is
    there, one at a time.
    """
    turn = threading.Lock()

    def one(exercise: Exercise, gate: Gate) -> Verdict:
        verdict = examine(course, exercise, effort, jobs=jobs, cache=cache, expect=expect, progress=progress, gate=gate)
        if tell is not None:
            with turn:
                tell(verdict)
        return verdict

    return side_by_side(one, exercises, jobs)
