"""Frozen models of ``course.yml``: what a course is made of, and where its files lie.

The models say what a value may be; ``loading`` turns a wrong value into an error with file, line and fix, and
``consistency`` looks at what no single value can tell (unknown needs, cycles, names used twice).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from gdgrade.course.kinds import (
    CourseId,
    DataSet,
    Deadline,
    EntryFile,
    Identifier,
    Mebibytes,
    Module,
    NotNegative,
    PartId,
    Positive,
    Share,
    Title,
)

COURSE_FILE = "course.yml"
Kind = Literal["exercises", "reference", "graders"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CourseInfo(_Frozen):
    """Who the course is.

    Attributes:
        id: short name, stable over the years.
        title: what people read.
        revision: changes whenever a verdict could change; part of the key of stored results.
        arrays: what the student's functions get and return.
        language: of titles, messages and hints when a whole class is graded; a student alone chooses.
    """

    id: CourseId
    title: Title
    revision: CourseId
    arrays: Literal["torch", "numpy"] = "torch"
    language: Literal["en", "fr"] = "en"


class Seeds(_Frozen):
    """The public grading seed. The secret one is never in the file: see ``seeds.grading_seed``."""

    public: Annotated[int, Field(strict=True, ge=0, lt=1 << 63)] = 0


class Limits(_Frozen):
    """What one check may use: wall-clock seconds and mebibytes (2**20 bytes) beyond the bare worker; and the
    wall-clock seconds that all checks of a submission may spend in its code together."""

    seconds: Positive = 20.0
    memory_mib: Mebibytes = 1024
    submission_seconds: Positive = 300.0


class LimitsOverride(_Frozen):
    """Limits of one exercise; what is left out is the course's."""

    seconds: Positive | None = None
    memory_mib: Mebibytes | None = None
    submission_seconds: Positive | None = None


class LatePolicy(_Frozen):
    """What lateness costs; the arithmetic is in ``late.penalty``.

    Attributes:
        grace_minutes: lateness up to this costs nothing.
        per_day: share of the points lost per started day, in [0, 1].
        cutoff_days: after so many days a submission is worth nothing; None: never.
    """

    grace_minutes: NotNegative = 0.0
    per_day: Share = 0.0
    cutoff_days: NotNegative | None = None


class Part(_Frozen):
    """One part of an exercise, e.g. 5.2.

    Attributes:
        id: e.g. ``"5.2"``.
        title: what students read in the report.
        points: what its checks add up to.
        needs: parts of the same exercise without which this one cannot be judged.
        optional: its points are a bonus: outside the maximum, and nothing is lost without them.
    """

    id: PartId
    title: Title
    points: Positive
    needs: tuple[PartId, ...] = ()
    optional: Annotated[bool, Field(strict=True)] = False


class Exercise(_Frozen):
    """One exercise: where its files are, what it is worth, what its checks may use.

    Attributes:
        id: folder name, importable, e.g. ``ex05_langevin``.
        title: what students read.
        entry: the file that students write, e.g. ``langevin.py``.
        parts: in the order of the statement.
        deadline: with its time zone; None: none.
        weight: of the exercise in the course.
        data: names of the data sets that its checks ask for.
        preload: modules that the zygote imports once, before it forks.
        forbidden_packages: kept out of the files that the worker can read.
        own_limits: ``limits`` as written in the file; use ``limits`` for the ones in force.
        reference_seconds: measured time of the whole exercise with the reference, for schedules.
        training_seconds: wall-clock limit of a check marked as training; None: the ordinary one.
    """

    id: Identifier
    title: Title
    entry: EntryFile
    parts: tuple[Part, ...] = Field(min_length=1)
    deadline: Deadline | None = None
    weight: NotNegative = 1.0
    data: tuple[DataSet, ...] = ()
    preload: tuple[Module, ...] = ()
    forbidden_packages: tuple[Module, ...] = ()
    own_limits: LimitsOverride = Field(default=LimitsOverride(), alias="limits")
    reference_seconds: Positive | None = None
    training_seconds: Positive | None = None

    _root: Path = PrivateAttr(default_factory=Path)
    _course_limits: Limits = PrivateAttr(default_factory=Limits)

    @property
    def limits(self) -> Limits:
        """The limits in force: the exercise's own, else the course's."""
        own = self.own_limits.model_dump(exclude_none=True)
        return self._course_limits.model_copy(update=own)

    @property
    def max_points(self) -> float:
        """Points of the parts that are not optional."""
        return sum(part.points for part in self.parts if not part.optional)

    @property
    def max_bonus(self) -> float:
        """Points of the optional parts."""
        return sum(part.points for part in self.parts if part.optional)

    @property
    def short(self) -> str:
        """The name without its subject: ``ex05`` of ``ex05_langevin``."""
        return split_id(self.id)[0]

    @property
    def number(self) -> int | None:
        """5 of ``ex05_langevin``; None for an id without a number."""
        return split_id(self.id)[1]

    @property
    def subject(self) -> str:
        """``langevin`` of ``ex05_langevin``; empty for an id that has none."""
        return split_id(self.id)[2]

    def part(self, part_id: str) -> Part:
        """The part of that id.

        Raises:
            KeyError: if there is none; the text lists those that there are.
        """
        for part in self.parts:
            if part.id == part_id:
                return part
        known = ", ".join(part.id for part in self.parts)
        raise KeyError(f"{self.id} has no part {part_id!r}; its parts are {known}")

    def folder(self, kind: Kind) -> Path:
        """Folder of the statement and stub, of the reference, or of the graders."""
        return self._root / kind / self.id

    @property
    def entry_path(self) -> Path:
        """The student's own file in the course folder."""
        return self.folder("exercises") / self.entry

    @property
    def reference_path(self) -> Path:
        """The reference solution; a released course has none."""
        return self.folder("reference") / self.entry

    @property
    def graders_dir(self) -> Path:
        """Folder of the checks and of ``mistakes.py``."""
        return self.folder("graders")

    def _attach(self, root: Path, limits: Limits) -> None:
        self._root = root
        self._course_limits = limits


class Course(_Frozen):
    """A whole course, as written in ``course.yml``.

    Attributes:
        info: id, title, revision, arrays; under the key ``course`` in the file.
        exercises: in the order of the course.
    """

    info: CourseInfo = Field(alias="course")
    seeds: Seeds = Seeds()
    limits: Limits = Limits()
    late: LatePolicy = LatePolicy()
    exercises: tuple[Exercise, ...] = Field(min_length=1)

    _file: Path = PrivateAttr(default_factory=lambda: Path(COURSE_FILE))

    def model_post_init(self, context: Any) -> None:
        """Tell every exercise where the course lies; the place comes as ``context={"file": Path}``."""
        if isinstance(context, dict) and "file" in context:
            self._file = Path(context["file"])
        for exercise in self.exercises:
            exercise._attach(self.root, self.limits)

    @property
    def file(self) -> Path:
        """The course file."""
        return self._file

    @property
    def root(self) -> Path:
        """The folder of the course file."""
        return self._file.parent

    @property
    def id(self) -> str:
        """Short name of the course."""
        return self.info.id

    @property
    def title(self) -> str:
        """Title of the course."""
        return self.info.title

    @property
    def revision(self) -> str:
        """Revision; part of the key of stored results."""
        return self.info.revision

    @property
    def arrays(self) -> Literal["torch", "numpy"]:
        """What the student's functions get and return."""
        return self.info.arrays

    def exercise(self, exercise_id: str) -> Exercise:
        """The exercise of that full id; for what a user typed see ``lookup.resolve_exercise``.

        Raises:
            KeyError: if there is none; the text lists those that there are.
        """
        for exercise in self.exercises:
            if exercise.id == exercise_id:
                return exercise
        raise KeyError(f"no exercise {exercise_id!r}; there are {', '.join(e.id for e in self.exercises)}")

    def missing_files(self, kinds: tuple[Kind, ...] = ("exercises", "reference", "graders")) -> list[Path]:
        """Files and folders that the manifest promises and that are not there.

        Args:
            kinds: what to look for; a released course has no ``reference``.

        Returns:
            Entry files of ``exercises`` and ``reference``, folders of ``graders``; empty when all is there.
        """
        return list(self._missing(kinds))

    def _missing(self, kinds: tuple[Kind, ...]) -> Iterator[Path]:
        for exercise in self.exercises:
            for kind in kinds:
                folder = exercise.folder(kind)
                if kind == "graders":
                    if not folder.is_dir():
                        yield folder
                elif not (folder / exercise.entry).is_file():
                    yield folder / exercise.entry


def split_id(exercise_id: str) -> tuple[str, int | None, str]:
    """Take an exercise id apart.

    Example:
        >>> split_id("ex05_langevin")
        ('ex05', 5, 'langevin')
        >>> split_id("warm_up")
        ('warm_up', None, '')
    """
    found = re.match(r"^([a-z]+)(\d{1,6})(?:_(.+))?$", exercise_id)
    if found is None:
        return exercise_id, None, ""
    return found[1] + found[2], int(found[2]), found[3] or ""
