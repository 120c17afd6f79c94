"""From paths on the command line to hand-ins, one per student and exercise; everything left out is listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path

from gdgrade.batch.layouts import DEFAULT_PATTERN, Layouts, Misplaced, Placed
from gdgrade.batch.sources import BROKEN, Refused, SourceFile, walk
from gdgrade.course.errors import SubmissionError, UnknownExerciseError
from gdgrade.course.lookup import resolve_exercise
from gdgrade.course.manifest import Course, Exercise
from gdgrade.course.submission import Submission, parse_submission
from gdgrade.report.text import clean_text

ENDINGS = (".py", ".ipynb")


@dataclass(frozen=True)
class HandIn:
    """One student's file for one exercise.

    Attributes:
        student: key; name: what people read.
        exercise: id.
        file: where it lay, inert.
        data: the bytes; empty if they could not be read.
        submission: as read, or None: then `problem` says what is wrong with the file.
        submitted, time_source: when it was handed in, and who says so.
        identifiers: what exports look the student up by.
    """

    student: str
    name: str
    exercise: str
    file: str
    data: bytes
    submission: Submission | None
    problem: str = ""
    submitted: datetime | None = None
    time_source: str = ""
    identifiers: Mapping[str, str] = field(default_factory=dict)
    layout: str = ""


@dataclass(frozen=True)
class How:
    """What collecting must be told.

    Attributes:
        exercise: everything belongs to it; None: names and folders say.
        pattern: of file names in a flat folder.
        zone: of times without one (zip archives know none); None: this machine's.
        use_mtime: believe the times of files on disk, where nothing better is known.
    """

    exercise: Exercise | None = None
    pattern: str = DEFAULT_PATTERN
    zone: tzinfo | None = None
    use_mtime: bool = False


@dataclass
class _Candidate:
    source: SourceFile
    placed: Placed
    exercise: Exercise


def collect(paths: Sequence[Path], course: Course, how: How | None = None) -> Iterator[HandIn | Refused]:
    """All hand-ins of the sources, and all files that are none, with reasons.

    Args:
        paths: folders, archives or single files.

    Raises:
        ValueError: a wrong pattern.
    """
    how = how or How()
    taken: dict[tuple[str, str], str] = {}
    for path in paths:
        found: list[SourceFile] = []
        for entry in walk(path):
            if isinstance(entry, Refused):
                yield entry
            else:
                found.append(entry)
        layouts = Layouts(found, how.pattern)
        groups: dict[tuple[str, str], list[_Candidate]] = {}
        for file in found:
            candidate = _candidate(file, layouts, course, how)
            if isinstance(candidate, Refused):
                yield candidate
            elif candidate is not None:
                groups.setdefault((candidate.placed.student, candidate.exercise.id), []).append(candidate)
        for key, group in groups.items():
            if key in taken:
                for one in group:
                    yield Refused(one.source.path, f"{taken[key]} of an earlier source was taken", key[0])
                continue
            chosen, others = _choose(group)
            for other, reason in others:
                yield Refused(other.source.path, reason, key[0])
            if chosen is not None:
                taken[key] = chosen.source.path
                yield _hand_in(chosen, how)


def _candidate(file: SourceFile, layouts: Layouts, course: Course, how: How) -> _Candidate | Refused | None:
    if file.name in layouts.furniture:
        return None
    if not file.name.lower().endswith(ENDINGS):
        return Refused(file.path, "neither a .py file nor a notebook")
    try:
        placed = layouts.place(file)
    except Misplaced as error:
        return Refused(file.path, str(error))
    if not placed.student.strip(" ."):
        return Refused(file.path, "the student's name is empty")
    if how.exercise is not None:
        return _Candidate(file, placed, how.exercise)
    wanted = placed.wanted if placed.layout != "flat" else f"{placed.wanted}.py"
    try:
        return _Candidate(file, placed, resolve_exercise(course, wanted))
    except UnknownExerciseError:
        if len(course.exercises) == 1:
            return _Candidate(file, placed, course.exercises[0])
        shown = clean_text(placed.wanted or file.name, 100)
        reason = f"no exercise of the course is called {shown!r}; rename it, or say which with --exercise"
        return Refused(file.path, reason, placed.student)


def _choose(group: list[_Candidate]) -> tuple[_Candidate | None, list[tuple[_Candidate, str]]]:
    """The one file of a student for an exercise: by the entry's name, then the latest; helpers are left out."""
    if len(group) == 1:
        return group[0], []
    stem = group[0].exercise.entry.removesuffix(".py")
    named = [one for one in group if one.source.name.rsplit(".", 1)[0].lower() == stem]
    if not named:
        # Platforms number resubmissions: langevin-1.py, langevin (2).py.
        named = [one for one in group if stem in one.source.name.lower()]
    if not named:
        return None, [(one, f"one of {len(group)} files, and none is called {stem}.py or .ipynb") for one in group]

    def rank(one: _Candidate) -> tuple[float, bool, str]:
        when = one.source.modified
        # A naive time counts as local: only the order within one source matters here.
        return (when.timestamp() if when is not None else 0.0, one.source.name.endswith(".py"), one.source.path)

    chosen = max(named, key=rank)
    reason = f"another file of the same student and exercise was taken: {chosen.source.path}"
    return chosen, [(one, reason) for one in group if one is not chosen]


def _hand_in(candidate: _Candidate, how: How) -> HandIn:
    source, placed = candidate.source, candidate.placed
    submission, problem, data = None, "", b""
    try:
        data = source.read()
        # The exercise's own file name, so that identical files give identical reports.
        ending = source.name[source.name.rindex(".") :].lower()
        submission = parse_submission(data, candidate.exercise.entry.removesuffix(".py") + ending)
    except SubmissionError as error:
        problem = error.message
    except BROKEN as error:
        problem = f"The file cannot be read: {clean_text(str(error), 200)}."
    when, time_source = placed.submitted, placed.time_source
    if when is None and how.use_mtime and source.modified is not None:
        when, time_source = source.modified, "time of the file"
    if when is not None and when.tzinfo is None:
        when = when.astimezone() if how.zone is None else when.replace(tzinfo=how.zone)
    return HandIn(
        student=clean_text(placed.student, 120), name=clean_text(placed.name, 120), exercise=candidate.exercise.id,
        file=source.path, data=data, submission=submission, problem=problem, submitted=when, time_source=time_source,
        identifiers=dict(placed.identifiers), layout=placed.layout,
    )  # fmt: skip
