"""`gdgrade.check`: judge the functions that were defined in this notebook so far."""

from __future__ import annotations

import dataclasses
import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gdgrade.course.definitions import asked_by
from gdgrade.course.errors import CourseError
from gdgrade.course.loading import load_course
from gdgrade.course.lookup import find_course, resolve_exercise
from gdgrade.course.manifest import Course, Exercise
from gdgrade.judge.job import Job
from gdgrade.judging import Event, Options, make_job, settings_for, to_report
from gdgrade.language import _, preferred, use
from gdgrade.notebook.cells import shell, submission_of
from gdgrade.notebook.engine import ENGINE
from gdgrade.notebook.errors import CheckError, one_line_interrupts
from gdgrade.notebook.verdict import Verdict
from gdgrade.processes.launcher import LaunchError
from gdgrade.report.text import clean_text

FIGURE_SECONDS = 600.0


@one_line_interrupts()
def check(
    exercise: str,
    part: str | None = None,
    *,
    plot: bool = False,
    quick: bool = False,
    seed: int | None = None,
    course: str | os.PathLike[str] | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Verdict:
    """Judge the functions that the cells run so far define; of several definitions of a name the last one counts.

    Cells are not run again. Imports, functions, classes and values are taken from them by name and judged in a
    process of their own, exactly as `gdgrade check` judges a file.

    Args:
        exercise: a number or a name (ex05, 5, langevin), or a part's number (5.2) that only one exercise has.
        part: only this part, such as "5.2".
        plot: also draw the exercise's figures from these functions.
        quick: leave out checks that train a network.
        seed: another public seed than the course's.
        course: the course folder or its course.yml. Default: the nearest one above the current folder, or
            GDGRADE_COURSE.
        on_event: called for each decided check, while the others still run.

    Returns:
        What the notebook shows; `passed`, `points`, `max_points` and `report` for programs.

    Raises:
        CheckError: no such exercise or part, none of its functions is defined, or the grader failed. A wrong
            answer is no error.

    Example:
        >>> gdgrade.check("ex05", part="5.2")  # doctest: +SKIP
    """
    started = time.time()
    running = shell()
    try:
        found = load_course(find_course(option=course, env=os.environ))
        use(preferred(), found.root / "locale")
        chosen, part = _meant(found, exercise, part)
        submission = submission_of(running, asked_by(chosen), chosen.short or chosen.id)
        job = make_job(found, chosen, submission, Options(seed=seed, only_part=part, quick=quick))
    except CourseError as error:
        raise CheckError(str(error)) from None
    result = _judged(job, chosen, on_event)
    report = to_report(found, chosen, submission, job, result, started=started).redacted()
    figures, problem = _figures(job, chosen) if plot else ({}, "")
    return Verdict(report, figures=figures, problem=problem, part=part)


def _meant(course: Course, exercise: str, part: str | None) -> tuple[Exercise, str | None]:
    """The exercise and the part that are meant.

    Raises:
        CheckError: there is no such part, or several exercises have one.
        CourseError: there is no such exercise.
    """
    if not all(isinstance(name, str) for name in (exercise, part or "")):  # a number: check(5.2)
        raise CheckError(_('exercise and part are text, such as check("ex05", part="5.2")'))
    exercise, part = exercise.strip(), part.strip() if part is not None else None
    if part is None and re.fullmatch(r"\d+\.\w+", exercise):
        owners = [one for one in course.exercises if exercise in {entry.id for entry in one.parts}]
        if len(owners) == 1:
            return owners[0], exercise
        names = ", ".join(one.short or one.id for one in owners)
        shown = clean_text(exercise, 40)
        if owners:
            text = _("{part} may be of {names}; name the exercise too").format(part=shown, names=names)
        else:
            text = _("no exercise has a part {part}").format(part=shown)
        raise CheckError(text)
    chosen = resolve_exercise(course, exercise)
    known = [entry.id for entry in chosen.parts]
    if part is not None and part not in known:
        text = _("{exercise} has no part {part}; its parts are {known}")
        raise CheckError(
            text.format(exercise=chosen.short or chosen.id, part=clean_text(part, 40), known=", ".join(known))
        )
    return chosen, part


def _judged(job: Job, exercise: Exercise, on_event: Callable[[Event], None] | None = None) -> dict[str, Any]:
    try:
        result = ENGINE.judge(job, settings_for(exercise, job.confine), on_event)
    except LaunchError as error:
        raise CheckError(str(error)) from None
    if result.get("errors"):
        text = _("the checks of {exercise} could not be run: {why}")
        raise CheckError(text.format(exercise=exercise.id, why=clean_text(str(result["errors"][0]), 1000)))
    return result


def _figures(job: Job, exercise: Exercise) -> tuple[dict[str, bytes], str]:
    """PNG bytes by name, or a sentence that says why there are none."""
    with tempfile.TemporaryDirectory(prefix="gdgrade-figures-") as folder:
        figures = {"folder": folder, "formats": ["png"], "seconds": FIGURE_SECONDS}
        job = dataclasses.replace(job, submission_seconds=FIGURE_SECONDS, extra={**job.extra, "figures": figures})
        result = _judged(job, exercise)
        if result.get("problem"):
            problem = clean_text(str(result["problem"]), 1000)
            if result.get("cause") == "grader":
                return {}, problem
            return {}, _("The figures need code that does not run yet: {problem}").format(problem=problem)
        return {Path(path).stem.replace("_", " "): Path(path).read_bytes() for path in result["files"]}, ""
