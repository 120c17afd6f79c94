"""`gdgrade results`: list, filter, show one, compare two runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gdgrade.cli.batch import out_option
from gdgrade.cli.common import course_option, load, machine, usage

if TYPE_CHECKING:
    from gdgrade.batch.grades import Grade
    from gdgrade.batch.store import Store
    from gdgrade.course.manifest import Course
    from gdgrade.report.model import Report


@click.command("results", epilog="Exit codes: 0 shown, 2 wrong usage or nothing there, 3 the store cannot be read.")
@click.argument("student", required=False)
@click.argument("exercise", required=False)
@out_option
@click.option("--run", type=int, metavar="N", help="Of this run; default: the latest hand-in of each student.")
@click.option("--runs", is_flag=True, help="List the runs.")
@click.option("--compare", nargs=2, type=int, metavar="N M", help="What changed from run N to run M.")
@click.option("--exercise", "only", metavar="EX", help="Only this exercise.")
@click.option("--below", type=float, metavar="SHARE", help="Only grades below this share of the points, e.g. 0.5.")
@click.option("--cause", help="Only hand-ins with a check of this cause, e.g. timeout.")
@click.option("--failed", "failed_check", metavar="CHECK", help="Only hand-ins that fail this check.")
@click.option("--queue", is_flag=True, help="Only what a person must look at.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@course_option
def results_command(student: str | None, exercise: str | None, out: Path, course_path: Path | None, **how: Any) -> None:
    """Show what is in the store: all grades, or one STUDENT's, or the report on one EXERCISE of that student.

    \b
    Examples:
      gdgrade results                         everybody, latest hand-ins
      gdgrade results alice ex05              alice's report
      gdgrade results --cause timeout --exercise ex05
      gdgrade results --compare 3 4           who changed, in which check, and why
    """
    from gdgrade.batch.grades import each_grade
    from gdgrade.batch.store import Store, StoreError
    from gdgrade.course.errors import UnknownExerciseError
    from gdgrade.course.lookup import resolve_exercise

    course = load(course_path)
    try:
        with Store(out) as store:
            if how["runs"]:
                _runs(store)
            elif how["compare"]:
                _compare(store, course, *how["compare"])
            else:
                if how["run"] is not None:
                    store.run(how["run"])
                asked = exercise or how["only"]
                wanted = None if asked is None else resolve_exercise(course, asked).id
                if student is not None:
                    _must_be_there(store, student, how["run"])
                found = each_grade(store, course, run=how["run"], exercise=wanted, student=student)
                _show((grade for grade in found if _passes(grade, how)), how["style"], exercise is not None)
    except UnknownExerciseError as error:
        usage(str(error))
    except StoreError as error:
        machine(str(error))


def _must_be_there(store: Store, student: str, run: int | None) -> None:
    import difflib

    query = "SELECT DISTINCT student, name FROM hand_ins WHERE :run IS NULL OR run = :run"
    names = {name for row in store.db.execute(query, {"run": run}) for name in row}
    if student not in names:
        near = difflib.get_close_matches(student, names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        usage(f"the store has no student {student!r}{hint}")


def _passes(grade: Grade, how: dict[str, Any]) -> bool:
    """Whether a grade is among those that the options ask for."""
    checks = grade.report.checks if grade.report is not None else ()
    below, cause, failed = how["below"], how["cause"], how["failed_check"]
    return (
        (not how["queue"] or grade.needs_person)
        and (below is None or (grade.final is not None and grade.final < below * grade.max_points))
        and (not cause or any(check.cause == cause for check in checks))
        and (not failed or any(check.outcome == "failed" and check.id.endswith(failed) for check in checks))
    )


def _show(found: Iterator[Grade], style: str, one: bool) -> None:
    """Print grades as they come: the reports of thousands together would fill the memory.

    Args:
        one: whether a single report was asked for.
    """
    if style == "json":
        _print_json(found)
        return
    if one:
        first = list(found)
        if len(first) == 1 and first[0].report is not None:
            _print_report(first[0], first[0].report)
            return
        found = iter(first)
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("student", "exercise", "points", "of", "state", "note"):
        table.add_column(column, justify="right" if column in ("points", "of") else "left")
    for grade in found:
        points = "-" if grade.final is None else f"{grade.final:g}"
        note = grade.problem or grade.comment.split("\n")[0]
        cells = (grade.student, grade.exercise, points, f"{grade.max_points:g}", grade.state, note)
        table.add_row(*(Text(cell) for cell in cells))
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)


def _print_json(found: Iterator[Grade]) -> None:
    """A list, one grade after the other."""
    start = "["
    for grade in found:
        text = json.dumps(_plain(grade), indent=2, ensure_ascii=False).replace("\n", "\n  ")
        click.echo(f"{start}\n  {text}", nl=False)
        start = ","
    click.echo("[]" if start == "[" else "\n]")


def _print_report(grade: Grade, report: Report) -> None:
    from rich.console import Console

    from gdgrade.report.terminal import print_report

    command = f"gdgrade check {report.exercise.short or grade.exercise}"
    print_report(report, Console(highlight=False), show_hidden=True, command=command)
    if grade.comment:
        click.echo(grade.comment)


def _plain(grade: Grade) -> dict[str, Any]:
    return {
        "student": grade.student, "name": grade.name, "exercise": grade.exercise, "file": grade.file,
        "sha256": grade.sha256, "state": grade.state, "points": grade.final, "max_points": grade.max_points,
        "problem": grade.problem, "submitted": grade.submitted.isoformat() if grade.submitted else None,
        "late": grade.late.model_dump() if grade.late else None, "comment": grade.comment, "run": grade.run,
        "report": json.loads(grade.report.to_json()) if grade.report else None,
    }  # fmt: skip


def _runs(store: Store) -> None:
    for row in store.db.execute(
        "SELECT r.*, (SELECT count(*) FROM hand_ins h WHERE h.run = r.id) AS hand_ins, (SELECT count(*) FROM verdicts v"
        " WHERE v.run = r.id) AS verdicts FROM runs r ORDER BY r.id"
    ):
        click.echo(f"{row['id']:4}  {row['started_at']}  {row['state']:8}  revision {row['revision']}, "
                   f"{row['hand_ins']} hand-ins, {row['verdicts']} graded, gdgrade {row['engine']}")  # fmt: skip


def _compare(store: Store, course: Course, one: int, two: int) -> None:
    from gdgrade.batch.compare import changes
    from gdgrade.batch.grades import grades

    for number in (one, two):
        store.run(number)
    found = changes(grades(store, course, run=one), grades(store, course, run=two))
    for change in found:
        points = [("-" if value is None else f"{value:g}") for value in (change.before, change.after)]
        click.echo(f"{change.student}  {change.exercise}  {points[0]} -> {points[1]}  {change.why}")
        for line in change.checks:
            click.echo(f"    {line}")
    click.echo(f"{len(found)} changed from run {one} to run {two}")
