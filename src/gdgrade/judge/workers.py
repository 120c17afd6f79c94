"""One worker per check: the next one is forked and loads the student's file while the present check still runs."""

from __future__ import annotations

import math
from typing import Any

from gdgrade.failures import StudentError, WorkerLost
from gdgrade.judge.channel import WorkerChannel
from gdgrade.judge.job import Job
from gdgrade.language import _
from gdgrade.processes.launcher import Launcher, WorkerLimits
from gdgrade.processes.sharing import parts_of_scipy


class WorkerPool:
    """Hands out channels to workers that have loaded the submission.

    Args:
        job: the submission and its limits.
        launcher: where workers come from. If it cannot give a fresh one cheaply, one worker serves all checks and
            loads the file anew for each.
    """

    def __init__(self, job: Job, launcher: Launcher) -> None:
        self._job = job
        self._launcher = launcher
        self._fresh = launcher.fresh_per_check and not job.extra.get("shared_worker")
        self._ahead = not job.extra.get("in_turn")
        self._spare: WorkerChannel | None = None
        self._current: WorkerChannel | None = None
        self._load_error: StudentError | None = None
        self._spent = 0.0
        self.confinement: dict[str, Any] = {}
        self.prefetching = True  # whether another check will follow

    @property
    def loaded(self) -> bool:
        """Whether the student's file could be loaded, as far as it was tried."""
        return self._load_error is None

    def for_check(self, seconds: float, memory_mib: int) -> WorkerChannel:
        """A channel whose worker has just loaded the student's file.

        Raises:
            StudentError: the file does not load.
            LaunchError: no worker can be had.
        """
        if self._load_error is not None:
            raise self._load_error  # the same for every check; one attempt is enough
        left = self._job.submission_seconds - self._spent
        if left <= 0:
            message = _("the {seconds:g} s that all checks may take together are used up").format(
                seconds=self._job.submission_seconds
            )
            raise WorkerLost("timeout", message)
        seconds = min(seconds, left)
        channel = self._take(seconds, memory_mib)
        self._current = channel
        try:
            if not channel.loaded:
                reached = channel.load_reply()
                self.confinement = self.confinement or reached  # the first worker speaks for all
        except StudentError as error:
            self._load_error = error
            raise
        channel.renew(seconds)
        self._prefetch()
        return channel

    def finish_check(self) -> dict[str, Any]:
        """End the check's worker; tells what it used."""
        channel, self._current = self._current, None
        if channel is None:
            return {}
        self._spent += channel.seconds
        used = {"seconds": channel.seconds, "output": channel.output}
        if self._fresh or not channel.alive:
            ended = channel.end()
            used["peak_memory_mib"] = ended.get("peak_memory_mib")
        else:
            self._spare = channel
            channel.loaded = False
        return used

    def adopt(self, channel: WorkerChannel) -> None:
        """Use this idle worker, which was made by `new_channel`, before new ones are asked for."""
        self._spare = channel

    def release(self) -> WorkerChannel | None:
        """The idle worker, if there is one; it is no longer this pool's."""
        spare, self._spare = self._spare, None
        return spare

    def close(self) -> None:
        for channel in (self._spare, self._current):
            if channel is not None:
                channel.end()

    def _take(self, seconds: float, memory_mib: int) -> WorkerChannel:
        spare, self._spare = self._spare, None
        ordinary = seconds == self._job.seconds and memory_mib == self._job.memory_mib
        if spare is not None and spare.alive and (ordinary or not self._launcher.fresh_per_check):
            if not spare.sent:
                spare.send_load(self._job.source, self._job.module, self._job.display, self._job.library)
            return spare
        if spare is not None:
            spare.end()
        return self._new(seconds, memory_mib)

    def _new(self, seconds: float, memory_mib: int) -> WorkerChannel:
        channel = new_channel(self._job, self._launcher, seconds, memory_mib, shared=not self._fresh)
        channel.send_load(self._job.source, self._job.module, self._job.display, self._job.library)
        return channel

    def _prefetch(self) -> None:
        if self._fresh and self._ahead and self._spare is None and self.prefetching:
            self._spare = self._new(self._job.seconds, self._job.memory_mib)


def new_channel(
    job: Job, launcher: Launcher, seconds: float | None = None, memory_mib: int | None = None, *, shared: bool = True
) -> WorkerChannel:
    """A channel to a new worker, with the job's limits unless others are given; `shared`: among several checks."""
    seconds, memory_mib = seconds or job.seconds, memory_mib or job.memory_mib
    # CPU time is a second fence behind the wall clock: generous, for a check's judge may be slow to ask.
    cpu_seconds = math.ceil(job.submission_seconds if shared else seconds) + 2
    limits = WorkerLimits(cpu_seconds=cpu_seconds, memory_bytes=memory_mib << 20)
    return WorkerChannel(launcher, limits, seconds, parts_of_scipy(job.source))
