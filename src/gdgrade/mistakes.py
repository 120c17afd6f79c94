"""Known wrong formulas: small overrides of the reference, each with a hint that does not give the answer.

In ``graders/exNN_name/mistakes.py``::

    from gdgrade.mistakes import mistake

    @mistake(of="langevin_step", title="the noise is scaled by eta",
             hint="How should the spread of the noise change when the step is halved?")
    def noise_times_eta(ref, x, score_fn, eta, noise=None):
        return x + eta / 2 * score_fn(x) + eta * noise

The function replaces ``of`` in a fresh copy of the reference, which it receives as ``ref``; other functions of that
copy then call the replacement. For a class, or anything else that must be built, use ``factory=True``: the decorated
function gets ``ref`` alone and returns the replacement.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from gdgrade.language import course_text

F = TypeVar("F", bound=Callable[..., Any])
KINDS = ("mistake", "convention")
SEEN_BY = ("exact", "chance", "training")
_ATTRIBUTE = "__gdgrade_mistake__"


@dataclass(frozen=True)
class Mistake:
    """One known wrong answer.

    Attributes:
        name: identifier, the function's name.
        of: which reference function or class it replaces.
        title: what is done, in words; shown to staff, and to students when `kind` is "convention".
        hint: a question that leads on, without the answer.
        kind: "mistake", or "convention" for a consistent variant that the assignment does not ask for.
        checks: short names of the checks it is tried on, or None for all.
        function: the override.
        factory: the function builds the replacement from the reference.
        seen_by: the kind of check that must catch it. "exact" by default; "chance" if it changes only the law of the
            student's own random draws, so that only a statistical check can notice; "training" if only the outcome of
            a training differs. `gdgrade author check` holds it to that.
    """

    name: str
    of: str
    title: str
    hint: str
    kind: str
    checks: tuple[str, ...] | None
    function: Callable[..., Any]
    factory: bool
    seen_by: str = "exact"


def mistake(
    *,
    of: str,
    title: str,
    hint: str,
    kind: str = "mistake",
    checks: tuple[str, ...] | None = None,
    factory: bool = False,
    seen_by: str = "exact",
) -> Callable[[F], F]:
    """Declare a wrong answer: the decorated function takes the place of `of` in a copy of the reference, `ref`.

    Args:
        of: which function or class of the reference it replaces.
        title: what is done, in words; shown to staff, and to students when `kind` is "convention".
        hint: a question that leads on, without the answer.
        kind: "mistake", or "convention" for a consistent variant that the assignment does not ask for.
        checks: short names of the checks that it is tried on, such as ("step/noise_given",). None: all that can see it.
        factory: the function gets `ref` alone and returns the replacement; for classes.
        seen_by: which kind of check must catch it. "exact"; "chance", if only the law of the student's own random draws
            differs, so that a statistical check is needed; "training", if only the outcome of a training does.

    Raises:
        ValueError: no title, no hint, or an unknown kind or seen_by.
    """
    if seen_by not in SEEN_BY:
        raise ValueError(f"seen_by must be one of {', '.join(SEEN_BY)}, got {seen_by!r}")
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    given: dict[str, object] = {"title": title, "hint": hint}  # a person may write anything
    for name, text in given.items():
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"a mistake needs a title and a hint; its {name} is {text!r}")

    def mark(function: F) -> F:
        entry = Mistake(function.__name__, of, title, hint, kind, checks, function, factory, seen_by)
        setattr(function, _ATTRIBUTE, entry)
        return function

    return mark


def spoken(entry: Mistake) -> Mistake:
    """The mistake with title and hint in the language in use."""
    return dataclasses.replace(entry, title=course_text(entry.title), hint=course_text(entry.hint))


def collect(module: types.ModuleType) -> list[Mistake]:
    """The mistakes that a module declares, in order of definition."""
    return [
        getattr(value, _ATTRIBUTE) for value in vars(module).values() if callable(value) and hasattr(value, _ATTRIBUTE)
    ]
