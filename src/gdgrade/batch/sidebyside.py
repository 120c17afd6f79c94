"""Two alike files side by side on a page, with what is in both marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gdgrade.batch.grades import Grade
from gdgrade.batch.grading import load
from gdgrade.batch.similar import Pair
from gdgrade.batch.store import Store
from gdgrade.course.manifest import Course
from gdgrade.report.html import render
from gdgrade.report.text import clean_text


def write_pairs(
    store: Store, course: Course, grades: Sequence[Grade], pairs: Mapping[tuple[str, str, str], Pair], folder: Path
) -> list[Path]:
    """A page per pair of files; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for (exercise_id, one, two), pair in pairs.items():
        exercise = course.exercise(exercise_id)
        names = [
            ", ".join(sorted(g.student for g in grades if g.exercise == exercise_id and g.sha256 == key))
            for key in (one, two)
        ]
        texts = [
            marked(load(*store.file(key), exercise).source, places)
            for key, places in zip((one, two), pair.places, strict=True)
        ]
        path = folder / f"{exercise_id}-{one[:8]}-{two[:8]}.html"
        title = f"{exercise_id}: alike"
        page = render("pair.html", title=title, exercise=exercise_id, names=names, share=pair.share, texts=texts)
        path.write_text(page, encoding="utf-8")
        written.append(path)
    return written


def marked(source: str, places: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """The source in pieces: text, and whether it is in both files.

    Example:
        >>> marked("abcdef", [(1, 3)])
        [('a', False), ('bc', True), ('def', False)]
    """
    pieces: list[tuple[str, bool]] = []
    at = 0
    for start, end in sorted(places):
        start, end = max(start, at), min(max(end, at), len(source))
        pieces += [(source[at:start], False), (source[start:end], True)]
        at = end
    pieces.append((source[at:], False))
    limit = 200_000
    return [(clean_text(text, limit, newlines=True), mark) for text, mark in pieces if text]
