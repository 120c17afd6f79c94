"""Which check is running: what helpers such as `observe` write to, without global state between checks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field

from gdgrade.judge.student import Notebook


@dataclass
class CheckContext:
    """What one run of one check collects."""

    notebook: Notebook = field(default_factory=Notebook)


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
