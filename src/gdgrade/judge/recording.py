"""Tapes of what a worker answered, and judging by the tape alone.

While a submission is judged, each request of a check is kept as a digest and each answer as it came. Later the same or
a changed check can be judged again without running the student's code, as long as it asks the same questions in the
same order; if it asks anything else, the submission must be run again, and the tape says so rather than guess.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gdgrade.failures import SourceLine, StudentError, WorkerLost
from gdgrade.judge.channel import Channel, WorkerChannel
from gdgrade.judge.job import Job
from gdgrade.judge.workers import WorkerPool
from gdgrade.processes.launcher import Launcher, LaunchError
from gdgrade.wire.frames import Frame, Header

MAX_BYTES = 64 << 20  # of one submission's answers, uncompressed; beyond it no tape is kept
_LENGTH = struct.Struct("<I")


class TapeMissed(LaunchError):
    """The check asks what the tape does not hold; the machine's matter, never the student's."""


class TapedChannel:
    """A worker's channel that writes down what goes through it."""

    def __init__(self, channel: WorkerChannel, pool: RecordingPool) -> None:
        self._channel = channel
        self._pool = pool

    @property
    def seconds(self) -> float:
        return self._channel.seconds

    @seconds.setter
    def seconds(self, value: float) -> None:
        self._channel.seconds = value

    def request(self, header: Header, blobs: Sequence[bytes | memoryview], function: str) -> Frame:
        digest = request_digest(header, blobs)
        try:
            frame = self._channel.request(header, blobs, function)
        except StudentError as error:
            self._pool.note(digest, fault=fault_of(error))
            raise
        self._pool.note(digest, frame)
        return frame


class RecordingPool(WorkerPool):
    """Workers whose answers are kept. Set `check` before each check."""

    check = ""

    def __init__(self, job: Job, launcher: Launcher) -> None:
        super().__init__(job, launcher)
        self._tape: dict[str, dict[str, Any]] = {}
        self._blobs: list[bytes] = []
        self._size = 0

    def for_check(self, seconds: float, memory_mib: int) -> Any:
        entry = self._tape.setdefault(self.check, {"answers": [], "fault": None, "end": {}})
        try:
            return TapedChannel(super().for_check(seconds, memory_mib), self)
        except StudentError as error:
            entry["fault"] = fault_of(error)
            raise

    def finish_check(self) -> dict[str, Any]:
        used = super().finish_check()
        if self.check in self._tape:
            self._tape[self.check]["end"] = used
        self.check = ""
        return used

    def note(self, digest: str, frame: Frame | None = None, fault: dict[str, Any] | None = None) -> None:
        """Keep one answer, or the fault that came in its place."""
        header = None if frame is None else frame.header
        blobs = () if frame is None else frame.blobs
        self._size += sum(map(len, blobs)) + len(digest)
        if self._size <= MAX_BYTES:
            self._tape[self.check]["answers"].append([digest, header, [len(blob) for blob in blobs], fault])
            self._blobs.extend(blobs)

    def tape(self) -> bytes | None:
        """The whole tape, compressed; None if it would be too large."""
        if self._size > MAX_BYTES:
            return None
        text = json.dumps({"confinement": self.confinement, "checks": self._tape}).encode()
        return zlib.compress(b"".join([_LENGTH.pack(len(text)), text, *self._blobs]), 3)


class ReplayPool:
    """Takes the place of workers; answers from a tape. Set `check` before each check.

    Attributes:
        missed: checks that ask what the tape does not hold.
    """

    check = ""
    prefetching = False

    def __init__(self, tape: bytes) -> None:
        data = zlib.decompress(tape)
        (length,) = _LENGTH.unpack_from(data)
        content = json.loads(data[_LENGTH.size : _LENGTH.size + length])
        self.confinement: dict[str, Any] = content["confinement"]
        self.missed: list[str] = []
        self._checks: dict[str, dict[str, Any]] = content["checks"]
        place = _LENGTH.size + length
        for entry in self._checks.values():
            for answer in entry["answers"]:
                sizes, answer[2] = answer[2], []
                for size in sizes:
                    answer[2].append(data[place : place + size])
                    place += size

    def for_check(self, seconds: float, memory_mib: int) -> Channel:
        entry = self._checks.get(self.check)
        if entry is None:
            raise self.miss()
        if entry["fault"] is not None:
            raise error_of(entry["fault"])
        return _ReplayChannel(self, entry["answers"])

    def finish_check(self) -> dict[str, Any]:
        entry, self.check = self._checks.get(self.check), ""
        return {} if entry is None else dict(entry["end"])

    def close(self) -> None:
        """Nothing runs."""

    def miss(self) -> TapeMissed:
        """Note that the running check needs the student's code; returns the error that ends it."""
        self.missed.append(self.check)
        return TapeMissed("this check asks what was not asked before; the submission must be run again")


class _ReplayChannel:
    def __init__(self, pool: ReplayPool, answers: list[Any]) -> None:
        self._pool = pool
        self._answers = iter(answers)
        self.seconds = 0.0

    def request(self, header: Header, blobs: Sequence[bytes | memoryview], function: str) -> Frame:
        kept, answer, answer_blobs, fault = next(self._answers, ("", {}, (), None))
        if kept != request_digest(header, blobs):
            raise self._pool.miss()
        if fault is not None:
            raise error_of(fault)
        return Frame(answer, tuple(answer_blobs))


def request_digest(header: Header, blobs: Sequence[bytes | memoryview]) -> str:
    """What identifies a request: its header and its arrays and shipped functions, byte for byte."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for blob in blobs:
        view = memoryview(blob).cast("B")
        digest.update(len(view).to_bytes(8, "little"))
        digest.update(view)
    return digest.hexdigest()[:32]


def fault_of(error: StudentError) -> dict[str, Any]:
    """A student's error as plain data."""
    return {
        "kind": error.kind, "type": error.type, "message": error.message, "function": error.function,
        "frames": [asdict(frame) for frame in error.frames], "cause": getattr(error, "cause", None),
        "details": error.details,
    }  # fmt: skip


def error_of(fault: dict[str, Any]) -> StudentError:
    """The error that `fault_of` was given."""
    frames = [SourceLine(**frame) for frame in fault["frames"]]
    if fault["cause"] is not None:
        return WorkerLost(fault["cause"], fault["message"], fault["function"], frames)
    details = fault.get("details")  # tapes of before have none
    return StudentError(fault["kind"], fault["type"], fault["message"], frames, fault["function"], details)


def make_pool(job: Job, launcher: Launcher, tape: bytes | None = None) -> Any:
    """Where the answers of a job come from: a tape; or workers, whose answers are kept if the job says so."""
    if tape is not None:
        return ReplayPool(tape)
    return RecordingPool(job, launcher) if job.extra.get("record") else WorkerPool(job, launcher)
