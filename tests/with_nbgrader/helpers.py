"""nbgrader run in this process, and hand-ins for it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PLAIN = ROOT / "tests/cheats/courses/plain"  # a tiny numpy course: parts 1.1 (4 points), 1.2 (2), 1.3 (2)
RIGHT = {
    "double": "def double(x):\n    return 2 * x",
    "apply": "def apply(f, x):\n    return f(f(x)) + 1",
    "spread": "def spread(x):\n    return x.max() - x.min()",
}
WRONG_DOUBLE = {**RIGHT, "double": "def double(x):\n    return 3 * x"}


def run_app(name: str, *arguments: str, cwd: Path) -> None:
    """`nbgrader NAME ARGUMENTS` without the cost of starting it.

    Raises:
        SystemExit: nbgrader failed.
    """
    from nbgrader import apps

    app = getattr(apps, name)(log_level=50)
    before = Path.cwd()
    os.chdir(cwd)  # nbgrader looks for its configuration in the current folder
    try:
        app.initialize(list(arguments))
        app.start()
    finally:
        os.chdir(before)


def notebook(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def answered(released: dict[str, Any], answers: Mapping[str, str]) -> dict[str, Any]:
    """The released notebook with answers in their cells."""
    cells = [dict(cell) for cell in released["cells"]]
    for cell in cells:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "").removeprefix("answer-")
        if name in answers:
            cell["source"] = answers[name]
    return {**released, "cells": cells}


def hand_in(course_dir: Path, student: str, assignment: str, content: Any, *, stamp: str = "") -> Path:
    """Put a notebook (or bytes) into `submitted/`."""
    folder = course_dir / "submitted" / student / assignment
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{assignment}.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    if stamp:
        (folder / "timestamp.txt").write_text(stamp)
    return path


def scores(course_dir: Path, student: str, assignment: str, db_url: str = "") -> dict[str, float | None]:
    """Scores of a student's grade cells in the gradebook."""
    return {name: row[0] for name, row in cells_of(course_dir, student, assignment, db_url).items()}


def cells_of(course_dir: Path, student: str, assignment: str, db_url: str = "") -> dict[str, tuple[Any, ...]]:
    """(automatic score, score, manual score, needs a person) of a student's grade cells."""
    from nbgrader.api import Gradebook

    with Gradebook(db_url or f"sqlite:///{course_dir}/gradebook.db") as book:
        found = book.find_submission_notebook(assignment, assignment, student)
        return {
            grade.name: (grade.auto_score, grade.score, grade.manual_score, grade.needs_manual_grade)
            for grade in found.grades
        }


def comments_of(course_dir: Path, student: str, assignment: str) -> dict[str, str | None]:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course_dir}/gradebook.db") as book:
        found = book.find_submission_notebook(assignment, assignment, student)
        return {comment.name: comment.comment for comment in found.comments}
