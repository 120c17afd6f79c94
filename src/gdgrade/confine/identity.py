"""As root: become an unprivileged user, and keep as little of root as the machine's folders allow."""
# Plain strings and os calls: this runs in every worker, where each object costs.
# ruff: noqa: PTH116, PTH120

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from gdgrade.confine.kernel import CAP_DAC_READ_SEARCH, PR_SET_KEEPCAPS, Kernel

NOBODY = 65534


def can_enter(uid: int, folder: str) -> bool:
    """Whether the user `uid` (in the group of the same number only) may enter `folder`, by mode bits.

    Access control lists are not looked at; a folder that does not exist counts as open.
    """
    folder = os.path.realpath(folder)
    while _allows(uid, folder, stat.S_IXOTH):
        parent = os.path.dirname(folder)
        if parent == folder:
            return True
        folder = parent
    return False


def can_read(uid: int, path: str) -> bool:
    """Whether the user may reach `path` and read it, in the sense of `can_enter`."""
    path = os.path.realpath(path)
    return can_enter(uid, os.path.dirname(path)) and _allows(uid, path, stat.S_IROTH)


def _allows(uid: int, path: str, bit: int) -> bool:
    try:
        found = os.stat(path)
    except OSError:
        return True
    if found.st_uid == uid:
        bit <<= 6
    elif found.st_gid == uid:
        bit <<= 3
    return bool(found.st_mode & bit)


def first_unreachable(uid: int, paths: Iterable[str]) -> str | None:
    """The first of `paths` that the user cannot read; None if all can be."""
    return next((path for path in paths if not can_read(uid, path)), None)


def become(kernel: Kernel, uid: int, *, search_all: bool) -> None:
    """Change to `uid` and the group of the same number, without supplementary groups. For good.

    Args:
        search_all: keep the one capability to enter and read private folders. Needed where Python itself
            lives in one (for example under /root); only ever asked for together with Landlock, which
            then decides alone what can be read.
    """
    if search_all:
        kernel.prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if search_all:
        kernel.keep_capabilities((CAP_DAC_READ_SEARCH,))


def hand_over(folder: str, uid: int) -> None:
    """Give the scratch folder to the worker's user; refuses symbolic links (OSError)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchown(descriptor, uid, uid)
        os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)
