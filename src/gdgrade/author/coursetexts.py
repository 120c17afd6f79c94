"""The texts of a course that students read, found in its files: what a catalogue of translations must hold.

Graders are read, not run, but for the titles and hints of mistakes, which may be made by code. An f-string is found as
a pattern with named placeholders; `gdgrade.phrases` recognises the finished message by it.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gdgrade.course.manifest import Course
from gdgrade.mistakes import Mistake
from gdgrade.sourcecode import python_tree

LABELS = ("observe", "fork", "label")  # their first argument is a label for the judge
WORDS = ("name", "means")  # keyword arguments in which a single word is a text
MAX_NAME = 32
STUB_SAYS = re.compile(r"NotImplementedError\(.exercise [\d.]+: [\w.]+ is not written yet.\)")


@dataclass(frozen=True)
class Text:
    """One text: the msgid, where it was found, and whether braces in it are placeholders."""

    msgid: str
    place: str
    pattern: bool = False


def exercise_texts(graders: Path, mistakes: Iterable[Mistake] = (), stub: Path | None = None) -> list[Text]:
    """All texts of an exercise's graders, each once, in the order of the files.

    Args:
        graders: the folder of the exercise's checks; also a package's, which holds the public ones only.
        mistakes: whose titles and hints belong to it.
        stub: what students start from; it says which function is not written yet.
    """
    found = [text for path in _modules(graders) for text in module_texts(path)]
    found += [text for path in sorted(graders.glob("*.json")) for text in _calibration_names(path)]
    for mistake in mistakes:
        found += [_plain(mistake.title, "mistakes.py"), _plain(mistake.hint, "mistakes.py")]
    if stub is not None and STUB_SAYS.search(stub.read_text(encoding="utf-8")):
        found.append(Text("exercise {part}: {function} is not written yet", stub.name, True))
    return _once(found)


def course_texts(course: Course) -> list[Text]:
    """Titles of the course, its exercises and their parts."""
    titles = [course.title]
    for exercise in course.exercises:
        titles += [exercise.title, *(part.title for part in exercise.parts)]
    return _once(_plain(title, course.file.name) for title in titles)


def _modules(graders: Path) -> list[Path]:
    """The files of checks and what they import from beside them: no message comes from elsewhere."""
    found: set[Path] = set()
    todo = sorted(graders.glob("test_*.py"))
    while todo:
        path = todo.pop()
        if path in found or not path.is_file():
            continue
        found.add(path)
        for node in ast.walk(python_tree(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            todo += [graders / f"{name}.py" for name in names]
    return sorted(found)


def module_texts(path: Path) -> Iterator[Text]:
    """Titles of the checks of one file, and its strings of two words or more."""
    tree = python_tree(path.read_text(encoding="utf-8"))
    if path.name.startswith("test_"):
        for check in tree.body:
            if isinstance(check, ast.FunctionDef) and check.name.startswith("test_"):
                lines = (ast.get_docstring(check) or check.name.removeprefix("test_").replace("_", " ")).splitlines()
                yield _plain(lines[0].strip(), path.name)
    unread = _unread(tree)
    short = _words(tree)
    for node in _strings(tree, unread):
        if isinstance(node, ast.JoinedStr):
            text = Text(pattern_of(node), path.name, True)
            short |= {id(inner) for inner in _choices(node)}
        else:
            text = _plain(str(node.value), path.name)
        if _is_text(text.msgid, 1 if id(node) in short else 2):
            yield text


def pattern_of(node: ast.JoinedStr) -> str:
    """The f-string as a format string with named placeholders.

    Example:
        >>> pattern_of(ast.parse('f"{len(z)} codes, {100 * share:.1f} %"', mode="eval").body)
        '{len_z} codes, {share} %'
    """
    names: dict[str, str] = {}  # expression -> placeholder
    pieces = []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            source = ast.unparse(part.value)
            if source not in names:
                names[source] = _free(_placeholder(source), set(names.values()))
            pieces.append("{" + names[source] + "}")
        elif isinstance(part, ast.Constant):
            pieces.append(_escaped(str(part.value)))
    return "".join(pieces).strip()


def _placeholder(source: str) -> str:
    name = re.sub(r"^[\d_]+", "", re.sub(r"[\W_]+", "_", source)).strip("_")
    return name if name and len(name) <= MAX_NAME else "value"


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}{number}"
    return free


def _plain(text: str, place: str) -> Text:
    return Text(_escaped(text.strip()), place)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _is_text(msgid: str, least: int) -> bool:
    """Whether it has enough words, placeholders counted; a word alone must be an ordinary one, not a name in code."""
    words = re.findall(r"[^\W\d_]{2,}", re.sub(r"\{\w+\}", " ", msgid))
    if " " in msgid:
        return bool(words)
    return least == 1 and re.fullmatch(r"[a-z]{2,}(-[a-z]+)*", msgid) is not None


def _strings(node: ast.AST, unread: set[int]) -> Iterator[ast.Constant | ast.JoinedStr]:
    """Strings in the order of the source; those inside an f-string's expressions too, its own pieces not."""
    if id(node) in unread:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    elif isinstance(node, ast.JoinedStr):
        yield node
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _strings(part.value, unread)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _strings(child, unread)


def _unread(tree: ast.Module) -> set[int]:
    """Nodes in which no text for students stands: docstrings, keys, labels, and what is compared."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(id(first))
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in LABELS:
                found.update(id(argument) for argument in node.args[:1])
        if isinstance(node, ast.FunctionDef):  # a table of the module may have texts as keys
            tables = (inner for inner in ast.walk(node) if isinstance(inner, ast.Dict))
            found.update(id(key) for table in tables for key in table.keys if isinstance(key, ast.Constant))
        elif isinstance(node, ast.Subscript):
            found.add(id(node.slice))
        elif isinstance(node, ast.Compare):
            found.update(id(side) for side in (node.left, *node.comparators))
    return found


def _words(tree: ast.Module) -> set[int]:
    """Strings that are texts even as a single word: names and meanings of results."""
    return {
        id(keyword.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg in WORDS
    }


def _choices(node: ast.JoinedStr) -> Iterator[ast.expr]:
    """Strings between which an f-string's expression chooses: {'bias' if last else 'weight'}."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.IfExp):
            yield from (inner.body, inner.orelse)


def _calibration_names(path: Path) -> Iterator[Text]:
    data = json.loads(path.read_text(encoding="utf-8"))
    entries = data.get("calibrations", {}) if isinstance(data, dict) else {}
    yield from (_plain(entry["name"], path.name) for entry in entries.values())


def _once(texts: Iterable[Text]) -> list[Text]:
    """Each msgid once; a pattern that is a plain text elsewhere too stays a pattern."""
    found: dict[str, Text] = {}
    for text in texts:
        if text.msgid and (text.msgid not in found or text.pattern):
            found[text.msgid] = text
    return list(found.values())
