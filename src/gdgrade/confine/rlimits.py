"""Resource limits, where the platform has them (Linux and macOS; Windows has no `resource` module)."""
# ruff: noqa: PTH123, PTH208

from __future__ import annotations

import errno
import os
import sys
from typing import Any

from gdgrade.confine.policy import Limits

resource: Any
try:
    import resource
except ImportError:
    resource = None

# Refused by some kernels (gVisor, macOS) and not worth failing for.
_OPTIONAL = ("MEMLOCK", "MSGQUEUE", "NICE", "RTPRIO", "NPROC")


def mapped_bytes() -> int:
    """Address space that this process maps now, in bytes; 0 where /proc does not say (macOS)."""
    try:
        statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    pages = int(os.read(statm, 200).split()[0])
    os.close(statm)
    return pages * os.sysconf("SC_PAGE_SIZE")


def threads_of_user(uid: int) -> int:
    """How many threads the user has, all processes together: what RLIMIT_NPROC counts."""
    total = 0
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as status:
                fields = dict(line.split(":", 1) for line in status)
        except (OSError, ValueError):
            continue  # it ended meanwhile
        if int(fields["Uid"].split()[0]) == uid:
            total += int(fields["Threads"])
    return total


def apply_limits(limits: Limits, *, most_threads: int | None) -> str:
    """Set the limits on this process, soft and hard; returns a line that says what holds.

    Args:
        limits: what to allow.
        most_threads: RLIMIT_NPROC, for where nothing else refuses fork; None leaves it alone. It counts every
            process and thread of the user on the whole machine, and the kernel does not apply it to root.

    Raises:
        OSError: the platform has no resource limits, or refuses one of the necessary ones.
    """
    if resource is None:
        raise OSError(errno.ENOSYS, "this system has no resource limits")
    missing: list[str] = []
    for name, value in _values(limits, most_threads).items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None:
            continue
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY:  # a cluster's batch system may have set a lower one
            value = min(value, hard)
        try:
            resource.setrlimit(kind, (value, value))
        except (ValueError, OSError) as error:
            if name == "AS" and not sys.platform.startswith("linux"):
                missing.append("memory")  # macOS
            elif name not in _OPTIONAL:
                raise OSError(errno.EINVAL, f"RLIMIT_{name}: {error}") from None
    # SIGXCPU at the soft limit, SIGKILL one second later for code that ignores it. A fork starts at 0 s.
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    most = limits.cpu_seconds + 1 if hard == resource.RLIM_INFINITY else min(limits.cpu_seconds + 1, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (min(limits.cpu_seconds, most), most))
    said = f"{limits.cpu_seconds} s CPU, {limits.memory_bytes >> 20} MiB, {limits.file_bytes >> 20} MiB a file"
    return said + "".join(f", {name} not limited" for name in missing)


def _values(limits: Limits, most_threads: int | None) -> dict[str, int]:
    values = {
        "AS": mapped_bytes() + limits.memory_bytes,
        "FSIZE": limits.file_bytes,
        "NOFILE": limits.open_files,
        "CORE": 0,
        "MEMLOCK": 0,
        "MSGQUEUE": 0,
        "NICE": 0,
        "RTPRIO": 0,
    }
    return values if most_threads is None else {**values, "NPROC": most_threads}
