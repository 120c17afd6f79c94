"""HTML pages of a whole course: one per student, and one for staff."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from gdgrade.batch.grades import Grade
from gdgrade.batch.statistics import summarise
from gdgrade.course.manifest import Course
from gdgrade.language import _, course_text, speaking
from gdgrade.report.html import TEMPLATES, Figure, Row, Section, render, student_page
from gdgrade.report.wording import number


@dataclass(frozen=True)
class Alike:
    """Students whose files for an exercise are alike; `share` of the shorter file's tokens, in [0, 1]."""

    exercise: str
    students: tuple[str, ...]
    share: float


@dataclass(frozen=True)
class _Line:
    student: str
    exercise: str
    points: str
    most: str
    state: str
    person: bool
    late: str
    note: str
    page: str


def write_pages(
    course: Course,
    grades: Sequence[Grade],
    folder: Path,
    *,
    refused: Sequence[tuple[str, str]] = (),
    groups: Sequence[Alike] = (),
    figures: Mapping[tuple[str, str], tuple[Figure, ...]] | None = None,
) -> list[Path]:
    """Write `index.html` for staff and `students/*.html`; returns all paths, the index first.

    Args:
        figures: of a student and an exercise.
    """
    (folder / "students").mkdir(parents=True, exist_ok=True)
    index = folder / "index.html"
    written = [index]
    places: dict[str, str] = {}
    everyone: dict[str, list[Grade]] = {}
    for grade in grades:
        everyone.setdefault(grade.student, []).append(grade)
    for student, mine in everyone.items():
        path = folder / "students" / page_name(student)
        with speaking(_language(mine), course.root / "locale"):
            path.write_text(page_of(course, mine, figures or {}), encoding="utf-8")
        places[student] = f"students/{path.name}"
        written.append(path)
    index.write_text(course_page(course, grades, places, refused, groups), encoding="utf-8")
    return written


def page_name(student: str) -> str:
    """A file name that any system takes and no two students share."""
    plain = re.sub(r"[^A-Za-z0-9.-]+", "_", student).strip("._")[:60]
    return f"{plain or 'student'}-{hashlib.sha256(student.encode()).hexdigest()[:8]}.html"


def page_of(
    course: Course, grades: Sequence[Grade], figures: Mapping[tuple[str, str], tuple[Figure, ...]] | None = None
) -> str:
    """The page of one student, as the student may see it."""
    drawn = figures or {}
    sections = [
        Section(grade.report.redacted(), _words(grade), grade.final, drawn.get((grade.student, grade.exercise), ()))
        for grade in grades
        if grade.report is not None
    ]  # fmt: skip
    overview = [
        Row(grade.exercise, _points(grade), grade.problem if grade.report is None else "", grade.report is not None)
        for grade in grades
    ]
    name = grades[0].name
    return student_page(sections, title=f"{name}: {course_text(course.title)}", name=name, overview=overview)


def _language(grades: Sequence[Grade]) -> str:
    """The language of a student's page: that of the stored verdicts on it."""
    return next((grade.report.language for grade in grades if grade.report is not None), "en")


def course_page(
    course: Course,
    grades: Sequence[Grade],
    places: Mapping[str, str],
    refused: Sequence[tuple[str, str]] = (),
    groups: Sequence[Alike] = (),
) -> str:
    """The page for staff.

    Args:
        places: student -> address of the student's page.
    """
    summaries = [
        summarise(exercise, [grade for grade in grades if grade.exercise == exercise.id])
        for exercise in course.exercises
        if any(grade.exercise == exercise.id for grade in grades)
    ]
    rows = [
        _Line(
            grade.student, grade.exercise, "-" if grade.final is None else f"{grade.final:g}", f"{grade.max_points:g}",
            grade.state, grade.needs_person, _late(grade), grade.problem or _words(grade).split("\n")[0],
            places.get(grade.student, ""),
        )
        for grade in grades
    ]  # fmt: skip
    script = Markup((TEMPLATES / "course.js").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    return render(
        "course.html", title=f"{course.title}: all grades", course_title=course.title, revision=course.revision,
        students=len({grade.student for grade in grades}), people=sum(grade.needs_person for grade in grades),
        rows=rows, summaries=summaries, refused=refused, groups=groups, script=script, scripts=True,
    )  # fmt: skip


def _points(grade: Grade) -> str:
    if grade.final is None:
        return _("not graded")
    return _("{got} of {most}").format(got=number(grade.final), most=number(grade.max_points))


def _late(grade: Grade) -> str:
    if grade.late is None or not grade.late.days_late:
        return ""
    return f"{grade.late.days_late} d"


def _words(grade: Grade) -> str:
    """What people wrote; the late policy's sentence stands in the report already."""
    from gdgrade.batch.grades import decision_words

    return "\n".join(decision_words(one) for one in grade.decisions)
