"""The pytest plugin that judges: fixtures, order, skipping, limits, outcomes.

One instance judges one submission. It gives every check a fresh worker (where workers are forked), skips what builds
on a failed part, turns each way a check can end into an outcome with a cause, and asks for a diagnosis.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from gdgrade.failures import GraderError, StudentError, WorkerLost
from gdgrade.judge.context import CheckContext, float64_default, running
from gdgrade.judge.diagnosis import Diagnostician, Rerun, is_verdict
from gdgrade.judge.draw import Draw, derive_seed
from gdgrade.judge.job import Job
from gdgrade.judge.marks import CheckMark, mark_of, missing_packages, short_name, title_of
from gdgrade.judge.matching import explaining
from gdgrade.judge.outcome import Outcome, Settled, classify, missing_message, settle, with_output_remark
from gdgrade.judge.plain import call_plain, is_plain, parameters
from gdgrade.judge.recording import make_pool
from gdgrade.judge.reference import load_reference, slip_of
from gdgrade.judge.student import Student
from gdgrade.language import _, course_text, use
from gdgrade.processes.launcher import Launcher, LaunchError

Emit = Callable[[dict[str, Any]], None]


class Judge:
    """State of judging one submission.

    Args:
        job: what to judge.
        launcher: where workers come from.
        emit: called with each event ("check" as soon as one is decided).
    """

    def __init__(self, job: Job, launcher: Launcher, emit: Emit | None = None) -> None:
        self.collection_errors: list[str] = []
        self.unmarked: list[str] = []  # "test_step.py:12: test_step": pytest functions without @check
        self._slips: dict[str, str] = {}  # node of pytest's that cannot be collected -> why
        self._position: dict[str, int] = {}
        self.begin(job, launcher, emit)
        self.diagnostician = Diagnostician(job.reference, job.graders / "mistakes.py", job.exercise)
        self._tape: Any = None
        self.rerunning: tuple[str, object] | None = None
        self.direct = False  # call plain checks without the protocol: where no person and no investigation looks on
        if not job.reference.exists() and job.tape.is_dir():
            self._play_tape()
        self._reference: Any = None

    def begin(self, job: Job, launcher: Launcher, emit: Emit | None = None, tape: bytes | None = None) -> None:
        """Forget the former submission and take on another one of the same exercise; judge by a tape, if given."""
        self.job = job
        self._parts = {part.id: part for part in job.parts}
        use(job.language, *job.catalogues)
        self.pool = make_pool(job, launcher, tape)
        self.emit = emit or (lambda event: None)
        self.outcomes: list[Outcome] = []
        self._unexplained: list[tuple[int, _Run]] = []  # places in `outcomes`, and the runs to compare with mistakes
        self.missing: set[str] = set()  # packages for want of which checks were skipped
        # part id -> cause of the first check that did not pass
        self._broken: dict[str, str] = dict(job.extra.get("broken", {}))
        self._run: _Run | None = None

    def _play_tape(self) -> None:
        """A student's package: recorded answers stand for the reference and the mistakes."""
        from gdgrade.judge.tape import TapeDiagnostician, read_tape

        self._tape = read_tape(self.job.tape, self.job.library)
        self.diagnostician = TapeDiagnostician(self._tape, self.job.reference, self.job.exercise)

    def warm_up(self) -> None:
        """Load what every submission needs, before judges are forked."""
        self.reference()
        self.diagnostician.warm_up()

    # -- collection ----------------------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Checks in the order of their parts; a part runs after what it needs."""
        register_by_value(self.job.graders, items)
        needs = all_needs(self._parts, filter(None, map(mark_of, items)))
        order = {part: number for number, part in enumerate(in_dependency_order(needs))}
        kept: list[pytest.Item] = []
        left_out: list[pytest.Item] = []
        for item in items:
            mark = mark_of(item)
            if mark is None:
                _nodes, line, name = item.location
                self.unmarked.append(f"{item.path.name}:{(line or 0) + 1}: {name}")
            if mark is not None and mark.part not in order:
                known = ", ".join(self._parts)
                self.collection_errors.append(
                    f"{short_name(item)} is of part {mark.part}, which course.yml lacks ({known})"
                )
            (kept if self.wanted(item) else left_out).append(item)
        kept.sort(key=lambda item: order[mark_of(item).part])  # type: ignore[union-attr]
        self._position = {short_name(item): number for number, item in enumerate(kept)}
        # Within a part the order is drawn, so that a submission cannot count its way to a check; the report has
        # them in the order of the graders again.
        material = self.job.material("hidden")
        kept.sort(
            key=lambda item: (
                order[mark_of(item).part],  # type: ignore[union-attr]
                derive_seed(material, self.job.exercise, "order", short_name(item)),
            )
        )
        items[:] = kept
        if left_out:
            config.hook.pytest_deselected(items=left_out)

    def wanted(self, item: pytest.Item) -> bool:
        """Whether the present job asks for this check."""
        job, mark = self.job, mark_of(item)
        if mark is None or mark.part not in self._parts or (job.quick and mark.training):
            return False
        if job.only_part is not None and mark.part != job.only_part:
            return False
        return not job.only_checks or short_name(item) in job.only_checks

    def in_order(self) -> list[Outcome]:
        """The outcomes in the order of the graders' files, whatever the order of the run, with what explains them."""
        self._explain()
        return sorted(self.outcomes, key=lambda outcome: self.position(outcome.id.split("/", 1)[1]))

    def position(self, short: str) -> int:
        """The place of a check in the order of the graders' files."""
        return self._position.get(short, 0)

    def pytest_exception_interact(self, call: pytest.CallInfo[object], report: object) -> None:
        """Note why a file of checks cannot be collected, in one sentence and not as a traceback."""
        if isinstance(report, pytest.CollectReport) and call.excinfo is not None:
            error = call.excinfo.value
            self._slips[report.nodeid] = slip_of(error.__cause__ or error, self.job.graders.parent)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            words = self._slips.get(report.nodeid) or f"{report.nodeid}: {str(report.longrepr)[-1500:]}"
            self.collection_errors.append(words)

    @property
    def run(self) -> _Run | None:
        """The check that is being run."""
        return self._run

    # -- running -------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        self.pool.prefetching = nextitem is not None
        if not self.direct or not is_plain(item):
            return None  # pytest's own protocol, with the hooks below
        self._run_plain(item)
        return True

    def _run_plain(self, item: pytest.Item) -> None:
        """What the hooks below do in pytest's protocol, in the same order."""
        try:
            self.pytest_runtest_setup(item)
            assert self._run is not None
            check = call_plain(item, self._fixture)
            with self._surroundings(self._run):
                check()
        except (KeyboardInterrupt, pytest.exit.Exception):
            raise
        except BaseException as error:
            if self._run is not None and not self._run.skipped:
                self._run.error = error
        self.pytest_runtest_logfinish(item.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        mark = mark_of(item)
        assert mark is not None
        self._run = _Run(item, mark, short_name(item), course_text(title_of(item)))
        blocker = self._blocker(mark)
        if blocker is not None:
            self._run.waits_for = blocker
            pytest.skip(f"waits for part {blocker}")
        self._run.missing = missing_packages(mark.requires)
        if self._run.missing:
            self.missing.update(self._run.missing)
            pytest.skip(f"needs {', '.join(self._run.missing)}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        assert self._run is not None
        with self._surroundings(self._run):
            return (yield)

    @contextlib.contextmanager
    def _surroundings(self, run: _Run) -> Iterator[None]:
        with running(run.context), float64_default(self.job.library), self._played_gradients(run.short):
            yield

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        run = self._run
        if run is not None and run.error is None and call.excinfo is not None and not run.skipped:
            run.error = call.excinfo.value
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        if self._run is None:
            return
        run, self._run = self._run, None
        channel_end = self.pool.finish_check()
        outcome = self._decide(run, channel_end)
        self.outcomes.append(outcome)
        if outcome.outcome in ("failed", "skipped", "error") and not self._is_optional_blank(outcome):
            self._broken.setdefault(run.mark.part, outcome.cause)
        self.emit({"event": "check", "id": outcome.id, "title": outcome.title, "outcome": outcome.outcome})
        if self.job.stop_early and outcome.outcome in ("failed", "error"):
            run.item.session.shouldfail = "one check did not pass"

    def _played_gradients(self, short: str) -> contextlib.AbstractContextManager[None]:
        if self._tape is None:
            return contextlib.nullcontext()
        from gdgrade.judge.tape import played_gradients

        return played_gradients(self._tape, short)

    def _is_optional_blank(self, outcome: Outcome) -> bool:
        return self._parts[outcome.part].optional and outcome.cause == "not_attempted"

    def _blocker(self, mark: CheckMark) -> str | None:
        """The part for whose sake a check cannot be judged, if one that it needs has not passed."""
        needs = (*self._parts[mark.part].needs, *mark.needs)
        return next((needed for needed in needs if needed in self._broken), None)

    def _decide(self, run: _Run, end: dict[str, Any]) -> Outcome:
        part = self._parts[run.mark.part]
        base = Outcome.start(run.short, self.job.exercise, run.title, run.mark, part.optional)
        base = dataclasses.replace(
            base,
            seed=run.seed,
            remarks=() if run.error is not None else tuple(map(course_text, run.context.notebook.remarks)),
            entered=tuple(sorted(run.context.notebook.entered)),
            output=end.get("output", ""),
            timings=run.timings(end),
        )
        if run.waits_for is not None:
            return self._waiting(base, run.waits_for)
        if run.missing:
            return settle(base, Settled("skipped", "infrastructure", missing_message(run.missing)))
        if run.error is None:
            return settle(base, Settled("passed", "none", ""))
        settled = classify(run.error, lambda: self._reference_passes(run))
        settled = with_output_remark(settled, base.output, (entry.value for entry in run.context.notebook.seen))
        if part.optional and isinstance(run.error, StudentError) and run.error.kind == "missing":
            settled = dataclasses.replace(settled, cause="not_attempted", diagnosable=False)
        if isinstance(run.error, AssertionError) or settled.cause == "not_attempted":  # else it quotes the student
            settled = dataclasses.replace(settled, message=course_text(settled.message))
        outcome = settle(base, settled)
        if self.job.diagnose and settled.diagnosable and run.rerun is not None:
            self._unexplained.append((len(self.outcomes), run))
        return outcome

    def _explain(self) -> None:
        """Compare what failed with the known mistakes: last, as every verdict can be told before."""
        for place, run in self._unexplained:
            names = self._recalled(run)
            if names is None:
                assert run.rerun is not None
                found = self.diagnostician.explain(run.rerun, run.context.notebook, run.short)
                names = tuple(mistake.name for mistake in found)
            self.outcomes[place] = dataclasses.replace(self.outcomes[place], matches=names)
        self._unexplained = []

    def _recalled(self, run: _Run) -> tuple[str, ...] | None:
        """The mistakes that explain a run, by what is known already of their own runs; None: nothing is known."""
        if "recall" not in self.job.extra:
            return None
        from gdgrade.judge.recall import recall

        shown = recall(Path(self.job.extra["recall"]), run.short, self.job.library)
        return None if shown is None else tuple(explaining(run.context.notebook, shown))

    def _waiting(self, base: Outcome, needed: str) -> Outcome:
        """Skipped for want of another part; if grader or machine broke that part, the points are undecided."""
        cause = self._broken[needed]
        title = course_text(self._parts[needed].title) if needed in self._parts else needed
        undecided = cause in ("grader", "infrastructure")
        message = _("it builds on part {part} ({title}), which is not right yet")
        if undecided:
            message = _("it builds on part {part} ({title}), which was not judged")
        message = message.format(part=needed, title=title)
        verdict = Settled("skipped", cause if undecided else "none", message)
        return settle(dataclasses.replace(base, waits_for=(needed,)), verdict)

    def _reference_passes(self, run: _Run) -> bool:
        return run.rerun is not None and self.diagnostician.reference_passes(run.rerun)

    # -- fixtures ------------------------------------------------------------------------------------------------

    def _fixture(self, name: str) -> Any:
        """The value of one of gdgrade's fixtures for the present check."""
        return self.student(self._fixture) if name == "student" else getattr(self, name)()

    def student(self, fixture: Callable[[str], Any]) -> Student:
        """The proxy for one check, in a worker that has just loaded the student's file.

        Args:
            fixture: gives the check's other fixtures by name, for running the check once more with them.
        """
        run = self._run
        assert run is not None
        self.pool.check = run.short
        channel = self.pool.for_check(run.mark.seconds or self.job.seconds, run.mark.memory_mib or self.job.memory_mib)
        student = Student(channel, self.job.library)
        student.notebook = run.context.notebook
        student.seed(self._student_seed(run))
        run.prepare_rerun(fixture, self._student_seed(run), self.job.library)
        return student

    def reference(self) -> Any:
        """The reference module; the same for all checks of a submission."""
        if self._reference is None and self._tape is not None:
            from gdgrade.judge.tape import TapeReference

            self._reference = TapeReference(self._tape, self._running)
        if self._reference is None:
            self._reference = load_reference(self.job.reference, self.job.exercise)
        return self._reference

    def _running(self) -> tuple[str, object]:
        if self._run is None:
            assert self.rerunning is not None
            return self.rerunning
        return self._run.short, self._run

    @contextlib.contextmanager
    def again(self, short: str) -> Iterator[None]:
        """A check is run once more inside the block, outside of pytest: recorded answers are those of that check."""
        self.rerunning = (short, object())
        with self._played_gradients(short):
            yield

    def draw(self) -> Draw:
        run = self._run
        assert run is not None
        run.seed = derive_seed(self.job.material(run.mark.visibility), self.job.exercise, run.short)
        return Draw(run.seed, self.job.library)

    def data(self) -> Any:
        """A function: name of a data set -> dict of numpy arrays, from the course's data folder."""
        return data_sets(self.job)

    def _student_seed(self, run: _Run) -> int:
        material = self.job.material(run.mark.visibility)
        return derive_seed(material, self.job.exercise, run.short, "student") % 2**32


@dataclasses.dataclass
class _Run:
    """One check while it runs."""

    item: pytest.Item
    mark: CheckMark
    short: str
    title: str
    context: CheckContext = dataclasses.field(default_factory=CheckContext)
    started: float = dataclasses.field(default_factory=time.monotonic)
    seed: int | None = None
    waits_for: str | None = None
    missing: tuple[str, ...] = ()
    error: BaseException | None = None
    rerun: Rerun | None = None

    @property
    def skipped(self) -> bool:
        """Whether it is not judged, for want of a part or of a package."""
        return self.waits_for is not None or bool(self.missing)

    def prepare_rerun(self, fixture: Callable[[str], Any], student_seed: int, library: str) -> None:
        """Keep what is needed to run the check on the reference; nothing, if a fixture of the graders asks for it."""
        item: Any = self.item
        arguments = parameters(item)
        names = item._fixtureinfo.argnames
        try:
            for name in names:
                if name not in ("student", "draw", *arguments):
                    arguments[name] = fixture(name)
        except pytest.FixtureLookupError:  # a fixture that itself builds on the student
            return
        if "draw" in names and self.seed is None:
            fixture("draw")
        # `item.obj`, for a check in a class takes its object; inputs that a fixture has drawn stay as they are.
        self.rerun = Rerun(item.obj, arguments, self.seed if "draw" in names else None, student_seed, library)

    def timings(self, end: dict[str, Any]) -> dict[str, float | None]:
        return {
            "seconds": time.monotonic() - self.started,
            "student_seconds": end.get("seconds", 0.0),
            "peak_memory_mib": end.get("peak_memory_mib"),
        }


def data_sets(job: Job) -> Callable[[str], Any]:
    """Name of a data set -> dict of numpy arrays, from the course's data folder or the installed ones."""
    from gdgrade.data.content import read_small

    folder = Path(job.root) / "data"
    return lambda name: read_small(name, folder if folder.is_dir() else None)


def all_needs(parts: Mapping[str, Any], marks: Iterable[CheckMark]) -> dict[str, tuple[str, ...]]:
    """Part -> the parts that must be judged before it, for its own sake or for that of one of its checks."""
    needs = {name: tuple(part.needs) for name, part in parts.items()}
    for mark in marks:
        if mark.part in needs:
            needs[mark.part] += tuple(need for need in mark.needs if need not in needs[mark.part])
    return needs


def in_dependency_order(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Part ids, each after those it needs, otherwise in the given order."""
    done: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in done or name in path or name not in needs:
            return
        for needed in needs[name]:
            visit(needed, (*path, name))
        done.append(name)

    for name in needs:
        visit(name, ())
    return done


def register_by_value(graders: Path, items: list[pytest.Item]) -> None:
    """Functions defined in graders travel to workers by value: workers cannot read the graders' files."""
    import sys

    folder = str(graders)
    modules = {id(item.module): item.module for item in items if hasattr(item, "module")}
    for module in list(sys.modules.values()):
        if (getattr(module, "__file__", None) or "").startswith(folder):
            modules[id(module)] = module
    for module in modules.values():
        if module.__name__ in sys.modules:
            cloudpickle.register_pickle_by_value(module)


__all__ = ["GraderError", "Judge", "LaunchError", "StudentError", "WorkerLost", "is_verdict"]
