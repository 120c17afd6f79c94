"""One request at a time to whatever runs the student's code: a worker process, or an executor in this process."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from gdgrade.failures import SourceLine, StudentError, WorkerLost
from gdgrade.judge.explain import memory_sentence, without_internals
from gdgrade.language import _, language
from gdgrade.processes.launcher import Launcher, LaunchError, Worker, WorkerLimits
from gdgrade.wire.frames import (
    Frame,
    Header,
    WireClosed,
    WireError,
    WireLimits,
    WireTimeout,
    receive_frame,
    send_frame,
)
from gdgrade.worker.executor import Executor

HELLO_SECONDS = 60.0
GRACE_SECONDS = 0.25  # for a worker to say in which line it was when its time was up


class Channel(Protocol):
    """Where the student's code runs."""

    seconds: float

    def request(self, header: Header, blobs: Sequence[bytes | memoryview], function: str) -> Frame: ...


class LocalChannel:
    """The same road without a second process, for trusted modules: the reference and the known mistakes."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.seconds = 0.0

    def request(self, header: Header, blobs: Sequence[bytes | memoryview], function: str) -> Frame:
        # A request may set torch's default type. In a worker that stays there; here it would reach the check itself.
        with _default_dtype_kept():
            answer, answer_blobs = self._executor.execute(Frame(header, tuple(bytes(blob) for blob in blobs)))
        return Frame(answer, tuple(bytes(blob) for blob in answer_blobs))


@contextlib.contextmanager
def _default_dtype_kept() -> Iterator[None]:
    torch = sys.modules.get("torch")
    before = torch.get_default_dtype() if torch is not None else None
    try:
        yield
    finally:
        if torch is not None:
            torch.set_default_dtype(before)


class WorkerChannel:
    """A worker process, its time budget, and what became of it.

    Args:
        launcher: where the worker comes from.
        limits: memory and CPU of the worker.
        seconds: how long the student's code may take in all; the judge's own time does not count.
        scipy: parts of it that the student's file imports.
    """

    def __init__(self, launcher: Launcher, limits: WorkerLimits, seconds: float, scipy: tuple[str, ...] = ()) -> None:
        self._launcher = launcher
        self._budget = seconds
        self.limit = seconds
        self.seconds = 0.0
        self.output = ""
        self.ended: dict[str, Any] | None = None
        self.confinement: dict[str, Any] = {}
        self._worker: Worker | None = launcher.worker(limits, scipy)
        self._memory_mib = limits.memory_bytes >> 20
        self.sent = False
        self.loaded = False
        self._greeted = False

    def send_load(self, source: str, module: str, display: str, library: str) -> None:
        """Ask the worker to load the student's file, without waiting for its answer."""
        assert self._worker is not None
        header = {
            "op": "load", "name": module, "filename": display, "torch": library == "torch", "language": language(),
            "seconds": self._budget,
        }  # fmt: skip
        self.sent, self.output = True, ""
        with contextlib.suppress(WireError):  # its greeting, or the lack of one, tells why
            send_frame(self._worker.sock, header, [source.encode()], deadline=time.monotonic() + HELLO_SECONDS)

    def load_reply(self) -> dict[str, Any]:
        """Wait for the worker's announcement of its confinement, then for the outcome of loading.

        Raises:
            LaunchError: the worker did not start, or the wanted confinement is not to be had.
            StudentError: the student's file does not load.
        """
        if not self._greeted:
            self.confinement = self._greeting()
            self._greeted = True
        frame = self._answer("")
        answer_value(frame, "")
        self.loaded, self.sent = True, False
        return self.confinement

    def _greeting(self) -> dict[str, Any]:
        assert self._worker is not None
        try:
            hello = receive_frame(self._worker.sock, deadline=time.monotonic() + HELLO_SECONDS).header
        except WireError as error:
            raise LaunchError(f"a worker did not start: {error}") from error
        if "refused" in hello:
            raise LaunchError(str(hello["refused"]))
        return dict(hello["confinement"])

    def renew(self, seconds: float) -> None:
        """A new time budget, for the next check in the same worker."""
        self._budget, self.limit, self.seconds = seconds, seconds, 0.0

    @property
    def alive(self) -> bool:
        return self._worker is not None

    def request(self, header: Header, blobs: Sequence[bytes | memoryview], function: str) -> Frame:
        """One answer of the student's code.

        Raises:
            WorkerLost: no answer in time, no memory left, or the process died.
        """
        return self._answer(function, (header, blobs))

    def _answer(self, function: str, request: tuple[Header, Sequence[bytes | memoryview]] | None = None) -> Frame:
        """Send a request, if there is one, and wait for one answer within the time budget."""
        if self._worker is None:
            raise WorkerLost("crash", _("the process that ran your code is gone"), function)
        start = time.monotonic()
        deadline = start + self._budget + GRACE_SECONDS
        try:
            if request is not None:
                header, blobs = request
                timed = {**header, "seconds": max(self._budget, 0.001)}
                send_frame(self._worker.sock, timed, blobs, deadline=deadline)
            frame = receive_frame(self._worker.sock, limits=WireLimits(), deadline=deadline)
        except WireTimeout as error:
            raise self._out_of_time(function) from error
        except WireClosed as error:
            raise self._lost(function) from error
        except WireError as error:
            self.end()
            raise WorkerLost(
                "crash", _("your code sent something that is no answer: {error}").format(error=error), function
            ) from error
        finally:
            spent = time.monotonic() - start
            self._budget -= spent
            self.seconds += spent
        output = frame.header.get("output")
        if isinstance(output, str) and len(self.output) < 65_536:
            self.output += without_internals(output[:16_384])
        fault = frame.header.get("error")
        if isinstance(fault, dict) and fault.get("kind") in ("memory", "timeout"):
            told = StudentError.from_wire(fault, function)
            if told.kind == "timeout":
                raise self._out_of_time(function, told.frames)
            self.end()
            raise WorkerLost("memory", memory_sentence(told.message, self._memory_mib), function, told.frames)
        return frame

    def _out_of_time(self, function: str, frames: Sequence[SourceLine] = ()) -> WorkerLost:
        self.end()
        words = _(
            "no answer within {seconds:g} s: an endless loop, far too slow, or this machine is busy with other work"
        )
        message = words.format(seconds=self.limit)
        return WorkerLost("timeout", message, function, frames)

    def end(self, grace: float = 0.0) -> dict[str, Any]:
        """End the worker and keep how it ended."""
        if self._worker is not None:
            worker, self._worker = self._worker, None
            self.ended = worker.end(grace)
        return self.ended or {}

    def _lost(self, function: str) -> WorkerLost:
        ended = self.end(grace=0.2)
        number = ended.get("signal")
        if number == 24 or (number == 9 and not ended.get("killed") and self._cpu_exhausted(ended)):
            return WorkerLost(
                "timeout", _("more than {seconds:g} s of computing time").format(seconds=self.limit), function
            )
        if number is not None and not ended.get("killed"):
            return WorkerLost(
                "crash",
                _("the process that ran your code was ended by signal {number}").format(number=number),
                function,
            )
        if ended.get("status") is not None:
            message = _("your code ended its process (exit status {status})").format(status=ended["status"])
            return WorkerLost("crash", message, function)
        return WorkerLost("crash", _("your code closed the connection it was asked through"), function)

    def _cpu_exhausted(self, ended: dict[str, Any]) -> bool:
        cpu = ended.get("cpu_seconds")
        return isinstance(cpu, float) and cpu >= self.limit


def answer_value(frame: Frame, function: str) -> Any:
    """The value tree of an answer.

    Raises:
        StudentError: the answer is an error.
    """
    if frame.header.get("ok") is not True:
        raise StudentError.from_wire(frame.header.get("error"), function)
    if "value" not in frame.header:
        raise WorkerLost("crash", _("your code sent something that is no answer"), function)
    return frame.header["value"]
