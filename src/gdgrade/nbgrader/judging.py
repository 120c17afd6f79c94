"""From the bytes of a handed-in notebook to a verdict: the one road of both ways of grading."""

from __future__ import annotations

import atexit
import os
import stat
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from gdgrade.batch.grading import Judges, grade, judges_for
from gdgrade.batch.sources import MAX_FILE
from gdgrade.batch.store import Verdict
from gdgrade.course.errors import CourseError, SubmissionError, UnknownExerciseError
from gdgrade.course.loading import load_course
from gdgrade.course.lookup import find_course, resolve_exercise
from gdgrade.course.manifest import Course, Exercise
from gdgrade.course.submission import Submission, parse_submission
from gdgrade.judging import Options
from gdgrade.nbgrader.mending import without_outputs
from gdgrade.nbgrader.verdicts import NotebookVerdict, of_problem, of_report
from gdgrade.processes.launcher import LaunchError
from gdgrade.report.model import Report

MAX_NOTEBOOK = 100_000_000  # bytes, of which outputs may be nearly all


class HandInError(Exception):
    """A handed-in notebook that cannot be read; the text says why."""


@lru_cache(maxsize=4)
def course_at(path: str) -> Course:
    """The course that nbgrader's configuration names.

    Raises:
        CourseError: it cannot be read, or nothing is configured.
    """
    if not path:
        raise CourseError.at("nbgrader_config.py", "names no course; see `gdgrade nbgrader init`.")
    return load_course(find_course(option=path, env={}))


def exercise_of(course: Course, assignment: str) -> Exercise | None:
    """The exercise of an assignment: only by its whole name, so that `midterm-5` is not taken for exercise 5."""
    try:
        found = resolve_exercise(course, assignment)
    except UnknownExerciseError:
        return None
    return found if assignment.lower() in (found.short, found.id) else None


def read_bytes(path: Path) -> bytes:
    """The bytes of a handed-in notebook; of one that is too large for its outputs, without them.

    Raises:
        HandInError: a link, a pipe, too large all the same, unreadable.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if path.is_symlink():
            raise HandInError("a symbolic link is not followed")
        with os.fdopen(os.open(path, flags), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise HandInError("not an ordinary file")
            data = stream.read(MAX_NOTEBOOK + 1)
    except OSError as error:
        raise HandInError(f"cannot be read: {error.strerror}") from error
    if len(data) > MAX_NOTEBOOK:
        raise HandInError(f"larger than {MAX_NOTEBOOK // 10**6} MB")
    if len(data) > MAX_FILE:
        try:
            data = without_outputs(data)
        except (ValueError, RecursionError):
            raise HandInError("its JSON is damaged") from None
    return data


def read(data: bytes, exercise: Exercise) -> Submission:
    """The code of a notebook, under the name that the exercise's file has.

    Raises:
        SubmissionError: with what is wrong, for the student.
    """
    return parse_submission(data, exercise.entry.removesuffix(".py") + ".ipynb")


_pools: dict[tuple[str, str, Options], Judges] = {}


def judge(course: Course, exercise: Exercise, data: bytes, options: Options) -> Verdict:
    """Judge one notebook. The first call for an exercise starts its judges; they live as long as this process.

    Raises:
        SubmissionError: the notebook cannot be read.
        LaunchError: judges cannot be had, or end again and again.
    """
    return judge_submission(course, exercise, read(data, exercise), options)


def judge_submission(course: Course, exercise: Exercise, submission: Submission, options: Options) -> Verdict:
    """The same for what was read already, from whatever file.

    Raises:
        LaunchError: as for `judge`.
    """
    key = (str(course.file), exercise.id, options)
    for attempt in range(2):
        if key not in _pools:
            close()  # one exercise at a time: a server of judges holds torch and the graders in memory
            _pools[key] = judges_for(course, exercise, options)
        try:
            return grade(course, exercise, submission, options, _pools[key])
        except LaunchError:
            _pools.pop(key).close()
            if attempt:
                raise
    raise AssertionError("unreachable")


def close() -> None:
    """End all judges that `judge` has started."""
    while _pools:
        _pools.popitem()[1].close()


atexit.register(close)


def to_cells(exercise: Exercise, verdict: Verdict) -> NotebookVerdict:
    """What a verdict means for the notebook's cells."""
    if verdict.report is None:
        return of_problem(exercise, verdict.problem or "it could not be judged")
    found = of_report(exercise, Report.from_json(verdict.report))
    return replace(found, problem=verdict.problem)


def problem_of(error: SubmissionError | HandInError) -> str:
    """Why a notebook cannot be read, in a sentence."""
    return error.message if isinstance(error, SubmissionError) else f"The notebook is {error}."
