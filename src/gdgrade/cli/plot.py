"""`gdgrade plot`: the exercise's figures, made from a student's own code, beside those of the reference."""

from __future__ import annotations

import dataclasses
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gdgrade.cli.common import (
    EXIT_FAILED,
    confine_option,
    course_option,
    lang_option,
    load,
    machine,
    start_method_option,
    usage,
)
from gdgrade.language import _

if TYPE_CHECKING:
    from gdgrade.course.manifest import Course, Exercise
    from gdgrade.course.submission import Submission
    from gdgrade.report.model import Report

SECONDS = 600.0
PAGE = "index.html"


@click.command(
    "plot", epilog="Exit codes: 0 drawn, 1 the code does not get that far, 2 wrong usage, 3 grader or machine."
)
@click.argument("exercise")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder. Default: figures/EXERCISE.")
@click.option("--format", "formats", type=click.Choice(["png", "svg"]), multiple=True, help="Default: both.")
@click.option("--open", "open_first", is_flag=True, help="Open the page afterwards.")
@confine_option
@start_method_option
@lang_option
@course_option
def plot_command(
    exercise: str,
    file: Path | None,
    out: Path | None,
    formats: tuple[str, ...],
    open_first: bool,
    confine: str,
    start_method: str | None,
    course_path: Path | None,
) -> None:
    """Draw the figures of EXERCISE from FILE (default: your own file of that exercise).

    Your code computes in its own process; the figures are drawn outside it. A page, index.html, shows them beside
    those of the reference, with your last verdicts.

    \b
    Examples:
      gdgrade plot ex05 --open
      gdgrade plot ex01 ~/hand-ins/alice_vae.py --out pictures --format png
    """
    course, chosen, submission = _meant(exercise, file, course_path)
    folder = out or Path("figures") / chosen.id
    result = _drawn(course, chosen, submission, folder, formats, confine, start_method)
    problem = _problem(result)
    if problem and result.get("cause") != "student":
        machine(problem)
    if problem:
        click.echo(_("the figures need code that does not run yet: {problem}").format(problem=problem), err=True)
        sys.exit(EXIT_FAILED)
    for path in result["files"]:
        click.echo(path)
    page = _page(course, chosen, folder, result["files"])
    click.echo(page)
    if open_first:
        click.launch(str(page))


def plot_after_check(
    exercise: str, file: Path | None, report: Report, confine: str, start_method: str | None, course_path: Path | None
) -> None:
    """`check --plot`: draw what was checked, with its report on the page. Whatever goes wrong, the verdict stands."""
    course, chosen, submission = _meant(exercise, file, course_path)
    folder = Path("figures") / chosen.id
    result = _drawn(course, chosen, submission, folder, (), confine, start_method)
    if problem := _problem(result):
        click.echo(_("the figures need code that does not run yet: {problem}").format(problem=problem), err=True)
    page = _page(course, chosen, folder, result["files"], report)
    click.echo(_("page: {path}").format(path=page), err=True)


def _meant(exercise: str, file: Path | None, course_path: Path | None) -> tuple[Course, Exercise, Submission]:
    from gdgrade.course.errors import CourseError, SubmissionError
    from gdgrade.course.lookup import resolve_exercise
    from gdgrade.course.submission import read_submission

    course = load(course_path)
    try:
        chosen = resolve_exercise(course, exercise)
        return course, chosen, read_submission(file or chosen.entry_path, follow_symlinks=True)
    except (CourseError, SubmissionError) as error:
        usage(str(error))


def _drawn(
    course: Course,
    exercise: Exercise,
    submission: Submission,
    folder: Path,
    formats: tuple[str, ...],
    confine: str,
    start_method: str | None,
) -> dict[str, Any]:
    """What `gdgrade.judge.figures` says: files, and perhaps a problem with its cause."""
    from gdgrade.course.errors import CourseError
    from gdgrade.judging import Options, make_job, run, settings_for
    from gdgrade.processes.launcher import LaunchError, Zygote, fork_available

    try:
        job = make_job(course, exercise, submission, Options(confine=confine, start_method=start_method))
    except CourseError as error:
        usage(str(error))
    figures = {"folder": str(folder.absolute()), "formats": list(formats or ("png", "svg")), "seconds": SECONDS}
    job = dataclasses.replace(job, submission_seconds=SECONDS, extra={**job.extra, "figures": figures})
    zygote = Zygote(settings_for(exercise, confine)) if job.start_method == "fork" and fork_available() else None
    try:
        return {"files": [], **run(job, zygote)}
    except LaunchError as error:
        machine(str(error))
    finally:
        if zygote is not None:
            zygote.close()


def _problem(result: dict[str, Any]) -> str:
    from gdgrade.report.text import clean_text

    if result.get("errors"):
        return _("the figures could not be drawn: {problem}").format(problem=clean_text(str(result["errors"][0]), 1000))
    return clean_text(str(result["problem"]), 1000) if result.get("problem") else ""


def _page(course: Course, exercise: Exercise, folder: Path, files: list[str], report: Report | None = None) -> Path:
    """Write the page beside the figures; files that cannot be written are the machine's trouble."""
    from gdgrade.workspace.overview import state_of
    from gdgrade.workspace.page import gallery, pairs, write_page
    from gdgrade.workspace.progress import Progress, read

    page = folder / PAGE
    try:
        progress = read(course.root) or Progress()
        state = state_of(exercise, course.late, course.root, progress, datetime.now(UTC))
        shown = pairs([Path(file) for file in files], gallery(course, exercise))
        write_page(page, exercise, shown, state=state, report=report)
    except OSError as error:
        machine(_("{path} cannot be written: {reason}").format(path=page, reason=error.strerror))
    return page
