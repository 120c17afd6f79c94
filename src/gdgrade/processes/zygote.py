"""The zygote: an exec'd, clean, single-threaded program that imports once and forks judges and workers.

It never sees a grader, a reference or a secret: its environment is cleaned by whoever starts it, and a judge learns
its job only after it was forked. A worker is forked with the confinement prepared here.

Control messages (see `messages`), each with the descriptors it needs::

    {"op": "start", "preload": [...], "policy": {...}, "many": false} -> {"ready": true, ...}
    {"op": "worker", "limits": {...}, "scipy": [...], "processors": [...]} + [socket]  -> {"pid": 123}
    {"op": "judge"} + [job socket, judge's control, our control]  -> {"pid": 124}
    {"op": "client"} + [control]                                  -> {"welcome": true}
    {"op": "kill", "pid": 123}                                    -> {"ended": {...}}

Every client has its own control socket. When one closes, all that was forked for it dies.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any

from gdgrade import language
from gdgrade.confine import Limits, Policy, Prepared, confine, default_readable, leave_network, prepare
from gdgrade.processes import largepages
from gdgrade.processes.messages import Gone, receive_message, send_message
from gdgrade.processes.sharing import import_parts
from gdgrade.wire.frames import Header
from gdgrade.worker.rehearsal import rehearse
from gdgrade.worker.serve import clean_environment, home_in, serve, single_threaded

SLOT_UID_BASE = 61_000
# What every worker needs sooner or later and would otherwise import for itself, 10 ms and more each time.
SHARED = ("numpy.random", "cloudpickle", "collections", "copy", "dataclasses", "enum", "functools", "hmac", "itertools",
          "math", "random", "tempfile", "typing", "warnings")  # fmt: skip


@dataclass
class Child:
    """A forked process: who asked for it and where it may write."""

    pid: int
    client: int
    scratch: str | None = None
    slot: int | None = None


@dataclass
class Zygote:
    """State of the zygote's loop."""

    prepared: Prepared | None = None
    policy: Policy | None = None
    base: str = ""
    clients: dict[int, socket.socket] = field(default_factory=dict)
    children: dict[int, Child] = field(default_factory=dict)
    ending: dict[int, int] = field(default_factory=dict)  # killed child -> its pidfd, until it is gone
    environment: dict[str, str] = field(default_factory=dict)  # of the zygote as it was started, for judges
    forked: int = 0


def main(fd: int) -> None:
    """Serve the client on descriptor `fd` and all clients it introduces, then leave nothing behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the client's affair; it hangs up on us
    state = Zygote()
    with tempfile.TemporaryDirectory(prefix="gdgrade-", ignore_cleanup_errors=True) as base:
        state.base = base
        os.chmod(base, 0o711)  # noqa: PTH101, S103 - unprivileged workers pass through to their own folder
        try:
            _loop(state, socket.socket(fileno=fd))
        finally:
            for pid in list(state.children):
                _end(state, pid)
            if state.prepared is not None:
                state.prepared.close()


def _loop(state: Zygote, first: socket.socket) -> None:
    selector = selectors.DefaultSelector()

    def welcome(client: socket.socket) -> None:
        state.clients[client.fileno()] = client
        selector.register(client, selectors.EVENT_READ)

    welcome(first)
    while state.clients:
        for key, _ in selector.select():
            pid, number = key.data or (0, key.fd)
            if pid:
                if state.ending.get(pid) != key.fd:
                    continue  # its client has hung up in the meantime
                selector.unregister(key.fd)
            if number not in state.clients:
                continue
            client = state.clients[number]
            try:
                if pid:
                    send_message(client, {"ended": _end(state, pid, killed=True)})
                    continue
                message, fds = receive_message(client)
                if message["op"] == "kill" and _begin_to_end(state, message):
                    # A large process takes milliseconds to be taken apart: time to fork others' workers.
                    selector.register(state.ending[message["pid"]], selectors.EVENT_READ, (message["pid"], number))
                    continue
                send_message(client, _answer(state, number, message, fds, welcome))
            except Gone:
                selector.unregister(client)
                del state.clients[number]
                client.close()
                for child in [child for child in state.children.values() if child.client == number]:
                    if child.pid in state.ending:
                        selector.unregister(state.ending[child.pid])
                    _end(state, child.pid)
                if client is first:
                    return


def _answer(state: Zygote, client: int, message: dict[str, Any], fds: list[int], welcome: Any) -> dict[str, Any]:
    op = message["op"]
    try:
        if op == "start":
            return _start(state, message)
        if op == "worker":
            return {"pid": _fork_worker(state, client, message, fds[0])}
        if op == "judge":
            pid = _fork_judge(state, client, fds)
            welcome(socket.socket(fileno=fds[2]))
            fds.pop()
            return {"pid": pid}
        if op == "client":
            welcome(socket.socket(fileno=fds[0]))
            fds.pop()
            return {"welcome": True}
        if op == "kill":
            return {"ended": _end(state, message["pid"], grace=message.get("grace", 0.0))}
        return {"error": f"unknown request {op!r}"}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        for descriptor in fds:
            os.close(descriptor)


def _start(state: Zygote, message: dict[str, Any]) -> dict[str, Any]:
    """Import what the workers will need and prepare their confinement."""
    missing = []
    for name in (*SHARED, *message["preload"]):
        try:
            importlib.import_module(name)
        except ImportError as error:
            missing.append(f"{name}: {error}")
    language.load_all()
    single_threaded()
    wanted = message["policy"]
    state.policy = Policy(
        mode=wanted["mode"],
        readable=(*default_readable(), *wanted.get("readable", ())),
        forbidden=tuple(wanted.get("forbidden", ())),
        limits=Limits(**wanted["limits"]),
        uid=SLOT_UID_BASE if os.name == "posix" and os.geteuid() == 0 else None,
    )
    state.prepared = prepare(state.policy)
    leave_network(state.prepared)
    state.environment = dict(os.environ)
    clean_environment(None)  # here for all workers: they add where their folder is
    if message.get("many"):
        rehearse()
    gc.collect()
    gc.freeze()  # the children's collectors leave our objects, and so their pages, alone
    if message.get("many"):
        largepages.gather()
    return {"ready": True, "missing": missing, "threads": _threads()}


def _threads() -> int:
    """How many threads this process has; a fork is safe with one."""
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208
    except OSError:
        return 1


def _fork_worker(state: Zygote, client: int, message: dict[str, Any], fd: int) -> int:
    assert state.prepared is not None
    assert state.policy is not None
    if import_parts(message.get("scipy", ()), state.policy.forbidden):
        gc.collect()
        gc.freeze()
    scratch = os.path.join(state.base, f"w{state.forked}")  # noqa: PTH118
    os.mkdir(scratch, 0o700)  # noqa: PTH102
    slot = _free_slot(state)
    uid = None
    if state.policy.uid is not None:
        uid = SLOT_UID_BASE + slot  # one user per live worker, so that siblings cannot signal each other
    state.forked += 1
    pid = os.fork()
    if pid == 0:
        _worker(state.prepared, message, fd, scratch, uid)
    state.children[pid] = Child(pid, client, scratch, slot)
    return pid


def _free_slot(state: Zygote) -> int:
    """The lowest number that no living worker has."""
    taken = {child.slot for child in state.children.values()}
    return next(number for number in range(len(taken) + 1) if number not in taken)


def _worker(prepared: Prepared, message: dict[str, Any], fd: int, scratch: str, uid: int | None) -> None:
    """The child's whole life; never returns."""
    code = 1
    try:
        gc.disable()
        home_in(scratch)
        if message.get("processors"):
            os.sched_setaffinity(0, message["processors"])
        sock = socket.socket(fileno=fd)
        hello: Header = {}
        try:
            reached = confine(prepared, scratch=scratch, keep_fds=[fd], limits=Limits(**message["limits"]), uid=uid)
            hello = {"confinement": reached.to_json()}
        except Exception as error:
            hello = {"refused": str(error)}
        if "refused" not in hello:
            _hide_zygote()
        serve(sock, hello)
        code = 0
    finally:
        os._exit(code)


def _hide_zygote() -> None:
    """Drop what the child inherited and does not need: the control channels' Python objects."""
    for name in ("gdgrade.processes.zygote", "gdgrade.processes.messages"):
        sys.modules.pop(name, None)


def _fork_judge(state: Zygote, client: int, fds: list[int]) -> int:
    job_fd, control_fd, _ = fds
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            for other in state.clients.values():
                other.close()
            os.environ.clear()
            os.environ.update(state.environment)
            from gdgrade.judge.main import judge_process

            judge_process(socket.socket(fileno=job_fd), socket.socket(fileno=control_fd))
            code = 0
        finally:
            os._exit(code)
    state.children[pid] = Child(pid, client)
    return pid


def _begin_to_end(state: Zygote, message: dict[str, Any]) -> bool:
    """Kill a child that still runs; whether a pidfd in `ending` will tell when it is gone, and `_end` is to follow."""
    pid = message["pid"]
    child = state.children.get(pid)
    if child is None or message.get("grace") or not hasattr(os, "pidfd_open"):
        return False
    if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
        return False
    try:
        state.ending[pid] = os.pidfd_open(pid)
    except OSError:  # Linux before 5.3, or no descriptor left
        return False
    _signal(pid)
    return True


def _signal(pid: int) -> None:
    for send in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            send(pid, signal.SIGKILL)


def _end(state: Zygote, pid: int, grace: float = 0.0, *, killed: bool = False) -> dict[str, Any]:
    """Kill a child with everything it started, reap it, and delete its folder.

    Args:
        killed: that it has been already, by `_begin_to_end`.
        grace: seconds to wait first for a child that is already ending by itself, so that its own exit status or
            signal is seen and not ours.
    """
    child = state.children.pop(pid, None)
    if child is None:
        return {"unknown": True}
    pidfd = state.ending.pop(pid, None)
    if pidfd is not None:
        os.close(pidfd)
    done, status, usage = os.wait4(pid, os.WNOHANG)
    until = time.monotonic() + min(grace, 0.2)
    while done == 0 and time.monotonic() < until:
        time.sleep(0.002)
        done, status, usage = os.wait4(pid, os.WNOHANG)
    if done == 0:
        killed = True
        _signal(pid)
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


if __name__ == "__main__":
    main(int(sys.argv[1]))
