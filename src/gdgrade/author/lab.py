"""What `author check` finds out inside a judge's process: a pytest plugin that keeps every check for reruns.

The checks run once on the reference, in this process, and each is kept as a `Rerun`. What follows is plain arithmetic
on reruns: other seeds, other modules in the student's place. Nothing here meets a student's code: references, mistakes
and mutants are the author's own, and `limited` ends what does not end by itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import types
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gdgrade.judge.channel import LocalChannel
from gdgrade.judge.context import float64_default
from gdgrade.judge.diagnosis import Rerun, mentioned
from gdgrade.judge.draw import derive_seed
from gdgrade.judge.entries import Entries, entries
from gdgrade.judge.marks import CheckMark, mark_of, short_name
from gdgrade.judge.plugin import Judge
from gdgrade.judge.reference import load_reference
from gdgrade.judge.student import Notebook
from gdgrade.mistakes import Mistake
from gdgrade.worker.executor import Executor

SECONDS = 10.0


@dataclass
class Case:
    """One check, ready to be run again.

    Attributes:
        short: its short name; mark: what `@check` says; described: it has a docstring.
        mentions: names that stand in its code: a check that was left out may call these.
        rerun: None for a check that left out, or that asks for no student.
        seen: what it saw of the reference; entered: the reference's functions and classes that it went through.
        error: why the reference did not pass, or "".
        chance: at most how probable it is that its statistical tests fail a right answer.
    """

    short: str
    mark: CheckMark
    described: bool
    mentions: set[str]
    rerun: Rerun | None = None
    seen: Notebook | None = None
    entered: Entries | None = None
    error: str = ""
    chance: float = 0.0

    @property
    def names(self) -> set[str]:
        """Functions, classes and shipped functions that it called."""
        seen = self.seen.seen if self.seen is not None else []
        return {entry.name.split(".")[0] for entry in seen}


class LocalPool:
    """Stands in for the workers: answers with a module of this process."""

    def __init__(self, module: types.ModuleType) -> None:
        self._module = module
        self.confinement: dict[str, Any] = {}

    def for_check(self, seconds: float, memory_mib: int) -> LocalChannel:
        return LocalChannel(Executor(module=self._module))

    def finish_check(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        """Nothing to close."""


class Lab:
    """Base of the investigations; a subclass answers in `result`.

    Args:
        judge: whose checks are run; its job says with which seeds.
        wanted: the options of the investigation, plain data.
    """

    def __init__(self, judge: Judge, wanted: Mapping[str, Any]) -> None:
        self.judge = judge
        self.job = judge.job
        self.wanted = wanted
        self.cases: dict[str, Case] = {}
        _limit_memory(self.job.memory_mib)
        self.module = self.student_module()
        judge.pool = LocalPool(self.module)

    @property
    def reference_path(self) -> Path:
        """The reference's file: the course's own, or of the course that a student's package was made from."""
        return Path(self.wanted.get("reference") or self.job.reference)

    def student_module(self) -> types.ModuleType:
        """What stands in the student's place while the checks run for the first time."""
        return load_reference(self.reference_path, self.job.exercise, "as_student")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            mark = mark_of(item)
            if mark is not None:
                assert isinstance(item, pytest.Function)
                described = bool((item.function.__doc__ or "").strip())
                mentions = mentioned(item.module, {item.function.__name__})
                self.cases[short_name(item)] = Case(short_name(item), mark, described, mentions)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        case = self.cases[short_name(item)]
        with entries(self.module) as entered, limited(case.mark.seconds or self.job.seconds):
            case.entered = entered
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logfinish(self) -> None:
        run = self.judge.run
        if run is None:
            return
        case = self.cases[run.short]
        case.rerun, case.seen, case.chance = run.rerun, run.context.notebook, run.context.chance
        case.error = "" if run.error is None else f"{type(run.error).__name__}: {run.error}"
        if run.waits_for is not None:
            case.error = f"waits for part {run.waits_for}"
        if run.missing:
            case.error = f"needs {', '.join(run.missing)}, which is not installed"

    def result(self) -> dict[str, Any]:
        """What was found out, as plain data."""
        raise NotImplementedError

    # -- tools -------------------------------------------------------------------------------------------------------

    def runnable(self) -> list[tuple[Case, Rerun]]:
        """The checks that can be run again, in the order of their parts."""
        order = [outcome.id.split("/", 1)[1] for outcome in self.judge.outcomes]
        found = [self.cases[short] for short in order]
        return [(case, case.rerun) for case in found if case.rerun is not None]

    def may_matter(self, mistake: Mistake, case: Case) -> bool:
        """Whether the mistake can have an effect on the check: the reference's run went through what it replaces."""
        if case.entered is not None and case.entered.rule_out(mistake.of):
            return False
        return mistake.name in {found.name for found in self.judge.diagnostician.candidates(case.names, case.short)}

    def reseeded(self, case: Case, rerun: Rerun, seed: int) -> Rerun:
        """The same check with the inputs that the public seed `seed` gives."""
        material, exercise = f"public:{seed}", self.job.exercise
        return dataclasses.replace(
            rerun,
            draw_seed=None if rerun.draw_seed is None else derive_seed(material, exercise, case.short),
            student_seed=derive_seed(material, exercise, case.short, "student") % 2**32,
        )

    def rerun(
        self, short: str, rerun: Rerun, module: types.ModuleType, seconds: float = SECONDS
    ) -> tuple[Notebook, BaseException | None]:
        """Run a check with `module` in the student's place; a check that does not end is ended as failed."""
        try:
            with float64_default(self.job.library), self.judge.again(short), limited(seconds):
                return rerun.with_module(module)
        except TooLong as error:  # raised between two checks of the error's type
            return Notebook(), error


def _limit_memory(memory_mib: int) -> None:
    """An author's slip shall not eat the machine: this process may grow by four times what a check allows, and 4 GiB.

    It judges nobody and ends after its result, so that the limit need not be lifted.
    """
    statm = Path("/proc/self/statm")
    if not statm.exists():  # not Linux
        return
    import resource

    now = int(statm.read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 4 * memory_mib * 2**20 + 2**32, resource.RLIM_INFINITY))


PATIENCE = 20.0


class TooLong(BaseException):
    """A rerun took more time than it may; no `except Exception` on the way stops it."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `TooLong` in the block after so many seconds of CPU time, so that a busy machine changes no verdict.

    What only waits is ended after `PATIENCE` times as many seconds by the clock.
    """

    def ring(number: int, frame: Any) -> None:
        raise TooLong(f"more than {seconds:g} s")

    timers = ((signal.SIGPROF, signal.ITIMER_PROF, 1.0), (signal.SIGALRM, signal.ITIMER_REAL, PATIENCE))
    before = [signal.signal(number, ring) for number, _, _ in timers]
    for _, timer, factor in timers:
        signal.setitimer(timer, seconds * factor)
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)
