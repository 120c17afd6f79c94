"""What a check in a notebook shows in place of a traceback: one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gdgrade.language import _


class CheckError(Exception):
    """Wrong usage, or the grader or the machine failed: one line in place of a traceback.

    A verdict, however bad, is no error, except to nbgrader's "Validate", which knows no other sign.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows for it."""
        return [f"gdgrade: {self}"]


@contextmanager
def one_line_interrupts() -> Iterator[None]:
    """Show the stop button's interrupt as a line; also a decorator.

    An interrupt may come at an instruction that belongs to no line, such as the jump that ends a loop. IPython
    cannot format a traceback through it: it prints two as text, and the notebook gets no error at all.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        vars(error)["_render_traceback_"] = lambda: ["gdgrade: " + _("interrupted; nothing was judged")]
        raise
