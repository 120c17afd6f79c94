"""The zygote: an exec'd, clean, single-threaded program that imports once and forks judges and workers.

It never sees a grader, a reference or a secret: its environment is cleaned by whoever starts it, and a judge learns
its job only after it was forked. A worker is forked with the confinement prepared here.

Control messages (see `messages`), each with the descriptors it needs::

    {"op": "start", "preload": [...], "policy": {...}, "many": false} -> {"ready": true, ...}
    {"op": "worker", "limits": {...}, "scipy": [...], "processors": [...]} + [socket]  -> {"pid": 123}
    {"op": "judge"} + [job socket, judge's control, our control]  -> {"pid": 124}
    {"op": "client"} + [control]                                  -> {"welcome": true}
    {"op": "twin", "processor": 3} + [control]                    -> {"pid": 125}
    {"op": "kill", "pid": 123}                                    -> {"ended": {...}}

Every client has its own control socket. When one closes, all that was forked for it dies.

A twin is a zygote that was forked by a zygote: it serves as many clients as are introduced to it, and keeps to one
processor. Where several submissions are judged at once, each job has one, so that none waits for another's forks.
"""

from __future__ import annotations

import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import tempfile
from dataclasses import dataclass, field
from typing import Any

from gdgrade import language
from gdgrade.confine import Limits, Policy, Prepared, confine, default_readable, leave_network, prepare
from gdgrade.confine.kernel import PR_SET_PDEATHSIG
from gdgrade.processes import largepages
from gdgrade.processes.children import Child, Children
from gdgrade.processes.messages import Gone, receive_message, send_message
from gdgrade.processes.processors import keep_to
from gdgrade.processes.sharing import import_parts
from gdgrade.wire.frames import Header
from gdgrade.worker.rehearsal import rehearse
from gdgrade.worker.serve import clean_environment, home_in, serve, single_threaded

SLOT_UID_BASE = 61_000
# Users of the twins' workers: a range for each twin. A container may map no more than 65,536 users.
TWIN_UID_BASE, TWIN_UIDS, MOST_TWINS = 62_000, 60, 58
# What every worker needs sooner or later and would otherwise import for itself, 10 ms and more each time.
SHARED = ("numpy.random", "cloudpickle", "collections", "copy", "dataclasses", "enum", "functools", "hmac", "itertools",
          "math", "random", "tempfile", "typing", "warnings")  # fmt: skip


@dataclass
class Zygote:
    """State of the zygote's loop."""

    prepared: Prepared | None = None
    policy: Policy | None = None
    base: str = ""
    clients: dict[int, socket.socket] = field(default_factory=dict)
    children: Children = field(default_factory=Children)
    environment: dict[str, str] = field(default_factory=dict)  # of the zygote as it was started, for judges
    forked: int = 0
    twins: int = 0
    first_uid: int = SLOT_UID_BASE


def main(fd: int) -> None:
    """Serve the client on descriptor `fd` and all clients it introduces, then leave nothing behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the client's affair; it hangs up on us
    state = Zygote()
    with tempfile.TemporaryDirectory(prefix="gdgrade-", ignore_cleanup_errors=True) as base:
        state.base = base
        os.chmod(base, 0o711)  # noqa: PTH101, S103 - unprivileged workers pass through to their own folder
        try:
            _serve(state, socket.socket(fileno=fd))
        finally:
            if state.prepared is not None:
                state.prepared.close()


def _serve(state: Zygote, first: socket.socket) -> None:
    """Answer this client and all that it introduces until it hangs up; then nothing of what was forked is left."""
    try:
        _loop(state, first)
    finally:
        for pid in list(state.children.living):
            state.children.end(pid)


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
                if state.children.ending.get(pid) != key.fd:
                    continue  # its client has hung up in the meantime
                selector.unregister(key.fd)
            if number not in state.clients:
                continue
            client = state.clients[number]
            try:
                if pid:
                    send_message(client, {"ended": state.children.end(pid, killed=True)})
                    continue
                message, fds = receive_message(client)
                if message["op"] == "kill" and state.children.begin_to_end(message["pid"], message.get("grace", 0.0)):
                    # A large process takes milliseconds to be taken apart: time to fork others' workers.
                    pidfd = state.children.ending[message["pid"]]
                    selector.register(pidfd, selectors.EVENT_READ, (message["pid"], number))
                    continue
                send_message(client, _answer(state, number, message, fds, welcome))
            except Gone:
                selector.unregister(client)
                del state.clients[number]
                client.close()
                for pid in state.children.of(number):
                    if pid in state.children.ending:
                        selector.unregister(state.children.ending[pid])
                    state.children.end(pid)
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
        if op == "twin":
            return {"pid": _fork_twin(state, client, message["processor"], fds[0])}
        if op == "client":
            welcome(socket.socket(fileno=fds[0]))
            fds.pop()
            return {"welcome": True}
        if op == "kill":
            return {"ended": state.children.end(message["pid"], message.get("grace", 0.0))}
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
    slot = state.children.free_slot()
    uid = None
    if state.policy.uid is not None:
        uid = state.first_uid + slot  # one user per live worker, so that siblings cannot signal each other
    state.forked += 1
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _worker(state.prepared, message, fd, scratch, uid, parent)
    state.children.living[pid] = Child(pid, client, scratch, slot)
    return pid


def _worker(prepared: Prepared, message: dict[str, Any], fd: int, scratch: str, uid: int | None, parent: int) -> None:
    """The child's whole life; never returns."""
    code = 1
    try:
        gc.disable()
        home_in(scratch)
        keep_to(message.get("processors", ()))
        sock = socket.socket(fileno=fd)
        hello: Header = {}
        try:
            reached = confine(prepared, scratch=scratch, keep_fds=[fd], limits=Limits(**message["limits"]), uid=uid)
            hello = {"confinement": reached.to_json()}
        except Exception as error:
            hello = {"refused": str(error)}
        if os.getppid() != parent:  # it ended before the kernel was told that we must end with it
            os._exit(1)
        if "refused" not in hello:
            _hide_zygote()
        serve(sock, hello)
        code = 0
    finally:
        os._exit(code)


def _hide_zygote() -> None:
    """Drop what the child inherited and does not need: the control channels' Python objects."""
    for name in ("zygote", "children", "messages"):
        sys.modules.pop(f"gdgrade.processes.{name}", None)


def _fork_twin(state: Zygote, client: int, processor: int, fd: int) -> int:
    """Fork a zygote that serves the control socket `fd` and whom it introduces, on one processor."""
    assert state.prepared is not None
    state.twins += 1
    base = os.path.join(state.base, f"t{state.twins}")  # noqa: PTH118
    os.mkdir(base, 0o711)  # noqa: PTH102
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            for other in state.clients.values():
                other.close()
            state.prepared.kernel.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it ended before the kernel was told
                os._exit(1)
            keep_to([processor])
            twin = Zygote(state.prepared, state.policy, base, environment=state.environment)
            twin.first_uid = TWIN_UID_BASE + TWIN_UIDS * (state.twins % MOST_TWINS)
            _serve(twin, socket.socket(fileno=fd))
            code = 0
        finally:
            os._exit(code)
    state.children.living[pid] = Child(pid, client, base)
    return pid


def _fork_judge(state: Zygote, client: int, fds: list[int]) -> int:
    job_fd, control_fd, ours = fds
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            for other in state.clients.values():
                other.close()
            os.close(ours)  # with both ends in its hands it would never notice that we are gone
            os.environ.clear()
            os.environ.update(state.environment)
            from gdgrade.judge.main import judge_process

            judge_process(socket.socket(fileno=job_fd), socket.socket(fileno=control_fd))
            code = 0
        finally:
            os._exit(code)
    state.children.living[pid] = Child(pid, client)
    return pid


if __name__ == "__main__":
    main(int(sys.argv[1]))
