"""Runs many judging jobs of one exercise, a few at a time, each through the ordinary road."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from gdgrade.author.cache import Cache, engine, key_of
from gdgrade.course.manifest import Exercise
from gdgrade.judge.job import Job
from gdgrade.processes.launcher import LaunchError, Settings, Zygote, fork_available
from gdgrade.wire.frames import WireError, WireTimeout, receive_frame, send_frame

# What a judge imports anyway. Everything here was written by the author or the engine, so the zygote may hold it.
JUDGE_IMPORTS = ("pytest", "cloudpickle", "gdgrade.judge.plugin", "gdgrade.agreement", "gdgrade.compare.difference")


@dataclass(frozen=True)
class Task:
    """One job and what its verdict depends on.

    Attributes:
        name: shown while it runs.
        job: what to judge.
        depends: hash of the files that can change the verdict; the job itself counts anyway.
        seconds: after this long the judge is ended, and the verdict is an error.
    """

    name: str
    job: Job
    depends: str
    seconds: float = 600.0

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
    """

    def __init__(self, exercise: Exercise, jobs: int, cache: Cache, progress: Progress | None = None) -> None:
        self._jobs = jobs
        self._cache = cache
        self._progress = progress or (lambda name: None)
        self._lock = threading.Lock()
        self._zygote: Zygote | None = None
        self._settings = Settings(
            preload=(*exercise.preload, *JUDGE_IMPORTS), forbidden=tuple(exercise.forbidden_packages)
        )
        self.judged = 0  # tasks that were really run; the others came from the cache

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._zygote is not None:
            self._zygote.close()

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
            if self._zygote is None:
                self._zygote = Zygote(self._settings)
                self._zygote.wait_ready()
            zygote = self._zygote
            self.judged += 1
            sock, pid = zygote.judge()
        try:
            with sock:
                return _converse(sock, task)
        finally:
            with self._lock:
                zygote.end(pid)


def _converse(sock: Any, task: Task) -> dict[str, Any]:
    deadline = time.monotonic() + task.seconds
    try:
        send_frame(sock, {"job": task.job.to_json()})
        while True:
            event = receive_frame(sock, deadline=deadline).header
            if event["event"] == "done":
                return event
    except WireTimeout:
        return {"outcomes": [], "errors": [f"{task.name}: the checks took more than {task.seconds:g} s"]}
    except WireError as error:
        raise LaunchError(f"the process that judges has ended unexpectedly ({task.name})") from error
