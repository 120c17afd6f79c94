"""`gdgrade export`: grades in the formats of other programs, and as pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gdgrade.cli.batch import out_option
from gdgrade.cli.common import course_option, load, machine, usage

if TYPE_CHECKING:
    from gdgrade.batch.exports.moodle import Filled
    from gdgrade.batch.grades import Grade
    from gdgrade.course.manifest import Course

only_option = click.option("--exercise", "only", metavar="EX", help="Only this exercise.")


@click.group("export")
def export_group() -> None:
    """Write the grades of the store for people and for other programs."""


def _stored(out: Path, course: Course, only: str | None) -> list[Grade]:
    """Grades of the latest hand-ins; a store that cannot be read ends the command with exit code 3."""
    from gdgrade.batch.grades import grades
    from gdgrade.batch.store import Store, StoreError
    from gdgrade.course.errors import UnknownExerciseError
    from gdgrade.course.lookup import resolve_exercise

    try:
        wanted = None if only is None else resolve_exercise(course, only).id
        with Store(out) as store:
            return grades(store, course, exercise=wanted)
    except StoreError as error:
        machine(str(error))
    except UnknownExerciseError as error:
        usage(str(error))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    except OSError as error:
        machine(f"{path} cannot be written: {error.strerror}")
    click.echo(path)


def _common(function: Callable[..., None]) -> Callable[..., None]:
    return out_option(only_option(course_option(function)))


@export_group.command("csv")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@_common
def csv_command(folder: Path, out: Path, only: str | None, course_path: Path | None) -> None:
    """Write grades.csv (a row per student and exercise) and checks.csv (a row per check) into FOLDER."""
    from gdgrade.batch.exports import tables

    found = _stored(out, load(course_path), only)
    _write(folder / "grades.csv", tables.to_csv(tables.GRADE_COLUMNS, tables.grade_rows(found)))
    _write(folder / "checks.csv", tables.to_csv(tables.CHECK_COLUMNS, tables.check_rows(found)))


@export_group.command("jsonl")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_common
def jsonl_command(file: Path, out: Path, only: str | None, course_path: Path | None) -> None:
    """Write a JSON object per check into FILE, or a Parquet file if its name ends so (needs pyarrow)."""
    from gdgrade.batch.exports import tables

    rows = tables.check_rows(_stored(out, load(course_path), only))
    if file.suffix != ".parquet":
        _write(file, tables.to_json_lines(rows))
        return
    try:
        tables.write_parquet(rows, file)
    except ModuleNotFoundError:
        usage("Parquet needs pyarrow: pip install pyarrow, or write JSON Lines")
    click.echo(file)


@export_group.command("junit")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@_common
def junit_command(folder: Path, out: Path, only: str | None, course_path: Path | None) -> None:
    """Write a JUnit XML file per student and exercise into FOLDER."""
    from gdgrade.batch.pages import page_name
    from gdgrade.report.junit import to_junit

    for grade in _stored(out, load(course_path), only):
        if grade.report is not None:
            name = page_name(grade.student).removesuffix(".html")
            _write(folder / f"{name}-{grade.exercise}.xml", to_junit(grade.report))


@export_group.command("html")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@_common
def html_command(folder: Path, out: Path, only: str | None, course_path: Path | None) -> None:
    """Write a page per student, and index.html for staff, into FOLDER."""
    from gdgrade.batch.pages import write_pages
    from gdgrade.batch.store import Store

    course = load(course_path)
    found = _stored(out, course, only)
    with Store(out) as store:
        last = store.last_run()
        query = "SELECT path, reason FROM refused WHERE run = ?"
        rows = store.db.execute(query, (last["id"],)).fetchall() if last is not None else []
    try:
        written = write_pages(course, found, folder, refused=[(row["path"], row["reason"]) for row in rows])
    except OSError as error:
        machine(f"{folder} cannot be written: {error.strerror}")
    click.echo(f"{written[0]} and {len(written) - 1} pages of students")


@export_group.command("moodle")
@click.argument("worksheet", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="Write there; default: in place.")
@click.option("--no-feedback", is_flag=True, help="Grades only.")
@_common
def moodle_command(
    worksheet: Path, to: Path | None, no_feedback: bool, out: Path, only: str | None, course_path: Path | None
) -> None:
    """Fill grades of --exercise into Moodle's offline grading WORKSHEET, in place."""
    from gdgrade.batch.exports.moodle import fill_worksheet
    from gdgrade.batch.exports.sheets import SheetError, read_sheet

    course = load(course_path)
    if only is None and len(course.exercises) > 1:
        usage("a worksheet is of one assignment: say which exercise with --exercise")
    try:
        sheet = read_sheet(worksheet)
        filled = fill_worksheet(sheet, _stored(out, course, only), feedback=not no_feedback)
    except SheetError as error:
        usage(f"{worksheet}: {error}")
    _write(to or worksheet, sheet.text())
    _tell(filled)


@export_group.command("moodle-import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--key", type=click.Choice(["email", "username", "idnumber"]), default="email", show_default=True,
              help="How Moodle looks students up.")  # fmt: skip
@_common
def moodle_import_command(file: Path, key: str, out: Path, only: str | None, course_path: Path | None) -> None:
    """Write FILE for Moodle's Grades > Import > CSV file: a row per student, a column per exercise."""
    from gdgrade.batch.exports.moodle import import_file

    course = load(course_path)
    found = _stored(out, course, only)
    present = {grade.exercise for grade in found}
    titles = {exercise.id: exercise.title for exercise in course.exercises if exercise.id in present}
    text, missing = import_file(found, key, titles=titles)
    _write(file, text)
    for student in missing:
        click.echo(f"not written: {student} has no {key}", err=True)


@export_group.command("canvas")
@click.argument("gradebook", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="Write there; default: in place.")
@click.option("--column", "columns", multiple=True, metavar="EX=TITLE", help="Which assignment an exercise is.")
@_common
def canvas_command(
    gradebook: Path, to: Path | None, columns: tuple[str, ...], out: Path, only: str | None, course_path: Path | None
) -> None:
    """Fill grades into a GRADEBOOK exported from Canvas, in place."""
    from gdgrade.batch.exports.canvas import fill_gradebook
    from gdgrade.batch.exports.sheets import SheetError, read_sheet
    from gdgrade.course.errors import UnknownExerciseError
    from gdgrade.course.lookup import resolve_exercise

    course = load(course_path)
    named: dict[str, str] = {}
    for column in columns:
        name, equals, title = column.partition("=")
        if not equals:
            usage(f"--column must be EXERCISE=TITLE, got {column!r}")
        try:
            named[resolve_exercise(course, name).id] = title
        except UnknownExerciseError as error:
            usage(str(error))
    try:
        sheet = read_sheet(gradebook)
        filled = fill_gradebook(sheet, course, _stored(out, course, only), named)
    except SheetError as error:
        usage(f"{gradebook}: {error}")
    _write(to or gradebook, sheet.text())
    _tell(filled)


def _tell(filled: Filled) -> None:
    """What was filled on stderr, and everything that was not."""
    click.echo(f"{filled.rows} grades filled", err=True)
    words: dict[str, Any] = {
        "locked, left as they were": filled.locked, "not graded yet, left empty": filled.not_graded,
        "not in the file": filled.not_in_sheet, "cut to the maximum of the file": filled.capped,
    }  # fmt: skip
    for what, students in words.items():
        if students:
            click.echo(f"{what}: {', '.join(students)}", err=True)
