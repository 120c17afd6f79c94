"""Errors of the course package.

::

    Exception
    ├── CourseError               the course file, its place or its seeds are wrong: the teacher mends it
    │   └── UnknownExerciseError  no exercise, or more than one, answers to a name
    └── SubmissionError           a file that was handed in cannot be read: the student mends it
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

SubmissionCause = Literal[
    "missing", "directory", "symlink", "not_a_file", "unreadable", "too_large", "kind",
    "empty", "encoding", "binary", "not_json", "not_a_notebook", "no_code",
]  # fmt: skip


@dataclass(frozen=True)
class Issue:
    """One thing that is wrong: where, and what to do about it.

    Attributes:
        file: the file or environment variable, as the user knows it.
        line: 1-based line, or None where there is none (a missing file).
        key: path of the key, e.g. ``exercises[4].parts[1].points``; empty for the file as a whole.
        message: the wrong value, what is wrong with it, the fix.
    """

    file: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class CourseError(Exception):
    """Everything that is wrong with a course file, one line per issue.

    Attributes:
        issues: all issues, in the order of the file; never empty.
    """

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues = tuple(issues)
        if not self.issues:
            raise ValueError("a CourseError needs at least one issue")
        super().__init__("\n".join(map(str, self.issues)))

    @classmethod
    def at(cls, file: object, message: str, *, line: int | None = None, key: str = "") -> Self:
        """An error with one issue."""
        return cls([Issue(str(file), line, key, message)])

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[Issue, ...]]]:
        # Exceptions are pickled by their args, which here are the text; the default would rebuild nonsense.
        return type(self), (self.issues,)


class UnknownExerciseError(CourseError):
    """No exercise, or more than one, answers to a name; the text lists what there is."""


class SubmissionError(Exception):
    """A file that was handed in cannot be graded; the text is one sentence for the student.

    Attributes:
        cause: a stable word for tables and tests, e.g. ``"too_large"``.
    """

    def __init__(self, message: str, cause: SubmissionCause) -> None:
        super().__init__(message, cause)
        self.message = message
        self.cause: SubmissionCause = cause

    def __str__(self) -> str:
        return self.message
