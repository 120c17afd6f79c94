"""The one error that a check in a notebook shows to people."""

from __future__ import annotations


class CheckError(Exception):
    """Wrong usage, or the grader or the machine failed: one line in place of a traceback.

    A verdict, however bad, is no error, except to nbgrader's "Validate", which knows no other sign.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows for it."""
        return [f"gdgrade: {self}"]
