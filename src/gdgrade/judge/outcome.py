"""How a check ended: outcome, cause, and what the student reads."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gdgrade.failures import CheckFailed, GraderError, SourceLine, StudentError, WorkerLost
from gdgrade.judge.explain import explanation, given_sentence, warned, without_internals
from gdgrade.judge.marks import CheckMark
from gdgrade.language import _
from gdgrade.mistakes import Mistake
from gdgrade.processes.launcher import LaunchError


@dataclass(frozen=True)
class Outcome:
    """The decision on one check, as plain data.

    Attributes:
        matches: mistakes that explain it, before they are weighed.
        entered: what of the student's file the check asked for, see `Notebook.entered`.
    """

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
    entered: tuple[str, ...] = ()

    @classmethod
    def start(cls, short: str, exercise: str, title: str, mark: CheckMark, optional: bool) -> Outcome:
        return cls(f"{exercise}/{short}", mark.part, title, 0.0, mark.points, mark.visibility, optional, mark.alpha)

    def to_json(self) -> dict[str, Any]:
        lines = [dataclasses.asdict(line) for line in self.traceback]
        return {**vars(self), "traceback": lines}  # the rest is plain; `asdict` would copy all of it


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
        return Settled("failed", error.cause, _lost(error), traceback=error.frames)
    if isinstance(error, StudentError):
        cause = "not_attempted" if error.kind == "not_implemented" else "student"
        return Settled("failed", cause, student_message(error), traceback=error.frames, diagnosable=cause == "student")
    if isinstance(error, CheckFailed):
        return Settled("failed", "student", error.message, error.expected, error.got, diagnosable=True)
    if isinstance(error, AssertionError):
        return Settled("failed", "student", _assertion_message(error), diagnosable=True)
    if isinstance(error, LaunchError):
        return Settled("error", "infrastructure", _("the grading machine failed: {error}").format(error=error))
    if isinstance(error, GraderError):
        return Settled("error", "grader", _("the check itself is broken: {error}").format(error=error))
    if isinstance(error, Exception) and reference_passes():
        what = f"{type(error).__name__}: {without_internals(str(error))[:200]}"
        message = _("your answer has a form that cannot be judged ({error})").format(error=what)
        return Settled("failed", "student", message, diagnosable=True)
    what = f"{type(error).__name__}: {str(error)[:300]}"
    return Settled("error", "grader", _("the check itself is broken: {error}").format(error=what))


def _lost(error: WorkerLost) -> str:
    """What ended the worker, and what to look for."""
    message = _about(error.function, error.message)
    if error.cause == "timeout":
        advice = _(
            "Look for a while whose condition never changes, or a loop over single numbers where one operation on the "
            "whole array would do."
        )
        return f"{message}. {advice}"
    if error.cause == "memory":
        advice = _(
            "Is an array larger than need be, such as (N, N) for (N,)? Does a list keep the graph of every step?"
        )
        return f"{message}. {advice}"
    return message


def missing_message(packages: Sequence[str]) -> str:
    """Why a check is not judged where packages that it needs are not installed."""
    extras = sorted({found for found in map(extra_of, packages) if found})
    text = _("this check needs {packages}, which is not installed here").format(packages=", ".join(packages))
    remedy = f" (pip install 'gdgrade[{','.join(extras)}]')" if extras else ""
    return f"{text}{remedy}; " + _("its points are neither given nor lost")


def extra_of(package: str) -> str:
    """The extra of gdgrade that brings a package, the developers' one left out; "" if none does."""
    from importlib.metadata import PackageNotFoundError, requires

    with contextlib.suppress(PackageNotFoundError):
        for line in requires("gdgrade") or ():
            found = re.fullmatch(rf"{re.escape(package)}\b[^;]*;.*\bextra == ['\"](\w+)['\"]", line)
            if found is not None and found[1] != "dev":
                return found[1]
    return ""


def student_message(error: StudentError) -> str:
    """What a student reads about an error of their code: its own words, and what they mean."""
    words = without_internals(error.message)
    if error.kind == "not_implemented":
        return words or _("not written yet")
    if error.kind == "missing":
        near = error.details.get("near", "")
        return words + (". " + _("Is {near} meant?").format(near=near) if near else "")
    if error.kind == "signature":
        return words
    if error.kind == "syntax":
        return _("your file is not valid Python: {message}").format(message=words)
    if error.kind == "import":
        return _("an import fails: {message}").format(message=words)
    if error.kind == "recursion":
        return _about(error.function, _("it calls itself without end (RecursionError)"))
    if error.kind == "exit":
        return _about(error.function, _("it tries to leave the program ({type})").format(type=error.type))
    if error.kind == "unsendable":
        return _about(error.function, words)
    return _about(error.function, _raised(error, words))


def _raised(error: StudentError, words: str) -> str:
    meaning = explanation(error)
    # torch's long texts repeat what the explanation says; without one, they are all that there is.
    shown = words.strip().split("\n")[0][:300] if meaning else words
    text = (
        _("it raised {type}: {message}").format(type=error.type, message=shown)
        if shown
        else (_("it raised {type}").format(type=error.type))
    )
    more = [sentence for sentence in (meaning, given_sentence(error)) if sentence]
    return " ".join([text + ("" if not more or text.endswith((".", "!", "?")) else "."), *more])


def with_output_remark(settled: Settled, output: str, seen: Iterable[Any]) -> Settled:
    """Say what the printed output tells of a failure: a warning of torch, or a result that was printed, not returned.

    Args:
        output: what the student's code printed; seen: the results of its functions.
    """
    if settled.cause != "student" or not output.strip():
        return settled
    remark = warned(output)
    if not remark and any(value is None for value in seen):
        remark = _("Your code printed something: a result must be returned, not printed.")
    return dataclasses.replace(settled, message=f"{settled.message} {remark}") if remark else settled


def weigh(
    outcomes: Iterable[Outcome], mistakes: Callable[[], list[Mistake]], known: Iterable[str] = ()
) -> list[Outcome]:
    """Give each failed check its hint, if the evidence names one mistake.

    A check may match several mistakes that give the same numbers on its inputs. Then only a mistake that another
    check has singled out is believed; without one, nothing is said.

    Args:
        known: mistakes that were singled out by checks of an earlier run on code that is still the same.
    """
    outcomes = list(outcomes)
    certain = {*known, *(outcome.matches[0] for outcome in outcomes if len(outcome.matches) == 1)}
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
        variant = _("Your code is a consistent variant ({title}); the assignment asks for another one.")
        hint = f"{variant.format(title=mistake.title)} {hint}"
    return dataclasses.replace(outcome, hint=hint, mistake=mistake.name, mistake_kind=mistake.kind)


def _about(function: str, text: str) -> str:
    if not function or function.startswith("<"):
        return text
    return _("{name}: {text}").format(name=function, text=text)


def _assertion_message(error: AssertionError) -> str:
    """The author's own words of a plain assert; pytest's details could show hidden numbers and are left out."""
    first = str(error).splitlines()[0] if str(error) else ""
    return first if first and not first.startswith("assert ") else _("what this check asserts does not hold")
