"""The few Linux system calls that Python's standard library does not offer, through ctypes.

`Kernel` is a small object so that tests (and callers) can put one in its place that lacks a feature.
Every method raises OSError with the kernel's own error number.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from typing import Any

# The same numbers on every architecture: calls added since Linux 5.1.
_CLOSE_RANGE, _LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 436, 444, 445, 446

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 8, 22, 38
PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS = 3, 39
CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = 0x08000000, 0x10000000, 0x40000000
CAP_DAC_READ_SEARCH = 2


class Kernel:
    """The running kernel. On other systems than Linux `linux` is False and nothing else may be called."""

    def __init__(self) -> None:
        self.linux = sys.platform.startswith("linux")
        if not self.linux:
            return
        libc = ctypes.CDLL(None, use_errno=True)
        self._libc: Any = libc
        long, text = ctypes.c_long, ctypes.c_char_p

        def syscall(*arguments: type[Any]) -> Any:
            # With declared types: a bare Python int would travel as 32 bits, which cuts pointers and sizes.
            return ctypes.CFUNCTYPE(long, long, *arguments, use_errno=True)(("syscall", libc))

        self._create = syscall(text, long, long)
        self._allow = syscall(long, long, text, long)
        self._three = syscall(long, long, long)
        ulong = ctypes.c_ulong
        prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ulong, ulong, ulong, ulong, use_errno=True)
        self._prctl: Any = prototype(("prctl", libc))

    @staticmethod
    def _checked(result: int) -> int:
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result

    def prctl(self, option: int, value: int = 0) -> int:
        """prctl(2) with one argument; the unused ones are zero, as the kernel demands."""
        return self._checked(self._prctl(option, value, 0, 0, 0))

    def landlock_abi(self) -> int:
        """Version of Landlock's interface: 0 where the kernel has none or has it switched off."""
        try:
            return self._checked(self._create(_LANDLOCK_CREATE, None, 0, 1))
        except OSError:
            return 0

    def landlock_create(self, attributes: bytes) -> int:
        """A new ruleset; returns its file descriptor."""
        return self._checked(self._create(_LANDLOCK_CREATE, attributes, len(attributes), 0))

    def landlock_allow(self, ruleset: int, folder: int, rights: int) -> None:
        """Allow `rights` at and below the open O_PATH descriptor `folder`."""
        self._checked(self._allow(_LANDLOCK_ADD, ruleset, 1, struct.pack("=Qi", rights, folder), 0))

    def landlock_restrict(self, ruleset: int) -> None:
        """Bind the calling thread, and what it starts later, to the ruleset."""
        self._checked(self._three(_LANDLOCK_RESTRICT, ruleset, 0, 0))

    def install_filter(self, program: bytes) -> None:
        """Install a seccomp filter: `program` is an array of 8-byte classic BPF instructions."""
        code = ctypes.create_string_buffer(program, len(program))
        header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
        self._checked(self._prctl(PR_SET_SECCOMP, 2, ctypes.addressof(header), 0, 0))

    def unshare(self, flags: int) -> None:
        """Leave the namespaces named by the CLONE_NEW* flags for new, empty ones."""
        self._checked(self._libc.unshare(flags))

    def keep_capabilities(self, capabilities: tuple[int, ...]) -> None:
        """Give up every capability but these (version 3 of the kernel's structure: 64 bits)."""
        bits = sum(1 << c for c in capabilities)
        low, high = bits & 0xFFFFFFFF, bits >> 32
        data = struct.pack("=6I", low, low, 0, high, high, 0)  # effective, permitted, inheritable, twice
        self._checked(self._libc.capset(struct.pack("=Ii", 0x20080522, 0), data))

    def close_range(self, first: int, last: int) -> None:
        """Close the descriptors first..last, both included."""
        try:
            self._checked(self._three(_CLOSE_RANGE, first, last, 0))
        except OSError as error:
            if error.errno not in (errno.ENOSYS, errno.EPERM):  # EPERM: old container engines
                raise
            os.closerange(first, min(last, os.sysconf("SC_OPEN_MAX")) + 1)

    def threads(self) -> int:
        """Number of threads of this process (1 when /proc cannot say)."""
        try:
            return len(os.listdir("/proc/self/task"))  # noqa: PTH208
        except OSError:
            return 1
