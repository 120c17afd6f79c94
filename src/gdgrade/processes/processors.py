"""Which processors a process runs on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection


def keep_to(processors: Collection[int]) -> bool:
    """Run this process, and what it will fork, on these processors; whether it now does.

    Nothing changes where none is named, where the system cannot do it, and where one was taken out of service.
    """
    if processors and hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, processors)
            return True
    return False
