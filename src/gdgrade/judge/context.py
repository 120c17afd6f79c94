"""Which check is running: what helpers such as `observe` write to, without global state between checks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field

from gdgrade.judge.student import Notebook


@dataclass
class CheckContext:
    """What one run of one check collects.

    Attributes:
        chance: at most how probable it is that its statistical tests fail a right answer.
    """

    notebook: Notebook = field(default_factory=Notebook)
    chance: float = 0.0


_current: ContextVar[CheckContext | None] = ContextVar("gdgrade_check", default=None)


def current() -> CheckContext:
    """The running check's context; outside a check, a fresh one that nobody reads."""
    return _current.get() or CheckContext()


@contextlib.contextmanager
def running(context: CheckContext) -> Iterator[CheckContext]:
    """Make `context` the current one inside a with block."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


class float64_default:  # noqa: N801 - reads as a function in a with statement
    """torch's default type is float64 while a check runs, and what it was before afterwards."""

    def __init__(self, library: str) -> None:
        self._library = library

    def __enter__(self) -> None:
        if self._library == "torch":
            import torch

            self._before = torch.get_default_dtype()
            torch.set_default_dtype(torch.float64)

    def __exit__(self, *_: object) -> None:
        if self._library == "torch":
            import torch

            torch.set_default_dtype(self._before)
