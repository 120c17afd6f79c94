"""What can go wrong with a check, as one small family of exceptions.

::

    Exception
    ├── CheckFailed      the student's answer is wrong
    ├── StudentError     the student's code raised, is missing, or cannot be called
    │   └── WorkerLost   the worker ran out of time or memory, or died
    └── GraderError      the check itself is broken; never costs a point
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SourceLine:
    """One line of the student's file in a traceback; `line` is 1-based."""

    file: str
    line: int
    function: str
    code: str


class CheckFailed(AssertionError):
    """The student's answer is not what the exercise asks for.

    Args:
        message: one or two sentences for the student, without the answer.
        expected, got: short excerpts, shown for public checks only.
    """

    def __init__(self, message: str, *, expected: str = "", got: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.got = got
        self.where = where


class StudentError(Exception):
    """The student's code did not give an answer.

    Args:
        kind: not_implemented, missing, signature, syntax, import, recursion, exit, exception, unsendable.
        type_name: the exception's type name.
        message: its message.
        frames: the student's own lines of the traceback, innermost last.
        function: the student's function that was being called.
        details: what helps to explain it, see `gdgrade.worker.faults.describe`.
    """

    def __init__(
        self,
        kind: str,
        type_name: str,
        message: str,
        frames: Sequence[SourceLine] = (),
        function: str = "",
        details: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{type_name}: {message}" if type_name else message)
        self.kind = kind
        self.type = type_name
        self.message = message
        self.frames = tuple(frames)
        self.function = function
        self.details = dict(details or {})

    @classmethod
    def from_wire(cls, error: Any, function: str) -> StudentError:
        """From a worker's answer, of which nothing is believed but that it is an error."""
        error = error if isinstance(error, dict) else {}
        frames = error.get("frames")
        lines = [_source_line(frame) for frame in frames[:20]] if isinstance(frames, list) else []
        kind = error.get("kind")
        return cls(
            kind if isinstance(kind, str) and kind in KINDS else "exception",
            str(error.get("type", ""))[:200],
            str(error.get("message", ""))[:2000],
            [line for line in lines if line is not None],
            function,
            _details(error.get("details")),
        )


KINDS = frozenset(
    {
        "not_implemented", "missing", "signature", "syntax", "import", "recursion", "exit", "exception",
        "unsendable", "memory", "timeout",
    }
)  # fmt: skip


class WorkerLost(StudentError):
    """The worker could not finish: `cause` is timeout, memory or crash."""

    def __init__(self, cause: str, message: str, function: str = "", frames: Sequence[SourceLine] = ()) -> None:
        super().__init__("lost", "", message, frames, function)
        self.cause = cause


class GraderError(Exception):
    """A check does something it must not, or cannot be decided; a person looks at it."""


def _details(found: Any) -> dict[str, str]:
    if not isinstance(found, dict):
        return {}
    return {key: found[key][:200] for key in ("near", "given") if isinstance(found.get(key), str)}


def _source_line(frame: Any) -> SourceLine | None:
    if not isinstance(frame, list) or len(frame) != 4:
        return None
    file, line, function, code = frame
    if not (isinstance(file, str) and isinstance(function, str) and isinstance(code, str) and type(line) is int):
        return None
    return SourceLine(file[:300], line, function[:200], code[:500])
