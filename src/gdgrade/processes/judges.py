"""Many judges of one exercise, each a fork of a server that has collected the checks once."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gdgrade.judge.job import Job
from gdgrade.processes.launcher import LaunchError, Settings, Zygote, ZygoteClient
from gdgrade.processes.messages import Gone, receive_message, send_message
from gdgrade.wire.frames import WireError, receive_frame, send_frame

# What a judge may take beyond the time that students' code is granted: its own work, on a loaded machine.
JUDGE_SECONDS = 300.0


class CollectionError(LaunchError):
    """The author's own files do not load: no machine would judge by them."""


class JudgePool:
    """A zygote and a server of judges for one exercise. `judge` may be called from several threads at once.

    Args:
        template: a job of the exercise; its source is not used.
        settings: what workers import, and their confinement.
        on_start: called with the pool as soon as it may be closed, also from another thread: loading the checks can
            take as long as the author's own code lets it.

    Raises:
        CollectionError: the checks, the reference or the mistakes do not load.
        LaunchError: confinement is not to be had, or the machine failed.
    """

    def __init__(self, template: Job, settings: Settings, on_start: Callable[[JudgePool], None] | None = None) -> None:
        self._lock = threading.Lock()
        self._spare: tuple[socket.socket, int] | None = None  # a judge that waits for a job
        self._zygote = Zygote(replace(settings, many=True))
        self._twins: dict[int, ZygoteClient] = {}  # processor -> the zygote of the jobs that keep to it
        self._ends = contextlib.ExitStack()
        self._ends.callback(self._zygote.close)
        try:
            if on_start is not None:
                on_start(self)
            self._zygote.wait_ready()
            self._server, _ = self._zygote.judge()
            self._ends.callback(self._server.close)
            send_frame(self._server, {"job": template.to_json(), "serve": True})
            self._server.settimeout(None)
            answer, _ = receive_message(self._server)
        except (Gone, WireError) as error:
            self.close()
            raise LaunchError(
                f"the process that loads the checks of {template.exercise}, their reference and mistakes ended before "
                "it was ready: does one of these files end it (os._exit), or was there no memory left?"
            ) from error
        except BaseException:
            self.close()
            raise
        if "errors" in answer:
            self.close()
            raise CollectionError(f"the checks cannot be collected: {answer['errors'][0]}")
        self.checks = int(answer["checks"])
        # per check: name, part, needs, training, alpha; in the order of the graders
        self.catalogue: list[dict[str, Any]] = list(answer["catalogue"])

    def prepare(self) -> None:
        """Fork the next job's judge and its first worker now, while there is time."""
        if self._spare is None:
            self._spare = self._fork(prepare=True)

    def judge(
        self,
        job: Job,
        on_event: Callable[[Mapping[str, Any]], None] | None = None,
        tape: bytes | None = None,
        on_start: Callable[[int], None] | None = None,
    ) -> dict[str, Any]:
        """Decide one job; the result is as `gdgrade.judge.main.run_job` makes it.

        Args:
            on_event: called for each decided check.
            tape: answers of an earlier run (see `gdgrade.judge.recording`); no worker is started then.
            on_start: called with what `abandon` wants to know.

        Returns:
            As there; with `extra["record"]` in the job also "tape", bytes; and "missed", checks that ask what the
            tape does not hold.

        Raises:
            LaunchError: the judge died, or did not end within its time.
        """
        with self._lock:
            spare, self._spare = self._spare, None
        sock, pid = spare or self._fork(processor=job.extra.get("processor"))
        if on_start is not None:
            on_start(pid)
        deadline = time.monotonic() + job.submission_seconds + JUDGE_SECONDS
        try:
            with sock:
                send_frame(sock, {"job": job.to_json()}, [] if tape is None else [tape], deadline=deadline)
                while True:
                    frame = receive_frame(sock, deadline=deadline)
                    event = frame.header
                    if event["event"] == "done":
                        return {**event, "tape": frame.blobs[0]} if frame.blobs else event
                    if on_event is not None:
                        on_event(event)
        except WireError as error:
            self.abandon(pid)
            raise LaunchError(f"the judge of {job.display} ended unexpectedly: {error}") from error

    def alive(self) -> bool:
        """Whether the zygote and the server of judges still answer; if not, every job needs a new pool."""
        try:
            with self._lock:
                send_message(self._server, {"op": "end", "pid": -1})  # nobody has that id: an answer is all it asks
                receive_message(self._server)
        except Gone:
            return False
        return self._zygote.running()

    def close(self) -> None:
        """End the server, its judges, the zygote and all workers."""
        if self._spare is not None:
            self._spare[0].close()
        for twin in self._twins.values():
            twin.close()
        self._ends.close()

    def _fork(self, prepare: bool = False, processor: int | None = None) -> tuple[socket.socket, int]:
        ours, theirs = socket.socketpair()
        judge_control, zygote_control = socket.socketpair()
        try:
            with self._lock, theirs, judge_control, zygote_control:
                self._introduce(zygote_control, processor)
                wanted = {"op": "judge", "prepare": prepare}
                send_message(self._server, wanted, [theirs.fileno(), judge_control.fileno()])
                answer, _ = receive_message(self._server)
        except Gone as error:
            ours.close()
            raise LaunchError("the server of judges has ended unexpectedly") from error
        except LaunchError:
            ours.close()
            raise
        return ours, int(answer["pid"])

    def _introduce(self, control: socket.socket, processor: int | None) -> None:
        """Let a zygote serve the judge at the other end of `control`: the twin on its processor, if it keeps to one."""
        if processor is None:
            self._zygote.adopt(control)
            return
        twin = self._twins.get(processor)
        if twin is not None:
            try:
                twin.adopt(control)
                return
            except LaunchError:  # it has ended, and with it the workers it had forked
                self._twins.pop(processor).close()
        self._twins[processor] = twin = self._zygote.twin(processor)
        twin.adopt(control)

    def abandon(self, pid: int) -> None:
        """End the judge with this process id and its workers; its `judge` then raises."""
        with self._lock, contextlib.suppress(Gone):
            send_message(self._server, {"op": "end", "pid": pid})
            receive_message(self._server)
