"""Statements at the top level of a source, and the names that they bind, read and change. Nothing is run."""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
IMPORTING = (ast.Import, ast.ImportFrom)
# Calls that set up a library for all that follows: torch.set_default_dtype, np.random.seed, warnings.simplefilter.
_SETTING = re.compile(r"^(set|use)_|^(seed|manual_seed|seterr|filterwarnings|simplefilter)$")
_AT_ONCE = ("listcomp", "setcomp", "dictcomp", "genexpr")  # scopes of their own that run where they stand


@dataclass(frozen=True)
class Statement:
    """One statement at the top level, and the names in it.

    Attributes:
        rows: its text, from `line` on.
        binds: names that it assigns, defines or imports.
        now: names that it reads when it runs.
        later: names that its functions read when they are called.
        assigned_into: names whose value gets an item or an attribute.
        called_on: names of which a method is called for its effect; of these `set_up` by a setting of a library.
        definite: whether it surely binds all of `binds`.
        calls: whether it calls anything while it runs.
    """

    node: ast.stmt
    line: int
    rows: tuple[str, ...]
    binds: frozenset[str]
    now: frozenset[str]
    later: frozenset[str]
    assigned_into: frozenset[str]
    called_on: frozenset[str]
    set_up: frozenset[str]
    definite: bool
    calls: bool

    @property
    def reads(self) -> frozenset[str]:
        return self.now | self.later


def statements_of(tree: ast.Module, source: str) -> list[Statement]:
    """All of them, in order, but those that do not compile as part of a module, such as a bare ``await``."""
    lines = source.split("\n")
    return [statement for node in tree.body for statement in _statement(node, lines)]


def _statement(node: ast.stmt, lines: Sequence[str]) -> Iterator[Statement]:
    rows, line = _rows(node, lines)
    names = _names("\n".join(rows))
    if names is None:  # it parses but does not compile, such as an `await` outside of a function
        return
    binds, now, later = names
    inner = list(_at_top(node))
    yield Statement(
        node,
        line,
        rows,
        binds,
        now
        | {part.target.id for part in inner if isinstance(part, ast.AugAssign) and isinstance(part.target, ast.Name)},
        later,
        assigned_into=frozenset(name for part in inner for name in _assigned_into(part)),
        called_on=frozenset(name for part in inner for name in _called_on(part, setting=False)),
        set_up=frozenset(name for part in inner for name in _called_on(part, setting=True)),
        definite=isinstance(node, (*DEFINING, *IMPORTING, ast.Assign))
        or (isinstance(node, ast.AnnAssign) and node.value is not None),
        calls=any(isinstance(part, ast.Call) for part in inner) or bool(getattr(node, "decorator_list", None)),
    )


def _rows(node: ast.stmt, lines: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """The text of a statement, and its first line: of a decorated function, that of the decorator."""
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
    last = node.end_lineno or first
    rows = list(lines[first - 1 : last])
    if not isinstance(node, DEFINING) and rows:  # others may share a line with their neighbours: a = 1; b = 2
        rows[-1] = rows[-1].encode()[: node.end_col_offset].decode()
        rows[0] = rows[0].encode()[node.col_offset :].decode()
    return tuple(rows), first


def _names(text: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]] | None:
    """Names that a statement binds, reads at once, and reads when its functions are called."""
    try:
        top = symtable.symtable(text, "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return None
    binds = frozenset(s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported())
    now: set[str] = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    later: set[str] = set()

    def visit(table: symtable.SymbolTable, found: set[str]) -> None:
        for child in table.get_children():
            runs_here = child.get_type() == "class" or child.get_name() in _AT_ONCE
            names = found if runs_here else later
            names.update(s.get_name() for s in child.get_symbols() if s.is_global())  # `global n; n += 1` too
            visit(child, names)

    visit(top, now)
    return binds, frozenset(now), frozenset(later)


def _at_top(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it that run where they stand: not the bodies of functions."""
    yield node
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _at_top(child)


def _base(node: ast.AST) -> str | None:
    """x of ``x.a[0].b``."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _assigned_into(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
        base = _base(node)
        if base is not None:
            yield base
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr" and node.args:
        base = _base(node.args[0])
        if base is not None:
            yield base


def _called_on(node: ast.AST, *, setting: bool) -> Iterator[str]:
    """x of the statement ``x.append(1)``; with `setting` only of such as ``x.random.seed(0)``."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        base = _base(node.value.func)
        if base is not None and (not setting or _SETTING.search(node.value.func.attr)):
            yield base


def packages_of(node: ast.stmt) -> set[str]:
    """torch of ``import torch.nn as nn`` and of ``from torch.nn import Linear``."""
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").split(".")[0]}
    return {alias.name.split(".")[0] for alias in node.names} if isinstance(node, ast.Import) else set()
