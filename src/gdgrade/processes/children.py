"""The children of a process that forks: who asked for them, and how they are ended, reaped and cleaned up after."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Child:
    """A forked process: who asked for it and where it may write."""

    pid: int
    client: int
    scratch: str | None = None
    slot: int | None = None


@dataclass
class Children:
    """All living children of this process.

    Attributes:
        living: by process id, until they are reaped.
        ending: a killed child -> its pidfd, until it is gone.
    """

    living: dict[int, Child] = field(default_factory=dict)
    ending: dict[int, int] = field(default_factory=dict)

    def free_slot(self) -> int:
        """The lowest number that no living child has."""
        taken = {child.slot for child in self.living.values()}
        return next(number for number in range(len(taken) + 1) if number not in taken)

    def of(self, client: int) -> list[int]:
        """Process ids of the children that this client asked for."""
        return [child.pid for child in self.living.values() if child.client == client]

    def begin_to_end(self, pid: int, grace: float = 0.0) -> bool:
        """Kill a child that still runs; whether a pidfd in `ending` tells when it is gone, and `end` is to follow."""
        if pid not in self.living or grace or not hasattr(os, "pidfd_open"):
            return False
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return False
        try:
            self.ending[pid] = os.pidfd_open(pid)
        except OSError:  # Linux before 5.3, or no descriptor left
            return False
        _kill(pid)
        return True

    def end(self, pid: int, grace: float = 0.0, *, killed: bool = False) -> dict[str, Any]:
        """Kill a child with everything it started, reap it, and delete its folder.

        Args:
            killed: that it has been already, by `begin_to_end`.
            grace: seconds to wait first for a child that is already ending by itself, so that its own exit status or
                signal is seen and not ours.
        """
        child = self.living.pop(pid, None)
        if child is None:
            return {"unknown": True}
        pidfd = self.ending.pop(pid, None)
        if pidfd is not None:
            os.close(pidfd)
        done, status, usage = os.wait4(pid, os.WNOHANG)
        until = time.monotonic() + min(grace, 0.2)
        while done == 0 and time.monotonic() < until:
            time.sleep(0.002)
            done, status, usage = os.wait4(pid, os.WNOHANG)
        if done == 0:
            killed = True
            _kill(pid)
            _, status, usage = os.wait4(pid, 0)
        else:
            with contextlib.suppress(OSError):  # what it left in its process group
                os.killpg(pid, signal.SIGKILL)
        if child.scratch is not None:
            shutil.rmtree(child.scratch, ignore_errors=True)
        return {
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            "status": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "killed": killed,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_memory_mib": usage.ru_maxrss / 1024,
            "at": time.time(),
        }


def _kill(pid: int) -> None:
    for send in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            send(pid, signal.SIGKILL)
