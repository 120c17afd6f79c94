"""The end of a request's time, inside the worker: where it strikes is the line that a student wants to see."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from gdgrade.worker.faults import OutOfTime


@contextlib.contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise `OutOfTime` in the block after so many seconds; None, or a system without timers: never.

    It is a courtesy: the judge ends a worker that does not answer, whatever happens here.
    """
    if seconds is None or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
