"""Slips that no judging shows: what a stub lacks or gives away, checks that ask nobody, texts of the template."""

from __future__ import annotations

import ast
import builtins
import copy
import io
import re
import symtable
import tokenize
import types
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from gdgrade.author.fragments import pieces, squeezed, without_gifts
from gdgrade.author.reading import TextError, read_text
from gdgrade.course.manifest import Course, Exercise
from gdgrade.sourcecode import python_tree

Checks = Mapping[str, Mapping[str, Any]]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
SHOWN = 3  # files that are named where more of them hold the same


def secret_code(reference: ast.Module, stub: ast.Module) -> dict[str, str]:
    """Code of the reference that the stub does not give away, without white space -> as written."""
    given = {squeezed(line) for line in pieces(stub)}
    found = {squeezed(line): line for line in pieces(without_gifts(reference, stub))}
    return {key: line for key, line in found.items() if key not in given}


def in_comments(stub: str, code: Mapping[str, str]) -> Iterator[str]:
    """Code of the reference in the stub's comments; comments on neighbouring lines are read as one."""
    text, first, last = "", 0, -1
    blocks: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(stub).readline):
        if token.type == tokenize.COMMENT:
            line = token.start[0]
            if line != last + 1:
                blocks.append((first, text))
                text, first = "", line
            text, last = text + squeezed(token.string.lstrip("#")), line
    for line, words in [*blocks, (first, text)]:
        for key, piece in code.items():
            if key in words:
                yield f"line {line} of the stub: a comment holds code of the reference: {piece}"


def in_titles(exercise: Exercise, code: Mapping[str, str]) -> Iterator[str]:
    """Code of the reference in the titles of checks, which students read."""
    for path in sorted(exercise.graders_dir.glob("test_*.py")):
        try:
            tree = python_tree(read_text(path))
        except (TextError, SyntaxError):  # told of where the checks are collected
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                title = squeezed((ast.get_docstring(node) or "").split("\n", 1)[0])
                for key, piece in code.items():
                    if key in title:
                        yield f"{path.name}:{node.lineno}: the title holds code of the reference: {piece}"


def never_asking(exercise: Exercise, checks: Checks) -> Iterator[str]:
    """Checks with points that met nothing of the submission: whoever hands in anything gets these.

    A look at a constant (`student.value`, `student.has`) leaves no trace in a check's facts. Checks of files that take
    one are left alone.
    """
    for short, entry in checks.items():
        if entry["points"] and not entry["error"] and entry["enters"] == [] and not entry["calls"]:
            path = exercise.graders_dir / f"test_{short.split('/', 1)[0]}.py"
            text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
            if not re.search(r"\.(has|value|get)\(", text):
                yield f"{short} gives points and never calls the submission"


def names_called(exercise: Exercise, checks: Checks) -> set[str]:
    """Functions and classes of the submission that checks call, by themselves or in what they ship to it.

    Torch calls layers inside a network, so what is entered from outside counts only if a check's text has its name.
    """
    called = {name for entry in checks.values() for name in entry["calls"]}
    entered = {name for entry in checks.values() for name in entry["enters"] or ()}
    paths = exercise.graders_dir.glob("*.py")
    text = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in paths)
    return called | (entered & set(re.findall(r"(?<!reference)\.([A-Za-z]\w*)", text)))


def defined_twice(path: Path) -> Iterator[str]:
    """Checks and mistakes that a later definition of the same name replaces without a word."""
    try:
        tree = python_tree(read_text(path))
    except (TextError, SyntaxError):  # told of where the file is loaded
        return
    for scope in (node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef)):
        seen: dict[str, int] = {}
        for node in scope.body:
            if isinstance(node, Definition) and (node.decorator_list or node.name.startswith(("test_", "Test"))):
                if node.name in seen and not _adds(node):
                    first = f"{path.name}:{seen[node.name]}"
                    yield f"{path.name}:{node.lineno}: {node.name} is defined again, so the one at {first} is lost"
                seen[node.name] = node.lineno


def _adds(node: Definition) -> bool:
    """Whether a second definition belongs to the first one, such as a property's setter."""
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return bool(names & {"setter", "getter", "deleter", "overload", "register"})


def other_signatures(stub: ast.Module, reference: ast.Module, called: AbstractSet[str]) -> Iterator[str]:
    """Functions and classes that checks call and the stub lacks, and those with other parameters than the reference's.

    Helpers of the reference that no check calls are nobody's business, nor are parameters that it adds with a default.
    """
    mine, theirs = _definitions(stub), _definitions(reference)
    bound = {name for node in stub.body for name in _bound(node)}
    for name, node in theirs.items():
        if name in called and name not in bound and "*" not in bound:
            yield f"checks call {name}, which the reference defines and the stub does not"
        if name in mine:
            yield from _other(name, mine[name], node)


def _definitions(tree: ast.Module | ast.ClassDef) -> dict[str, Definition]:
    return {node.name: node for node in tree.body if isinstance(node, Definition) and not node.name.startswith("_")}


def _bound(node: ast.stmt) -> Iterator[str]:
    """Names that a top-level statement of the stub gives a meaning."""
    if isinstance(node, Definition):
        yield node.name
        return
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id
        elif isinstance(inner, ast.alias):
            yield inner.asname or inner.name
        elif isinstance(inner, Definition):
            yield inner.name


def _other(name: str, stub: Definition, reference: Definition) -> Iterator[str]:
    if isinstance(stub, ast.ClassDef) and isinstance(reference, ast.ClassDef):
        methods = {node.name: node for node in stub.body if isinstance(node, ast.FunctionDef)}
        for node in reference.body:
            public = isinstance(node, ast.FunctionDef) and (node.name == "__init__" or not node.name.startswith("_"))
            if public and isinstance(node, ast.FunctionDef) and node.name in methods:
                yield from _other(f"{name}.{node.name}", methods[node.name], node)
    elif not isinstance(stub, ast.ClassDef) and not isinstance(reference, ast.ClassDef):
        mine, theirs = _parameters(stub.args), _parameters(reference.args)
        known = {entry[1] for entry in mine}
        if mine != [entry for entry in theirs if entry[1] in known or entry[2] is None]:
            yield f"{name} takes ({_written(stub)}) in the stub and ({_written(reference)}) in the reference"


def _parameters(given: ast.arguments) -> list[tuple[str, str, object]]:
    """(kind, name, default) of each parameter."""
    places = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(places) - len(given.defaults)) + list(given.defaults)
    found = [("place", argument.arg, _value(default)) for argument, default in zip(places, defaults, strict=True)]
    found += [("many", given.vararg.arg, None)] if given.vararg else []
    pairs = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    found += [("name", argument.arg, _value(default)) for argument, default in pairs]
    found += [("names", given.kwarg.arg, None)] if given.kwarg else []
    return found


def _value(default: ast.expr | None) -> object:
    """Something to compare defaults by: 1e-3 is 0.001, and `None` is not the same as no default."""
    if default is None:
        return None
    try:
        value = ast.literal_eval(default)
    except (ValueError, TypeError):
        return ast.dump(default)
    return (value,) if isinstance(value, int | float | str | bool | None) else ast.dump(default)


def _written(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Parameters as text, without annotations."""
    bare = copy.deepcopy(function.args)
    for node in ast.walk(bare):
        if isinstance(node, ast.arg):
            node.annotation = None
    return ast.unparse(bare)


def undefined_in(path: Path) -> Iterator[str]:
    """Names that functions of a file use and nothing defines: a mistake that ends in NameError is no wrong formula."""
    try:
        text = read_text(path)
        top = symtable.symtable(text, path.name, "exec")
    except (OSError, TextError, SyntaxError):  # told of where the file is loaded
        return
    if "import *" in text:
        return
    known = {symbol.get_name() for symbol in top.get_symbols()} | set(dir(builtins)) | set(vars(types.ModuleType("m")))
    known |= {"__file__"}
    waiting = top.get_children()
    while waiting:
        table = waiting.pop(0)
        waiting += table.get_children()
        for symbol in table.get_symbols():
            name = symbol.get_name()
            if symbol.is_declared_global():
                known.add(name)
            if symbol.is_global() and symbol.is_referenced() and name not in known:
                yield f"{path.name}:{table.get_lineno()}: {table.get_name()} uses {name}, which is not defined"


def template_left(course: Course, exercise: Exercise) -> list[str]:
    """Files of the exercise, with lines, in which the template still says REPLACE; at most a few."""
    planted = course.root / "tests" / "submissions" / exercise.id
    folders = (exercise.folder("exercises"), exercise.reference_path.parent, exercise.graders_dir, planted)
    found = []
    for path in sorted({path for folder in folders for path in folder.glob("*.*") if path.is_file()}):
        if path.suffix in (".py", ".md", ".yml"):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            found += [_place(course.root, path, n) for n, line in enumerate(lines, 1) if _mark(line)][:1]
    return [*found[:SHOWN], *(["..."] if len(found) > SHOWN else [])]


def _mark(line: str) -> bool:
    """Whether the line is a comment of the template's."""
    return re.match(r"\s*(#|<!--) REPLACE:", line) is not None


def _place(root: Path, path: Path, line: int) -> str:
    return f"{path.relative_to(root)}:{line}"
