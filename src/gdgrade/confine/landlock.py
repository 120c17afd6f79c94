"""Landlock: the files that a worker may reach, as rules that the kernel enforces without privileges.

A right that the ruleset handles and no rule grants is denied. Nothing is ever granted EXECUTE.
Not covered by Landlock, and so left to seccomp or a uid drop: stat, chmod, chown, utime, extended
attributes, UDP, UNIX sockets in the file system, descriptors that are already open.

Source: Linux, Documentation/userspace-api/landlock.rst (ABI 1 in Linux 5.13 to ABI 7 in 6.15).
"""
# ruff: noqa: PTH112

from __future__ import annotations

import os
import struct
from collections.abc import Iterable

from gdgrade.confine.kernel import Kernel

WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
MAKE_DIR, MAKE_REG, REFER, TRUNCATE, IOCTL_DEV = 1 << 7, 1 << 8, 1 << 13, 1 << 14, 1 << 15

READ = READ_FILE | READ_DIR
WRITE = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE
_FILE_RIGHTS = WRITE_FILE | READ_FILE | TRUNCATE  # what may be asked for a rule on a file

_TCP_BIND_CONNECT = 3
_ABSTRACT_SOCKETS_AND_SIGNALS = 3

Rule = tuple[str, int]  # path, rights


def handled_rights(abi: int) -> tuple[int, int, int]:
    """What a ruleset of this ABI can deny: (file rights, TCP rights, scopes) as bit masks."""
    files = (1 << 13) - 1
    for since, right in ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV)):
        if abi >= since:
            files |= right
    return files, _TCP_BIND_CONNECT if abi >= 4 else 0, _ABSTRACT_SOCKETS_AND_SIGNALS if abi >= 6 else 0


def restrict(kernel: Kernel, abi: int, rules: Iterable[Rule]) -> None:
    """Bind this thread to `rules` for good; needs no_new_privs. Paths that do not exist are left out.

    A ruleset is built for each worker and never shared: adding one worker's scratch folder to a shared
    one would open it to every later worker.

    Raises:
        OSError: the kernel refused a step (its call and path are named).
    """
    files, tcp, scopes = handled_rights(abi)
    attributes = struct.pack("QQQ", files, tcp, scopes)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = kernel.landlock_create(attributes)
    try:
        for path, rights in rules:
            try:
                place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                kernel.landlock_allow(ruleset, place, rights & files)
            except OSError as error:
                raise OSError(error.errno, f"Landlock rule for {path}: {error.strerror}") from None
            finally:
                os.close(place)
        kernel.landlock_restrict(ruleset)
    finally:
        os.close(ruleset)


def rule(path: str, rights: int) -> Rule:
    """A rule for `path`, without the rights that only make sense for a folder if it is a file."""
    return path, rights if os.path.isdir(path) else rights & _FILE_RIGHTS
