"""Naming the mistake behind a wrong answer.

The check that failed is run again, in the judge, with each known mistake in the student's place and the same draws.
A mistake explains the failure if its run fails as well and shows the same numbers in the same order. The verdict
"wrong" was already made by the check itself, so a diagnosis can add a hint but never cost a point.
"""

from __future__ import annotations

import time
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gdgrade.failures import CheckFailed, GraderError, StudentError
from gdgrade.judge.channel import LocalChannel
from gdgrade.judge.context import CheckContext, float64_default, running
from gdgrade.judge.draw import Draw
from gdgrade.judge.entries import entries
from gdgrade.judge.matching import Diverged, following, same_run
from gdgrade.judge.reference import load_mistakes, load_reference, mistaken_reference
from gdgrade.judge.student import Notebook, Student
from gdgrade.mistakes import Mistake
from gdgrade.worker.executor import Executor

SECONDS = 10.0
MANY = 8  # candidates from which on it pays to see first what the reference enters


@dataclass
class Rerun:
    """Everything needed to run one check once more with another module in the student's place.

    Attributes:
        function: the check; arguments: its fixtures by name, without student and draw.
        draw_seed, student_seed: as in the run that failed.
    """

    function: Callable[..., Any]
    arguments: dict[str, Any]
    draw_seed: int | None
    student_seed: int
    library: str

    def with_module(
        self, module: types.ModuleType, follow: Notebook | None = None
    ) -> tuple[Notebook, BaseException | None]:
        """What is seen of `module`, and the error with which the check ended, if any.

        Args:
            follow: stop, with no error, as soon as something else is seen than here.
        """
        context = CheckContext(Notebook() if follow is None else following(follow))
        student = Student(LocalChannel(Executor(module=module)), self.library)
        student.notebook = context.notebook
        arguments = dict(self.arguments)
        if self.draw_seed is not None:
            arguments["draw"] = Draw(self.draw_seed, self.library)
        with running(context), float64_default(self.library):
            try:
                student.seed(self.student_seed)
                self.function(student=student, **arguments)
            except Diverged:
                return context.notebook, None
            except (Exception, BaseExceptionGroup) as error:
                return context.notebook, error
        return context.notebook, None


@dataclass
class Diagnostician:
    """The mistakes of one exercise, loaded when first needed.

    Attributes:
        seconds: CPU time all reruns of one check may take together.
    """

    reference: Path
    mistakes_file: Path
    exercise: str
    seconds: float = SECONDS
    _mistakes: list[Mistake] | None = field(default=None, repr=False)
    _plain: types.ModuleType | None = field(default=None, repr=False)

    @property
    def mistakes(self) -> list[Mistake]:
        if self._mistakes is None:
            self._mistakes = load_mistakes(self.mistakes_file, self.exercise)
        return self._mistakes

    def warm_up(self) -> None:
        """Load the mistakes now rather than at the first failure."""
        self._plain = load_reference(self.reference, self.exercise, "names")
        _ = self.mistakes

    def explain(self, rerun: Rerun, seen: Notebook, short: str) -> list[Mistake]:
        """The mistakes that show the student's very numbers in this check.

        Two or more mean that this check cannot tell them apart; the caller decides what else it knows.
        """
        names = {entry.name.split(".")[0] for entry in seen.seen}
        deadline = time.process_time() + self.seconds  # not the wall clock: hints must not depend on load
        matches = []
        for mistake in self._entered(rerun, seen, list(self.candidates(names, short))):
            if time.process_time() > deadline:
                return []  # an incomplete comparison could accuse wrongly
            try:
                module = mistaken_reference(self.reference, self.exercise, mistake)
            except GraderError:
                continue
            notebook, error = rerun.with_module(module, follow=seen)
            if error is not None and same_run(seen, notebook):
                matches.append(mistake)
        return matches

    def _entered(self, rerun: Rerun, seen: Notebook, candidates: Sequence[Mistake]) -> Sequence[Mistake]:
        """The candidates that can make a run look like `seen`, by what the reference enters before it looks different.

        Until its function is entered, a mistake's run is the reference's. Where many are to be tried, most of them
        fall to this one run: names tell nothing of what functions that are shipped to the student call.
        """
        if len(candidates) < MANY:
            return candidates
        module = load_reference(self.reference, self.exercise, "followed")
        with entries(module) as found:
            rerun.with_module(module, follow=seen)
        return [one for one in candidates if not found.rule_out(one.of)]

    def reference_passes(self, rerun: Rerun) -> bool:
        """Whether the reference itself gets through the check: if so, an odd error is the student's."""
        _, error = rerun.with_module(load_reference(self.reference, self.exercise, "rerun"))
        return error is None

    def candidates(self, names: set[str], short: str) -> Iterator[Mistake]:
        """Mistakes that can have an effect on a check that called the functions `names`."""
        if self._plain is None:
            self._plain = load_reference(self.reference, self.exercise, "names")
        known = {name for name in names if hasattr(self._plain, name)}
        # Calls on objects and shipped functions carry other labels: then nothing can be excluded.
        everything = known != names
        reached = reachable(self._plain, known)
        for mistake in self.mistakes:
            if mistake.checks is not None and not any(short.startswith(prefix) for prefix in mistake.checks):
                continue
            if everything or mistake.of in reached:
                yield mistake


def reachable(module: types.ModuleType, names: set[str]) -> set[str]:
    """The module's globals that calling `names` can reach, themselves included."""
    reached: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in reached:
            continue
        reached.add(name)
        value = getattr(module, name, None)
        codes = _codes(value)
        for code in codes:
            todo.extend(other for other in _names(code) if hasattr(module, other))
    return reached


def mentioned(module: types.ModuleType, names: set[str]) -> set[str]:
    """Every name, attributes among them, that stands in the code which calling `names` can reach in the module."""
    codes = (code for name in reachable(module, names) for code in _codes(getattr(module, name, None)))
    return {name for code in codes for name in _names(code)}


def _codes(value: Any) -> list[types.CodeType]:
    if isinstance(value, types.FunctionType):
        return [value.__code__]
    if isinstance(value, type):
        return [item.__code__ for item in vars(value).values() if isinstance(item, types.FunctionType)]
    return []


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def is_verdict(error: BaseException) -> bool:
    """Errors by which a check says that the student is wrong."""
    return isinstance(error, CheckFailed | StudentError | AssertionError)
