"""A judge that has collected the checks once and forks a child per submission.

Importing pytest, the graders and the reference, and collecting the checks, costs more than judging a small
submission; a batch pays for it once. The server is itself a pytest plugin: it takes the place of the loop that runs
the collected checks, and each forked child runs that loop for its own job.

Requests come as messages with two descriptors: the socket of the job, and a control channel to the zygote.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import traceback
from typing import Any

import pytest

from gdgrade.judge.job import Job
from gdgrade.judge.plugin import Judge
from gdgrade.processes.launcher import ZygoteClient
from gdgrade.processes.messages import Gone, receive_message, send_message
from gdgrade.wire.frames import WireError, receive_frame, send_frame


class JudgeServer:
    """Replaces pytest's loop over the checks; see the module's docstring.

    Args:
        judge: has collected; its job is a template without a submission.
        sock: where requests come from.
    """

    def __init__(self, judge: Judge, sock: socket.socket) -> None:
        self._judge = judge
        self._sock = sock
        self._children: set[int] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if self._judge.collection_errors:
            send_message(self._sock, {"errors": self._judge.collection_errors})
            return True
        self._judge.warm_up()
        gc.collect()
        gc.freeze()
        send_message(self._sock, {"ready": True, "checks": len(session.items)})
        with contextlib.suppress(Gone):
            while True:
                self._serve(session)
        for pid in self._children:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        return True

    def _serve(self, session: pytest.Session) -> None:
        message, fds = receive_message(self._sock)
        self._reap()
        if message.get("op") == "end":
            pid = message["pid"]
            if pid in self._children:
                os.kill(pid, signal.SIGKILL)
            send_message(self._sock, {"ended": pid})
            return
        pid = os.fork()
        if pid == 0:
            _child(self._judge, session, self._sock, fds)
        for descriptor in fds:
            os.close(descriptor)
        self._children.add(pid)
        send_message(self._sock, {"pid": pid})

    def _reap(self) -> None:
        for pid in list(self._children):
            done, _ = os.waitpid(pid, os.WNOHANG)
            if done:
                self._children.discard(pid)


def _child(judge: Judge, session: pytest.Session, server: socket.socket, fds: list[int]) -> None:
    """Judge one submission; never returns."""
    code = 1
    try:
        server.close()
        sock, control = (socket.socket(fileno=descriptor) for descriptor in fds)
        with contextlib.suppress(WireError):
            frame = receive_frame(sock)
            job = Job.from_json(frame.header["job"])
            tape = frame.blobs[0] if frame.blobs else None
            result = judge_one(judge, session, job, ZygoteClient(control), sock, tape)
            kept = judge.pool.tape() if job.extra.get("record") and tape is None else None
            send_frame(sock, {"event": "done", **result}, [kept] if kept is not None else [])
        code = 0
    finally:
        os._exit(code)


def judge_one(
    judge: Judge,
    session: pytest.Session,
    job: Job,
    launcher: ZygoteClient,
    sock: socket.socket,
    tape: bytes | None = None,
) -> dict[str, Any]:
    """Run the collected checks on one submission, or on the tape of its answers."""
    from gdgrade.judge.main import lab_result, make_lab, result_of

    judge.begin(job, launcher, lambda event: send_frame(sock, event), tape)
    try:
        lab = make_lab(job, judge)
        for plugin in lab:
            session.config.pluginmanager.register(plugin)
            plugin.pytest_collection_modifyitems(items=session.items)
        items = [item for item in session.items if judge.wanted(item)]
        for number, item in enumerate(items):
            following = items[number + 1] if number + 1 < len(items) else None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail:
                break
        if lab:
            return lab_result(lab[0])
        return {**result_of(judge), "missed": list(getattr(judge.pool, "missed", ()))}
    except Exception as error:
        details = traceback.format_exc(limit=-8)
        return {"outcomes": [], "errors": [f"{type(error).__name__}: {error}"], "details": details}
    finally:
        judge.pool.close()
