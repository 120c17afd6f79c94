"""What differs between two results, in words a student can act on."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from gdgrade.compare.arrays import Array, as_array, is_number
from gdgrade.compare.excerpts import describe, excerpts, flat_index, index_text, shape_text, text_excerpt
from gdgrade.compare.patterns import Pattern, shape_pattern, value_pattern
from gdgrade.compare.structure import Leaf, Means, Mismatch, pair_leaves
from gdgrade.compare.tolerance import EXACT, Tolerance, largest_magnitude, tolerance_for
from gdgrade.language import _, ngettext

Kind = Literal["structure", "type", "shape", "finite", "value"]
_STAGES: tuple[Kind, ...] = ("structure", "type", "shape", "finite", "value")
_MESSAGE_LIMIT = 600
_MOST_SWAPPED = 4  # results whose order is tried


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing wrong with a result: its structure, type, shape, finiteness or values, in this order.

    Attributes:
        kind: which of the five.
        name: which result, or which item of it: ``score``, ``elbo[1]``, ``schedule['betas']``.
        message: one or two plain sentences for the student, at most 600 characters. It names no expected
            value, so it may be shown for hidden checks too.
        expected: a short excerpt of what was expected (numbers, or a shape or type in words).
        got: the same of what came.
        largest: largest absolute difference, in the unit of the numbers; None unless kind is "value" and
            the values are numbers. ``inf`` where it exceeds the range of float64.
        index: where that largest difference is; for kind "finite", the first offending entry. ``()`` for a
            single number.
        first: the first entry (C order) that differs.
        pattern: name of a recognised way to be wrong (see :mod:`gdgrade.compare.patterns`), for staff.
        factor: the constant factor or offset when the pattern is one; never in ``message``.
    """

    kind: Kind
    name: str
    message: str
    expected: str
    got: str
    largest: float | None = None
    index: tuple[int, ...] | None = None
    first: tuple[int, ...] | None = None
    pattern: str | None = None
    factor: float | None = None


def compare(
    got: object,
    expected: object,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    name: str = "the result",
    means: Means = None,
) -> Difference | None:
    """Compare a result with the expected one; None if they agree.

    What counts as agreeing (rule of :class:`~gdgrade.compare.tolerance.Tolerance` for values):

    * A tuple is several results, each with its own tolerance scale; a list is one array if its entries stack,
      else several results. Tuple, list and stacked array may stand for each other as long as the stacked
      shape is right.
    * A dict may have further keys.
    * One number may be a Python number, a numpy scalar or an array of shape ``()``, not of shape ``(1,)``.
    * Real numbers may come as any float type, and as integers if their values agree; never as booleans,
      complex numbers, text or None.
    * Integers may come as floats, booleans as integers 0 and 1; both are compared exactly.
    * Where the expected value is NaN or infinite, so must be the result (infinite with the same sign).

    Args:
        got: anything; nothing in it is trusted and nothing in it can raise. Not changed.
        expected: numbers, text, None, arrays, torch tensors, and tuples, lists and dicts of them. Its dtype
            chooses the tolerance.
        rtol: relative to the largest expected magnitude, instead of the dtype's.
        atol: in the unit of the numbers, instead of the dtype's.
        name: what the result is called in messages.
        means: what the expected shape means, in words ("one score vector per particle"); a sequence or dict
            of such words for the items of a tuple or dict.

    Raises:
        TypeError: if ``expected`` is something that cannot be compared: a mistake of the grader.
        ValueError: if a tolerance is negative or not finite.

    Example:
        >>> print(compare([0.0, 1.0], [[0.0], [1.0]], name="score", means="one vector per particle").message)
        score: got (2,), expected (2, 1): one vector per particle. An axis of size 1 is missing.
        >>> compare([1.0, 2.0], [1.0, 2.0 + 1e-10]) is None
        True
    """
    if rtol is not None or atol is not None:
        Tolerance(rtol or 0.0, atol or 0.0)  # a bad tolerance is reported even where values are never reached
    found = _compared(got, expected, rtol, atol, name, means)
    if found is not None and _in_another_order(got, expected, rtol, atol):
        remark = _("These are the right results in another order.")
        return replace(found, message=f"{found.message} {remark}"[:_MESSAGE_LIMIT], pattern="results swapped")
    return found


def _in_another_order(got: object, expected: object, rtol: float | None, atol: float | None) -> bool:
    """Whether the items of a tuple are right, but not in their places."""
    if type(expected) is not tuple or not 2 <= len(expected) <= _MOST_SWAPPED or type(got) not in (tuple, list):
        return False
    items: list[object] = list(got)  # type: ignore[call-overload]
    if len(items) != len(expected):
        return False
    fits = [[_compared(item, due, rtol, atol, "", None) is None for due in expected] for item in items]
    places = range(len(items))
    return any(all(fits[order[i]][i] for i in places) for order in itertools.permutations(places))


def _compared(
    got: object, expected: object, rtol: float | None, atol: float | None, name: str, means: Means
) -> Difference | None:
    leaves = pair_leaves(got, expected, name[:80], means)
    if isinstance(leaves, Mismatch):
        return _difference("structure", leaves.name, leaves.text, leaves.expected, leaves.got)
    found: list[Difference] = []
    for leaf in leaves:
        difference = _compare_leaf(leaf, rtol, atol)
        if difference is not None:
            found.append(difference)
    # min keeps the first of equals: the earliest stage, then the earliest item
    return min(found, key=lambda difference: _STAGES.index(difference.kind), default=None)


def _compare_leaf(leaf: Leaf, rtol: float | None, atol: float | None) -> Difference | None:
    got, expected = leaf.got, leaf.expected
    if expected is None or isinstance(expected, str):
        return _compare_plain(leaf.name, got, expected)
    e = as_array(expected)
    g = _read(got)
    if g is None:
        remark = " " + _("Is there a return statement?") if got is None else ""
        came = _("a number that is too large") if is_number(got) else describe(got)
        return _type_difference(leaf.name, came, describe(e), remark)
    default = tolerance_for(e.dtype)
    # The result's own dtype earns no room: float32 where float64 is due is a finding, not an excuse.
    tolerance = Tolerance(default.rtol if rtol is None else rtol, default.atol if atol is None else atol)
    wrong_kind = _wrong_kind(g, e, got, tolerance)
    if wrong_kind:
        return _type_difference(leaf.name, *wrong_kind)
    if g.shape != e.shape:
        return _shape_difference(leaf, g, e)
    return _not_finite(leaf.name, g, e) or _compare_values(leaf.name, g, e, tolerance)


def _compare_plain(name: str, got: object, expected: str | None) -> Difference | None:
    if expected is None:
        return None if got is None else _type_difference(name, describe(got), "None")
    if not isinstance(got, str) or not issubclass(type(got), str):
        return _type_difference(name, describe(got), _("a text"))
    plain = str.__str__(got)
    if plain == expected:
        return None
    shown = text_excerpt(expected), text_excerpt(plain)
    return _difference("value", name, _("a different text is expected."), *shown)


def _read(got: object) -> Array | None:
    """The array in ``got``, or None if there is none."""
    try:
        return as_array(got)
    except Exception:  # not only TypeError: a hostile or exotic object may raise anything when it is read
        return None


def _wrong_kind(g: Array, e: Array, got: object, tolerance: Tolerance) -> tuple[str, str] | None:
    """If the dtype of ``g`` cannot stand for that of ``e``: what came and what is due, in words."""
    kinds = g.dtype.kind, e.dtype.kind
    if kinds[0] == "c" and kinds[1] != "c":
        return _("complex numbers"), _("real numbers")
    if kinds[0] == "b" and kinds[1] in "fc":
        return _("True or False"), _("numbers with a fraction")
    if kinds[1] == "b" and kinds[0] not in "biu":
        return _("numbers of type {type}").format(type=g.dtype.name), _("True or False")
    # Right values excuse an integer type (a mask, a count, the number 0); wrong ones are explained by it.
    whole = kinds[0] in "iu" and kinds[1] in "fc" and not is_number(got)
    if whole and (g.shape != e.shape or _wrong_entries(g, e, tolerance)[0].any()):
        return _("whole numbers (type {type})").format(type=g.dtype.name), _("numbers with a fraction")
    return None


def _type_difference(name: str, came: str, due: str, remark: str = "") -> Difference:
    text = _("got {came}, expected {due}.").format(came=came, due=due)
    return _difference("type", name, text + remark, due, came)


def _shape_difference(leaf: Leaf, g: Array, e: Array) -> Difference:
    pattern = shape_pattern(g.shape, e.shape)
    shapes = {"got": shape_text(g.shape), "expected": shape_text(e.shape)}
    text = _("got {got}, expected {expected}.").format(**shapes)
    if leaf.means:
        text = _("got {got}, expected {expected}: {means}.").format(**shapes, means=leaf.means)
    return _difference("shape", leaf.name, text, shape_text(e.shape), shape_text(g.shape), pattern=pattern)


def _not_finite(name: str, g: Array, e: Array) -> Difference | None:
    """NaN and infinities: they must be exactly where they are expected."""
    g_bad, e_bad = ~np.isfinite(g), ~np.isfinite(e)
    same = (np.isnan(g) & np.isnan(e)) | (g == e)
    wrong = (g_bad | e_bad) & ~same
    if not wrong.any():
        return None
    first = int(np.argmax(wrong))
    index = flat_index(first, e.shape)
    nan, infinite = int((np.isnan(g) & wrong).sum()), int((np.isinf(g) & wrong).sum())
    count = nan + infinite or int(wrong.sum())
    facts = {"count": count, "size": e.size, "nan": nan, "infinite": infinite, "index": index_text(index)}
    if nan and infinite:
        one = _("the number is not finite.")
        many = _("{count} of {size} numbers are not finite ({nan} NaN, {infinite} infinite), the first at {index}.")
    elif nan:
        one = _("the number is NaN.")
        many = ngettext(
            "{count} of {size} numbers is NaN, the first at {index}.",
            "{count} of {size} numbers are NaN, the first at {index}.",
            count,
        )
    elif infinite:
        one = _("the number is infinite.")
        many = ngettext(
            "{count} of {size} numbers is infinite, the first at {index}.",
            "{count} of {size} numbers are infinite, the first at {index}.",
            count,
        )
    else:
        one = _("the number should not be finite.")
        many = _("{count} of {size} numbers should not be finite, the first at {index}.")
    text = (many if index else one).format(**facts)
    shown = excerpts(e, g, first)
    return _difference("finite", name, text, *shown, index=index, first=index)


def _wrong_entries(g: Array, e: Array, tolerance: Tolerance) -> tuple[Array, Array, float]:
    """Mask of wrong entries, absolute differences (float64), and the difference allowed."""
    with np.errstate(all="ignore"):
        if tolerance == EXACT and g.dtype.kind in "biu" and e.dtype.kind in "biu":
            wide_g, wide_e = _unbooled(g), _unbooled(e)
            wrong = np.asarray(wide_g != wide_e)  # exact also beyond 2**53 and between signed and unsigned
            distance = np.abs(wide_g.astype(np.float64) - wide_e.astype(np.float64))
            return wrong, np.where(wrong & (distance == 0), 1.0, distance), 0.0
        wide_g, wide_e = _wide(g), _wide(e)
        allowed = tolerance.allowed(largest_magnitude(e))
        finite = np.isfinite(wide_e)
        distance = np.asarray(np.where(finite, np.abs(wide_g - wide_e), 0.0))
        return ~(distance <= allowed), distance, allowed  # written so that a NaN counts as wrong


def _compare_values(name: str, g: Array, e: Array, tolerance: Tolerance) -> Difference | None:
    wrong, distance, allowed = _wrong_entries(g, e, tolerance)
    n = int(wrong.sum())
    if n == 0:
        return None
    first = int(np.argmax(wrong))
    worst = int(np.argmax(np.where(wrong, distance, -1.0)))
    largest = float(distance.reshape(-1)[worst])
    index = flat_index(worst, e.shape)
    pattern = None
    if np.isfinite(e).all():
        with np.errstate(all="ignore"):
            pattern = value_pattern(_wide(g), _wide(e), allowed)
    first_index = flat_index(first, e.shape)
    facts = {"count": n, "size": e.size, "largest": f"{largest:.4g}"}
    text = _("the number differs by {largest}.").format(**facts)
    if index and first_index == index:
        text = ngettext(
            "{count} of {size} numbers differs; the largest difference is {largest} at {worst}.",
            "{count} of {size} numbers differ; the largest difference is {largest} at {worst}.",
            n,
        ).format(**facts, worst=index_text(index))
    elif index:
        text = _(
            "{count} of {size} numbers differ, the first at {first}; the largest difference is {largest} at {worst}."
        ).format(**facts, first=index_text(first_index), worst=index_text(index))
    if g.dtype.kind == e.dtype.kind == "f" and g.dtype.itemsize < e.dtype.itemsize:
        text += " " + _("The result is {got}, not {expected}.").format(got=g.dtype.name, expected=e.dtype.name)
    shown = excerpts(e, g, first)
    return _difference("value", name, text, *shown, largest=largest, index=index, first=first_index, pattern=pattern)


def _wide(array: Array) -> Array:
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def _unbooled(array: Array) -> Array:
    return array.astype(np.uint8) if array.dtype.kind == "b" else array


def _difference(
    kind: Kind,
    name: str,
    text: str,
    expected: str,
    got: str,
    *,
    largest: float | None = None,
    index: tuple[int, ...] | None = None,
    first: tuple[int, ...] | None = None,
    pattern: Pattern | None = None,
) -> Difference:
    remark = f" {pattern.remark}" if pattern and pattern.remark else ""
    message = _("{name}: {text}").format(name=name, text=text) + remark
    if len(message) > _MESSAGE_LIMIT:
        message = message[: _MESSAGE_LIMIT - 3] + "..."
    return Difference(
        kind=kind,
        name=name,
        message=message,
        expected=expected,
        got=got,
        largest=largest,
        index=index,
        first=first,
        pattern=pattern.name if pattern else None,
        factor=pattern.value if pattern else None,
    )
