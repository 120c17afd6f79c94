"""What can be told of an exercise from its files and its checks' data alone, without judging anybody."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gdgrade.author.verdict import Section, section
from gdgrade.course.manifest import Course, Exercise
from gdgrade.sourcecode import python_tree
from gdgrade.workspace.hints import LAYERS, HintsError
from gdgrade.workspace.hints import read as read_hints

MAX_ALPHA = 1e-5  # of all checks of an exercise together
MIN_CODE = 8  # shorter pieces of code, such as `x + 1`, are nobody's secret


def missing_files(course: Course, exercise: Exercise) -> Section:
    """Statement, stub, reference and checks are there."""
    wanted = [
        (exercise.folder("exercises") / "README.md", "the statement"),
        (exercise.entry_path, "the stub"),
        (exercise.reference_path, "the reference"),
    ]
    problems = []
    for path, what in wanted:
        if not path.is_file() or not path.read_text(encoding="utf-8").strip():
            problems.append(f"{path.relative_to(course.root)} is missing or empty: {what}")
    if not list(exercise.graders_dir.glob("test_*.py")):
        problems.append(f"{exercise.graders_dir.relative_to(course.root)} holds no test_*.py: the checks")
    if not problems:
        for path, what in wanted[1:]:
            try:
                python_tree(path.read_text(encoding="utf-8"))
            except SyntaxError as error:
                problems.append(f"{path.relative_to(course.root)}:{error.lineno}: {what} is not Python: {error.msg}")
    return section("files", f"{exercise.entry}, statement, stub, reference, checks", problems)


def points(exercise: Exercise, checks: Mapping[str, Mapping[str, Any]]) -> Section:
    """The points of each part's checks add up to the part's points; needs name parts that there are."""
    problems, known = [], {part.id for part in exercise.parts}
    for part in exercise.parts:
        total = sum(entry["points"] for entry in checks.values() if entry["part"] == part.id)
        if abs(total - part.points) > 1e-9:
            problems.append(f"part {part.id}: its checks are worth {total:g} points, course.yml says {part.points:g}")
    for short, entry in checks.items():
        if entry["part"] not in known:
            problems.append(f"{short} is of part {entry['part']}, which course.yml lacks")
        problems += [f"{short} needs part {need}, which is not there" for need in entry["needs"] if need not in known]
    alpha = sum(entry["alpha"] for entry in checks.values())
    if alpha > MAX_ALPHA:
        problems.append(f"the checks' alphas add up to {alpha:.2g}; at most {MAX_ALPHA:g} is fair to a right answer")
    summary = f"{len(exercise.parts)} parts, {len(checks)} checks, {exercise.max_points:g} points"
    bonus = f" + {exercise.max_bonus:g} bonus" if exercise.max_bonus else ""
    return section("points and needs", f"{summary}{bonus}, alpha {alpha:.2g}", problems, alpha=alpha)


def texts(exercise: Exercise, checks: Mapping[str, Mapping[str, Any]], reference: str) -> Section:
    """Each check has a title, and every public function of the stub is in the reference."""
    problems = [
        f"{short} has no docstring, so students read no title" for short, e in checks.items() if not e["described"]
    ]
    stub = python_tree(exercise.entry_path.read_text(encoding="utf-8"))
    defined = {node.name for node in python_tree(reference).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names = [node.name for node in stub.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    problems += [f"the stub defines {name}, the reference does not" for name in names if name not in defined]
    lines = set(bodies(stub))
    leaked = [line for line in bodies(_without_gifts(python_tree(reference), stub)) if line in lines]
    problems += [f"the stub holds a line of the reference: {line}" for line in leaked]
    return section("titles and stub", f"{len(checks)} titles", problems)


def _without_gifts(reference: ast.Module, stub: ast.Module) -> ast.Module:
    """The reference without the functions that the stub gives away whole."""
    given = {_code(node) for node in stub.body if isinstance(node, ast.FunctionDef)}
    kept = [node for node in reference.body if not (isinstance(node, ast.FunctionDef) and _code(node) in given)]
    return ast.Module(body=kept, type_ignores=[])


def _code(function: ast.FunctionDef) -> str:
    """A function without its docstring and annotations, as text; the body of a function to write raises."""
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    names = [argument.arg for argument in function.args.args]
    return f"{function.name}{names}" + "".join(map(ast.dump, body))


def hints(mistakes: Sequence[Mapping[str, Any]], reference: str) -> Section:
    """No hint holds a line of the reference's code."""
    problems = []
    code = {squeezed(line): line for line in pieces(python_tree(reference))}
    for entry in mistakes:
        hint = squeezed(entry["hint"])
        problems += [
            f"the hint of {entry['name']} holds code of the reference: {line}"
            for key, line in code.items()
            if key in hint
        ]
        if "?" not in entry["hint"]:
            problems.append(f"the hint of {entry['name']} asks nothing")
    return section("hints", f"{len(mistakes)} hints", problems)


def hints_on_request(exercise: Exercise, reference: str) -> Section:
    """hints.yml: three hints for each part or none at all, of parts that there are, without code of the reference."""
    try:
        found = read_hints(exercise)
    except HintsError as error:
        return section("hints on request", "they cannot be read", [str(error)])
    known = [part.id for part in exercise.parts]
    problems = [f"hints.yml: there is no part {part}" for part in found if part not in known]
    code = {squeezed(line): line for line in pieces(python_tree(reference))}
    for part, texts in found.items():
        text = squeezed(" ".join(texts))
        problems += [
            f"hints.yml, part {part}: code of the reference: {line}" for key, line in code.items() if key in text
        ]
    notes = [f"part {part} has {len(found[part])} hints, not {LAYERS}" for part in found if len(found[part]) != LAYERS]
    notes += [f"part {part} has no hints" for part in known if found and part not in found]
    summary = f"{sum(map(len, found.values()))} for {len(found)} parts" if found else "no hints.yml"
    return section("hints on request", summary, problems, notes)


def secrecy(lab: Mapping[str, Any]) -> Section:
    """Public checks hand out no array that a hidden check hands out as well."""
    hidden = [short for short, entry in lab["checks"].items() if entry["visibility"] == "hidden"]
    problems = [f"{public} reveals an input of the hidden check {secret}" for secret, public in lab["revealed"]]
    return section("hidden inputs", f"{len(hidden)} hidden checks", problems)


def figures(lab: Mapping[str, Any]) -> Section:
    """The figures of graders/EX/plots.py render with the reference."""
    if not lab["there"]:
        return section("figures", "no plots.py")
    problems = [f"plots.py: {lab['error']}"] if lab["error"] else []
    if not lab["names"] and not problems:
        problems = ["plots.py draws no figure"]
    return section("figures", f"{len(lab['names'])} rendered", problems)


def bodies(tree: ast.Module) -> Iterator[str]:
    """Statements of a module's functions that say something: no docstrings, definitions, imports or raises."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for statement in ast.walk(node):
                if isinstance(statement, ast.Assign | ast.AugAssign | ast.Return):
                    text = ast.unparse(statement)
                    if len(squeezed(text)) >= 2 * MIN_CODE:
                        yield text


def pieces(tree: ast.Module) -> Iterator[str]:
    """Right-hand sides and results of a module's functions, as text."""
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Assign | ast.AugAssign | ast.Return) else None
        if value is not None and not isinstance(value, ast.Constant | ast.Name):
            text = ast.unparse(value)
            if len(squeezed(text)) >= MIN_CODE:
                yield text


def squeezed(text: str) -> str:
    """Text without white space."""
    return re.sub(r"\s+", "", text)
