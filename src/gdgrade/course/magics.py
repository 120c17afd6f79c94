"""Find and neutralise what IPython adds to Python: ``%magic``, ``!shell``, ``obj?``, ``%%cell``.

A line is a command only where a statement may begin: ``% b`` that continues an expression in brackets is
arithmetic, and a line of a docstring may begin with anything. So a small scanner follows strings, brackets
and backslashes.
"""

from __future__ import annotations

import re

# Cell magics whose body is ordinary Python that runs in the student's namespace.
_PYTHON_BODIES = {"time", "capture", "prun"}
_CELL = re.compile(r"^%%([A-Za-z_][\w.]*)")
_COMMAND = re.compile(r"^[ \t]*(?:%{1,2}[A-Za-z_]|!{1,2}[^=]|\?{1,2}[ \t]*[%\w])")
_HELP = re.compile(r"^[ \t]*%{0,2}[A-Za-z_][\w.\[\]*'\"-]*\?{1,2}[ \t]*;?[ \t]*$")
_ASSIGNED = re.compile(
    r"^([ \t]*)([A-Za-z_]\w*(?:[ \t]*,[ \t]*[A-Za-z_]\w*)*)"  # indentation, names
    r"[ \t]*=[ \t]*[%!][ \t]*[A-Za-z_./~\"'$({]"
)
_OWN = re.compile(r"^[ \t]*%(?:load_ext[ \t]+gdgrade|check)\b")  # ours: nobody needs to be told
_QUOTES = ('"""', "'''", '"', "'")


def neutralise(cell: str) -> tuple[str, list[str]]:
    """Replace notebook commands by statements that do nothing, keeping every line in its place.

    Returns:
        The Python text, with as many lines, and the names of the commands found (``%matplotlib``, ``!``,
        ``?``), without those of gdgrade itself.

    Example:
        >>> neutralise("%matplotlib inline\\nx = 1")
        ('# %matplotlib inline\\nx = 1', ['%matplotlib'])
    """
    rows = cell.split("\n")
    found: list[str] = []
    first = next((index for index, row in enumerate(rows) if row.strip()), 0)
    whole = _CELL.match(rows[first])
    if whole:
        found.append(f"%%{whole[1][:30]}")
        if whole[1] not in _PYTHON_BODIES:
            return "\n".join(f"# {row}" for row in rows), found
        rows[first] = f"# {rows[first]}"
    scanner = _Scanner()
    continued = False  # the command above ended with a backslash
    for index, row in enumerate(rows):
        if continued:
            continued = row.endswith("\\")
            rows[index] = f"# {row}"
            continue
        if not scanner.at_statement:
            scanner.feed(row)
            continue
        quiet = _quiet(row)
        if quiet is None:
            scanner.feed(row)
            continue
        rows[index] = quiet
        if not _OWN.match(row):
            found.append(_name(row))
        continued = row.endswith("\\")
    return "\n".join(rows), found


def _quiet(row: str) -> str | None:
    """The row as a statement that does nothing, or None if it is no command."""
    assigned = _ASSIGNED.match(row)
    if assigned:
        names = [name.strip() for name in assigned[2].split(",")]
        return f"{assigned[1]}{' = '.join(names)} = None  # {row.strip()}"
    if _COMMAND.match(row) or _HELP.match(row):
        body = row.lstrip(" \t")
        indent = row[: len(row) - len(body)]
        # Indented, the command may be all that an ``if`` has; at the margin a future import may have to follow it,
        # before which only comments may stand.
        return f"{indent}pass  # {body}" if indent else f"# {body}"
    return None


def _name(row: str) -> str:
    body = row.split("=", 1)[1] if _ASSIGNED.match(row) else row
    magic = re.match(r"^[ \t]*(%{1,2}[A-Za-z_]\w*)", body)
    if magic:
        return magic[1][:32]
    return "!" if body.lstrip().startswith("!") else "?"


class _Scanner:
    """Follows strings, brackets and continuation lines over rows of Python; needs no valid code."""

    def __init__(self) -> None:
        self._depth = 0
        self._quote = ""  # the triple quote that is open
        self._joined = False  # a backslash ended the row above

    @property
    def at_statement(self) -> bool:
        """Whether the next row begins a statement."""
        return self._depth == 0 and not self._quote and not self._joined

    def feed(self, row: str) -> None:
        index = 0
        self._joined = False
        while index < len(row):
            if self._quote:
                index = self._in_string(row, index)
                continue
            char = row[index]
            if char == "#":
                return
            opened = next((quote for quote in _QUOTES if row.startswith(quote, index)), "")
            if opened:
                self._quote = opened
                index += len(opened)
                continue
            if char in "([{":
                self._depth += 1
            elif char in ")]}":
                self._depth = max(0, self._depth - 1)
            elif char == "\\" and index == len(row) - 1:
                self._joined = True
            index += 1
        # A one-line string ends with its row, unless a backslash carries it on.
        if len(self._quote) == 1 and not row.endswith("\\"):
            self._quote = ""

    def _in_string(self, row: str, index: int) -> int:
        """Index after the closing quote, or the end of the row."""
        while index < len(row):
            if row[index] == "\\":
                index += 2
            elif row.startswith(self._quote, index):
                index += len(self._quote)
                self._quote = ""
                return index
            else:
                index += 1
        return index
