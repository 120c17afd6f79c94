"""A judge that has collected the checks once and forks a child per submission.

Importing pytest, the graders and the reference, and collecting the checks, costs more than judging a small
submission; a batch pays for it once. The server is itself a pytest plugin: it takes the place of the loop that runs
the collected checks, and each forked child runs that loop for its own job.

Requests come as messages with two descriptors: the socket of the job, and a control channel to the zygote.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import importlib
import os
import signal
import socket
import sys
import time
import traceback
from typing import Any

import pytest

from gdgrade.confine.kernel import PR_SET_PDEATHSIG, Kernel
from gdgrade.failures import GraderError
from gdgrade.judge.catalogue import catalogue
from gdgrade.judge.channel import WorkerChannel
from gdgrade.judge.job import Job
from gdgrade.judge.marks import mark_of
from gdgrade.judge.plain import is_plain
from gdgrade.judge.plugin import Judge
from gdgrade.judge.workers import new_channel
from gdgrade.processes import largepages
from gdgrade.processes.launcher import Launcher, ZygoteClient
from gdgrade.processes.messages import Gone, receive_message, send_message
from gdgrade.wire.frames import WireError, receive_frame, send_frame
from gdgrade.worker.faults import OutOfTime
from gdgrade.worker.timing import time_limit

REHEARSALS = 8  # as often as Python 3.11 calls a function before it specialises it
REHEARSAL_SECONDS = 0.5
ENDLESS = 2.0  # times the exercise's seconds: a check of the rehearsal that takes so long never ends


class JudgeServer:
    """Replaces pytest's loop over the checks; see the module's docstring.

    Args:
        judge: has collected; its job is a template without a submission.
        sock: where requests come from.
        launcher: of workers for the rehearsal; None: there is none.
    """

    def __init__(self, judge: Judge, sock: socket.socket, launcher: Launcher | None = None) -> None:
        self._judge = judge
        self._sock = sock
        self._launcher = launcher
        self._children: set[int] = set()
        self._kernel = Kernel()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if self._judge.collection_errors:
            send_message(self._sock, {"errors": self._judge.collection_errors})
            return True
        try:
            self._judge.warm_up()
        except GraderError as error:
            send_message(self._sock, {"errors": [str(error)]})
            return True
        _import_statistics()
        for item in session.items:
            _ = item.location, is_plain(item)  # worked out at first use, and each judge would do so again
        if self._launcher is not None:
            _rehearse(self._judge, session, self._launcher)
        gc.collect()
        gc.freeze()
        largepages.gather()
        entries = catalogue(self._judge, session)
        send_message(self._sock, {"ready": True, "checks": len(session.items), "catalogue": entries})
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
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._kernel.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # else a judge that loops outlives a killed server
            if os.getppid() != server:
                os._exit(1)
            _child(self._judge, session, self._sock, fds, bool(message.get("prepare")))
        for descriptor in fds:
            os.close(descriptor)
        self._children.add(pid)
        send_message(self._sock, {"pid": pid})

    def _reap(self) -> None:
        for pid in list(self._children):
            done, _ = os.waitpid(pid, os.WNOHANG)
            if done:
                self._children.discard(pid)


# What parts of the comparison import at their first use: once here, not in every judge (0.2 s and more each time).
_LATER = {"gdgrade.compare.tails": "scipy.special", "gdgrade.compare.ranks": "scipy.stats"}


def _import_statistics() -> None:
    """Import what the collected checks will need; a course that tests no random answers pays nothing."""
    for part, library in _LATER.items():
        if part in sys.modules:
            importlib.import_module(library)


def _child(judge: Judge, session: pytest.Session, server: socket.socket, fds: list[int], prepare: bool) -> None:
    """Judge one submission; never returns.

    Args:
        prepare: fork a worker before the job is known, as there is time.
    """
    code = 1
    try:
        server.close()
        sock, control = (socket.socket(fileno=descriptor) for descriptor in fds)
        launcher = ZygoteClient(control)
        spare = _rehearsed(judge, session, launcher) if prepare else None
        with contextlib.suppress(WireError):
            frame = receive_frame(sock)
            job = Job.from_json(frame.header["job"])
            if job.extra.get("processor") is not None:
                launcher.keep_to(job.extra["processor"])
            tape = frame.blobs[0] if frame.blobs else None
            result = judge_one(judge, session, job, launcher, sock, tape, spare)
            kept = judge.pool.tape() if job.extra.get("record") and tape is None else None
            send_frame(sock, {"event": "done", **result}, [kept] if kept is not None else [])
        code = 0
    finally:
        os._exit(code)


def _rehearsed(judge: Judge, session: pytest.Session, launcher: ZygoteClient) -> WorkerChannel | None:
    """A worker that is idle, after one check was judged on an empty file.

    A forked process pays for each page of memory when it first touches it; it has time for that now, not when a student
    waits.
    """
    source = "import torch\n(torch.ones(2, 2) @ torch.ones(2, 2)).exp().sum()\n" if judge.job.library == "torch" else ""
    item = min(session.items, key=_weight)
    changes: dict[str, Any] = {"source": source, "only_checks": (), "extra": {"shared_worker": True}}
    judge.begin(dataclasses.replace(judge.job, diagnose=False, **changes), launcher)
    judge.pool.adopt(new_channel(judge.job, launcher))
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    spare: WorkerChannel | None = judge.pool.release()
    return spare


def _rehearse(judge: Judge, session: pytest.Session, launcher: Launcher) -> None:
    """Judge the reference on the cheapest checks, for `REHEARSAL_SECONDS`.

    What the interpreter learns of our code in it, every judge would learn anew; see `gdgrade.worker.rehearsal`.
    """
    from gdgrade.judge.main import result_of

    job = judge.job
    if not job.reference.is_file():
        return  # a student's package: there is nothing to judge beforehand
    until = time.monotonic() + REHEARSAL_SECONDS
    source = job.reference.read_text(encoding="utf-8")
    extra = {"record": True}
    judge.direct = True
    items = [item for item in sorted(session.items, key=_weight) if not _weight(item)[0]]
    for _ in range(REHEARSALS):
        judge.begin(dataclasses.replace(job, source=source, diagnose=False, stop_early=False, extra=extra), launcher)
        with contextlib.suppress(OutOfTime), time_limit(ENDLESS * job.seconds):
            for item in items:
                if time.monotonic() < until:
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        result_of(judge)
        judge.pool.tape()
        judge.pool.close()
    judge.begin(job, launcher)


def _weight(item: pytest.Item) -> tuple[bool, bool]:
    """Exact checks before those that draw samples, and these before trainings."""
    mark = mark_of(item)
    assert mark is not None
    return mark.training, mark.alpha > 0


def judge_one(
    judge: Judge,
    session: pytest.Session,
    job: Job,
    launcher: ZygoteClient,
    sock: socket.socket,
    tape: bytes | None = None,
    spare: WorkerChannel | None = None,
) -> dict[str, Any]:
    """Run the collected checks on one submission, or on the tape of its answers; `spare`: a worker that is idle."""
    from gdgrade.judge.main import lab_result, make_lab, result_of

    judge.begin(job, launcher, lambda event: send_frame(sock, event), tape)
    if spare is not None:
        judge.pool.adopt(spare)
    try:
        lab = make_lab(job, judge)
        judge.direct = not lab
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
