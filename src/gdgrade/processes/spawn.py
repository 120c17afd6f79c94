"""Workers and judges as fresh interpreters, where forking is not available (macOS, Windows) or not wanted.

Each start imports everything again, so one worker serves a whole submission and is replaced only when it was lost;
the module is loaded anew for each check.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from typing import Any

from gdgrade.processes.launcher import (
    LaunchError,
    Settings,
    Worker,
    WorkerLimits,
    clean_environment,
    debug_stderr,
    program,
)
from gdgrade.wire.frames import WireError, receive_frame, send_frame

START_SECONDS = 120.0


class SpawnLauncher:
    """Starts each worker as a program of its own.

    Args:
        settings: imports and confinement; on Linux the same confinement is applied as in forked workers.
    """

    fresh_per_check = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._running: dict[int, tuple[subprocess.Popen[bytes], str]] = {}

    def worker(self, limits: WorkerLimits, scipy: tuple[str, ...] = ()) -> Worker:
        """A new process; it imports for itself."""
        scratch = tempfile.mkdtemp(prefix="gdgrade-")
        message = {"limits": asdict(limits), "settings": self._settings.message(), "scratch": scratch}
        sock, process = start_program("gdgrade.processes.spawn", "worker")
        try:
            send_frame(sock, message)
        except WireError as error:
            raise LaunchError("a worker did not start") from error
        self._running[process.pid] = (process, scratch)
        return Worker(sock, process.pid, self)

    def end(self, pid: int, grace: float = 0.0) -> dict[str, Any]:
        process, scratch = self._running.pop(pid)
        if grace:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace)
        killed = process.poll() is None
        if killed and hasattr(os, "killpg"):
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
        if killed:
            process.kill()
        code = process.wait()
        shutil.rmtree(scratch, ignore_errors=True)
        return {
            "signal": -code if code < 0 else None,
            "status": code if code >= 0 else None,
            "killed": killed,
            "at": time.time(),
        }

    def close(self) -> None:
        for pid in list(self._running):
            self.end(pid)


def start_program(module: str, entry: str) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Start `module.main(fd)` of ours as a new program connected by a socket."""
    ours, theirs = socket.socketpair()
    environment = {**clean_environment(), "GDGRADE_ENTRY": entry}
    common: dict[str, Any] = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": debug_stderr()}
    if sys.platform == "win32":
        process = subprocess.Popen(program(module, "-1"), stdin=subprocess.PIPE, **common)
        assert process.stdin is not None
        process.stdin.write(theirs.share(process.pid))
        process.stdin.close()
    else:
        process = subprocess.Popen(
            program(module, str(theirs.fileno())),
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            **common,
        )
    theirs.close()
    return ours, process


def connect(fd: int) -> socket.socket:
    """The inherited end of the socket inside a started program."""
    if sys.platform == "win32":
        return socket.fromshare(sys.stdin.buffer.read())
    return socket.socket(fileno=fd)


def main(fd: int) -> None:
    """Entry of a started program: a worker, or a judge."""
    entry = os.environ.pop("GDGRADE_ENTRY", "worker")
    sock = connect(fd)
    if entry == "judge":
        from gdgrade.judge.main import judge_process

        judge_process(sock, None)
        return
    _worker(sock)


def _worker(sock: socket.socket) -> None:
    from gdgrade.confine import Limits, Policy, confine, default_readable, prepare
    from gdgrade.language import load_all
    from gdgrade.worker.serve import clean_environment as clear
    from gdgrade.worker.serve import serve, single_threaded

    message = receive_frame(sock, deadline=time.monotonic() + START_SECONDS).header
    settings, scratch = message["settings"], message["scratch"]
    for name in settings["preload"]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    load_all()
    single_threaded()
    wanted = settings["policy"]
    hello: dict[str, Any]
    try:
        policy = Policy(
            mode=wanted["mode"],
            readable=(*default_readable(), *wanted["readable"]),
            forbidden=tuple(wanted["forbidden"]),
            scratch=scratch,
            limits=Limits(**message["limits"]),
        )
        clear(scratch)
        reached = confine(prepare(policy), scratch=scratch, keep_fds=[sock.fileno()], limits=policy.limits)
        hello = {"confinement": reached.to_json()}
    except Exception as error:
        hello = {"refused": str(error)}
    serve(sock, hello)
