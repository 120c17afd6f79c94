"""Nothing in a package may give answers away: a search of its content, not of its file names alone."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from gdgrade.author.fragments import squeezed
from gdgrade.author.pruning import defined, public_checks, used_by
from gdgrade.course.manifest import Exercise
from gdgrade.sourcecode import python_tree

MIN_LINE = 24  # characters without blanks; `d = x.shape[1]` is nobody's solution
FORBIDDEN_NAMES = ("mistakes.py", "equivalent_mutants.yml", "calibrate.py")


def public_names(exercise: Exercise) -> list[str]:
    """Short names of the public checks, without parameters."""
    found = []
    for path in sorted(exercise.graders_dir.glob("test_*.py")):
        stem = path.stem.removeprefix("test_")
        found += [f"{stem}/{name.removeprefix('test_')}" for name in public_checks(path.read_text(encoding="utf-8"))]
    return found


def public_checks_that_show_code(exercise: Exercise) -> dict[str, str]:
    """Public checks that hold, or reach, a line of the reference's code: they stay at home."""
    secret = code_lines(exercise.reference_path.read_text(encoding="utf-8"))
    secret -= code_lines(exercise.entry_path.read_text(encoding="utf-8"))
    found = {}
    for short in public_names(exercise):
        for stem, names in used_by(exercise.graders_dir, short).items():
            path = exercise.graders_dir / f"{stem}.py"
            source = path.read_text(encoding="utf-8")
            nodes = [node for node in python_tree(source).body if getattr(node, "name", None) in names]
            lines = {line for node in nodes for line in code_lines(ast.get_source_segment(source, node) or "")}
            if lines & secret:
                found[short] = f"{path.name} holds a line of the reference: {min(lines & secret)}"
    return found


def plots_that_show_code(exercise: Exercise) -> dict[str, str]:
    """{"plots": why}, if drawing the figures needs a line that no package may hold: then they stay at home."""
    if not (exercise.graders_dir / "plots.py").is_file():
        return {}
    secret = {line for line, _ in _secret_lines(exercise)} - code_lines(exercise.entry_path.read_text("utf-8"))
    for stem, names in used_by(exercise.graders_dir, "plots").items():
        source = (exercise.graders_dir / f"{stem}.py").read_text(encoding="utf-8")
        nodes = [node for node in python_tree(source).body if names.intersection(defined(node))]
        lines = {line for node in nodes for line in code_lines(ast.get_source_segment(source, node) or "")}
        if lines & secret:
            return {"plots": f"{stem}.py holds a secret line: {min(lines & secret)}"}
    return {}


def search(exercise: Exercise, folder: Path) -> list[str]:
    """What is in the package and must not be, one sentence each.

    Looked for: lines of the reference, of mistakes.py and of hidden checks, planted answers, files of those names,
    and any word about a secret seed.
    """
    problems = []
    stub = code_lines(exercise.entry_path.read_text(encoding="utf-8"))
    secrets = dict(_secret_lines(exercise))
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        name = path.relative_to(folder)
        if path.name in FORBIDDEN_NAMES or name.parts[0] in ("reference", "tests"):
            problems.append(f"{name} must not be in a package")
        if path.suffix in (".npz", ".png", ".gif"):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".py":
            held = sorted(line for line in code_lines(text) - stub if line in secrets)
            problems += [f"{name}: a line of {secrets[line]}: {line}" for line in held]
        else:
            problems += [
                f"{name}: a line of {whose}: {line}" for line, whose in secrets.items() if line in squeezed(text)
            ]
        if "secret_seed" in text.lower() or "gdgrade_secret" in text.lower():
            problems.append(f"{name} speaks of the secret seed")
    return problems


def code_lines(source: str) -> set[str]:
    """Lines of code that say something, without blanks: of assignments, results and calls."""
    try:
        tree = python_tree(_dedented(source))
    except SyntaxError:
        return set()
    lines = _without_comments(_dedented(source))
    telling: set[int] = set()  # lines of statements that compute something; `with`, `for` and `if` alone tell nothing
    for node in ast.walk(tree):
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return | ast.Expr) and not text:
            telling.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    squeezed_lines = (squeezed(text) for number, text in enumerate(lines, 1) if number in telling)
    return {line for line in squeezed_lines if len(line) >= MIN_LINE}


def _secret_lines(exercise: Exercise) -> Iterator[tuple[str, str]]:
    """Lines of the reference, of mistakes and of hidden checks that no released check holds as well, and whose."""
    open_nodes: dict[str, set[str]] = {}
    for short in public_names(exercise):
        for stem, names in used_by(exercise.graders_dir, short).items():
            open_nodes.setdefault(stem, set()).update(names)
    shown: set[str] = set()
    hidden: list[tuple[str, str]] = []
    for path in sorted(exercise.graders_dir.glob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "mistakes" in path.stem:
            hidden += [(line, path.name) for line in code_lines(source) if not _only_text(line)]
            continue
        for node in python_tree(source).body:
            lines = code_lines(ast.get_source_segment(source, node) or "")
            if open_nodes.get(path.stem, set()).intersection(defined(node)):
                shown |= lines
            elif path.name.startswith("test_"):
                hidden += [(line, f"a hidden check in {path.name}") for line in lines]
    yield from (pair for pair in hidden if pair[0] not in shown)
    yield from ((line, "the reference") for line in code_lines(exercise.reference_path.read_text(encoding="utf-8")))


def _only_text(line: str) -> bool:
    """A title or a hint alone on its line: these the package tells."""
    return re.fullmatch(r"""[(]?(\w+=)?["'].*["'][,)]*""", line) is not None


def _dedented(source: str) -> str:
    import textwrap

    return textwrap.dedent(source)


def _without_comments(source: str) -> list[str]:
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return lines
