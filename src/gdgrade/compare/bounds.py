"""Checks against bounds. Beyond a theoretical bound lies no good answer: "too good to be true" is a finding.

No threshold has to be tuned for those: an ELBO above the log-likelihood, a cross-entropy below the entropy, a
critic gap above W_1 prove a mistake or a leak.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gdgrade.compare.arrays import as_floats
from gdgrade.compare.excerpts import describe, flat_index, index_text
from gdgrade.language import _, course_text

Side = Literal["", "low", "high", "both"]


@dataclass(frozen=True, slots=True)
class BoundResult:
    """Whether a value keeps its bounds.

    Attributes:
        name: of the value.
        passed: whether it does.
        too_good: whether it fails because it is better than theory allows.
        value: the value, or the worst entry of an array (NaN if there is none); unit as given.
        message: one or two plain sentences for the student.
    """

    name: str
    passed: bool
    too_good: bool
    value: float
    message: str


def at_most(value: object, bound: object, name: str, too_good: bool = False, slack: float = 0.0) -> BoundResult:
    """``value <= bound + slack``, for every entry if arrays are given (they broadcast).

    Args:
        value: number or array; anything else, and NaN, fails.
        bound: number or array, same unit.
        name: of the value, for the message.
        too_good: ``bound`` is theoretical and larger is better, so a value beyond is too good to be true.
        slack: room for rounding or for a standard error, same unit, not negative.

    Raises:
        ValueError: if the slack is negative or the bound is NaN.

    Example:
        >>> at_most(-3.0, -4.0, "ELBO", too_good=True).message
        'ELBO is -3, but no right answer gets above -4: too good to be true. Is a term missing or a sign wrong?'
    """
    return within(value, -np.inf, bound, name, too_good="high" if too_good else "", slack=slack)


def at_least(value: object, bound: object, name: str, too_good: bool = False, slack: float = 0.0) -> BoundResult:
    """``value >= bound - slack``; see :func:`at_most`. ``too_good``: smaller is better (a loss, a distance).

    Example:
        >>> at_least(0.2, 0.5, "the share of good samples").message
        'the share of good samples is 0.2, at least 0.5 is due.'
    """
    return within(value, bound, np.inf, name, too_good="low" if too_good else "", slack=slack)


def within(value: object, low: object, high: object, name: str, too_good: Side = "", slack: float = 0.0) -> BoundResult:
    """``low - slack <= value <= high + slack``; see :func:`at_most`.

    Args:
        value: number or array; anything else, and NaN, fails.
        low: number or array, same unit; ``-inf`` for none.
        high: number or array, same unit; ``inf`` for none.
        name: of the value, for the message.
        too_good: which of the bounds are theoretical with better values beyond them.
        slack: room on both sides, same unit, not negative.

    Raises:
        ValueError: if the slack is negative, a bound is NaN, or low > high somewhere.

    Example:
        >>> within(0.5, 0.0, 1.0, "the acceptance rate").passed
        True
    """
    said = course_text(name)
    lows, highs = np.broadcast_arrays(as_floats(low), as_floats(high))
    if not slack >= 0 or not np.all(lows <= highs):
        raise ValueError(f"{name}: bounds must satisfy low <= high and slack >= 0")
    try:
        values = as_floats(value)
        values, lows, highs = np.broadcast_arrays(values, lows, highs)
    except Exception:  # no number at all, or a shape that does not fit: the student's business
        text = _("{name}: got {value}, a number is due.").format(name=said, value=describe(value))
        return BoundResult(name, False, False, float("nan"), text)
    if values.size == 0:
        return BoundResult(name, False, False, float("nan"), _("{name}: got no numbers.").format(name=said))
    with np.errstate(invalid="ignore"):
        excess = np.maximum(values - highs, lows - values)  # -inf where there is no bound
    excess = np.where(np.isnan(values), np.inf, np.where(np.isnan(excess), -np.inf, excess))
    worst = int(np.argmax(excess))
    index = flat_index(worst, values.shape)
    x, lo, hi = (float(array.reshape(-1)[worst]) for array in (values, lows, highs))
    what = _("{name} at {index}").format(name=said, index=index_text(index)) if index else said
    if lo - slack <= x <= hi + slack:
        text = _("{what} is {value}, as it should be.").format(what=what, value=_text(x, lo, hi))
        return BoundResult(name, True, False, x, text)
    if np.isnan(x):
        return BoundResult(name, False, False, x, _("{what} is NaN.").format(what=what))
    high_side = x > hi
    if too_good in ("both", "high" if high_side else "low"):
        text = (
            _(
                "{what} is {value}, but no right answer gets above {bound:.6g}: too good to be true. Is a term missing "
                "or a sign wrong?"
            )
            if high_side
            else _(
                "{what} is {value}, but no right answer gets below {bound:.6g}: too good to be true. Is a term missing "
                "or a sign wrong?"
            )
        )
        text = text.format(what=what, value=_text(x, lo, hi), bound=hi if high_side else lo)
        return BoundResult(name, False, True, x, text)
    text = (
        _("{what} is {value}, at most {bound:.6g} is due.")
        if high_side
        else _("{what} is {value}, at least {bound:.6g} is due.")
    )
    text = text.format(what=what, value=_text(x, lo, hi), bound=hi if high_side else lo)
    return BoundResult(name, False, False, x, text)


def _text(x: float, lo: float, hi: float) -> str:
    """Four digits, or more where the value would else read like the bound it misses."""
    short = f"{x:.4g}"
    return short if short not in (f"{lo:.4g}", f"{hi:.4g}") else f"{x:.10g}"
