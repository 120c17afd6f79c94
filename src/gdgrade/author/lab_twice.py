"""Each check twice with the same seed: one that then does something else draws from a generator that nobody seeded.

A worker has its own global generators. Here the reference runs in the check's own process, so its generators are put
away between two questions; what moves the global ones meanwhile is the check itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import numpy as np

from gdgrade.author.lab import Case, Lab
from gdgrade.judge.diagnosis import Rerun
from gdgrade.judge.student import Student

STARTS = (1, 2)  # where the global generators are before the first and the second run


@dataclass
class Randomness:
    """What one run of a check did with chance.

    Attributes:
        asked: finger-prints of what the check handed to the reference, in order.
        moved: global generators that stand elsewhere after the run, and where.
        unseeded: it called `np.random.default_rng()` without a seed.
    """

    asked: list[str] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    unseeded: bool = False


def luck(lab: Lab, case: Case, rerun: Rerun, module: Any) -> str:
    """How two runs of a check with one seed differ, in words; "" where they do not."""
    first, second = (_watched(lab, case, rerun, module, start) for start in STARTS)
    if first.unseeded or second.unseeded:
        return "it calls np.random.default_rng() without a seed"
    # A check that seeds a generator itself leaves it in the same place twice.
    moved = [name for name in first.moved if first.moved[name] != second.moved.get(name)]
    if moved:
        return f"it draws from {' and '.join(moved)}, which nobody has seeded"
    return "" if first.asked == second.asked else "it asks for other things when it runs again with the same seed"


def _watched(lab: Lab, case: Case, rerun: Rerun, module: Any, start: int) -> Randomness:
    found, inside = Randomness(), Worlds()
    with inside.seeded(start), mock.patch.object(np.random, "default_rng", _noting(found, inside)):
        ask = Student._ask

        def asking(student: Student, header: Any, encoder: Any, args: Any, kwargs: Any, label: str) -> Any:
            found.asked.append(f"{label} {_print((args, kwargs))}")
            with inside.the_students():
                return ask(student, header, encoder, args, kwargs, label)

        before = _places()
        with mock.patch.object(Student, "_ask", asking):
            lab.rerun(case.short, rerun, module)
        found.moved = {name: place for name, place in _places().items() if place != before[name]}
    return found


def _noting(found: Randomness, inside: Worlds) -> Any:
    """`np.random.default_rng` that tells when the check leaves out the seed."""
    original = np.random.default_rng

    def default_rng(seed: Any = None) -> Any:
        found.unseeded |= seed is None and not inside.at_the_students
        return original(seed)

    return default_rng


class Worlds:
    """The global generators of the check and those of the student, in one process."""

    def __init__(self) -> None:
        self.at_the_students = False
        self._away: Any = None

    @contextlib.contextmanager
    def seeded(self, start: int) -> Iterator[None]:
        """The check's generators begin at `start`; afterwards they are what they were."""
        before = _states()
        random.seed(start)
        np.random.seed(start)  # noqa: NPY002 - the global one is what this is about
        if "torch" in sys.modules:
            sys.modules["torch"].default_generator.manual_seed(start)
        try:
            yield
        finally:
            _restore(before)

    @contextlib.contextmanager
    def the_students(self) -> Iterator[None]:
        """The student's generators stand in the place of the check's."""
        if self.at_the_students:  # a question within a question, as where a shipped function asks
            yield
            return
        checks = _states()
        _restore(self._away or checks)
        self.at_the_students = True
        try:
            yield
        finally:
            self._away, self.at_the_students = _states(), False
            _restore(checks)


def _states() -> tuple[Any, Any, Any]:
    torch = sys.modules.get("torch")
    state = None if torch is None else torch.default_generator.get_state()
    return random.getstate(), np.random.get_state(), state  # noqa: NPY002


def _restore(states: tuple[Any, Any, Any]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002
    if states[2] is not None:
        sys.modules["torch"].default_generator.set_state(states[2])


def _places() -> dict[str, str]:
    """Where each global generator stands, by the name under which a check draws from it."""
    python, numpy, torch = _states()
    places = {"the module random": repr(python), "np.random": _print(list(numpy))}
    return places if torch is None else places | {"torch's global generator": _print(torch)}


def _print(value: Any) -> str:
    """A finger-print of numbers, words and arrays, nested; other objects have none, for they say where they lie."""
    digest = hashlib.sha256()
    for piece in _pieces(value):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(value: Any) -> Iterator[bytes]:
    if hasattr(type(value), "detach"):  # asked of the class: a handle on a student's object has every attribute
        value = value.detach().cpu().numpy()
    if isinstance(value, list | tuple):
        yield f"[{len(value)}]".encode()
        for item in value:
            yield from _pieces(item)
    elif isinstance(value, dict):
        yield from _pieces([piece for pair in value.items() for piece in pair])
    elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
        yield f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes()
    elif isinstance(value, str | bytes | int | float | complex | np.generic):
        yield f"{type(value).__name__} {value!r}".encode()
