"""Read YAML into plain data and remember the line of every value.

The composer of PyYAML gives nodes with positions; this module turns them into dicts, lists and scalars
itself, so that no
constructor ever runs: tags are refused, aliases are counted, numbers mean what they look like.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from gdgrade.course.errors import CourseError, Issue
from gdgrade.report.text import clean_text

Path = tuple[str | int, ...]  # ("exercises", 4, "parts", 1, "points")

MAX_DEPTH = 20
MAX_VALUES = 20_000  # of the unfolded document: nine aliases of nine aliases of ... end here
_PLAIN = "tag:yaml.org,2002:"
_TEXT_TAGS = {_PLAIN + "str", _PLAIN + "timestamp", _PLAIN + "value"}
_TRUE, _FALSE = {"true", "yes", "on"}, {"false", "no", "off"}


@dataclass
class Tree:
    """A document as plain data.

    Attributes:
        data: dicts, lists, str, int, float, bool, None. Dates stay text.
        lines: 1-based line of each value; of the key for values of mappings.
        raw: text of each scalar as written, so that 5.10 is not shown as 5.1.
        issues: what is wrong with the document itself; it was read on as far as possible.
        spoiled: paths whose value could not be read; nothing more need be said about them.
    """

    data: object = None
    lines: dict[Path, int] = field(default_factory=dict)
    raw: dict[Path, str] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    spoiled: set[Path] = field(default_factory=set)

    def line(self, path: Path) -> int:
        """Line of the value, or of the nearest value around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def key_text(path: Path) -> str:
    """``exercises[4].parts[1].points``.

    Example:
        >>> key_text(("exercises", 4, "points"))
        'exercises[4].points'
    """
    out = ""
    for step in path:
        out += f"[{step}]" if isinstance(step, int) else f".{clean_text(step, 60)}"
    return out.removeprefix(".")


def read_tree(text: str, file: str) -> Tree:
    """Parse a YAML document.

    Args:
        text: the document.
        file: its name for messages.

    Raises:
        CourseError: if it is no YAML, holds no mapping, or is a bomb of aliases or brackets. What can be told
            value by value (duplicate keys, tags) is collected in ``Tree.issues`` instead.
    """
    try:
        node = _compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise CourseError.at(file, _explain(error), line=mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"character U+{ord(text[error.position]):04X} is not allowed in YAML. Delete it."
        raise CourseError.at(file, message, line=line) from None
    except (ValueError, OverflowError):  # chr() of an escape like "\UFFFFFFFF"
        raise CourseError.at(file, "is not valid YAML: an escape in quotes names no character.") from None
    if node is None:
        raise CourseError.at(file, "is empty. Start from the course.yml of another course.")
    if not isinstance(node, yaml.MappingNode):
        raise CourseError.at(file, "must be a mapping of keys such as 'course:' and 'exercises:'.", line=1)
    tree = Tree()
    tree.data = _Walker(tree, file).value(node, ())
    return tree


class _TooDeepError(yaml.MarkedYAMLError):
    pass


class _Composer(yaml.SafeLoader):
    """Stops at a depth where no course is any more, long before Python's own stack would overflow."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # missing in the stubs
            raise _TooDeepError(problem=f"values are nested more than {MAX_DEPTH} deep", problem_mark=mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _compose(text: str) -> yaml.Node | None:
    loader = _Composer(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _explain(error: yaml.MarkedYAMLError) -> str:
    problem = clean_text(error.problem or error.context or "it cannot be read", 200)
    advice = {
        "found character '\\t' that cannot start any token": "Indent with spaces, not with a tab.",
        "mapping values are not allowed here": "Put a text that holds a colon in quotes, and align the keys.",
        "but found another document": "Keep one document: delete the line '---'.",
        "could not determine a constructor": "Use plain values only.",
    }
    for words, advised in advice.items():
        if words in (error.problem or ""):
            return f"is not valid YAML: {problem}. {advised}"
    return f"is not valid YAML: {problem}."


class _Walker:
    def __init__(self, tree: Tree, file: str) -> None:
        self._tree = tree
        self._file = file
        self._values = 0
        self._open: set[int] = set()  # ids of the collections around the present one

    def value(self, node: yaml.Node, path: Path) -> object:
        self._values += 1
        line = node.start_mark.line + 1
        if self._values > MAX_VALUES:
            message = f"unfolds to more than {MAX_VALUES} values: write aliases (*name) out, or use fewer."
            raise CourseError.at(self._file, message, line=line)
        self._tree.lines.setdefault(path, line)
        if id(node) in self._open:
            self._spoil(path, line, "an alias (*name) that contains itself. Write the value out.")
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path, line)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode) and node.tag == _PLAIN + "seq":
                return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
            if isinstance(node, yaml.MappingNode) and node.tag == _PLAIN + "map":
                return dict(self._pairs(node, path))
        finally:
            self._open.discard(id(node))
        self._spoil(path, line, _tag_words(node.tag))
        return None

    def _pairs(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, object]]:
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == _PLAIN + "merge":
                self._issue(path, line, "'<<' is not supported. Write the keys out.")
                continue
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _PLAIN + "str":
                shown = (
                    repr(clean_text(key_node.value, 60)) if isinstance(key_node, yaml.ScalarNode) else "a collection"
                )
                self._issue(path, line, f"a key must be a word, got {shown}.")
                continue
            key = key_node.value
            where = (*path, key)
            if key in first:
                message = f"stands twice: here and in line {first[key]}. Delete one of the two."
                self._issue(where, line, message)
                continue
            first[key] = line
            self._tree.lines[where] = line
            yield key, self.value(value_node, where)

    def _scalar(self, node: yaml.ScalarNode, path: Path, line: int) -> object:
        text = node.value
        self._tree.raw[path] = text
        kind = node.tag.removeprefix(_PLAIN)
        if node.tag in _TEXT_TAGS:
            return text
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        if kind == "int" and re.fullmatch(r"[-+]?\d{1,30}", text):
            return int(text)  # 05 is five; octal, hexadecimal and 1:30 stay text, and no number is a text
        if kind == "float":
            return _float(text)
        if kind in ("int", "bool"):
            return text
        self._spoil(path, line, _tag_words(node.tag))
        return None

    def _spoil(self, path: Path, line: int, message: str) -> None:
        self._tree.spoiled.add(path)
        self._issue(path, line, message)

    def _issue(self, path: Path, line: int, message: str) -> None:
        self._tree.issues.append(Issue(self._file, line, key_text(path), message))


def _float(text: str) -> float | str:
    plain = text.lower().replace(".inf", "inf").replace(".nan", "nan")
    try:
        return float(plain)
    except ValueError:
        return text


def _tag_words(tag: str) -> str:
    shown = clean_text(tag.replace(_PLAIN, "!!"), 80)
    return f"the tag {shown} is not allowed: a course file holds plain values only. Delete the tag."


def nearest(word: str, known: list[str]) -> str | None:
    """The known word that looks most like a wrong one, or None if none does."""
    found = difflib.get_close_matches(word[:80], known, n=1, cutoff=0.6)
    return found[0] if found else None
