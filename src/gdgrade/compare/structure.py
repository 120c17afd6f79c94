"""Pairs the items of two nested results, or says in words why they cannot be paired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gdgrade.compare.arrays import Array, as_array, is_array, is_number
from gdgrade.compare.excerpts import describe, key_text
from gdgrade.language import _

Means = str | Sequence[str | None] | Mapping[str, str] | None
"""What an expected shape means, in words; for tuples and dicts, one per item."""

_MAX_DEPTH = 16
_NAME_LIMIT = 120


@dataclass(frozen=True, slots=True)
class Leaf:
    """One item of a result with its expected value: a number, an array, a text or None."""

    name: str
    got: object
    expected: object
    means: str | None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Two results that are built differently. ``text`` is a sentence, the excerpts are a few words each."""

    name: str
    text: str
    expected: str
    got: str


def pair_leaves(got: object, expected: object, name: str, means: Means) -> list[Leaf] | Mismatch:
    """Walk along ``expected`` and pair each of its leaves with that of ``got``.

    Args:
        got: anything; see :func:`gdgrade.compare.compare` for what may stand for what.
        expected: tuples, lists and dicts (at most 16 deep) of numbers, arrays, texts and None.
        name: of the whole; items are called ``name[0]`` and ``name['key']``.
        means: words for the whole, or per item.

    Raises:
        TypeError: if ``expected`` holds anything else.
    """
    return _pair(got, expected, name, means, 0)


def _pair(got: object, expected: object, name: str, means: Means, depth: int) -> list[Leaf] | Mismatch:
    if depth > _MAX_DEPTH:
        raise TypeError(f"the expected {name} is nested too deeply to compare")
    if isinstance(expected, dict):
        return _pair_dict(got, expected, name, means, depth)
    if isinstance(expected, tuple) or (isinstance(expected, list) and _stacked(expected) is None):
        return _pair_sequence(got, expected, name, means, depth)
    return _pair_leaf(got, expected, name, means)


def _pair_dict(got: object, expected: dict[Any, Any], name: str, means: Means, depth: int) -> list[Leaf] | Mismatch:
    due = _("a dict with {keys}").format(keys=_listed([key_text(key) for key in expected]))
    if not isinstance(got, dict) or not issubclass(type(got), dict):
        return _mismatch(name, got, due)
    missing = [key for key in expected if not dict.__contains__(got, key)]
    if missing:
        text = _("the dict has no {keys}.").format(keys=_listed([key_text(key) for key in missing]))
        came = _("a dict with {keys}").format(keys=_listed([key_text(key) for key in dict.keys(got)]))
        return Mismatch(name, text, due, came)
    leaves: list[Leaf] = []
    for key, value in expected.items():
        words = means.get(key) if isinstance(means, Mapping) else None
        pairs = _pair(dict.__getitem__(got, key), value, _item_name(name, key), words, depth + 1)
        if isinstance(pairs, Mismatch):
            return pairs
        leaves += pairs
    return leaves


def _pair_sequence(
    got: object, expected: tuple[Any, ...] | list[Any], name: str, means: Means, depth: int
) -> list[Leaf] | Mismatch:
    n = len(expected)
    words: list[Means] = [None] * n
    due = _("{count} results").format(count=n) if n != 1 else _("a tuple of one result")
    if isinstance(means, str):
        due += f" ({means})"
    elif isinstance(means, Sequence) and len(means) == n:
        words = list(means)
    items = _items(got, expected)
    if items is None:
        return _mismatch(name, got, due)
    if len(items) != n:
        came = _("1 result") if len(items) == 1 else _("{count} results").format(count=len(items))
        return Mismatch(name, _("got {came}, expected {due}.").format(came=came, due=due), due, came)
    leaves: list[Leaf] = []
    for i in range(n):
        pairs = _pair(items[i], expected[i], _item_name(name, i), words[i], depth + 1)
        if isinstance(pairs, Mismatch):
            return pairs
        leaves += pairs
    return leaves


def _items(got: object, expected: Sequence[object]) -> list[Any] | None:
    """The items of ``got`` where it can stand for the sequence ``expected``, else None."""
    kind = type(got)
    if issubclass(kind, tuple):
        return list(tuple.__iter__(got))  # type: ignore[arg-type]
    if issubclass(kind, list):
        return list(list.__iter__(got))  # type: ignore[arg-type]
    if is_array(got):
        array, stacked = _array_or_none(got), _stacked(expected)
        # One array whose rows are the results; with other shapes its rows would only confuse.
        if array is not None and stacked is not None and array.shape == stacked.shape:
            return list(array)
    return None


def _pair_leaf(got: object, expected: object, name: str, means: Means) -> list[Leaf] | Mismatch:
    words = means if isinstance(means, str) else None
    if expected is not None and not isinstance(expected, str):
        array = _stacked(expected) if isinstance(expected, list) else _array_or_none(expected)
        if array is None:
            raise TypeError(f"cannot compare the expected {name}: it is {describe(expected)}")
        due = describe(array)
        if issubclass(type(got), dict):
            return _mismatch(name, got, due)
        if issubclass(type(got), (list, tuple)) and not _stands_for(got, array):
            return _mismatch(name, got, due)
        return [Leaf(name, got, array, words)]
    return [Leaf(name, got, expected, words)]


def _mismatch(name: str, got: object, due: str) -> Mismatch:
    """One thing came where another is due; with advice for the usual reasons."""
    came = describe(got)
    text = _("got {came}, expected {due}.").format(came=came, due=due)
    if got is None:
        text += " " + _("Is there a return statement?")
    elif type(got) is list and got and all(map(is_array, got)):
        text += " " + _("torch.stack makes one tensor of a list of tensors.")
    return Mismatch(name, text, due, came)


def _stands_for(got: Any, expected: Array) -> bool:
    """Whether a list or tuple can stand for an array: nested numbers, or arrays that stack to its shape."""
    array = _array_or_none(got)
    if array is None:
        return False
    return array.shape == expected.shape or (array.size > 0 and _only_numbers(got, 0))


def _only_numbers(value: Any, depth: int) -> bool:
    if issubclass(type(value), (list, tuple)) and depth < _MAX_DEPTH:
        return all(_only_numbers(item, depth + 1) for item in value)
    return is_number(value)


def _stacked(values: Sequence[object]) -> Array | None:
    return _array_or_none(values)


def _array_or_none(value: object) -> Array | None:
    try:
        return as_array(value)
    except Exception:  # not only TypeError: an exotic object may raise anything when it is read
        return None


def _item_name(name: str, key: object) -> str:
    return f"{name}[{key_text(key)}]"[:_NAME_LIMIT]


def _listed(words: list[str], most: int = 6) -> str:
    if not words:
        return _("no keys")
    shown = ", ".join(words[:most]) + (", ..." if len(words) > most else "")
    return _("key {keys}").format(keys=shown) if len(words) == 1 else _("keys {keys}").format(keys=shown)
