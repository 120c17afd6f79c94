"""Inherited file descriptors: neither Landlock nor seccomp covers what is already open."""

from __future__ import annotations

import os
from collections.abc import Iterable

from gdgrade.confine.kernel import Kernel

_LAST = 0xFFFFFFFF


def close_all_but(kernel: Kernel, keep: Iterable[int]) -> None:
    """Close every descriptor that is not in `keep`; 0, 1 and 2 become /dev/null instead of closed."""
    kept = sorted(set(keep))
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        if standard not in kept and standard != null:
            os.dup2(null, standard)
    first = 3
    for descriptor in (d for d in kept if d >= 3):
        _close(kernel, first, descriptor - 1)
        first = descriptor + 1
    _close(kernel, first, _LAST)


def _close(kernel: Kernel, first: int, last: int) -> None:
    if first > last:  # os.closerange(0, 0) closes everything on Python 3.11
        return
    if kernel.linux:
        kernel.close_range(first, last)
    else:
        most = os.sysconf("SC_OPEN_MAX") if hasattr(os, "sysconf") else 2048
        os.closerange(first, min(last, most) + 1)
