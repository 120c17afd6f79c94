"""Grade what a run has pending: threads feed a pool of judges, one exercise after the other; one writer, here."""

from __future__ import annotations

import json
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from gdgrade.batch.grading import (
    Judges,
    Task,
    checks_digest,
    expected_cost,
    grade,
    judges_for,
    key_of,
    load,
)
from gdgrade.batch.slots import Slots
from gdgrade.batch.store import Key, Store, Verdict
from gdgrade.course.manifest import Course, Exercise
from gdgrade.judging import Options
from gdgrade.processes.launcher import LaunchError
from gdgrade.report.checkresult import MACHINE_CAUSES

MAX_POOL_FAILURES = 5  # new pools for one exercise before the machine is held unable


class MachineError(Exception):
    """Grading cannot go on; what was graded is kept."""


@dataclass
class Progress:
    """What has been done so far, for whoever shows it.

    Attributes:
        total, done: distinct files.
        known: files settled by verdicts of earlier runs.
        causes: of checks that did not pass, counted.
        people: files that a person must look at.
    """

    total: int = 0
    done: int = 0
    known: int = 0
    people: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    exercise: str = ""


Show = Callable[[Progress], None]


def plan(store: Store, run: int, course: Course, options: Options, *, again: bool = False) -> tuple[list[Task], int]:
    """Settle what an earlier verdict decides, and list the rest, the most expensive first.

    Args:
        again: use no earlier verdict.

    Returns:
        Tasks, grouped by exercise in the order of the course; and how many files were settled.
    """
    digests = {exercise.id: checks_digest(exercise) for exercise in course.exercises}
    tasks: list[Task] = []
    known = 0
    for row in store.pending(run):
        exercise = course.exercise(row["exercise"])
        key = key_of(course, exercise, row["sha256"], options, digests[exercise.id])
        verdict = None if again else store.find(key)
        if verdict is not None:
            store.settle(run, key, verdict)
            known += 1
        else:
            cost = expected_cost(row["seconds"], row["size"], exercise)
            tasks.append(Task(exercise.id, row["sha256"], row["students"], cost))
    order = {exercise.id: number for number, exercise in enumerate(course.exercises)}
    return sorted(tasks, key=lambda task: (order[task.exercise], -task.cost, task.sha256)), known


def grade_run(
    store: Store,
    run: int,
    course: Course,
    options: Options,
    *,
    jobs: int,
    stop: threading.Event,
    again: bool = False,
    show: Show = lambda progress: None,
    scheduler: str | None = None,
) -> Progress:
    """Grade all that the run has pending.

    Args:
        jobs: submissions at once.
        stop: when set, what is being graded is finished, nothing new is begun.
        scheduler: address of a Dask scheduler whose workers grade in place of this machine.

    Raises:
        MachineError: judges cannot be had, again and again.
        StoreError: a verdict cannot be written.
    """
    tasks, known = plan(store, run, course, options, again=again)
    progress = Progress(total=len(tasks) + known, done=known, known=known)
    show(progress)
    if scheduler is not None:
        _on_cluster(store, run, course, options, scheduler, tasks, stop, progress, show)
        return progress
    for exercise in course.exercises:
        mine = [task for task in tasks if task.exercise == exercise.id]
        if mine and not stop.is_set():
            progress.exercise = exercise.id
            _Shift(store, run, course, exercise, options, jobs, stop, progress, show).work(mine)
    return progress


def _on_cluster(
    store: Store, run: int, course: Course, options: Options, scheduler: str, tasks: Sequence[Task],
    stop: threading.Event, progress: Progress, show: Show,
) -> None:  # fmt: skip
    from gdgrade.batch.cluster import grade_on_cluster

    shifts = {
        exercise.id: _Shift(store, run, course, exercise, options, 1, stop, progress, show)
        for exercise in course.exercises
    }
    digests = {exercise.id: checks_digest(exercise) for exercise in course.exercises}
    try:
        grade_on_cluster(
            scheduler, course, options, tasks, store.file,
            lambda task, verdict: shifts[task.exercise]._keep(task, verdict, digests[task.exercise]), stop,
        )  # fmt: skip
    except (OSError, LaunchError) as error:
        raise MachineError(f"the cluster at {scheduler}: {error}") from error


@dataclass
class _Shift:
    """The grading of one exercise."""

    store: Store
    run: int
    course: Course
    exercise: Exercise
    options: Options
    jobs: int
    stop: threading.Event
    progress: Progress
    show: Show

    def work(self, tasks: Sequence[Task]) -> None:
        """Grade all tasks; judges that are gone are replaced, what they were grading is graded again."""
        digest = checks_digest(self.exercise)
        left = list(tasks)
        failures = 0
        while left and not self.stop.is_set():
            try:
                judges = judges_for(self.course, self.exercise, self.options)
            except LaunchError as error:
                raise MachineError(str(error)) from error
            before = len(left)
            try:
                left = self._with(judges, left, digest)
            finally:
                judges.close()
            if left and not self.stop.is_set():
                failures = 0 if len(left) < before else failures + 1
                if failures >= MAX_POOL_FAILURES:
                    raise MachineError("the processes that judge end again and again; GDGRADE_DEBUG=1 shows why")

    def _with(self, judges: Judges, tasks: Iterable[Task], digest: str) -> list[Task]:
        """Grade with these judges while they live; returns what is left."""
        waiting: queue.SimpleQueue[tuple[Task, str, bytes]] = queue.SimpleQueue()
        done: queue.SimpleQueue[tuple[Task, Verdict | BaseException | None]] = queue.SimpleQueue()
        gone = threading.Event()
        todo = list(tasks)
        left: list[Task] = []

        slots = Slots(min(self.jobs, len(todo)))

        def worker() -> None:
            while True:
                task, kind, data = waiting.get()
                if not kind:
                    return
                if gone.is_set():
                    done.put((task, None))
                    continue
                try:
                    submission = load(kind, data, self.exercise)
                    verdict = grade(self.course, self.exercise, submission, self.options, judges, slots)
                    done.put((task, verdict))
                except LaunchError:
                    gone.set()
                    done.put((task, None))
                except BaseException as error:
                    done.put((task, error))

        # One thread more than slots: while it makes a report, no slot is idle.
        threads = [threading.Thread(target=worker, daemon=True) for _ in range(min(self.jobs + 1, len(todo)))]
        for thread in threads:
            thread.start()
        running = 0
        try:
            while todo or running:
                # One more than there are threads lies ready, so that none waits for the disk.
                while todo and running <= len(threads) and not self.stop.is_set() and not gone.is_set():
                    task = todo.pop(0)
                    waiting.put((task, *self.store.file(task.sha256)))
                    running += 1
                if running == 0:
                    break
                task, result = done.get()
                running -= 1
                if isinstance(result, Verdict):
                    self._keep(task, result, digest)
                elif result is None:
                    left.append(task)
                else:
                    raise result
        finally:
            for _ in threads:
                waiting.put((Task("", ""), "", b""))
        for thread in threads:
            thread.join()
        return left + todo

    def _keep(self, task: Task, verdict: Verdict, digest: str) -> None:
        key = key_of(self.course, self.exercise, task.sha256, self.options, digest)
        self.keep(key, verdict)

    def keep(self, key: Key, verdict: Verdict) -> None:
        """Write a verdict down and count it."""
        self.store.record(self.run, key, verdict)
        self.progress.done += 1
        if verdict.report is None:
            self.progress.people += 1
        else:
            # The text was made from a valid report a moment ago; building the report again would cost a millisecond.
            causes = [check["cause"] for check in json.loads(verdict.report)["checks"]]
            self.progress.causes.update(cause for cause in causes if cause != "none")
            self.progress.people += any(cause in MACHINE_CAUSES for cause in causes)
        self.show(self.progress)
