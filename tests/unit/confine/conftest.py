"""Forks to attack from: each test decides from outside what a child could do."""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gdgrade.confine import Limits, Policy, default_readable
from gdgrade.confine.identity import become
from gdgrade.confine.kernel import Kernel

if not sys.platform.startswith("linux"):
    # These attack the real kernel. What remains is the filter's program, the plain data, and other systems played.
    collect_ignore = [
        f"test_{name}.py" for name in ("landlock", "paths", "probing", "rlimits", "seccomp", "torch", "worker")
    ]

UNPRIVILEGED = 54321
SECONDS = 60.0  # only to end a hanging child


@dataclass(frozen=True)
class Ended:
    """How a child ended: what it returned, or what it raised, or the signal that ended it."""

    value: Any = None
    raised: str | None = None
    errno: int | None = None
    text: str = ""
    signal: int | None = None
    status: int | None = None


Fork = Callable[..., Ended]


def _child(work: Callable[[int], Any], write: int, user: int | None) -> None:
    try:
        if user is not None:
            # Like an ordinary user, but able to read the interpreter wherever it is installed.
            become(Kernel(), user, search_all=True)
        answer = {"value": work(write)}
    except BaseException as error:
        answer = {"raised": type(error).__name__, "errno": getattr(error, "errno", None), "text": str(error)}
    os.write(write, json.dumps(answer).encode())


@pytest.fixture
def in_fork() -> Fork:
    """in_fork(work, user=None): run work(channel) in a fork; `channel` is the descriptor the answer goes out by."""

    def run(work: Callable[[int], Any], user: int | None = None) -> Ended:
        read, write = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns when there are threads
            pid = os.fork()
        if pid == 0:
            try:
                _child(work, write, user)
            finally:
                os._exit(0)
        os.close(write)
        ready, _, _ = select.select([read], [], [], SECONDS)
        data = os.read(read, 1 << 16) if ready else b""
        os.close(read)
        if not ready or data:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        assert ready, "the child hangs"
        if data:
            return Ended(**json.loads(data))
        if os.WIFSIGNALED(status):
            return Ended(signal=os.WTERMSIG(status))
        return Ended(status=os.WEXITSTATUS(status))

    return run


@pytest.fixture(params=["as started", "unprivileged"])
def user(request: pytest.FixtureRequest) -> int | None:
    """The test runs as the user who started it and, if that is root, as an ordinary user too."""
    if request.param == "as started":
        return None
    if os.geteuid() != 0:
        pytest.skip("already an ordinary user")
    return UNPRIVILEGED


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with `secret` (readable by all), `scratch` and `other` (both writable by all).

    Not below tmp_path, which lies in a private folder that only its owner can enter.
    """
    with tempfile.TemporaryDirectory(prefix="confine-test-") as name:
        base = Path(name).resolve()
        base.chmod(0o777)
        (base / "secret").write_text("the answer", encoding="ascii")
        for folder in ("scratch", "other"):
            (base / folder).mkdir()
            (base / folder).chmod(0o777)
        yield base


@pytest.fixture
def limits() -> Limits:
    """Generous limits, so that only the layer under test stops anything."""
    return Limits(cpu_seconds=60, memory_bytes=1 << 30)


@pytest.fixture
def policy(limits: Limits) -> Policy:
    """What a worker of an ordinary exercise gets."""
    return Policy("best", default_readable(), limits)


@pytest.fixture
def landlock_abi() -> int:
    """The kernel's Landlock version; the test is skipped where there is none."""
    abi = Kernel().landlock_abi()
    if abi == 0:
        pytest.skip("this kernel has no Landlock")
    return abi


@pytest.fixture(scope="session")
def syscall() -> Callable[..., int]:
    """syscall(number, *arguments): the raw call; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long

    def call(number: int, *arguments: Any) -> int:
        wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
        result: int = libc.syscall(ctypes.c_long(number), *wide)
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return result

    return call
