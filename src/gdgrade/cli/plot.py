"""`gdgrade plot`: the exercise's figures, made from a student's own code."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import click

from gdgrade.cli.common import EXIT_FAILED, confine_option, course_option, load, machine, start_method_option, usage

SECONDS = 600.0


@click.command(
    "plot", epilog="Exit codes: 0 drawn, 1 the code does not get that far, 2 wrong usage, 3 grader or machine."
)
@click.argument("exercise")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder. Default: figures/EXERCISE.")
@click.option("--format", "formats", type=click.Choice(["png", "svg"]), multiple=True, help="Default: both.")
@click.option("--open", "open_first", is_flag=True, help="Open the folder afterwards.")
@confine_option
@start_method_option
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

    Your code computes in its own process; the figures are drawn outside it.

    \b
    Examples:
      gdgrade plot ex05
      gdgrade plot ex01 ~/hand-ins/alice_vae.py --out pictures --format png
    """
    from gdgrade.course.errors import CourseError, SubmissionError
    from gdgrade.course.lookup import resolve_exercise
    from gdgrade.course.submission import read_submission
    from gdgrade.judging import Options, make_job, run, settings_for
    from gdgrade.processes.launcher import LaunchError, Zygote, fork_available

    course = load(course_path)
    try:
        chosen = resolve_exercise(course, exercise)
        submission = read_submission(file or chosen.entry_path, follow_symlinks=True)
        job = make_job(course, chosen, submission, Options(confine=confine, start_method=start_method))
    except (CourseError, SubmissionError) as error:
        usage(str(error))
    folder = out or Path("figures") / chosen.id
    figures = {"folder": str(folder.absolute()), "formats": list(formats or ("png", "svg")), "seconds": SECONDS}
    job = dataclasses.replace(job, submission_seconds=SECONDS, extra={**job.extra, "figures": figures})
    zygote = Zygote(settings_for(chosen, confine)) if job.start_method == "fork" and fork_available() else None
    try:
        result = run(job, zygote)
    except LaunchError as error:
        machine(str(error))
    finally:
        if zygote is not None:
            zygote.close()
    _report(result, folder, open_first)


def _report(result: dict[str, object], folder: Path, open_first: bool) -> None:
    from gdgrade.report.text import clean_text

    if result.get("errors"):
        machine(f"the figures could not be drawn: {result['errors'][0]}")  # type: ignore[index]
    if result.get("problem"):
        problem = clean_text(str(result["problem"]), 1000)
        if result["cause"] == "grader":
            machine(problem)
        click.echo(f"the figures need code that does not run yet: {problem}", err=True)
        sys.exit(EXIT_FAILED)
    for path in result["files"]:  # type: ignore[attr-defined]
        click.echo(path)
    if open_first:
        click.launch(str(folder))
