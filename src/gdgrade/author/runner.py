"""Runs many judging jobs of one exercise, a few at a time, each through the ordinary road."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

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
        return key_of(engine(), self.depends, dataclasses.asdict(dataclasses.replace(self.job, root="")))


Progress = Callable[[str], None]


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
        gate: threading.Semaphore | None = None,
    ) -> None:
        self._jobs = jobs
        self._gate = gate or threading.Semaphore(jobs)
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
        """
        with concurrent.futures.ThreadPoolExecutor(self._jobs) as pool:
            waiting = [pool.submit(self._one, task) for task in tasks]
            try:
                return [future.result() for future in waiting]
            except BaseException:
                pool.shutdown(cancel_futures=True)
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
                self._pool = JudgePool(dataclasses.replace(task.job, **TEMPLATE), self._settings)
            self.judged += 1
        try:
            return self._pool.judge(task.job)
        except LaunchError as error:
            if not self._pool.alive():
                raise
            return {"outcomes": [], "errors": [f"{task.name}: {error}"]}
