"""Code that no package may hold: lines and formulas of the reference, of mistakes and of hidden checks."""

from __future__ import annotations

import ast
import functools
import io
import re
import textwrap
import tokenize
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass

from gdgrade.author.fragments import squeezed
from gdgrade.author.pruning import defined, used_by
from gdgrade.course.manifest import Exercise
from gdgrade.sourcecode import python_tree

MIN_LINE = 24  # characters without blanks; `d = x.shape[1]` is nobody's solution
CALLS = 3  # of functions in one formula; `torch.zeros(count, dimension).to(x)` is nobody's solution either
COMPUTED = (ast.BinOp, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp)


@dataclass(frozen=True)
class Secrets:
    """Pieces of code without blanks -> whose they are, such as "the reference"."""

    code: Mapping[str, str]

    def in_python(self, source: str) -> list[str]:
        """The pieces that a Python text holds: as code in whatever statement, in a comment or in a string."""
        held, told = _content(source)
        return sorted({piece for piece in self.code if piece in held}.union(*map(self.in_text, told)))

    def in_text(self, text: str) -> list[str]:
        """The pieces that any other text holds."""
        dense = squeezed(text)
        return sorted(piece for piece in self.code if piece in dense) if len(dense) >= MIN_LINE else []


@functools.lru_cache(maxsize=256)  # a package is searched for the secrets of each of its exercises
def _content(source: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """(lines and expressions of the code without blanks, texts of strings and comments); no Python: one text."""
    source = textwrap.dedent(source)
    try:
        tree = python_tree(source)
    except SyntaxError:
        return frozenset(), (source,)
    nodes = list(ast.walk(tree))
    expressions = (ast.unparse(node) for node in nodes if isinstance(node, ast.expr))
    told = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    told.append("".join(text.lstrip("#") for _, text in _comments(source)))
    return frozenset(code_lines(source).union(map(squeezed, expressions))), tuple(told)


def reference_code(exercise: Exercise) -> Secrets:
    """What is the reference's, without what the stub gives away."""
    source = exercise.reference_path.read_text(encoding="utf-8")
    gifts = given_away(exercise)
    return Secrets({piece: "the reference" for piece in code_lines(source) | formulas(source) if piece not in gifts})


def secret_code(exercise: Exercise, public: Collection[str], gifts: Set[str] = frozenset()) -> Secrets:
    """The reference's code, and lines of mistakes and of hidden checks that no public check holds as well.

    Args:
        public: the checks that may be in a package, as "stem/name".
        gifts: what the stubs of other exercises in the package give away.
    """
    open_nodes: dict[str, set[str]] = {}
    for short in public:
        for stem, names in used_by(exercise.graders_dir, short).items():
            open_nodes.setdefault(stem, set()).update(names)
    shown = set(gifts)
    found: dict[str, str] = {}
    for path in sorted(exercise.graders_dir.glob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "mistakes" in path.stem:
            found |= {line: path.name for line in code_lines(source) if not _only_text(line)}
            continue
        for node in python_tree(source).body:
            lines = code_lines(definition(source, node))
            if open_nodes.get(path.stem, set()).intersection(defined(node)):
                shown |= lines
            elif path.name.startswith("test_"):
                found |= dict.fromkeys(lines, f"a hidden check in {path.name}")
    kept = {line: whose for line, whose in found.items() if line not in shown | given_away(exercise)}
    return Secrets(
        kept | {piece: whose for piece, whose in reference_code(exercise).code.items() if piece not in gifts}
    )


def bodies(source: str, names: Collection[str]) -> Iterator[frozenset[str]]:
    """The telling lines of each function of these names, if it has any."""
    try:
        nodes = list(ast.walk(python_tree(source)))
    except SyntaxError:
        return
    for node in nodes:
        if isinstance(node, ast.FunctionDef) and node.name in names:
            lines = code_lines(definition(source, node))
            if lines:
                yield frozenset(lines)


def definition(source: str, node: ast.stmt) -> str:
    """A definition's text, from its first decorator on, with its comments; dedented."""
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
    return textwrap.dedent("\n".join(source.splitlines()[first - 1 : node.end_lineno]) + "\n")


def code_lines(source: str) -> set[str]:
    """Lines of code that say something, without blanks: of assignments, results and calls."""
    source = textwrap.dedent(source)
    try:
        tree = python_tree(source)
    except SyntaxError:
        return set()
    lines = _without_comments(source)
    telling: set[int] = set()  # lines of statements that compute something; `with`, `for` and `if` alone tell nothing
    for node in ast.walk(tree):
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return | ast.Expr) and not text:
            telling.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    squeezed_lines = (squeezed(text) for number, text in enumerate(lines, 1) if number in telling)
    return {line for line in squeezed_lines if len(line) >= MIN_LINE}


def formulas(source: str) -> set[str]:
    """Right-hand sides, results and lambdas that compute something, without blanks."""
    found = set()
    for node in ast.walk(python_tree(source)):
        held = isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return)
        value = node.value if held else node.body if isinstance(node, ast.Lambda) else None  # type: ignore[attr-defined]
        if value is not None and _computes(value):
            found |= {squeezed(ast.unparse(value)), squeezed(ast.get_source_segment(source, value) or "")}
    return {text for text in found if len(text) >= MIN_LINE}


def given_away(exercise: Exercise) -> set[str]:
    """What the stub's code, not its comments, gives away."""
    source = exercise.entry_path.read_text(encoding="utf-8")
    return code_lines(source) | formulas(source)


def _computes(value: ast.expr) -> bool:
    inner = list(ast.walk(value))
    return any(isinstance(n, COMPUTED) for n in inner) or sum(isinstance(n, ast.Call) for n in inner) >= CALLS


def _only_text(line: str) -> bool:
    """A title or a hint alone on its line: these the package tells."""
    return re.fullmatch(r"""[(]?(\w+=)?["'].*["'][,)]*""", line) is not None


def _comments(source: str) -> Iterator[tuple[tuple[int, int], str]]:
    """((line, column), text) of each comment."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start, token.string


def _without_comments(source: str) -> list[str]:
    lines = source.splitlines()
    for (row, column), _ in _comments(source):
        lines[row - 1] = lines[row - 1][:column]
    return lines
