"""Many judges of one exercise, each a fork of a server that has collected the checks once."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from gdgrade.judge.job import Job
from gdgrade.processes.launcher import LaunchError, Settings, Zygote
from gdgrade.processes.messages import Gone, receive_message, send_message
from gdgrade.wire.frames import WireError, receive_frame, send_frame

# What a judge may take beyond the time that students' code is granted: its own work, on a loaded machine.
JUDGE_SECONDS = 300.0


class JudgePool:
    """A zygote and a server of judges for one exercise. `judge` may be called from several threads at once.

    Args:
        template: a job of the exercise; its source is not used.
        settings: what workers import, and their confinement.

    Raises:
        LaunchError: the checks cannot be collected, or confinement is not to be had.
    """

    def __init__(self, template: Job, settings: Settings) -> None:
        self._lock = threading.Lock()
        self._zygote = Zygote(settings)
        try:
            self._zygote.wait_ready()
            self._server, _ = self._zygote.judge()
            send_frame(self._server, {"job": template.to_json(), "serve": True})
            self._server.settimeout(None)
            answer, _ = receive_message(self._server)
        except (Gone, WireError) as error:
            self._zygote.close()
            raise LaunchError("the server of judges did not start") from error
        except BaseException:
            self._zygote.close()
            raise
        if "errors" in answer:
            self.close()
            raise LaunchError(f"the checks cannot be collected: {answer['errors'][0]}")
        self.checks = int(answer["checks"])

    def judge(
        self, job: Job, on_event: Callable[[Mapping[str, Any]], None] | None = None, tape: bytes | None = None
    ) -> dict[str, Any]:
        """Decide one job; the result is as `gdgrade.judge.main.run_job` makes it.

        Args:
            on_event: called for each decided check.
            tape: answers of an earlier run (see `gdgrade.judge.recording`); no worker is started then.

        Returns:
            As there; with `extra["record"]` in the job also "tape", bytes; and "missed", checks that ask what the
            tape does not hold.

        Raises:
            LaunchError: the judge died, or did not end within its time.
        """
        sock, pid = self._fork()
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
            self._end(pid)
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
        self._server.close()
        self._zygote.close()

    def _fork(self) -> tuple[socket.socket, int]:
        ours, theirs = socket.socketpair()
        judge_control, zygote_control = socket.socketpair()
        with self._lock, theirs, judge_control, zygote_control:
            self._zygote.adopt(zygote_control)
            try:
                send_message(self._server, {"op": "judge"}, [theirs.fileno(), judge_control.fileno()])
                answer, _ = receive_message(self._server)
            except Gone as error:
                ours.close()
                raise LaunchError("the server of judges has ended unexpectedly") from error
        return ours, int(answer["pid"])

    def _end(self, pid: int) -> None:
        with self._lock, contextlib.suppress(Gone):
            send_message(self._server, {"op": "end", "pid": pid})
            receive_message(self._server)
