"""What can be told of an exercise from its files and its checks' data alone, without judging anybody."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from gdgrade.author.fragments import bodies, pieces, squeezed, without_gifts
from gdgrade.author.mutants import Excused, Mutant, stale
from gdgrade.author.planted import Planted, never_trained, unknown_checks
from gdgrade.author.reading import TextError, read_text
from gdgrade.author.slips import (
    defined_twice,
    in_comments,
    in_titles,
    names_called,
    never_asking,
    other_signatures,
    secret_code,
    template_left,
    undefined_in,
)
from gdgrade.author.verdict import Section, section
from gdgrade.course.consistency import cycles
from gdgrade.course.manifest import Course, Exercise
from gdgrade.sourcecode import python_tree
from gdgrade.workspace.hints import LAYERS, HintsError
from gdgrade.workspace.hints import read as read_hints

MAX_ALPHA = 1e-5  # of all checks of an exercise together


def missing_files(course: Course, exercise: Exercise) -> Section:
    """Statement, stub, reference and checks are there."""
    wanted = [
        (exercise.folder("exercises") / "README.md", "the statement"),
        (exercise.entry_path, "the stub"),
        (exercise.reference_path, "the reference"),
    ]
    problems = []
    for path, what in wanted:
        name = path.relative_to(course.root)
        try:
            text = read_text(path, mark=path.suffix != ".py") if path.is_file() else ""
            if not text.strip():
                problems.append(f"{name} is missing or empty: {what}")
            elif path.suffix == ".py":
                python_tree(text)
        except TextError as error:
            problems.append(f"{name} {error}: {what}")
        except SyntaxError as error:
            problems.append(f"{name}:{error.lineno}: {what} is not Python: {error.msg}")
    if not list(exercise.graders_dir.glob("test_*.py")):
        problems.append(f"{exercise.graders_dir.relative_to(course.root)} holds no test_*.py: the checks")
    for path in sorted(exercise.graders_dir.glob("*mistakes.py")):
        problems += undefined_in(path)
    for path in sorted({*exercise.graders_dir.glob("*mistakes.py"), *exercise.graders_dir.glob("test_*.py")}):
        problems += defined_twice(path)
    summary = f"{exercise.entry}, statement, stub, reference, checks"
    left = template_left(course, exercise)
    return section("files", summary + (f"; REPLACE is left in {', '.join(left)}" if left else ""), problems)


def points(exercise: Exercise, checks: Mapping[str, Mapping[str, Any]], unmarked: Sequence[str] = ()) -> Section:
    """The points of each part's checks add up to the part's points; needs name parts that can be judged before.

    Args:
        unmarked: pytest functions that no `@check` makes a check.
    """
    problems, known = [], {part.id for part in exercise.parts}
    for part in exercise.parts:
        total = sum(entry["points"] for entry in checks.values() if entry["part"] == part.id)
        if abs(total - part.points) > 1e-9:
            problems.append(f"part {part.id}: its checks are worth {total:g} points, course.yml says {part.points:g}")
    for short, entry in checks.items():
        if entry["part"] not in known:
            problems.append(f"{short} is of part {entry['part']}, which course.yml lacks")
        problems += [f"{short} needs part {need}, which is not there" for need in entry["needs"] if need not in known]
    graph = {part.id: list(part.needs) for part in exercise.parts}
    for entry in checks.values():
        graph.get(entry["part"], []).extend(entry["needs"])
    problems += [f"parts and checks need each other in a circle: {' -> '.join(circle)}" for circle in cycles(graph)]
    for short, entry in checks.items():
        if entry["chance"] > entry["alpha"] * (1 + 1e-9):
            problems.append(
                f"{short}: its tests fail a right answer with probability up to {entry['chance']:.3g}, "
                f"@check says alpha={entry['alpha']:g}"
            )
    problems += [f"{name} has no @check, so nobody is judged by it" for name in unmarked]
    alpha = sum(entry["alpha"] for entry in checks.values())
    if alpha > MAX_ALPHA:
        problems.append(f"the checks' alphas add up to {alpha:.2g}; at most {MAX_ALPHA:g} is fair to a right answer")
    summary = f"{len(exercise.parts)} parts, {len(checks)} checks, {exercise.max_points:g} points"
    bonus = f" + {exercise.max_bonus:g} bonus" if exercise.max_bonus else ""
    return section("points and needs", f"{summary}{bonus}, alpha {alpha:.2g}", problems, alpha=alpha)


def texts(exercise: Exercise, checks: Mapping[str, Mapping[str, Any]], reference: str) -> Section:
    """Each check has a title and asks the submission; the stub has the reference's names, and none of its code."""
    problems = [
        f"{short} has no docstring, so students read no title" for short, e in checks.items() if not e["described"]
    ]
    problems += never_asking(exercise, checks)
    text = read_text(exercise.entry_path)
    stub, solved = python_tree(text), python_tree(reference)
    defined = {node.name for node in solved.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names = [node.name for node in stub.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    problems += [f"the stub defines {name}, the reference does not" for name in names if name not in defined]
    problems += other_signatures(stub, solved, names_called(exercise, checks))
    lines = set(bodies(stub))
    leaked = [line for line in bodies(without_gifts(solved, stub)) if line in lines]
    problems += [f"the stub holds a line of the reference: {line}" for line in leaked]
    code = secret_code(solved, stub)
    problems += [*in_comments(text, code), *in_titles(exercise, code)]
    return section("titles and stub", f"{len(checks)} titles", problems)


def first_lines(planted: Sequence[Planted], checks: Mapping[str, Mapping[str, Any]]) -> Section:
    """What the planted answers' first lines name is there."""
    notes = never_trained(planted, checks)
    more = f", {len(notes)} judged in --full only" if notes else ""
    return section("first lines", f"of {len(planted)} planted answers{more}", unknown_checks(planted, checks), notes)


def excuses(found: Sequence[Excused], mutants: Sequence[Mutant]) -> Section:
    """Each entry of equivalent_mutants.yml excuses some mutant of the whole list."""
    return section("excuses", f"{len(found)} in equivalent_mutants.yml", stale(found, mutants))


def hints(mistakes: Sequence[Mapping[str, Any]], reference: str) -> Section:
    """No hint, and no title that students see, holds a line of the reference's code."""
    problems = []
    code = {squeezed(line): line for line in pieces(python_tree(reference))}
    for entry in mistakes:
        hint = squeezed(entry["hint"])
        problems += [
            f"the hint of {entry['name']} holds code of the reference: {line}"
            for key, line in code.items()
            if key in hint
        ]
        if entry["kind"] == "convention":  # these titles are shown to students
            title = squeezed(entry["title"])
            problems += [
                f"the title of {entry['name']} holds code of the reference: {line}"
                for key, line in code.items()
                if key in title
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
    error = lab["error"]
    problems = [error if error.startswith("plots.py:") else f"plots.py: {error}"] if error else []
    if not lab["names"] and not problems:
        problems = ["plots.py draws no figure"]
    return section("figures", f"{len(lab['names'])} rendered", problems)
