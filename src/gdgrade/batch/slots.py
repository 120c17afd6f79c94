"""How many submissions are judged at once, and on which processors."""

from __future__ import annotations

import contextlib
import os
import queue
from collections.abc import Iterator


class Slots:
    """Places to judge in, shared by threads: what a thread does outside of them, such as writing a report, takes none.

    Args:
        jobs: how many there are.
    """

    def __init__(self, jobs: int) -> None:
        self._free: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        for processor in processors_for(jobs):
            self._free.put(processor)

    @contextlib.contextmanager
    def one(self) -> Iterator[int | None]:
        """Wait for a free one, and take it for the length of the block; its processor, or None for any."""
        processor = self._free.get()
        try:
            yield processor
        finally:
            self._free.put(processor)


def processors_for(jobs: int) -> list[int | None]:
    """For each job the processor that it keeps to, in turn over those that are ours; None: there is no choice.

    Judge and worker of a job take turns; on one processor neither waits for the other's to wake up.
    """
    ours = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return [ours[job % len(ours)] if len(ours) > 1 else None for job in range(jobs)]
