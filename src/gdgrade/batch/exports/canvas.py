"""Canvas: the gradebook CSV, filled in place.

Export it by "Grades > Export", fill, import it by "Grades > Import". Canvas looks students up by the column ID and
assignments by the number in parentheses behind their name; columns marked "(read only)" stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gdgrade.batch.exports.moodle import Filled, parsed
from gdgrade.batch.exports.sheets import Record, Sheet, SheetError
from gdgrade.batch.grades import Grade
from gdgrade.course.errors import UnknownExerciseError
from gdgrade.course.lookup import resolve_exercise
from gdgrade.course.manifest import Course

_ASSIGNMENT = re.compile(r"^(?P<title>.*) \((?P<number>\d+)\)$")


def columns_of(sheet: Sheet, course: Course, named: Mapping[str, str] | None = None) -> dict[str, int]:
    """Exercise id -> number of its column.

    Args:
        named: exercise id -> title of the assignment, where the title does not say which exercise it is.

    Raises:
        SheetError: a named assignment is not there, or two columns mean the same exercise.
    """
    found: dict[str, int] = {}
    titles = {title: exercise for exercise, title in (named or {}).items()}
    for index, name in enumerate(sheet.header):
        match = _ASSIGNMENT.match(name)
        if match is None:
            continue
        exercise = titles.get(match["title"])
        if exercise is None:
            try:
                exercise = resolve_exercise(course, match["title"].replace("/", " ")).id
            except UnknownExerciseError:
                continue
            if exercise in titles.values():
                continue  # its column was named
        if exercise in found:
            both = f"{sheet.header[found[exercise]]!r} and {name!r}"
            raise SheetError(f"the columns {both} both mean {exercise}; say which with --column {exercise}=TITLE")
        found[exercise] = index
    missing = [title for title, exercise in titles.items() if exercise not in found]
    if missing:
        raise SheetError(f"no assignment is called {missing[0]!r}")
    return found


def fill_gradebook(
    sheet: Sheet, course: Course, grades: Sequence[Grade], named: Mapping[str, str] | None = None
) -> Filled:
    """Fill the points of all exercises that have a column, scaled to "Points Possible".

    Raises:
        SheetError: it is no gradebook of Canvas, or no column belongs to an exercise.
    """
    student, number = sheet.column("Student"), sheet.column("ID")
    if student is None or number is None:
        raise SheetError("no columns 'Student' and 'ID'; is this a gradebook exported from Canvas?")
    columns = columns_of(sheet, course, named)
    if not columns:
        raise SheetError("no column belongs to an exercise; say which with --column EXERCISE=TITLE")
    possible = next((r for r in sheet.records[1:4] if "points possible" in r.cell(student).lower()), None)
    filled = Filled()
    found: set[str] = set()
    for record in sheet.records[1:]:
        if record is possible or not record.cell(number).isdigit():
            continue
        mine = _of(record, sheet, number, student, grades)
        found.update(grade.student for grade in mine)
        for grade in mine:
            column = columns.get(grade.exercise)
            if column is None:
                continue
            most = possible.cell(column) if possible is not None else ""
            if "read only" in most.lower():
                filled.locked.append(grade.student)
            elif grade.final is None:
                filled.not_graded.append(grade.student)
            else:
                # Canvas takes more than the maximum, as extra credit.
                scale = (parsed(most) or grade.max_points) / grade.max_points if grade.max_points else 1.0
                record.put(column, f"{grade.final * scale:.2f}")
                filled.rows += 1
    filled.not_in_sheet += sorted({grade.student for grade in grades} - found)
    return filled


def _of(record: Record, sheet: Sheet, number: int, student: int, grades: Sequence[Grade]) -> list[Grade]:
    by_number = [grade for grade in grades if grade.identifiers.get("canvas") == record.cell(number)]
    if by_number:
        return by_number
    login = record.cell(sheet.column("SIS Login ID"))
    sis = record.cell(sheet.column("SIS User ID"))
    names = {login, sis, record.cell(student)} - {""}
    return [grade for grade in grades if "canvas" not in grade.identifiers and grade.student in names]
