"""How a check ended: outcome, cause, and what the student reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from gdgrade.failures import CheckFailed, GraderError, SourceLine, StudentError, WorkerLost
from gdgrade.judge.marks import CheckMark
from gdgrade.mistakes import Mistake
from gdgrade.processes.launcher import LaunchError


@dataclass(frozen=True)
class Outcome:
    """The decision on one check, as plain data; `matches` are mistakes that explain it, before they are weighed."""

    id: str
    part: str
    title: str
    points: float
    max_points: float
    visibility: str
    optional: bool
    alpha: float
    outcome: str = "error"
    cause: str = "none"
    message: str = ""
    waits_for: tuple[str, ...] = ()
    hint: str = ""
    mistake: str | None = None
    mistake_kind: str | None = None
    expected: str = ""
    got: str = ""
    traceback: tuple[SourceLine, ...] = ()
    seed: int | None = None
    remarks: tuple[str, ...] = ()
    output: str = ""
    timings: dict[str, float | None] = field(default_factory=dict)
    matches: tuple[str, ...] = ()

    @classmethod
    def start(cls, short: str, exercise: str, title: str, mark: CheckMark, optional: bool) -> Outcome:
        return cls(f"{exercise}/{short}", mark.part, title, 0.0, mark.points, mark.visibility, optional, mark.alpha)

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Settled:
    """A verdict before it is attached to a check."""

    outcome: str
    cause: str
    message: str
    expected: str = ""
    got: str = ""
    traceback: tuple[SourceLine, ...] = ()
    diagnosable: bool = False


def settle(outcome: Outcome, verdict: Settled) -> Outcome:
    """The outcome with its verdict. Hidden checks keep what was expected to themselves."""
    public = outcome.visibility == "public"
    return dataclasses.replace(
        outcome,
        outcome=verdict.outcome,
        cause=verdict.cause,
        points=outcome.max_points if verdict.outcome == "passed" else 0.0,
        message=verdict.message,
        expected=verdict.expected if public else "",
        got=verdict.got if public else "",
        traceback=verdict.traceback,
    )


def classify(error: BaseException, reference_passes: Callable[[], bool]) -> Settled:
    """The verdict for the error with which a check ended.

    Args:
        reference_passes: runs the check with the reference instead; asked only for errors that are neither a verdict
            nor the machine's, to tell an answer that the check could not digest from a broken check.
    """
    if isinstance(error, WorkerLost):
        return Settled("failed", error.cause, _about(error.function, error.message))
    if isinstance(error, StudentError):
        cause = "not_attempted" if error.kind == "not_implemented" else "student"
        return Settled("failed", cause, student_message(error), traceback=error.frames, diagnosable=cause == "student")
    if isinstance(error, CheckFailed):
        return Settled("failed", "student", error.message, error.expected, error.got, diagnosable=True)
    if isinstance(error, AssertionError):
        return Settled("failed", "student", _assertion_message(error), diagnosable=True)
    if isinstance(error, LaunchError):
        return Settled("error", "infrastructure", f"the grading machine failed: {error}")
    if isinstance(error, GraderError):
        return Settled("error", "grader", f"the check itself is broken: {error}")
    if isinstance(error, Exception) and reference_passes():
        message = f"your answer has a form that cannot be judged ({type(error).__name__}: {str(error)[:200]})"
        return Settled("failed", "student", message, diagnosable=True)
    return Settled("error", "grader", f"the check itself is broken: {type(error).__name__}: {str(error)[:300]}")


def student_message(error: StudentError) -> str:
    """One sentence about an error of the student's code."""
    if error.kind == "not_implemented":
        return error.message or "not written yet"
    if error.kind == "missing":
        return error.message
    if error.kind == "signature":
        return error.message
    if error.kind == "syntax":
        return f"your file is not valid Python: {error.message}"
    if error.kind == "import":
        return f"an import fails: {error.message}"
    if error.kind == "recursion":
        return _about(error.function, "it calls itself without end (RecursionError)")
    if error.kind == "exit":
        return _about(error.function, f"it tries to leave the program ({error.type})")
    if error.kind == "unsendable":
        return _about(error.function, error.message)
    return _about(error.function, f"it raised {error.type}: {error.message}")


def weigh(outcomes: Iterable[Outcome], mistakes: Callable[[], list[Mistake]]) -> list[Outcome]:
    """Give each failed check its hint, if the evidence names one mistake.

    A check may match several mistakes that give the same numbers on its inputs. Then only a mistake that another
    check has singled out is believed; without one, nothing is said.
    """
    outcomes = list(outcomes)
    certain = {outcome.matches[0] for outcome in outcomes if len(outcome.matches) == 1}
    weighed = []
    for outcome in outcomes:
        names = outcome.matches
        if len(names) > 1:
            names = tuple(name for name in names if name in certain)
        if len(names) == 1:
            found = next(mistake for mistake in mistakes() if mistake.name == names[0])
            outcome = _with_hint(outcome, found)
        weighed.append(outcome)
    return weighed


def _with_hint(outcome: Outcome, mistake: Mistake) -> Outcome:
    hint = mistake.hint
    if mistake.kind == "convention":
        hint = f"Your code is a consistent variant ({mistake.title}); the assignment asks for another one. {hint}"
    return dataclasses.replace(outcome, hint=hint, mistake=mistake.name, mistake_kind=mistake.kind)


def _about(function: str, text: str) -> str:
    return f"{function}: {text}" if function else text


def _assertion_message(error: AssertionError) -> str:
    """The author's own words of a plain assert; pytest's details could show hidden numbers and are left out."""
    first = str(error).splitlines()[0] if str(error) else ""
    return first if first and not first.startswith("assert ") else "what this check asserts does not hold"
