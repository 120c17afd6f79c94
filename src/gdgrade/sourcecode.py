"""What of a module's code can matter when some of its functions are called, read off its text."""

from __future__ import annotations

import ast
import hashlib
import threading
from collections.abc import Iterable

# With one of these in a file, what a function reaches cannot be read off its text.
DYNAMIC = frozenset({"globals", "locals", "vars", "eval", "exec", "__import__", "importlib", "inspect", "sys", "gc"})

_parsing = threading.Lock()


def python_tree(source: str | bytes) -> ast.Module:
    """`ast.parse`, one thread at a time.

    Python counts the nesting of all trees that are being built together, whichever threads build them, and where these
    get in each other's way it raises SystemError ("AST constructor recursion depth mismatch", cpython#106905).
    """
    with _parsing:
        return ast.parse(source)


class Code:
    """A submission's text, cut into top-level definitions and the rest.

    The syntax tree decides what is the same: comments, docstrings and blank lines do not matter, anything else does.
    A block under ``if __name__ == "__main__"`` never runs in a check and does not count.

    Args:
        source: of a module; text that is no Python counts as one piece.

    Attributes:
        parsed: whether it is Python.
    """

    def __init__(self, source: str) -> None:
        self.parsed = False
        self._pieces: dict[str, str] = {}
        self._names: dict[str, frozenset[str]] = {}
        self._whole = source
        self._dynamic = True
        self._rest: list[str] = []
        self._always: set[str] = set()
        try:
            tree = python_tree(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: absurdly nested text
            return
        self.parsed = True
        strip_docstrings(tree)
        tree.body = [node for node in tree.body if not _is_main_block(node)]
        self._whole = ast.dump(tree)
        for node in tree.body:
            names = frozenset(_names_in(node))
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                self._pieces[node.name] = self._pieces.get(node.name, "") + ast.dump(node)
                self._names[node.name] = self._names.get(node.name, frozenset()) | names
            else:
                self._rest.append(ast.dump(node))
                self._always |= names
        for node in tree.body:  # a decorator from this very file runs, and may leave traces, when the file is loaded
            for decorator in getattr(node, "decorator_list", ()):
                if _names_in(decorator) & self._pieces.keys():
                    self._always.add(getattr(node, "name", ""))
        self._dynamic = any(isinstance(node, ast.Name) and node.id in DYNAMIC for node in ast.walk(tree))

    @property
    def names(self) -> frozenset[str]:
        """The top-level functions and classes."""
        return frozenset(self._pieces)

    def key(self, calls: Iterable[str] | None, *, offered: bool = True) -> str:
        """A hash of all that can matter when these functions are called; None: of the whole file.

        Args:
            offered: the public names of the file count as well, as a check may ask for them.
        """
        if calls is None or self._dynamic:
            return _hash([self._whole])
        reached: set[str] = set()
        waiting = {*calls, *self._always}
        while waiting:
            name = waiting.pop()
            if name in self._pieces and name not in reached:
                reached.add(name)
                waiting |= self._names[name]
        names = sorted(name for name in self._pieces if not name.startswith("_")) if offered else []
        return _hash([*self._rest, *names, *(self._pieces[name] for name in sorted(reached))])

    def changed(self, before: Code) -> list[str] | None:
        """Functions and classes that differ from `before`, new and lost ones included; None: code outside of them."""
        if self._rest != before._rest or (not self._pieces and self._whole != before._whole):
            return None
        names = [*self._pieces, *(name for name in before._pieces if name not in self._pieces)]
        return [name for name in names if self._pieces.get(name) != before._pieces.get(name)]


def strip_docstrings(tree: ast.AST) -> None:
    """Delete docstrings: text that no check can see, and that would only lengthen the diffs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            body = node.body
            if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
                node.body = body[1:] or [ast.Pass()]


def _is_main_block(node: ast.AST) -> bool:
    if not isinstance(node, ast.If) or node.orelse or not isinstance(node.test, ast.Compare):
        return False
    test = node.test
    sides = [test.left, *test.comparators]
    words = {side.id if isinstance(side, ast.Name) else getattr(side, "value", None) for side in sides}
    return isinstance(test.ops[0], ast.Eq) and len(sides) == 2 and words == {"__name__", "__main__"}


def _names_in(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found


def _hash(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode(errors="surrogatepass")).hexdigest()
