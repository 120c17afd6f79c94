"""The process that forks judges and workers, kept between the checks of a notebook.

It is a program of its own: a kernel has many threads, and a process with threads must not be forked. Starting it
takes seconds, most of them for torch, so it stays; it ends with the kernel, also when that is killed.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from typing import Any

from gdgrade.judge.job import Job
from gdgrade.judging import Event, run
from gdgrade.processes.launcher import Settings, Zygote


class Engine:
    """Judges jobs one after the other; may be called from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._zygote: Zygote | None = None
        self._settings: Settings | None = None
        self._owner = os.getpid()

    def judge(self, job: Job, settings: Settings, on_event: Callable[[Event], None] | None = None) -> dict[str, Any]:
        """The result of a job, as `gdgrade.judging.run` gives it.

        Raises:
            LaunchError: the judge did not start or died.
        """
        if job.start_method != "fork":
            return run(job, None, on_event)
        with self._lock:
            try:
                return run(job, self._ready(settings), on_event)
            except BaseException:  # an interrupt too: a check that was left half-way must not answer the next one
                self._end()
                raise

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _ready(self, settings: Settings) -> Zygote:
        mine = self._owner == os.getpid()
        if self._zygote is not None and not (mine and self._settings == settings and self._zygote.running()):
            self._end()
        if self._zygote is None:
            self._zygote, self._settings, self._owner = Zygote(settings), settings, os.getpid()
        return self._zygote

    def _end(self) -> None:
        zygote, self._zygote = self._zygote, None
        if zygote is not None and self._owner == os.getpid():  # a forked child of the kernel leaves it alone
            zygote.close()


ENGINE = Engine()
atexit.register(ENGINE.close)
