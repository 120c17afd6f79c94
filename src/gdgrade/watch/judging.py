"""Judging in the background: one run at a time in a thread, which a newer save may cut short."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from gdgrade.judge.job import Job
from gdgrade.processes.judges import JudgePool
from gdgrade.processes.launcher import LaunchError, Settings

Tell = Callable[[tuple[Any, ...]], None]


class Judges(Protocol):
    """Where a job is decided."""

    catalogue: list[dict[str, Any]]

    def judge(
        self,
        job: Job,
        on_event: Callable[[Mapping[str, Any]], None] | None = None,
        *,
        on_start: Callable[[int], None] | None = None,
    ) -> dict[str, Any]: ...

    def prepare(self) -> None: ...

    def abandon(self, pid: int) -> None: ...

    def alive(self) -> bool: ...

    def close(self) -> None: ...


class Background:
    """Judges in a thread of its own. What happens there is told as tuples:

    ``("ready", catalogue)`` once; then per run ``("check", ticket, event)``, and ``("done", ticket, result)`` or
    ``("lost", ticket, message)``. An abandoned run is told no more of. ``("broken", message)``: nothing can be judged.

    Args:
        template: a job of the exercise; settings: what its workers import, and their confinement.
        tell: called in that thread.
        make: another source of judges than a pool.
    """

    def __init__(
        self, template: Job, settings: Settings, tell: Tell, make: Callable[[Job, Settings], Judges] = JudgePool
    ) -> None:
        self._template, self._settings, self._tell, self._make = template, settings, tell, make
        self._todo: queue.SimpleQueue[tuple[int, Job] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._newest = 0  # tickets below it are abandoned
        self._pid: int | None = None
        self._pool: Judges | None = None
        self._thread = threading.Thread(target=self._work, daemon=True, name="judging")
        self._thread.start()

    def start(self, ticket: int, job: Job) -> None:
        """Run a job; results are told under its ticket, which must grow from run to run."""
        self._todo.put((ticket, job))

    def abandon(self, below: int) -> None:
        """Give up all runs with smaller tickets."""
        with self._lock:
            self._newest = max(self._newest, below)
            pid, pool = self._pid, self._pool
        if pid is not None and pool is not None:
            pool.abandon(pid)

    def close(self) -> None:
        """End everything that was started."""
        self._todo.put(None)
        self.abandon(1 << 62)
        self._thread.join(timeout=30)
        if self._pool is not None:
            self._pool.close()

    def _work(self) -> None:
        if not self._open():
            return
        while (item := self._todo.get()) is not None:
            ticket, job = item
            if not self._wanted(ticket):
                continue
            try:
                self._run(ticket, job)
            except LaunchError as error:
                if self._wanted(ticket):
                    self._tell(("lost", ticket, str(error)))
            finally:
                with self._lock:
                    self._pid = None
            if not self._recovered():
                return

    def _open(self) -> bool:
        try:
            self._pool = self._make(self._template, self._settings)
            self._pool.prepare()
        except LaunchError as error:
            self._tell(("broken", str(error)))
            return False
        self._tell(("ready", self._pool.catalogue))
        return True

    def _recovered(self) -> bool:
        """A judge for the next save stands ready; if the processes behind it are gone, new ones are started."""
        assert self._pool is not None
        with contextlib.suppress(LaunchError):
            if self._pool.alive():
                self._pool.prepare()
                return True
        self._pool.close()
        return self._open()

    def _run(self, ticket: int, job: Job) -> None:
        assert self._pool is not None
        pool = self._pool

        def started(pid: int) -> None:
            with self._lock:
                self._pid = pid
                late = ticket < self._newest
            if late:
                pool.abandon(pid)

        def decided(event: Mapping[str, Any]) -> None:
            if self._wanted(ticket):
                self._tell(("check", ticket, event))

        result = pool.judge(job, decided, on_start=started)
        if not self._wanted(ticket):
            return
        if result["errors"]:
            self._tell(("lost", ticket, str(result["errors"][0])))
        else:
            self._tell(("done", ticket, result))

    def _wanted(self, ticket: int) -> bool:
        with self._lock:
            return ticket >= self._newest


class ColdJudges:
    """Judges for machines that cannot fork: each run starts a program of its own, and runs to its end."""

    def __init__(self, template: Job, settings: Settings) -> None:
        self._template = template
        self.catalogue = _names(template)

    def judge(
        self,
        job: Job,
        on_event: Callable[[Mapping[str, Any]], None] | None = None,
        *,
        on_start: Callable[[int], None] | None = None,
    ) -> dict[str, Any]:
        from gdgrade.judging import run

        return run(job, None, on_event)

    def prepare(self) -> None:
        """Nothing stands ready."""

    def abandon(self, pid: int) -> None:
        """Cannot be cut short."""

    def alive(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing stays."""


def _names(template: Job) -> list[dict[str, Any]]:
    """The catalogue of an exercise's checks, by a judge that collects and runs nothing."""
    import dataclasses

    from gdgrade.judging import run

    lab = {"name": "gdgrade.judge.catalogue:CatalogueLab"}
    result = run(dataclasses.replace(template, source="", extra={**template.extra, "lab": lab}), None)
    if result["errors"]:
        raise LaunchError(f"the checks cannot be collected: {result['errors'][0]}")
    found: list[dict[str, Any]] = result["lab"]["catalogue"]
    return found
