"""The page of one exercise: your figures beside the reference's, and the verdicts. One file, no scripts, no network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gdgrade.language import _, course_text
from gdgrade.report.html import Figure, embedded, render

if TYPE_CHECKING:
    from gdgrade.course.manifest import Course, Exercise
    from gdgrade.report.model import Report
    from gdgrade.workspace.overview import ExerciseState

GALLERY = Path("docs") / "gallery"
"""Of the course folder; a release has the reference's pictures at the same place, where the statements link to."""


@dataclass(frozen=True)
class Pair:
    """One figure: yours and the reference's; either may be missing."""

    title: str
    yours: Figure | None
    reference: Figure | None


def gallery(course: Course, exercise: Exercise) -> dict[str, Path]:
    """Name -> picture of the reference's figures; empty where the folder has none."""
    return _best((course.root / GALLERY / exercise.id).glob("*.png"))


def pairs(files: Iterable[Path], reference: dict[str, Path]) -> list[Pair]:
    """Figures side by side, matched by name: yours in their order, then those that only the reference has."""
    mine = _best(files)
    found = []
    for name in [*mine, *(name for name in sorted(reference) if name not in mine)]:
        title = name.replace("_", " ").replace("-", " ").capitalize()
        own = embedded({_("Your figure: {title}").format(title=title): mine[name]})[0] if name in mine else None
        theirs = (
            embedded({_("The reference's figure: {title}").format(title=title): reference[name]})[0]
            if name in reference
            else None
        )
        found.append(Pair(title, own, theirs))
    return found


def write_page(
    path: Path,
    exercise: Exercise,
    figures: Sequence[Pair],
    *,
    state: ExerciseState | None = None,
    report: Report | None = None,
) -> None:
    """Write the page.

    Args:
        state: the verdicts that were kept; used where there is no report.
        report: of this very file, redacted.

    Raises:
        OSError: the file cannot be written.
    """
    from gdgrade.workspace.display import status_words

    title = f"{exercise.short or exercise.id} · {course_text(exercise.title)}"
    values = {"exercise": exercise, "pairs": figures, "report": report, "words_of": status_words, "_": _}
    checked = [part for part in state.parts if part.verdict is not None] if state is not None else []
    page = render("exercise.html", title=title, state=state, checked=checked, course_text=course_text, **values)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def _best(files: Iterable[Path]) -> dict[str, Path]:
    """Name -> file; of a figure in several formats the PNG."""
    found: dict[str, Path] = {}
    for path in files:
        if path.stem not in found or path.suffix.lower() == ".png":
            found[path.stem] = path
    return found
