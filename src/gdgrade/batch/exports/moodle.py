"""Moodle: the offline grading worksheet of an assignment, filled in place, and a file for "Import grades".

The worksheet comes from "View all submissions > Download grading worksheet" and goes back by "Upload grading
worksheet". Moodle refuses a file whose other columns changed, so only grades and feedback are touched, and rows
whose grade cannot be changed stay as they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gdgrade.batch.exports.sheets import Record, Sheet, SheetError, defused, number
from gdgrade.batch.grades import Grade

IDENTIFIER = ("Identifier", "Identifiant")
FULL_NAME = ("Full name", "Nom complet", "Nom")
EMAIL = ("Email address", "Adresse de courriel", "Courriel", "Adresse e-mail")
GRADE = ("Grade", "Note")
MAXIMUM = ("Maximum Grade", "Maximum grade", "Note maximale")
CHANGEABLE = ("Grade can be changed", "La note peut être modifiée", "La note peut être changée")
FEEDBACK = ("Feedback comments", "Feedback par commentaires", "Commentaires de feedback", "Feedback")
YES = ("yes", "oui", "1")


@dataclass
class Filled:
    """What was done: number of rows filled; locked rows that stayed; students found on one side only."""

    rows: int = 0
    locked: list[str] = field(default_factory=list)
    not_in_sheet: list[str] = field(default_factory=list)
    not_graded: list[str] = field(default_factory=list)
    capped: list[str] = field(default_factory=list)


def fill_worksheet(sheet: Sheet, grades: Sequence[Grade], *, feedback: bool = True) -> Filled:
    """Fill grades and feedback into a worksheet, scaled to its own maximum.

    Args:
        grades: of one exercise.
        feedback: also fill the column of comments, if there is one.

    Raises:
        SheetError: it has no column of identifiers or of grades.
    """
    identifier, grade_column = sheet.column(*IDENTIFIER), sheet.column(*GRADE)
    if identifier is None or grade_column is None:
        missing = "Identifier" if identifier is None else "Grade"
        raise SheetError(f"no column {missing!r}; is this a grading worksheet of Moodle, in English or French?")
    maximum, changeable = sheet.column(*MAXIMUM), sheet.column(*CHANGEABLE)
    comments = sheet.column(*FEEDBACK) if feedback else None
    comma = decimal_comma(sheet, [grade_column, maximum])
    filled = Filled()
    left = {grade.student: grade for grade in grades}
    for record in sheet.records[1:]:
        grade = _whose(record, sheet, identifier, list(left.values()))
        if grade is None:
            continue
        del left[grade.student]
        if changeable is not None and record.cell(changeable).lower() not in YES:
            filled.locked.append(grade.student)
            continue
        if grade.final is None:
            filled.not_graded.append(grade.student)
            continue
        most = parsed(record.cell(maximum)) or grade.max_points
        points = grade.final * most / grade.max_points if grade.max_points else 0.0
        if points > most:
            filled.capped.append(grade.student)
        record.put(grade_column, number(min(points, most), comma))
        if comments is not None:
            record.put(comments, defused(summary(grade)))
        filled.rows += 1
    filled.not_in_sheet += list(left)
    return filled


def _whose(record: Record, sheet: Sheet, identifier: int, grades: Sequence[Grade]) -> Grade | None:
    """By the participant's number, else by e-mail address, else by a name that one student alone has."""
    digits = re.search(r"(\d+)\s*$", record.cell(identifier))
    participant = digits[1] if digits else ""
    email = record.cell(sheet.column(*EMAIL)).lower()
    name = record.cell(sheet.column(*FULL_NAME))
    for test in (
        lambda grade: bool(participant) and grade.identifiers.get("moodle") == participant,
        lambda grade: bool(email) and email in (grade.identifiers.get("email", "").lower(), grade.student.lower()),
        lambda grade: bool(name) and "moodle" not in grade.identifiers and name in (grade.name, grade.student),
    ):
        found = [grade for grade in grades if test(grade)]
        if len(found) == 1:
            return found[0]
    return None


def decimal_comma(sheet: Sheet, columns: Sequence[int | None]) -> bool:
    """Whether the file writes 7,50: as its numbers do; without any, as files separated by semicolons do."""
    for record in sheet.records[1:]:
        for column in columns:
            if re.fullmatch(r"\d+,\d+", record.cell(column)):
                return True
            if re.fullmatch(r"\d+\.\d+", record.cell(column)):
                return False
    return sheet.delimiter == ";"


def parsed(text: str) -> float | None:
    """A number with either decimal mark, or None."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def summary(grade: Grade) -> str:
    """Feedback in a few lines of plain text: points per part, what to look at, decisions of people."""
    lines = []
    if grade.report is not None:
        report = grade.report.redacted()
        lines += [f"{part.id} {part.title}: {part.points:g} of {part.max_points:g}" for part in report.parts]
        hints = dict.fromkeys(check.hint for check in report.checks if check.outcome == "failed" and check.hint)
        lines += [f"Hint: {hint}" for hint in list(hints)[:5]]
    if grade.comment:
        lines.append(grade.comment)
    return "\n".join(lines)


def import_file(grades: Sequence[Grade], key: str, *, titles: dict[str, str]) -> tuple[str, list[str]]:
    """A CSV for Moodle's "Grades > Import > CSV file": one row per student, one column per exercise.

    Args:
        key: how students are looked up: `email`, `username` or `idnumber`; the header is Moodle's own word for it.
        titles: exercise id -> name of the grade item.

    Returns:
        The text, and students that lack the key.
    """
    header = {"email": "Email address", "username": "Username", "idnumber": "ID number"}[key]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([header, *(cell for title in titles.values() for cell in (title, f"Feedback: {title}"))])
    missing: list[str] = []
    by_student: dict[str, dict[str, Grade]] = {}
    for grade in grades:
        by_student.setdefault(grade.student, {})[grade.exercise] = grade
    for student, mine in by_student.items():
        found = {"email": "email", "idnumber": "sid"}.get(key)
        value = next((g.identifiers[found] for g in mine.values() if found and g.identifiers.get(found)), "")
        value = value or (student if key != "email" or "@" in student else "")
        if not value:
            missing.append(student)
            continue
        cells: list[str] = [defused(value)]
        for exercise in titles:
            one = mine.get(exercise)
            cells += ["", ""] if one is None or one.final is None else [f"{one.final:.2f}", defused(one.comment)]
        writer.writerow(cells)
    return buffer.getvalue(), missing
