"""What a stub asks for, part by part, and putting stubs back: whole, or one part's functions cut out and in.

A stub marks each thing to write by a comment ``# TODO 5.2: ...`` in the function or method that it belongs to, or at
least by its error, ``raise NotImplementedError("exercise 5.2: ...")``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gdgrade.course.manifest import Exercise
from gdgrade.sourcecode import python_tree
from gdgrade.workspace.progress import FOLDER

_TODO = re.compile(rb"^\s*#\s*TODO\s+([\w.]*\w)\s*:?\s*(.*)$")
_RAISE = re.compile(rb"^\s*raise\s+NotImplementedError\(\s*f?[\"']exercise\s+([\w.]*\w)\s*:")
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|$)")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class StubError(Exception):
    """A stub cannot be put back; the text says why and what to do."""


class NotPythonError(StubError):
    """A student's file cannot be read as Python; the text is where and why."""


@dataclass(frozen=True)
class Task:
    """One thing to write.

    Attributes:
        part: such as "5.2".
        name: of the function, or ``Class.method``.
        todo: what the comment says; empty where there is none.
        line: of the comment, else of the error, 1-based.
    """

    part: str
    name: str
    todo: str
    line: int


def pristine(exercise: Exercise, root: Path) -> bytes | None:
    """The stub as it was released: kept by ``start``; in the course's own checkout the file itself."""
    kept = root / FOLDER / "stubs" / exercise.id / exercise.entry
    for path in (kept, exercise.entry_path if exercise.reference_path.is_file() else kept):
        if path.is_file():
            return path.read_bytes()
    return None


def tasks(source: bytes) -> list[Task]:
    """Everything a stub asks for, in its order; empty for text that is not Python."""
    tree = _parsed(source)
    if tree is None:
        return []
    named = list(_definitions(tree, ""))
    found: list[Task] = []
    for number, line in enumerate(_lines(source), 1):
        text = line.rstrip(b"\r\n")
        mark = _TODO.match(text) or _RAISE.match(text)
        if mark is None:
            continue
        around = [(node, name) for node, name in named if node.lineno <= number <= (node.end_lineno or 0)]
        if around:
            _, name = max(around, key=lambda entry: entry[0].lineno)
            if name.endswith(".__init__"):
                name = name.removesuffix(".__init__")
            part, todo = mark[1].decode(), mark[2].decode("utf-8", "replace") if mark.re is _TODO else ""
            if todo or not any((task.part, task.name) == (part, name) for task in found):
                found.append(Task(part, name, todo, number))
    return found


def line_of(source: bytes, task: Task) -> int | None:
    """Where a student finds the task in a file that has changed: its comment, else its function; 1-based."""
    number = None
    for place, line in enumerate(_lines(source), 1):
        mark = _TODO.match(line.rstrip(b"\r\n"))
        if mark is not None and mark[1].decode() == task.part and mark[2].decode("utf-8", "replace") == task.todo:
            return place
        first = task.name.split(".")[-1].encode()
        if number is None and re.match(rb"\s*(?:async\s+)?(?:def|class)\s+" + re.escape(first) + rb"\b", line):
            number = place
    return number


def with_part_reset(source: bytes, stub: bytes, part: str) -> tuple[bytes, list[str]]:
    """A file with one part's functions and classes as in the stub; every other byte stays.

    Args:
        source: the student's file.
        stub: as released.
        part: such as "5.2".

    Returns:
        The new file, and the names that were put back. A definition that the file lacks is added at its end.

    Raises:
        StubError: the stub has nothing of that part.
        NotPythonError: the file is not Python as it stands.
    """
    wanted = {task.name.split(".")[0] for task in tasks(stub) if task.part == part}
    stub_tree, tree = _parsed(stub), _parsed(source)
    if not wanted or stub_tree is None:
        raise StubError("has no function of its own")
    if tree is None:
        raise NotPythonError(_syntax(source))
    newline = b"\r\n" if b"\r\n" in source else b"\n"
    lines, stub_lines = _lines(source), _lines(stub)
    names, added = [], b""
    pieces: list[tuple[int, int, bytes]] = []
    for node in stub_tree.body:
        if not isinstance(node, Definition) or node.name not in wanted:
            continue
        first, last = _range(node)
        text = newline.join(line.rstrip(b"\r\n") for line in stub_lines[first - 1 : last]) + newline
        names.append(node.name)
        # The last definition of a name is the one that counts.
        there = [other for other in tree.body if isinstance(other, Definition) and other.name == node.name]
        if there:
            pieces.append((*_range(there[-1]), text))
        else:
            added += newline + newline + text
    for first, last, text in sorted(pieces, reverse=True):
        if not lines[last - 1].endswith((b"\n", b"\r")):
            text = text.rstrip(b"\r\n")
        lines[first - 1 : last] = [text]
    result = b"".join(lines)
    if added and result and not result.endswith((b"\n", b"\r")):
        result += newline
    return result + added, names


def back_up(path: Path, now: datetime) -> Path:
    """Copy a file beside itself under a dated name that is not taken.

    Raises:
        OSError: it cannot be read or the copy not written.
    """
    stamp = now.strftime("%Y-%m-%d_%H%M%S")
    content = path.read_bytes()
    for attempt in range(1, 1000):
        copy = path.with_name(f"{path.name}.{stamp}{'' if attempt == 1 else f'-{attempt}'}.bak")
        try:
            with copy.open("xb") as stream:
                stream.write(content)
        except FileExistsError:
            continue
        return copy
    raise FileExistsError(f"{path.name}.{stamp}.bak")


def replace(path: Path, content: bytes) -> None:
    """Write a file as a whole, or not at all."""
    part = path.with_name(f".{path.name}.new")
    part.write_bytes(content)
    part.replace(path)


def _parsed(source: bytes) -> ast.Module | None:
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a student's "\d" is no news here
            return python_tree(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _syntax(source: bytes) -> str:
    try:
        python_tree(source)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error)
    return ""


def _definitions(node: ast.AST, prefix: str) -> Iterator[tuple[Definition, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            yield child, prefix + child.name
            yield from _definitions(child, f"{prefix}{child.name}.")


def _range(node: Definition) -> tuple[int, int]:
    """First and last line, decorators included; 1-based."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return first, node.end_lineno or node.lineno


def _lines(source: bytes) -> list[bytes]:
    """Lines with their ends, cut where Python cuts them; str.splitlines knows more ends than Python does."""
    return [line for line in _LINE.findall(source) if line]
