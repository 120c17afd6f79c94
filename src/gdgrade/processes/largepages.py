"""Few large pages in place of many small ones, before a program forks again and again.

A fork copies the page table, and an ending process takes it apart: with 150 MiB of imported libraries in pages of
4 KiB that costs more than all that a small check computes. In pages of 2 MiB it is a quarter. What a child writes to
is still copied in pages of 4 KiB.
"""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

LARGE = 2 << 20
MADV_COLLAPSE = 25  # since Linux 6.1
# Memory that malloc gets from now on, in large pages from the start (glibc 2.35 and newer; others ignore it).
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
_PRIVATE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0\s*(?:\[heap\])?$")


def gather() -> int:
    """Turn this process's own memory into large pages where the kernel can; returns how many it made.

    Costs some 0.1 s for torch's memory, so it pays where dozens of forks follow. Where it cannot be done (an older
    kernel, another system, large pages switched off) nothing happens.
    """
    try:
        maps = Path("/proc/self/maps").read_text().splitlines()
        madvise = ctypes.CDLL(None, use_errno=True).madvise
    except (OSError, AttributeError):
        return 0
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    made = 0
    for line in maps:
        found = _PRIVATE.match(line)
        if found is None:
            continue
        start, end = (int(text, 16) for text in found.groups())
        for page in range(-(-start // LARGE) * LARGE, end - LARGE + 1, LARGE):
            made += madvise(page, LARGE, MADV_COLLAPSE) == 0
    return made
