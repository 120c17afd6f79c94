"""The seccomp filter: classic BPF that refuses system calls by number and by argument.

Refused calls fail with EPERM (or ENOSYS where the C library then falls back to an older call), so
student code sees an ordinary OSError. Only calls through a foreign interface (32-bit, x32), which a
Python program never makes, kill the process: they would slip past a filter that compares numbers.

Sources: Linux, Documentation/userspace-api/seccomp_filter.rst; include/uapi/linux/{seccomp,filter}.h.
"""

from __future__ import annotations

import errno
import struct

from gdgrade.confine.syscalls import FIRST_COMMON, LAST_KNOWN, MACHINES, REFUSED

_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS

# BPF instruction codes: load a word of seccomp_data, compare with a constant, mask, return.
_LOAD, _EQ, _GE, _SET, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE = 0, 4  # offsets in struct seccomp_data; argument i starts at 16 + 8 i, low half first

_X32_BIT = 0x40000000
_CLONE_THREAD, _CLONE_NEW_ANY = 0x00010000, 0x7E020000 | 0x80

# F_SETOWN, F_SETSIG, F_SETOWN_EX: signals to others. F_SETLEASE, F_NOTIFY, F_SETDELEG: make others wait.
_FCNTL_REFUSED = (8, 10, 15, 1024, 1026, 1035)
# TIOCSTI, TIOCLINUX: type into a terminal. FIOSETOWN, SIOCSPGRP, FIOASYNC: signals to others.
_IOCTL_REFUSED = (0x5412, 0x541C, 0x8901, 0x8902, 0x5452)
# Harmless and in use by libc, OpenMP and vector libraries: GET_PDEATHSIG, GET_DUMPABLE, SET_NAME, GET_NAME,
# GET_SECCOMP, CAPBSET_READ, SET_TIMERSLACK, GET_TIMERSLACK, GET_NO_NEW_PRIVS, SVE_GET_VL,
# GET_TAGGED_ADDR_CTRL, SME_GET_VL, SET_VMA.
_PRCTL_ALLOWED = (2, 3, 15, 16, 21, 23, 29, 30, 39, 51, 56, 64, 0x53564D41)


class UnsupportedMachineError(OSError):
    """There is no table of system calls for this processor."""


def _op(code: int, constant: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, constant & 0xFFFFFFFF)


def _argument(index: int) -> bytes:
    """Load the low 32 bits of argument `index`; all arguments compared here are 32-bit ints or flags."""
    return _op(_LOAD, 16 + 8 * index)


def _one_of(index: int, values: tuple[int, ...], hit: int, miss: int) -> bytes:
    tests = b"".join(_op(_EQ, value, 0, 1) + _op(_RETURN, hit) for value in values)
    return _argument(index) + tests + _op(_RETURN, miss)


class Filter:
    """A filter for one machine; the parts that do not depend on the process id are built once.

    Args:
        machine: "x86_64" or "aarch64", as `uname -m` says.
        allow_fork: let the worker start processes (never in other namespaces, never by exec).

    Raises:
        UnsupportedMachineError: for another machine.
    """

    def __init__(self, machine: str, *, allow_fork: bool = False) -> None:
        if machine not in MACHINES:
            raise UnsupportedMachineError(errno.ENOSYS, f"no table of system calls for {machine!r} processors")
        self._machine = machine
        self._allow_fork = allow_fork
        self._constant_part = self._by_argument() + self._by_number()

    def program(self, pid: int) -> bytes:
        """The whole program, for the process `pid`, which may send signals only to itself."""
        return self._prologue() + self._for_process(pid) + self._constant_part

    def _rule(self, name: str, body: bytes) -> bytes:
        """If the call is `name` then `body` (which must end in a return), else go on."""
        number = REFUSED[name][MACHINES[self._machine][1]]
        if number is None:
            return b""
        length = len(body) // 8
        assert length < 256, "a BPF jump spans at most 255 instructions"
        return _op(_EQ, number, 0, length) + body

    def _prologue(self) -> bytes:
        architecture, _, old_last = MACHINES[self._machine]
        code = _op(_LOAD, _ARCHITECTURE) + _op(_EQ, architecture, 1, 0) + _op(_RETURN, _KILL)
        code += _op(_LOAD, _NUMBER)
        if self._machine == "x86_64":
            code += _op(_GE, _X32_BIT, 0, 1) + _op(_RETURN, _KILL)
        # Unknown numbers: a future kernel may put anything there.
        code += _op(_GE, LAST_KNOWN + 1, 0, 1) + _op(_RETURN, _ENOSYS)
        code += _op(_GE, FIRST_COMMON, 2, 0) + _op(_GE, old_last + 1, 0, 1) + _op(_RETURN, _ENOSYS)
        return code

    def _for_process(self, pid: int) -> bytes:
        itself = _one_of(0, (pid,), _ALLOW, _EPERM)
        code = self._rule("kill", itself) + self._rule("tgkill", itself)
        return code + self._rule("prlimit64", _one_of(0, (0, pid), _ALLOW, _EPERM))

    def _by_argument(self) -> bytes:
        code = self._rule("fcntl", _one_of(1, _FCNTL_REFUSED, _EPERM, _ALLOW))
        code += self._rule("ioctl", _one_of(1, _IOCTL_REFUSED, _EPERM, _ALLOW))
        code += self._rule("prctl", _one_of(0, _PRCTL_ALLOWED, _ALLOW, _EPERM))
        # clone3 keeps its flags in memory, where a filter cannot look: glibc then falls back to clone.
        code += self._rule("clone3", _op(_RETURN, _ENOSYS))
        clone = _argument(0) + _op(_SET, _CLONE_NEW_ANY, 0, 1) + _op(_RETURN, _EPERM)
        if not self._allow_fork:
            clone += _op(_SET, _CLONE_THREAD, 1, 0) + _op(_RETURN, _EPERM)
        code += self._rule("clone", clone + _op(_RETURN, _ALLOW))
        # Only stream pairs (asyncio wants one): a datagram one could sendto() any socket in the file system.
        pair = _argument(0) + _op(_EQ, 1, 1, 0) + _op(_RETURN, _EPERM)
        pair += _argument(1) + _op(_AND, 0xF) + _op(_EQ, 1, 1, 0) + _op(_RETURN, _EPERM)
        return code + self._rule("socketpair", pair + _op(_RETURN, _ALLOW))

    def _by_number(self) -> bytes:
        judged = {"kill", "tgkill", "prlimit64", "fcntl", "ioctl", "prctl", "clone", "clone3", "socketpair"}
        if self._allow_fork:
            judged |= {"fork", "vfork"}
        refuse = _op(_RETURN, _EPERM)
        code = b"".join(self._rule(name, refuse) for name in REFUSED if name not in judged)
        return code + _op(_RETURN, _ALLOW)
