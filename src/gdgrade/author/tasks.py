"""The jobs by which an exercise is examined, and what each one's verdict depends on."""

from __future__ import annotations

import ast
import dataclasses
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gdgrade.author.cache import content_of
from gdgrade.author.junk import junk, kinds
from gdgrade.author.mutants import Mutant
from gdgrade.author.planted import Planted, planted_files
from gdgrade.author.runner import Task
from gdgrade.author.single import in_single_precision
from gdgrade.course.manifest import Course, Exercise
from gdgrade.course.submission import read_submission
from gdgrade.judge.job import Job
from gdgrade.judging import Options, make_job
from gdgrade.sourcecode import python_tree

MUTANT_SECONDS = 3.0
LAB_SECONDS = 7200.0


@dataclass(frozen=True)
class Effort:
    """How much is tried in one mode.

    Attributes:
        seeds: of the reference through real workers, in each precision.
        chance: seeds of each check in the judge alone, for the rate of false failures.
        chance_seconds: CPU time after which no further seed of a check is begun; None: no limit.
        power: seeds of a statistical check against a mistake.
        mutants, junk: how many mutants of the exercise and kinds of junk per function; None: all.
        equivalence: (seeds of the checks, variants of each call) that a survivor must equal.
        trained: planted answers that are judged with their training checks; None: all that ask for it.
        figures: share of the training before the figures are drawn.
        every: nothing is inferred that can be tried: planted answers are judged on every check, also on code that
            another one was tried on, mistakes are run again to name them, and what is caught is caught twice.
    """

    mode: str
    seeds: int
    chance: int
    chance_seconds: float | None
    power: int
    mutants: int | None
    junk: int | None
    equivalence: tuple[int, int]
    trained: int | None
    figures: float
    every: bool


QUICK = Effort(
    "quick",
    seeds=3,
    chance=20,
    chance_seconds=0.1,
    power=3,
    mutants=24,
    junk=3,
    equivalence=(3, 20),
    trained=1,
    figures=0.05,
    every=False,
)
FULL = Effort(
    "full",
    seeds=200,
    chance=200,
    chance_seconds=None,
    power=50,
    mutants=None,
    junk=None,
    equivalence=(20, 100),
    trained=None,
    figures=1.0,
    every=True,
)


def spoken_only(graders: Path) -> set[Path]:
    """Files of an exercise's graders that can change what is said of an answer, but no check's verdict.

    These are the modules that neither a check nor conftest.py imports, directly or not (mistakes, figures,
    calibration), and the list of excused mutants.
    """
    modules = {path.stem: path for path in graders.glob("*.py")}
    deciding, todo = set(), [stem for stem in modules if stem.startswith("test_") or stem == "conftest"]
    while todo:
        stem = todo.pop()
        if stem in modules and stem not in deciding:
            deciding.add(stem)
            todo += _imported(modules[stem])
    spoken = {path for stem, path in modules.items() if stem not in deciding}
    return spoken | {graders / "equivalent_mutants.yml"}


def _imported(path: Path) -> Iterator[str]:
    """First names of the modules that a file imports; nothing, if it is not Python: that is said elsewhere."""
    try:
        tree = python_tree(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError):
        return
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        yield from (name.split(".")[0] for name in names)


class Bench:
    """Makes the tasks of one exercise.

    Args:
        course: the course, with its reference.
        exercise: one of it.
    """

    def __init__(self, course: Course, exercise: Exercise) -> None:
        self.course, self.exercise = course, exercise
        root = course.root
        graders = [path for path in exercise.graders_dir.rglob("*") if path.is_file()]
        shared = [path for path in exercise.graders_dir.parent.glob("*") if path.is_file()]  # helpers of all exercises
        data = [path for name in exercise.data for path in (root / "data").glob(f"{name}.*")]
        spoken = spoken_only(exercise.graders_dir)
        judged = [path for path in graders if path not in spoken]
        self._checks = content_of([exercise.reference_path, *judged, *shared, *data], root)
        self._all = content_of([exercise.reference_path, *graders, *shared, *data], root)

    @cached_property
    def reference(self) -> str:
        """The reference's source."""
        return self.exercise.reference_path.read_text(encoding="utf-8")

    @cached_property
    def planted(self) -> list[Planted]:
        """The planted submissions.

        Raises:
            gdgrade.author.planted.HeaderError: a first line is not as it must be.
        """
        return planted_files(self.planted_folder)

    @property
    def planted_folder(self) -> Path:
        return self.course.root / "tests" / "submissions" / self.exercise.id

    def job(self, path: Path, *, seed: int | None = None, quick: bool = True) -> Job:
        """A file of the course as a submission. The secret seed stays out: its verdicts would end up in a cache."""
        submission = read_submission(path, follow_symlinks=True)
        job = make_job(self.course, self.exercise, submission, Options(seed=seed, quick=quick))
        return dataclasses.replace(job, secret_seed=None)

    def reference_run(self, number: int, precision: str, *, quick: bool) -> Task:
        """The reference as a submission, with the public seed and `number` added to it."""
        job = self.job(self.exercise.reference_path, seed=self.course.seeds.public + number, quick=quick)
        if precision == "float32":
            job = dataclasses.replace(job, source=in_single_precision(self.reference, self.course.arrays))
        job = dataclasses.replace(job, diagnose=False)
        return Task(f"reference, {precision}, seed {number}", job, self._checks)

    def stub_run(self) -> Task:
        """The stub, each part as if what it needs were right: so it is for somebody who solved the parts before."""
        job = self.job(self.exercise.entry_path, quick=False)
        parts = tuple(dataclasses.replace(part, needs=()) for part in job.parts)
        return Task("stub", dataclasses.replace(job, parts=parts), self._all)

    def planted_run(
        self,
        planted: Planted,
        checks: tuple[str, ...] = (),
        *,
        trained: bool,
        recall: Path | None = None,
        shared: bool = False,
    ) -> Task:
        """A planted answer, on some checks or on all. An endless one need not be waited for longer than a mutant.

        Args:
            recall: where it is known what the mistakes show; see `gdgrade.judge.recall`.
            shared: one worker for all checks where no more than a formula is wrong: two thirds of the time. The file
                is loaded anew for each check all the same.
        """
        job = dataclasses.replace(self.job(planted.path, quick=not trained), only_checks=checks)
        job = dataclasses.replace(job, diagnose=planted.diagnosis is not None)  # without a promise nobody looks at it
        if recall is not None:
            job = dataclasses.replace(job, extra={**job.extra, "recall": str(recall)})
        if shared and planted.cause == "student" and not (planted.right or trained):
            job = dataclasses.replace(job, extra={**job.extra, "shared_worker": True})
        if planted.cause == "timeout":
            job = dataclasses.replace(job, seconds=MUTANT_SECONDS)
        return Task(f"planted {planted.path.stem}", job, self._all)

    def mutant_run(self, mutant: Mutant, checks: list[str]) -> Task:
        """A mutant on the checks that can reach its function, until the first one fails."""
        job = dataclasses.replace(
            self._variant(mutant.source), seconds=MUTANT_SECONDS, only_checks=tuple(checks), stop_early=True
        )
        return Task(f"mutant {mutant.name}", job, self._checks)

    def trained_mutant_run(self, mutant: Mutant, checks: list[str]) -> Task:
        """A mutant of what only trainings reach, on these."""
        job = dataclasses.replace(self._variant(mutant.source), only_checks=tuple(checks), stop_early=True, quick=False)
        return Task(f"mutant {mutant.name}, trained", job, self._checks)

    def junk_run(self, function: str, kind: str, checks: list[str]) -> Task:
        """Junk from one function, on the checks that call it."""
        source = junk(self.reference, function, kind, self.course.arrays)
        job = dataclasses.replace(self._variant(source), only_checks=tuple(checks), seconds=5.0)
        return Task(f"junk {function} {kind}", job, self._checks)

    def junk_kinds(self, function: str, count: int | None) -> list[str]:
        """Kinds to try on a function: all, or a fixed choice that differs from function to function."""
        every = kinds(self.course.arrays)
        if count is None:
            return every
        first = zlib.crc32(f"{self.exercise.id} {function}".encode()) % len(every)
        step = max(1, len(every) // count)
        return [every[(first + step * number) % len(every)] for number in range(min(count, len(every)))]

    def lab(self, name: str, options: Mapping[str, Any], *, quick: bool = True) -> Task:
        """An investigation in a judge, see `gdgrade.author.lab`."""
        job = self.job(self.exercise.reference_path, quick=quick)
        job = dataclasses.replace(
            job, diagnose=False, extra={"lab": {"name": name, **options}}, submission_seconds=LAB_SECONDS
        )
        return Task(name.rpartition(":")[2], job, self._all)

    def _variant(self, source: str) -> Job:
        return dataclasses.replace(self.job(self.exercise.reference_path), source=source, diagnose=False)
