"""Automatic mutants of a reference: one small change each, as complete source files to be handed in.

A mutant that no check fails is either the same function in other words (an equivalent mutant) or a hole in the checks.
Equivalent ones are proven so by `gdgrade.author.lab_equivalence`, or listed by hand in
``graders/<exercise>/equivalent_mutants.yml``::

    - function: langevin_sample
      line: "x = x0"         # left out: this change wherever it is in the function
      change: "..."          # as the report names it; left out: every change of that line
      reason: why no check can tell
"""

from __future__ import annotations

import ast
import difflib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gdgrade.author.mutation import OPERATORS, SCALED
from gdgrade.author.reading import TextError, read_text
from gdgrade.sourcecode import python_tree, strip_docstrings


@dataclass(frozen=True)
class Mutant:
    """One changed reference.

    Attributes:
        function: top-level function or class in which the change lies.
        line: 1-based line of the reference; before: that line, stripped.
        change: what was done, in a few words.
        source: the whole changed file; diff: against the (equally formatted) reference.
    """

    function: str
    line: int
    before: str
    change: str
    source: str
    diff: str

    @property
    def name(self) -> str:
        return f"{self.function}:{self.line} {self.change}"


@dataclass(frozen=True)
class Excused:
    """An entry of equivalent_mutants.yml: a change that is no fault, and why."""

    function: str
    line: str | None
    change: str | None
    reason: str

    def __str__(self) -> str:
        where = "" if self.line is None else f", line {self.line!r}"
        return f"function {self.function}{where}" + ("" if self.change is None else f", change {self.change!r}")

    def covers(self, mutant: Mutant) -> bool:
        code = mutant.before.partition("#")[0]  # a remark behind the line need not be copied
        here = self.line is None or self.line.split() in (mutant.before.split(), code.split())
        return self.function == mutant.function and here and self.change in (None, mutant.change)


class ExcusesError(ValueError):
    """equivalent_mutants.yml is not of the documented form."""


def mutants_of(source: str, library: str = "torch") -> list[Mutant]:
    """Every mutant of a module's functions and methods, in order of the lines; each source text once.

    Args:
        library: of the course's arrays; only torch's can be cut off from autograd, all others would just break.

    Raises:
        SyntaxError: the source is not Python.
    """
    tree = python_tree(source)
    strip_docstrings(tree)
    lines, found = source.splitlines(), []
    pieces = [ast.unparse(node) for node in tree.body]
    for number, owner in enumerate(tree.body):
        if not isinstance(owner, ast.FunctionDef | ast.ClassDef):
            continue
        seen = {pieces[number]}
        is_class = isinstance(owner, ast.ClassDef)  # the size of what a layer gives is up to who designs the network
        for place in _places(owner):
            for change, other in OPERATORS[type(place.node)](place.node):
                text = place.unparsed(owner, other)
                senseless = library != "torch" if change == "detach added" else change == SCALED and is_class
                if text is None or text in seen or senseless:
                    continue
                seen.add(text)
                line = getattr(place.node, "lineno", owner.lineno)
                whole = "\n\n\n".join([*pieces[:number], text, *pieces[number + 1 :]]) + "\n"
                diff = _diff(pieces[number], text)
                found.append(Mutant(owner.name, line, lines[line - 1].strip(), change, whole, diff))
    return sorted(found, key=lambda mutant: mutant.line)


def sample(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """A fixed choice: in turn one of each function, so that none is left out; all of them if there are few."""
    if len(mutants) <= count:
        return list(mutants)
    rng = random.Random(seed)  # noqa: S311 - a choice, no secret
    groups: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        groups.setdefault(mutant.function, []).append(mutant)
    for group in groups.values():
        rng.shuffle(group)
    chosen: list[Mutant] = []
    while len(chosen) < count:
        for group in groups.values():
            if group and len(chosen) < count:
                chosen.append(group.pop())
    return sorted(chosen, key=lambda mutant: mutant.line)


def read_excuses(path: Path) -> list[Excused]:
    """The mutants that the author excuses; none if there is no such file.

    Raises:
        ExcusesError: the file is no list in YAML and UTF-8, or an entry lacks a field or gives no reason.
    """
    if not path.is_file():
        return []
    import yaml

    try:
        entries = yaml.safe_load(read_text(path)) or []
    except TextError as error:
        raise ExcusesError(f"{path.name} {error}") from error
    except yaml.YAMLError as error:
        raise ExcusesError(f"{path.name} is not YAML: {error}") from error
    if not isinstance(entries, list):
        raise ExcusesError(f"{path.name} must be a list of entries, each with function, reason, and line or change")
    return [_excused(path, number, entry) for number, entry in enumerate(entries, 1)]


def stale(excuses: Sequence[Excused], mutants: Sequence[Mutant]) -> list[str]:
    """Entries that cover no mutant: the reference was changed since, or there is a slip in them.

    Args:
        mutants: all of the reference, not a sample.
    """
    lines: dict[str, list[str]] = {}
    for mutant in mutants:
        lines.setdefault(mutant.function, []).append(mutant.before.partition("#")[0].strip())
    problems = []
    for number, entry in enumerate(excuses, 1):
        if any(entry.covers(mutant) for mutant in mutants):
            continue
        near = difflib.get_close_matches(entry.line or "", lines.get(entry.function, ()), 1)
        hint = f"; the nearest line is {near[0]!r}" if near and near[0] != entry.line else ""
        problems.append(f"equivalent_mutants.yml, entry {number} ({entry}) excuses nothing{hint}; correct or delete it")
    return problems


@dataclass(frozen=True)
class _Place:
    """Where a node hangs: a field of its parent, or an item of a list there."""

    parent: ast.AST
    field: str
    index: int | None
    node: ast.AST

    def _put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node

    def unparsed(self, owner: ast.AST, other: ast.AST) -> str | None:
        """The owner's text with `other` in this place; None if that is no Python."""
        self._put(ast.fix_missing_locations(ast.copy_location(other, self.node)))
        try:
            text = ast.unparse(owner)
            compile(text, "<mutant>", "exec")
        except (ValueError, SyntaxError, TypeError, AttributeError):
            return None
        finally:
            self._put(self.node)
        return text


def _places(owner: ast.AST) -> Iterator[_Place]:
    """Nodes that have an operator; annotations, error branches and messages are left alone."""
    for field, value in list(ast.iter_fields(owner)):
        if field in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        single = not isinstance(value, list)
        for index, node in enumerate([value] if single else list(value)):
            if not isinstance(node, ast.AST) or isinstance(node, ast.Raise | ast.JoinedStr) or _only_raises(node):
                continue
            if type(node) in OPERATORS:
                yield _Place(owner, field, None if single else index, node)
            yield from _places(node)


def _only_raises(node: ast.AST) -> bool:
    """An `if` that guards against wrong arguments: exercises do not grade it."""
    return isinstance(node, ast.If) and all(isinstance(entry, ast.Raise) for entry in node.body) and not node.orelse


def _diff(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "reference", "mutant", lineterm="", n=1)
    return "\n".join(lines)


def _excused(path: Path, number: int, entry: object) -> Excused:
    where = f"{path.name}, entry {number}"
    if not isinstance(entry, dict) or set(entry) - {"function", "line", "change", "reason"}:
        raise ExcusesError(f"{where}: an entry has function, reason, and line or change or both")
    texts = {key: value for key, value in entry.items() if isinstance(value, str) and value.strip()}
    missing = [key for key in ("function", "reason") if key not in texts]
    missing += [] if texts.keys() & {"line", "change"} else ["line or change"]
    if missing:
        raise ExcusesError(f"{where}: {', '.join(missing)} is missing")
    return Excused(texts["function"], texts.get("line"), texts.get("change"), texts["reason"])
