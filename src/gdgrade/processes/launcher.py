"""How a judge gets its workers: from a zygote that forks them, or by spawning a fresh interpreter each time."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from gdgrade.processes import largepages
from gdgrade.processes.messages import Gone, receive_message, send_message
from gdgrade.processes.processors import keep_to

CLEAN_VARIABLES = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


class LaunchError(RuntimeError):
    """A process of the grading run could not be started; never the student's fault."""


@dataclass(frozen=True)
class WorkerLimits:
    """What one worker may use: CPU seconds, memory beyond what it starts with, and the rest of `confine.Limits`."""

    cpu_seconds: int
    memory_bytes: int
    file_bytes: int = 64 << 20
    open_files: int = 64


@dataclass(frozen=True)
class Settings:
    """What a launcher needs to know once: imports to share, how workers are confined, whether there will be many."""

    preload: tuple[str, ...]
    forbidden: tuple[str, ...] = ()
    confine: str = "best"
    readable: tuple[str, ...] = ()
    limits: WorkerLimits = WorkerLimits(cpu_seconds=60, memory_bytes=1 << 30)
    many: bool = False  # hundreds of forks will follow: see `largepages.gather`

    def message(self) -> dict[str, Any]:
        policy = {"mode": self.confine, "readable": list(self.readable), "forbidden": list(self.forbidden)}
        return {
            "op": "start",
            "many": self.many,
            "preload": list(self.preload),
            "policy": {**policy, "limits": asdict(self.limits)},
        }


@dataclass
class Worker:
    """A running worker: the judge's end of its socket and a way to end it."""

    sock: socket.socket
    pid: int
    launcher: Launcher

    def end(self, grace: float = 0.0) -> dict[str, Any]:
        """Kill it, with everything it started; tells how it ended: signal, status, cpu_seconds, peak_memory_mib.

        Args:
            grace: seconds it may take to end by itself before it is killed.
        """
        self.sock.close()
        return self.launcher.end(self.pid, grace)


class Launcher(Protocol):
    """Source of workers."""

    fresh_per_check: bool

    def worker(self, limits: WorkerLimits, scipy: tuple[str, ...] = ()) -> Worker: ...

    def end(self, pid: int, grace: float = 0.0) -> dict[str, Any]: ...

    def close(self) -> None: ...


def clean_environment() -> dict[str, str]:
    """The environment of a zygote or a spawned worker: nothing secret, one thread."""
    kept = {name: os.environ[name] for name in CLEAN_VARIABLES if name in os.environ}
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    blas = {name: value for name, value in os.environ.items() if name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    python = {"PYTHONDONTWRITEBYTECODE": "1", "USER": "student"}
    return {**kept, **dict.fromkeys(threads, "1"), **blas, **largepages.ENVIRONMENT, **python}


def debug_stderr() -> int | None:
    """Where helper processes write their warnings: nowhere, unless GDGRADE_DEBUG is set."""
    return None if os.environ.get("GDGRADE_DEBUG") else subprocess.DEVNULL


def program(module: str, *args: str) -> list[str]:
    """The command line of a helper program of ours, importable wherever this package lies."""
    package_parent = str(Path(__file__).resolve().parents[2])
    code = (
        f"import sys; sys.path.insert(0, {package_parent!r}) if {package_parent!r} not in sys.path else None\n"
        f"from {module} import main; main(*map(int, {args!r}))"
    )
    return [sys.executable, "-P", "-s", "-c", code]


class ZygoteClient:
    """One client's control channel to a zygote."""

    fresh_per_check = True

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._processors: tuple[int, ...] = ()  # those that workers keep to; empty: any

    def keep_to(self, processor: int) -> None:
        """Run this process, and the workers that it will ask for, on one processor; where that cannot be, on any."""
        if keep_to((processor,)):
            self._processors = (processor,)

    def _ask(self, message: dict[str, Any], fds: list[int] | None = None) -> dict[str, Any]:
        try:
            send_message(self._control, message, fds)
            answer, _ = receive_message(self._control)
        except Gone as error:
            raise LaunchError("the process that forks workers has ended unexpectedly") from error
        if "error" in answer:
            raise LaunchError(str(answer["error"]))
        return answer

    def worker(self, limits: WorkerLimits, scipy: tuple[str, ...] = ()) -> Worker:
        """A freshly forked, confined worker, with these parts of scipy imported (see `sharing`)."""
        wanted = {"op": "worker", "limits": vars(limits), "scipy": scipy, "processors": self._processors}
        sock, answer = self._ask_for_a_socket(wanted)
        return Worker(sock, answer["pid"], self)

    def end(self, pid: int, grace: float = 0.0) -> dict[str, Any]:
        ended = self._ask({"op": "kill", "pid": pid, "grace": grace})["ended"]
        assert isinstance(ended, dict)
        return ended

    def adopt(self, control: socket.socket) -> None:
        """Let the zygote serve whoever holds the other end of `control`."""
        self._ask({"op": "client"}, [control.fileno()])

    def twin(self, processor: int) -> ZygoteClient:
        """A zygote forked by this one, on one processor; it ends when what is returned is closed."""
        return ZygoteClient(self._ask_for_a_socket({"op": "twin", "processor": processor})[0])

    def _ask_for_a_socket(self, message: dict[str, Any]) -> tuple[socket.socket, dict[str, Any]]:
        """One end of a new connection whose other end goes with the message, and the answer to that."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                return ours, self._ask(message, [theirs.fileno()])
            except BaseException:
                ours.close()
                raise

    def close(self) -> None:
        self._control.close()


class Zygote(ZygoteClient):
    """A zygote process of our own.

    Args:
        settings: sent at once; the imports then run while the caller does something else. Call `wait_ready`
            before asking for anything.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                program("gdgrade.processes.start_zygote", str(theirs.fileno())),
                pass_fds=[theirs.fileno()],
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=debug_stderr(),
                start_new_session=True,
            )
        super().__init__(ours)
        self._ready: dict[str, Any] | None = None
        if settings is not None:
            self.start(settings)

    def start(self, settings: Settings) -> None:
        """Tell it what to import; does not wait."""
        try:
            send_message(self._control, settings.message())
        except Gone as error:
            raise LaunchError("the process that forks workers did not start") from error

    def wait_ready(self) -> dict[str, Any]:
        """Wait until its imports are done."""
        if self._ready is None:
            try:
                answer, _ = receive_message(self._control)
            except Gone as error:
                raise LaunchError(
                    "the process that forks workers ended while it was starting; GDGRADE_DEBUG=1 shows its messages"
                ) from error
            if "error" in answer:
                raise LaunchError(str(answer["error"]))
            self._ready = answer
        return self._ready

    def judge(self) -> tuple[socket.socket, int]:
        """Fork a judge; returns the socket its job goes to, and its process id."""
        job, judge_job = socket.socketpair()
        judge_control, zygote_control = socket.socketpair()
        with judge_job, judge_control, zygote_control:
            fds = [judge_job.fileno(), judge_control.fileno(), zygote_control.fileno()]
            answer = self._ask({"op": "judge"}, fds)
        return job, int(answer["pid"])

    def running(self) -> bool:
        """Whether its process has not ended."""
        return self._process.poll() is None

    def close(self) -> None:
        """Hang up: the zygote kills and reaps what it forked, cleans up, and ends."""
        with contextlib.suppress(OSError):  # wakes a thread that waits for an answer, which closing alone does not
            self._control.shutdown(socket.SHUT_RDWR)
        super().close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def fork_available() -> bool:
    """Whether this platform can fork a process that has imported torch: Linux only (macOS frameworks forbid it)."""
    return sys.platform.startswith("linux")
