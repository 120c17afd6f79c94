"""Runs many judging jobs of one exercise, a few at a time, each through the ordinary road."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from gdgrade.author.cache import Cache, engine, key_of
from gdgrade.course.manifest import Exercise
from gdgrade.judge.job import Job
from gdgrade.judging import settings_for
from gdgrade.processes.judges import JudgePool
from gdgrade.processes.launcher import LaunchError, fork_available

# The server of judges collects every check; each job then says which of them it wants.
TEMPLATE: dict[str, Any] = {"source": "", "quick": False, "only_part": None, "only_checks": (), "extra": {}}


@dataclass(frozen=True)
class Task:
    """One job and what its verdict depends on.

    Attributes:
        name: shown while it runs.
        job: what to judge.
        depends: hash of the files that can change the verdict; the job itself counts anyway.
    """

    name: str
    job: Job
    depends: str

    @property
    def key(self) -> str:
        """Content key of the verdict: the place of the course on the disk does not matter."""
        return key_of(engine(), self.depends, dataclasses.asdict(_wherever(self.job)))


def _wherever(job: Job) -> Job:
    """The job without the places of files that its other parts and its task's hash stand for."""
    extra = {name: value for name, value in job.extra.items() if name != "recall"}
    if "lab" in extra:
        extra["lab"] = {name: value for name, value in extra["lab"].items() if name != "recall"}
    return dataclasses.replace(job, root="", extra=extra)


Progress = Callable[[str], None]
Result = TypeVar("Result")


class Stopped(Exception):
    """The examination was given up, by a person or because another part of it failed."""


class Gate:
    """How many judges run at a time, over the runners that share it, and the way to end them all at once.

    Args:
        jobs: judges at a time.
    """

    def __init__(self, jobs: int) -> None:
        self._turns = threading.Semaphore(jobs)
        self._lock = threading.Lock()
        self._pools: list[JudgePool] = []
        self._stopped = False

    def __enter__(self) -> None:
        self._turns.acquire()
        if self._stopped:
            self._turns.release()
            raise Stopped

    def __exit__(self, *_: object) -> None:
        self._turns.release()

    def watch(self, pool: JudgePool) -> None:
        """End this pool's judges as well when all is stopped, or at once if it has been."""
        with self._lock:
            self._pools.append(pool)
            stopped = self._stopped
        if stopped:
            pool.close()
            raise Stopped

    def stop(self) -> None:
        """End every judge; threads that wait for one, or for their turn, go on with an error."""
        with self._lock:
            first, self._stopped = not self._stopped, True
            pools = list(self._pools) if first else []
        for pool in pools:
            pool.close()


def side_by_side(work: Callable[[Exercise, Gate], Result], exercises: Sequence[Exercise], jobs: int) -> list[Result]:
    """Work on several exercises at once, so that no core waits for the one long step of one of them.

    There is one more of them under way than judges may run, for the moments in which all others are at such a step.

    Args:
        work: called with each exercise and the gate that its runners share.
        jobs: judges at a time, for all exercises together.

    Returns:
        what `work` returned, in the order of the exercises. An error of one ends the others' judges.
    """
    gate = Gate(jobs)
    with concurrent.futures.ThreadPoolExecutor(jobs + 1) as pool:
        waiting = [pool.submit(work, exercise, gate) for exercise in exercises]
        try:
            return [future.result() for future in waiting]
        except BaseException:
            gate.stop()  # leaving the block waits for every thread
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class Runner:
    """Workers and judges of one exercise.

    Args:
        exercise: gives what to import and forbid.
        jobs: how many judges run at a time.
        cache: of verdicts.
        progress: called with a task's name whenever one is done.
        gate: shared with the runners of other exercises, so that together they run no more judges than that.
    """

    def __init__(
        self,
        exercise: Exercise,
        jobs: int,
        cache: Cache,
        progress: Progress | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._jobs = jobs
        self._gate = gate or Gate(jobs)
        self._cache = cache
        self._progress = progress or (lambda name: None)
        self._lock = threading.Lock()
        self._pool: JudgePool | None = None
        self._settings = settings_for(exercise)
        self.judged = 0  # tasks that were really run; the others came from the cache

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.close()

    def run(self, tasks: Sequence[Task]) -> list[dict[str, Any]]:
        """The results of the tasks, in their order; see `gdgrade.judge.main.run_job`.

        Raises:
            LaunchError: no judge could be started.
            Stopped: the examination was given up meanwhile.
        """
        with concurrent.futures.ThreadPoolExecutor(self._jobs) as pool:
            waiting = [pool.submit(self._one, task) for task in tasks]
            try:
                return [future.result() for future in waiting]
            except BaseException:
                self._gate.stop()  # leaving the block waits for every thread
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _one(self, task: Task) -> dict[str, Any]:
        key = task.key
        result = self._cache.get(key)
        if result is None:
            with self._gate:
                result = self._judge(task)
            if not result["errors"]:
                self._cache.put(key, result)
        self._progress(task.name)
        assert isinstance(result, dict)
        return result

    def _judge(self, task: Task) -> dict[str, Any]:
        if not fork_available():
            from gdgrade.judging import run

            return run(task.job, None)
        with self._lock:
            if self._pool is None:
                template = dataclasses.replace(task.job, **TEMPLATE)
                self._pool = JudgePool(template, self._settings, self._gate.watch)
            self.judged += 1
        try:
            return self._pool.judge(task.job)
        except LaunchError as error:
            if not self._pool.alive():
                raise
            return {"outcomes": [], "errors": [f"{task.name}: {error}"]}
