"""From stub and reference to the cells of a notebook: what is given, and one answer per function or class.

nbgrader replaces the lines between its solution marks by `raise NotImplementedError()`, indented like the first mark.
So a region must begin inside a function; helpers that only the reference has follow within the region of the answer
before them, past the end of its function.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gdgrade.course.errors import CourseError
from gdgrade.sourcecode import python_tree

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
_PART = re.compile(r"(?:exercise|TODO) (\d+\.\d+)\b")
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Answer:
    """One answer cell: the name that it defines, the part that names it in the stub, and the code with its solution."""

    name: str
    part: str | None
    source: str


@dataclass(frozen=True)
class Split:
    """An exercise taken apart: code that is given, answers in the order of the stub, and the stub's docstring."""

    given: str
    answers: tuple[Answer, ...]
    docstring: str


class _Module:
    """Parsed source with access to the lines of each node, and the comments above it."""

    def __init__(self, source: str, name: str) -> None:
        try:
            self.tree = python_tree(source)
        except SyntaxError as error:
            raise CourseError.at(f"{name}:{error.lineno}", f"is not valid Python: {error.msg}.") from None
        self.lines = source.split("\n")
        self.docstring = ast.get_docstring(self.tree) or ""
        self.nodes = self.tree.body[1:] if self.docstring else self.tree.body

    def text(self, first: int, last: int) -> list[str]:
        """Lines first..last, 1-based, both included."""
        return self.lines[first - 1 : last]

    def segments(self, body: Sequence[ast.stmt], begin: int) -> Iterator[tuple[ast.stmt, list[str]]]:
        """Each node with its lines and the comments above it; `begin` is the first line after what came before."""
        for node in body:
            last = node.end_lineno or node.lineno
            yield node, _trimmed(self.text(begin, last))
            begin = last + 1

    def begin(self) -> int:
        """First line after the docstring."""
        return (self.tree.body[0].end_lineno or 0) + 1 if self.docstring else 1


def split(stub: str, reference: str, name: str) -> Split:
    """Take an exercise apart.

    Args:
        stub, reference: sources of the two files.
        name: of the file, for messages.

    Raises:
        CourseError: a file is not Python, or the reference lacks what the stub asks for.
    """
    ours, theirs = _Module(stub, f"stub {name}"), _Module(reference, f"reference {name}")
    asked = {node.name: node for node in ours.nodes if isinstance(node, Definition) and _unwritten(node)}
    if not asked:
        raise CourseError.at(f"stub {name}", "has no function with `raise NotImplementedError`: nothing to answer.")
    given_names = {word for node in ours.nodes for word in _names(node)}
    helpers: dict[str, list[str]] = {word: [] for word in asked}
    current, found = next(iter(asked)), {}
    for node, lines in theirs.segments(theirs.nodes, theirs.begin()):
        if isinstance(node, Definition) and node.name in asked:
            current, found[node.name] = node.name, node
        elif not (_names(node) <= given_names or _future(node)):
            helpers[current] += ["", "", *lines]
    given: list[str] = []
    answers = []
    for node, lines in ours.segments(ours.nodes, ours.begin()):
        if not isinstance(node, Definition) or node.name not in asked:
            given += [*([""] if isinstance(node, Definition) else []), *lines]
            continue
        solution = found.get(node.name)
        if type(solution) is not type(node):
            raise CourseError.at(f"reference {name}", f"has no {node.name}, which the stub asks for.")
        above = lines[: len(lines) - ((node.end_lineno or 0) - _first(node) + 1)]
        source = "\n".join([*above, *_answer(ours, node, theirs, solution, helpers[node.name])]).strip("\n")
        part = _PART.search("\n".join(lines))
        answers.append(Answer(node.name, part[1] if part else None, source))
    return Split("\n".join(given).strip("\n"), tuple(answers), ours.docstring)


def homes(stub: str, name: str) -> dict[str, str | None]:
    """Names that the stub asks for, in its order, and the part that it gives for each."""
    module = _Module(stub, f"stub {name}")
    return {
        node.name: (found[1] if (found := _PART.search("\n".join(lines))) else None)
        for node, lines in module.segments(module.nodes, module.begin())
        if isinstance(node, Definition) and _unwritten(node)
    }


def _answer(
    stub: _Module, node: Definition, reference: _Module, solution: Definition, helpers: Sequence[str]
) -> list[str]:
    """The definition of the stub with the reference's bodies between marks; helpers within the last region."""
    wrapped = [f"{node.name} = {word}({node.name})" for word in _decorators(node, solution)]
    tail = [*(["", ""] if wrapped else []), *wrapped, *helpers]
    if not isinstance(node, ast.ClassDef):
        return _function(stub, node, reference, solution, tail)
    assert isinstance(solution, ast.ClassDef)
    solved = {member.name: member for member in solution.body if isinstance(member, Function)}
    asked = [member for member in node.body if isinstance(member, Function) and _unwritten(member)]
    missing = [member.name for member in asked if member.name not in solved]
    if missing:
        raise CourseError.at(f"reference of {node.name}", f"has no method {missing[0]}, which the stub asks for.")
    known = {word for member in node.body for word in _names(member)}
    extra: list[str] = []
    for member, lines in reference.segments(solution.body, solution.body[0].lineno):
        if not _names(member) <= known:
            extra += ["", *lines]
    rows, begin = [], _first(node)
    for member in asked:
        rows += stub.text(begin, _first(member) - 1)
        last = member is asked[-1]
        rows += _function(stub, member, reference, solved[member.name], [*extra, *tail] if last else [])
        begin = (member.end_lineno or 0) + 1
    return [*rows, *stub.text(begin, node.end_lineno or 0)]


def _function(
    stub: _Module, node: Function, reference: _Module, solution: Definition, tail: Sequence[str]
) -> list[str]:
    """Head and docstring as in the stub, then the reference's body between marks, then the tail."""
    indent = " " * (node.col_offset + 4)
    shown, body = _body(node), _body(solution)
    same = 0  # statements that the stub already has, such as super().__init__()
    while same < min(len(shown), len(body) - 1) and ast.dump(shown[same]) == ast.dump(body[same]):
        same += 1
    kept = shown[same - 1].end_lineno if same else _head(node)
    rows = stub.text(_first(node), kept or 0)
    if not same and shown[0].lineno == kept:  # all in one line
        rows[-1] = rows[-1][: shown[0].col_offset].rstrip()
    rows += [row for row in stub.text((kept or 0) + 1, node.end_lineno or 0) if row.lstrip().startswith("#")]
    after = body[same - 1].end_lineno if same else _head(solution)
    if body[same].lineno <= _head(solution):  # all in one line
        solved = [indent + line for part in body for line in ast.unparse(part).split("\n")]
    else:
        solved = _trimmed(reference.text((after or 0) + 1, solution.end_lineno or 0))
    assert isinstance(solution, Function)
    solved = [*(f"{indent}{word} = {value}" for word, value in _more_parameters(node, solution)), *solved]
    return [*rows, indent + BEGIN, *solved, *tail, (indent if not tail else "") + END]


def _more_parameters(node: Function, solution: Function) -> list[tuple[str, str]]:
    """Parameters with a default that only the solution has: its body needs them, the answer's head must not."""
    known = {part.arg for part in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
    ordinary = [*solution.args.posonlyargs, *solution.args.args]
    defaults = solution.args.defaults
    pairs = [*zip(ordinary[len(ordinary) - len(defaults) :], defaults, strict=True),
             *zip(solution.args.kwonlyargs, solution.args.kw_defaults, strict=True)]  # fmt: skip
    return [(part.arg, ast.unparse(value)) for part, value in pairs if value is not None and part.arg not in known]


def _body(node: Definition) -> list[ast.stmt]:
    return node.body[1:] if ast.get_docstring(node) is not None else node.body


def _head(node: Definition) -> int:
    """Last line of the signature, or of the docstring."""
    if ast.get_docstring(node) is not None:
        return node.body[0].end_lineno or 0
    assert isinstance(node, Function)
    inside: list[ast.expr | ast.arg] = [
        *node.args.args,
        *node.args.kwonlyargs,
        *node.args.defaults,
        *node.decorator_list,
    ]
    ends = [part.end_lineno or 0 for part in inside] + ([node.returns.end_lineno or 0] if node.returns else [])
    last = max([node.lineno, *ends])
    # A closing bracket may stand on a line of its own, before the body.
    return max(last, node.body[0].lineno - 1)


def _first(node: Definition) -> int:
    """First line, decorators included."""
    return min([node.lineno, *(part.lineno for part in node.decorator_list)])


def _decorators(node: Definition, solution: Definition) -> list[str]:
    """Decorators that only the solution has, innermost first."""
    known = {ast.dump(part) for part in node.decorator_list}
    return [ast.unparse(part) for part in reversed(solution.decorator_list) if ast.dump(part) not in known]


def _unwritten(node: ast.stmt) -> bool:
    return any(
        isinstance(inner, ast.Raise) and inner.exc is not None and "NotImplementedError" in ast.dump(inner.exc)
        for inner in ast.walk(node)
    )


def _names(node: ast.stmt) -> set[str]:
    """What a statement at the top defines; for an import the whole statement, since two may bring one name."""
    if isinstance(node, Definition):
        return {node.name}
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {ast.unparse(target) for target in targets}
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return set()
    return {ast.unparse(node)}


def _future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _trimmed(lines: list[str]) -> list[str]:
    """Without empty lines at the ends."""
    while lines and not lines[0].strip():
        lines = lines[1:]
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines
