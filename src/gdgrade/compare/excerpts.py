"""Short texts about values: what a thing is, and a few of its numbers. Every text is bounded in length."""

from __future__ import annotations

from typing import Any

import numpy as np

from gdgrade.compare.arrays import Array, as_array, is_array, is_number, type_name
from gdgrade.language import _

NUMBERS_SHOWN = 6
_DIGITS = 4
_MOST_DIGITS = 12


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape for a message: ``one number`` for ``()``, else ``(64, 2)``.

    Example:
        >>> shape_text(()), shape_text((64,))
        ('one number', '(64,)')
    """
    if not shape:
        return _("one number")
    if len(shape) > 8:
        return _("an array with {axes} axes").format(axes=len(shape))
    return str(tuple(int(n) for n in shape))


def describe(value: object) -> str:
    """What a value is, in at most about 80 characters: ``an array (64, 2)``, ``a tuple of 2``, ``None``."""
    if value is None:
        return "None"
    kind = type(value)
    if is_number(value):
        return _("one number")
    if is_array(value):
        try:
            shape = as_array(value).shape
        except Exception:  # objects, texts, sparse tensors: whatever reading them raises
            return _("an array that holds no plain numbers")
        return _("an array {shape}").format(shape=shape_text(shape)) if shape else _("one number")
    if issubclass(kind, str):
        return _("a text")
    if issubclass(kind, dict):
        return _("a dict of {count}").format(count=dict.__len__(value))  # type: ignore[arg-type]
    if issubclass(kind, tuple):
        return _("a tuple of {count}").format(count=tuple.__len__(value))  # type: ignore[arg-type]
    if issubclass(kind, list):
        return _("a list of {count}").format(count=list.__len__(value))  # type: ignore[arg-type]
    if is_remote(value):
        return _describe_remote(value)
    return _("an object of type {type}").format(type=type_name(value))


def is_remote(value: object) -> bool:
    """Whether a value stands for something that stayed in the student's process, or could not be sent from it."""
    return getattr(type(value), "stays_remote", False) is True


def _describe_remote(value: Any) -> str:
    kind, name = value.remote_kind, ascii(str(value.remote_type))[1:-1][:40]
    if kind == "function":
        return _("a function (is a pair of parentheses missing, so that it is called?)")
    if kind == "class":
        return _("a class (is a pair of parentheses missing?)")
    if kind == "generator":
        return _("a generator (is there a yield where a return is due?)")
    if kind == "module":
        return _("a network of type {type}, not what it gives for an input").format(type=name)
    if kind == "unreadable":
        return _("something that cannot be read: {why}").format(why=ascii(str(value.remote_why))[1:-1][:120])
    return _("an object of type {type}").format(type=name)


def key_text(key: object, limit: int = 40) -> str:
    """A dict key for a message: ASCII, no control characters, at most ``limit`` characters."""
    if type(key) in (str, int, float, bool):
        text = ascii(key)
        return text if len(text) <= limit else text[: limit - 3] + "..."
    return f"<{type_name(key)}>"


def text_excerpt(text: str, limit: int = 40) -> str:
    """A quoted text for a message: ASCII, no control characters, at most ``limit`` characters and quotes."""
    return key_text(str.__str__(text)[: limit + 1], limit)


def excerpts(expected: Array, got: Array, first: int) -> tuple[str, str]:
    """The same few numbers of two arrays of one shape, as two texts.

    At most six numbers of four significant digits, from the row (last axis) that holds flat position
    ``first``; more digits (up to twelve) if the two texts would read the same without.

    Args:
        expected: any shape.
        got: same shape.
        first: flat (C order) position of the first entry that differs.

    Returns:
        Texts of ``expected`` and ``got``, e.g. ``('[1, 2, 3]', '[1, 2, 4]')``; a window inside a larger array
        says where it starts: ``'from [3, 0]: [1, 2, 3, 4, 5, 6, ...]'``.
    """
    where, window = _window(expected.shape, first)
    pair = ("", "")
    for digits in range(_DIGITS, _MOST_DIGITS + 1, 2):
        pair = (_numbers(expected, window, digits), _numbers(got, window, digits))
        if pair[0] != pair[1]:
            break
    return where + pair[0], where + pair[1]


def _window(shape: tuple[int, ...], first: int) -> tuple[str, slice]:
    """Flat slice of up to six entries around ``first``, and a text saying where it starts ('' if at 0)."""
    size = int(np.prod(shape))
    if size <= NUMBERS_SHOWN:
        return "", slice(0, size)
    row = shape[-1]
    start = first - first % row  # the beginning of the row of the first difference
    start = start if first - start < NUMBERS_SHOWN else first
    stop = min(start + NUMBERS_SHOWN, size)
    if start == 0:
        return "", slice(start, stop)
    return _("from {index}: ").format(index=index_text(flat_index(start, shape))), slice(start, stop)


def _numbers(array: Array, window: slice, digits: int) -> str:
    flat = array.reshape(-1)
    texts = [_number(x, digits) for x in flat[window].tolist()]
    if array.ndim == 0:
        return texts[0]
    if window.stop < flat.size:
        texts.append("...")
    return "[" + ", ".join(texts) + "]"


def _number(x: Any, digits: int) -> str:
    if isinstance(x, (bool, int)):
        text = str(x)
        return text if len(text) <= 24 else f"{x:.{digits}g}"
    if isinstance(x, complex):
        return f"{x.real:.{digits}g}{x.imag:+.{digits}g}j"
    return f"{x + 0.0:.{digits}g}"  # + 0.0: no "-0"


def flat_index(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Index of the entry at flat (C order) position ``flat``; ``()`` for a single number."""
    return tuple(int(i) for i in np.unravel_index(flat, shape)) if shape else ()


def index_text(index: tuple[int, ...]) -> str:
    """An index as one writes it behind an array: ``[3, 0]``."""
    return "[" + ", ".join(str(i) for i in index) + "]"
