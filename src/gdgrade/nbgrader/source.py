"""From an exercise to its source notebook: what `nbgrader generate_assignment` makes the students' version of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdgrade.course.errors import CourseError
from gdgrade.course.manifest import Exercise, Part
from gdgrade.nbgrader import statement
from gdgrade.nbgrader.answers import split

SCHEMA = 3  # of nbgrader's metadata, in nbgrader 0.6 to 0.9
SETUP = "set-up"
_SETUP = """\
try:
    %load_ext gdgrade
except ModuleNotFoundError:
    print("gdgrade is not installed here, so cells with %check do nothing; you can write your answers all the same.")"""
_KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


@dataclass(frozen=True)
class Source:
    """A source notebook, and the pictures that its statement shows: name under `images/` -> file."""

    notebook: dict[str, Any]
    pictures: dict[str, Path]

    def to_json(self) -> str:
        return json.dumps(self.notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def notebook_name(exercise: Exercise) -> str:
    """Name of the assignment and of its notebook: `ex05`."""
    return exercise.short or exercise.id


def grade_id(part: Part | str) -> str:
    """nbgrader's name of the cell that grades a part: `part-5-2`."""
    return f"part-{(part if isinstance(part, str) else part.id).replace('.', '-')}"


def answer_id(name: str) -> str:
    """nbgrader's name of the cell in which a function or class is written."""
    return f"answer-{name}"


def by_part(exercise: Exercise, homes: Mapping[str, str | None]) -> dict[str, list[str]]:
    """Names to be answered under each part, in order; what names no part of the exercise goes to the first one.

    Args:
        homes: name -> part, as `answers.homes` gives them.
    """
    known = {part.id for part in exercise.parts}
    found: dict[str, list[str]] = {part.id: [] for part in exercise.parts}
    for name, part in homes.items():
        found[part if part in known and part is not None else exercise.parts[0].id].append(name)
    return found


def build(exercise: Exercise, language: str = "") -> Source:
    """The source notebook of an exercise.

    The statement stands in Markdown cells. A read-only cell holds what the stub gives and loads the `%check` magic.
    Then follow, part by part, the answers (with the reference between nbgrader's marks) and a grade cell worth the
    part's points. It runs `%check`, which holds no check itself. An optional part's grade cell is worth 0 points, so
    that the assignment's maximum is the exercise's; what it earns is added to the score as a bonus.

    Args:
        language: of the statement, where there is a translation.

    Raises:
        CourseError: stub or reference are missing or cannot be taken apart.
    """
    for path in (exercise.entry_path, exercise.reference_path):
        if not path.is_file():
            raise CourseError.at(exercise.id, f"has no {path}; a source notebook needs the stub and the reference.")
    parts = split(
        exercise.entry_path.read_text("utf-8"), exercise.reference_path.read_text("utf-8"), exercise.reference_path.name
    )
    texts, pictures = statement.cells(exercise.folder("exercises") / "README.md", language)
    cells = [_markdown(f"statement-{number}", text) for number, text in enumerate(texts or [f"# {exercise.title}"], 1)]
    cells.append(_markdown("answers", _introduction(parts.docstring)))
    setup = "\n\n".join(filter(None, (parts.given, _SETUP)))
    cells.append(_code(SETUP, setup, locked=True))
    answers = {answer.name: answer for answer in parts.answers}
    homes = by_part(exercise, {answer.name: answer.part for answer in parts.answers})
    for part in exercise.parts:
        worth = f"bonus of {part.points:g}" if part.optional else f"{part.points:g}"
        unit = "point" if part.points == 1 else "points"
        cells.append(_markdown(f"title-{grade_id(part)}", f"### {part.id} {part.title} ({worth} {unit})"))
        cells += [
            _code(answer_id(answer.name), answer.source, solution=True)
            for answer in map(answers.__getitem__, homes[part.id])
        ]
        points = 0.0 if part.optional else part.points
        cells.append(_code(grade_id(part), f"%check {part.id}", grade=True, locked=True, points=points))
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": _KERNEL, "language_info": {"name": "python"}, "gdgrade": {"exercise": exercise.id}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    worth = sum(cell["metadata"].get("nbgrader", {}).get("points", 0.0) for cell in cells)
    assert abs(worth - exercise.max_points) < 1e-9, (worth, exercise.max_points)
    return Source(notebook, pictures)


def write(source: Source, folder: Path, name: str, *, force: bool = False) -> bool:
    """Write `name`.ipynb and its pictures into a folder.

    Args:
        force: also over a notebook that is another one.

    Returns:
        False where all of it was there already.

    Raises:
        FileExistsError: another notebook of that name is there.
    """
    path, text = folder / f"{name}.ipynb", source.to_json()
    same = path.is_file() and path.read_text("utf-8") == text
    if path.exists() and not same and not force:
        raise FileExistsError(f"{path} is there and is another one; --force replaces it")
    folder.mkdir(parents=True, exist_ok=True)
    for picture, file in source.pictures.items():
        (folder / statement.FOLDER).mkdir(exist_ok=True)
        (folder / statement.FOLDER / picture).write_bytes(file.read_bytes())
    path.write_text(text, encoding="utf-8")
    return not same


def _introduction(docstring: str) -> str:
    """What heads the answers: how to work, and the conventions that the stub's docstring states."""
    paragraphs = docstring.split("\n\n")[1:]
    kept = [text for text in paragraphs if "README.md" not in text and "raise NotImplementedError" not in text]
    how = (
        "## Your answers\n\nWrite your code where it says `YOUR CODE HERE`, and keep names and parameters. `%check` "
        "grades a part with all that you have defined so far, wherever in the notebook that is."
    )
    return "\n\n".join([how, *(_as_markdown(text) for text in kept)])


def _as_markdown(text: str) -> str:
    """Paragraphs of a docstring; an indented list, of sources or letters, keeps its lines."""
    if not re.search(r"^[ ]{4}", text, re.MULTILINE):
        return text
    head, *rows = text.split("\n")
    items: list[str] = []
    for row in rows if not head.startswith(" ") else [head, *rows]:
        if row.startswith("    ") and not row.startswith("     "):
            items.append(f"* {row.strip()}")
        elif items:
            items[-1] += " " + row.strip()
        else:
            head += " " + row.strip()
    return "\n".join([*([] if head.startswith(" ") else [head, ""]), *items])


def _markdown(name: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name[:64], "metadata": {}, "source": _rows(text)}


def _code(name: str, text: str, **fields: Any) -> dict[str, Any]:
    about = {"schema_version": SCHEMA, "grade_id": name, "grade": False, "solution": False, "locked": False,
             "task": False, **fields}  # fmt: skip
    return {"cell_type": "code", "id": name[:64], "metadata": {"nbgrader": about}, "source": _rows(text),
            "outputs": [], "execution_count": None}  # fmt: skip


def _rows(text: str) -> list[str]:
    """A cell's source as notebooks keep it, line by line: differences of two versions can be read."""
    return text.splitlines(keepends=True)
