"""Translations in a students' package: those of texts that the package itself shows, and no others.

A catalogue of the graders holds titles and messages of hidden checks as well. What may go out is found by looking at
what already does: the cut graders, the tape's mistakes and the stub.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from gdgrade.author.coursetexts import Text, course_texts, exercise_texts
from gdgrade.course.errors import CourseError
from gdgrade.course.manifest import Course, Exercise
from gdgrade.language import LANGUAGES


def ship_exercise(exercise: Exercise, folder: Path) -> None:
    """Write the catalogues of one exercise into a package whose graders and tape are there already."""
    place = folder / "graders" / exercise.id
    texts = exercise_texts(place, stub=folder / "exercises" / exercise.id / exercise.entry)
    told = json.loads((folder / "tape" / exercise.id / "tape.json").read_text(encoding="utf-8"))["mistakes"]
    texts += [Text(mistake[name], "tape") for mistake in told for name in ("title", "hint")]
    _ship(exercise.graders_dir / "locale", place / "locale", texts)


def ship_course(course: Course, exercises: Sequence[Exercise], folder: Path) -> tuple[str, ...]:
    """Write the course's catalogues with the titles of these exercises.

    Returns:
        the languages there are, beside English.
    """
    texts = course_texts(course.model_copy(update={"exercises": tuple(exercises)}))
    return _ship(course.root / "locale", folder / "locale", texts)


def _ship(source: Path, target: Path, texts: Iterable[Text]) -> tuple[str, ...]:
    """Copy those entries of a folder's compiled catalogues; returns the languages it has."""
    found = tuple(name for name in LANGUAGES[1:] if (source / f"{name}.po").is_file())
    if found:
        try:  # with Babel, which a course in English can do without
            from gdgrade.author.catalogues import compile_catalogue
        except ImportError as error:
            need = f"releasing a course in {', '.join(found)} needs Babel. Install it: pip install babel"
            raise CourseError.at(source, need) from error
        only = frozenset(text.msgid for text in texts)
        for name in found:
            compile_catalogue(source / f"{name}.po", only, target / f"{name}.mo")
    return found
