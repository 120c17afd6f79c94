"""Whether two runs of a check saw the same numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gdgrade.judge.shipping import RemoteObject
from gdgrade.judge.student import Notebook, Observation
from gdgrade.wire.values import Opaque

RTOL = 1e-6
RTOL_FLOAT32 = 1e-4


def same_value(a: Any, b: Any, rtol: float = RTOL) -> bool | None:
    """True or False if the two can be compared, None if they say nothing (handles, opaque objects)."""
    if isinstance(a, RemoteObject | Opaque) or isinstance(b, RemoteObject | Opaque):
        return None if type(a) is type(b) else False
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        if len(a) != len(b):
            return False
        return _all(same_value(x, y, rtol) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            return False
        return _all(same_value(a[key], b[key], rtol) for key in a)
    first, second = _numbers(a), _numbers(b)
    if first is None or second is None:
        return bool(type(a) is type(b) and a == b)
    if first.shape != second.shape:
        return False
    if (np.isfinite(first) != np.isfinite(second)).any() or (np.isnan(first) != np.isnan(second)).any():
        return False
    finite = np.isfinite(first)
    scale = float(np.abs(second[finite]).max()) if finite.any() else 0.0
    difference = float(np.abs(first[finite] - second[finite]).max()) if finite.any() else 0.0
    return difference <= rtol * scale + 1e-12


def same_run(student: Notebook, other: Notebook) -> bool:
    """Whether `other` explains everything comparable that was seen of the student.

    Explicit observations, if a check made any, are compared instead of raw results.
    """
    first, second = _entries(student), _entries(other)
    if len(first) != len(second) or not first:
        return False
    verdicts = [_same_entry(a, b) for a, b in zip(first, second, strict=True)]
    return False not in verdicts and True in verdicts


def explaining(student: Notebook, shown: Mapping[str, Notebook]) -> list[str]:
    """Names under which there is the very run that was seen of the student."""
    return [name for name, notebook in shown.items() if same_run(student, notebook)]


class Diverged(BaseException):
    """A run has shown something that the run it follows did not; no `except Exception` in a check stops it."""


def following(student: Notebook) -> Notebook:
    """An empty notebook that raises `Diverged` at the first entry that rules out `same_run(student, it)`.

    Most reruns of mistakes differ at once, and what comes after that need not be computed.
    """
    due = _Entries(_entries(student))
    return Notebook(features=due) if student.features else Notebook(seen=due)


class _Entries(list[Observation]):
    """A list that may only grow as another one goes on."""

    def __init__(self, due: Sequence[Observation]) -> None:
        super().__init__()
        self._due = due
        self._place = 0

    def append(self, entry: Observation) -> None:
        super().append(entry)
        if self._place == len(self._due) or _same_entry(self._due[self._place], entry) is False:
            raise Diverged
        self._place += 1


def _entries(notebook: Notebook) -> Sequence[Observation]:
    return notebook.features or notebook.seen


def _same_entry(a: Observation, b: Observation) -> bool | None:
    if a.name != b.name or a.dtype != b.dtype:
        return False
    if a.error or b.error:
        return bool(a.error and b.error) and kind_of(a.error) == kind_of(b.error)
    rtol = a.rtol or (RTOL_FLOAT32 if a.dtype == "float32" else RTOL)
    return same_value(a.value, b.value, rtol)


def kind_of(error: str) -> list[str]:
    """The classes at the head of an error such as "StudentError: ValueError: no such t"."""
    return error.split(":")[:2]


def _all(verdicts: Any) -> bool | None:
    results = list(verdicts)
    if False in results:
        return False
    return True if True in results or not results else None


def _numbers(value: Any) -> np.ndarray[Any, Any] | None:
    if isinstance(value, bool | int | float | complex):
        return np.asarray(value, dtype=complex if isinstance(value, complex) else float)
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray) and value.dtype.kind in "buifc":
        return value.astype(complex if value.dtype.kind == "c" else float)
    return None
