"""Recognisable ways in which an array is wrong: its axes are swapped, its sign is flipped, it is rescaled...

A pattern is a fact about two arrays, found after they were judged different. Some come with a remark that is
safe to show. A constant factor or offset has none: saying it would give the answer away. It stays in the
``Difference`` for staff and for the search for known mistakes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gdgrade.compare.arrays import Array
from gdgrade.compare.tolerance import FLOAT32_CONSTANTS
from gdgrade.language import _

_SORTED_AT_MOST = 100_000  # entries; beyond that the search for reordered numbers is not worth its time


@dataclass(frozen=True, slots=True)
class Pattern:
    """How an array is wrong.

    Attributes:
        name: "transposed", "axis", "broadcast", "reduced", "sign", "zeros", "order", "precision", "factor" or
            "offset".
        remark: a sentence for the student, or "" where a remark would give the answer.
        value: the factor or offset, in the unit of the numbers; None for the other patterns.
    """

    name: str
    remark: str = ""
    value: float | None = None


def shape_pattern(got: tuple[int, ...], expected: tuple[int, ...]) -> Pattern | None:
    """Pattern of two shapes that differ, or None.

    Example:
        >>> shape_pattern((5, 1), (5,)).remark
        'There is an axis of size 1 too many.'
    """
    if len(got) > 1 and got == expected[::-1]:
        return Pattern("transposed", _("The axes look swapped."))
    if _without_ones(got) == _without_ones(expected):
        if len(got) > len(expected):
            return Pattern("axis", _("There is an axis of size 1 too many."))
        if len(got) < len(expected):
            return Pattern("axis", _("An axis of size 1 is missing."))
        return Pattern("axis", _("The axis of size 1 is in the wrong place."))
    if len(got) == 2 and got[0] == got[1] and _without_ones(expected) == (got[0],):
        n = got[0]
        return Pattern("broadcast", _("Combining shapes ({n},) and ({n}, 1) gives ({n}, {n}).").format(n=n))
    if got == () and expected:
        return Pattern("reduced", _("All entries were reduced to one number."))
    return None


def value_pattern(got: Array, expected: Array, allowed: float) -> Pattern | None:
    """Pattern of two finite arrays of one shape that differ by more than ``allowed``, or None.

    Args:
        got: any shape, real or complex, finite.
        expected: same shape, finite.
        allowed: difference that would have passed, in the unit of the numbers.
    """
    scale = float(np.abs(expected).max(initial=0.0))
    largest = float(np.abs(got - expected).max(initial=0.0))
    if not np.isfinite(largest):
        return None
    if largest <= FLOAT32_CONSTANTS.allowed(scale):
        text = _(
            "The differences are small beside the numbers: constants in float32 look like this, "
            "and so does a small wrong term."
        )
        return Pattern("precision", text)
    if scale <= 10 * allowed:  # nothing but rounding to compare with
        return None
    if not np.any(got):
        return Pattern("zeros", _("Every number is 0."))
    if np.all(np.abs(got + expected) <= allowed):
        return Pattern("sign", _("Every number has the opposite sign."))
    return _rearranged(got, expected, allowed) or _rescaled(got, expected, allowed)


def _rearranged(got: Array, expected: Array, allowed: float) -> Pattern | None:
    square = got.ndim == 2 and got.shape[0] == got.shape[1]
    if square and np.all(np.abs(got.T - expected) <= allowed):
        return Pattern("transposed", _("These are the right numbers with the axes swapped."))
    if 2 < got.size <= _SORTED_AT_MOST and got.dtype.kind != "c":
        in_order = np.sort(got, axis=None) - np.sort(expected, axis=None)
        if np.all(np.abs(in_order) <= allowed):
            return Pattern("order", _("These are the right numbers in another order."))
    return None


def _rescaled(got: Array, expected: Array, allowed: float) -> Pattern | None:
    if got.size < 3 or got.dtype.kind == "c":  # any number is a multiple of another one
        return None
    g, e = got.reshape(-1), expected.reshape(-1)
    scale = float(np.abs(e).max())
    unit = e / scale  # e . e could overflow
    factor = float(unit @ (g / scale)) / float(unit @ unit)
    if np.isfinite(factor) and np.all(np.abs(g - factor * e) <= allowed * max(1.0, abs(factor))):
        return Pattern("factor", value=factor)
    offset = float(np.mean(g - e))
    if np.isfinite(offset) and np.all(np.abs(g - e - offset) <= allowed + 1e-15 * abs(offset)):
        return Pattern("offset", value=offset)
    return None


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)
