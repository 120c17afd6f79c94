"""What of a notebook is judged: the definitions that an exercise asks for, and all that they need.

A notebook trains, plots and tries things out between its definitions. To judge its functions none of that has to run
again, and what fails there says nothing about them. So the statements at the top level of the cells are cut back to
those that the wanted names depend on: a backward slice over names, read from the syntax tree; nothing is run.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gdgrade.course.statements import DEFINING, IMPORTING, Statement, packages_of, statements_of
from gdgrade.sourcecode import python_tree

if TYPE_CHECKING:
    from gdgrade.course.manifest import Exercise

Holds = Callable[[str, int, str], bool | None]
"""(name, line, text of a statement that binds it) -> whether the name still stands for that; None: cannot be told."""


@dataclass(frozen=True)
class Asked:
    """Names that an exercise asks for.

    Attributes:
        functions: a function or class of one of these names is wanted.
        values: whatever is assigned to one of these names is wanted.
    """

    functions: frozenset[str]
    values: frozenset[str]

    @classmethod
    def names(cls, *names: str) -> Asked:
        """Just these."""
        return cls(frozenset(names), frozenset(names))


def asked_by(exercise: Exercise) -> Asked:
    """Every word of the exercise's checks may be the name of a function: one too many costs nothing, one too few a
    student's points. Of other values only those that checks read from ``student``, or that the stub has."""
    words: set[str] = set()
    read: set[str] = set()
    for path in sorted(exercise.graders_dir.rglob("*.py")):
        text = _text(path)
        words.update(re.findall(r"[^\W\d]\w*", text))
        read.update(re.findall(r"\bstudent\.([^\W\d]\w*)", text))
    try:
        stub = python_tree(_text(exercise.entry_path))
    except (SyntaxError, ValueError, RecursionError):
        stub = ast.Module([], [])
    defined = {statement.name for statement in stub.body if isinstance(statement, DEFINING)}
    return Asked(frozenset(words | defined), frozenset(read | defined))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@dataclass(frozen=True)
class Slice:
    """The statements that were kept.

    Attributes:
        rows: (line of the source, its text), in order; lines of other statements are not among them.
        names: wanted names that the kept statements define -> line of the definition in force.
    """

    rows: tuple[tuple[int, str], ...]
    names: dict[str, int]

    def in_place(self, source: str) -> str:
        """The source with all other statements as comments: every line stays where it was."""
        kept = dict(self.rows)
        return "\n".join(
            kept.get(number, row if not row.strip() or row.lstrip().startswith("#") else f"# {row}")
            for number, row in enumerate(source.split("\n"), start=1)
        )


def definitions(
    source: str, asked: Asked, *, missing: Callable[[str], bool] | None = None, holds: Holds | None = None
) -> Slice | None:
    """Cut a source back to what the asked names need.

    Kept are, in their order: functions, classes, imports and assignments that define an asked name or a name that
    these read, however deep; statements that change a kept value (``CONFIG["n"] = 3``, ``LEVELS.append(1)``,
    ``Net.forward = f``); and settings of a needed library (``torch.set_default_dtype``). Of several definitions of a
    name only those are kept that something can still see. A value that a call changes from within, such as
    ``fill(TABLE)``, stays as it was assigned: calls for their effect are what must not run again.

    Args:
        source: Python text that parses, cells one after the other.
        asked: the wanted names.
        missing: says of a package whether it is not there; such an import is kept although nothing needs it, and fails
            as it would in a file. None: it is left out.
        holds: says of a name and the statement that bound it whether it is in force; one that is not is dropped.

    Returns:
        None if the source does not parse.
    """
    try:
        tree = python_tree(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    statements = statements_of(tree, source)
    if holds is not None:
        statements = [statement for statement in statements if _in_force(statement, holds)]
    web = _Web(statements)
    wanted = {name for statement in statements for name in statement.binds if _is_wanted(name, statement, asked)}
    needed = web.closure(wanted)
    needed = web.closure(needed | web.settings_for(needed))
    unknown = needed.difference(dir(builtins), *(statement.binds for statement in statements))
    kept = [s for s in statements if web.effects(s) & needed or _is_kept_import(s.node, bool(unknown), missing)]
    kept = _without_superseded(kept)
    rows: dict[int, str] = {}
    for statement in kept:
        for number, row in enumerate(statement.rows, start=statement.line):
            rows[number] = f"{rows[number]}; {row}" if number in rows else row
    names = {name: statement.line for statement in kept for name in statement.binds if name in wanted}
    return Slice(tuple(sorted(rows.items())), names)


def _in_force(statement: Statement, holds: Holds) -> bool:
    text = "\n".join(statement.rows)
    verdicts = [holds(name, statement.line, text) for name in statement.binds]
    return not verdicts or any(verdict is not False for verdict in verdicts)


def _is_wanted(name: str, statement: Statement, asked: Asked) -> bool:
    node = statement.node
    function = isinstance(node, DEFINING) or (
        isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Lambda | ast.Name | ast.Attribute)
    )
    return name in (asked.functions if function else asked.values)


def _is_kept_import(node: ast.stmt, unknown: bool, missing: Callable[[str], bool] | None) -> bool:
    """Imports that fail; and, where something needed is not known by name, those that do not tell what they bind."""
    if not isinstance(node, IMPORTING):
        return False
    future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
    star = unknown and any(alias.name == "*" for alias in node.names)
    return future or star or (missing is not None and any(map(missing, packages_of(node))))


class _Web:
    """Which statements have an effect on which names."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        fixed = {name for s in statements if isinstance(s.node, (*DEFINING, *IMPORTING)) for name in s.binds}
        self._values = {name for s in statements for name in s.binds} - fixed
        self._by_name: dict[str, list[Statement]] = {}
        for statement in statements:
            for name in self.effects(statement):
                self._by_name.setdefault(name, []).append(statement)

    def effects(self, statement: Statement) -> frozenset[str]:
        """Names that the statement binds or whose values it changes.

        A method may change a value, but a module or a class is only set up by its calls: plt.plot(...) and
        Net.demo() are what a notebook does besides.
        """
        return statement.binds | statement.assigned_into | statement.set_up | (statement.called_on & self._values)

    def settings_for(self, needed: set[str]) -> set[str]:
        """Names of the modules that are set up and from which something needed was imported, by whatever name."""
        modules: dict[str, set[str]] = {}  # name -> packages that it was imported from
        for name, statements in self._by_name.items():
            modules[name] = {package for s in statements if name in s.binds for package in packages_of(s.node)}
        used = {package for name in needed for package in modules.get(name, ())}
        set_up = {name for statements in self._by_name.values() for s in statements for name in s.set_up}
        return {name for name in set_up if modules.get(name, set()) & used}

    def closure(self, names: Iterable[str]) -> set[str]:
        """The names, and all that the statements behind them read, and so on."""
        reached = set(names)
        open_names = list(reached)
        while open_names:
            for statement in self._by_name.get(open_names.pop(), ()):
                fresh = statement.reads - reached
                reached |= fresh
                open_names += fresh
        return reached


def _without_superseded(kept: Sequence[Statement]) -> list[Statement]:
    """Leave out what is bound again before anything reads it: the same cell run ten times, a training repeated."""
    web = _Web(kept)
    left: list[Statement] = []
    rebound: dict[str, str] = {}  # name -> what binds it anew further down, with no reader in between
    for statement in reversed(kept):
        # `import a.b` and `import a` both bind `a`, and both count: only the same import stands for an import.
        text = ast.dump(statement.node) if isinstance(statement.node, IMPORTING) else ""
        binding = bool(statement.binds) and statement.definite and not statement.assigned_into
        if binding and all(name in rebound and (not text or rebound[name] == text) for name in statement.binds):
            continue
        if binding:
            rebound.update(dict.fromkeys(statement.binds, text))
        read = web.closure(statement.now) if statement.calls else statement.now
        for name in read | statement.assigned_into | statement.called_on:
            rebound.pop(name, None)
        left.append(statement)
    return left[::-1]
