"""`gdgrade check`: judge one file of one exercise and show the report."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gdgrade.cli.common import confine_option, course_option, load, machine, start_method_option, usage

if TYPE_CHECKING:
    from gdgrade.judge.job import Job
    from gdgrade.processes.launcher import Zygote
    from gdgrade.report.model import Report


@click.command(
    "check",
    epilog="Exit codes: 0 all passed, 1 some check failed, 2 wrong usage, 3 grader or machine failed.",
)
@click.argument("exercise")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--part", metavar="ID", help="Only this part, such as 5.2.")
@click.option("--quick", is_flag=True, help="Leave out checks that train a network.")
@click.option("--verbose", "-v", is_flag=True, help="Also show passed checks, timings, and what the code printed.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "junit"]),
    default="text",
    show_default=True,
    help="How to print the report.",
)
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also write the report as a page."
)
@click.option("--seed", type=click.IntRange(min=0), help="Another public seed than the course's.")
@click.option("--show-hidden", is_flag=True, help="For staff: also show what hidden checks saw and expected.")
@click.option("--no-color", is_flag=True, help="Plain text, without colours.")
@confine_option
@start_method_option
@course_option
def check_command(
    exercise: str,
    file: Path | None,
    part: str | None,
    quick: bool,
    verbose: bool,
    style: str,
    html: Path | None,
    seed: int | None,
    show_hidden: bool,
    no_color: bool,
    confine: str,
    start_method: str | None,
    course_path: Path | None,
) -> None:
    """Check FILE as a solution of EXERCISE.

    EXERCISE is a number or a name (ex05, 05, ex05_langevin) or the path of a file. Without FILE your own file of that
    exercise in the course folder is checked.

    \b
    Examples:
      gdgrade check ex05
      gdgrade check ex05 --part 5.2
      gdgrade check ex06 ~/hand-ins/alice_sinkhorn.py --verbose
      gdgrade check ex05 --format json > report.json
      gdgrade check ex05 --html report.html
    """
    from gdgrade.processes.launcher import LaunchError, Zygote, fork_available

    started = time.time()
    fork = start_method != "spawn" and fork_available()
    if start_method == "fork" and not fork_available():
        usage("--start-method fork works on Linux only; use spawn")
    try:
        zygote = Zygote() if fork else None  # it starts while this process reads the course
        try:
            report = _judge(exercise, file, part, quick, seed, confine, start_method, course_path, zygote, started)
        finally:
            if zygote is not None:
                zygote.close()
    except LaunchError as error:
        machine(str(error))
    except KeyboardInterrupt:
        click.echo("stopped; nothing was recorded", err=True)
        sys.exit(130)
    command = f"gdgrade check {exercise}" + (f" {file}" if file is not None else "")
    shown = report if show_hidden else report.redacted()
    if html is not None:
        _write_page(shown, html)
    _show(shown, style, verbose, no_color, show_hidden, command)
    sys.exit(report.exit_code)


def _judge(
    exercise_name: str,
    file: Path | None,
    part: str | None,
    quick: bool,
    seed: int | None,
    confine: str,
    start_method: str | None,
    course_path: Path | None,
    zygote: Zygote | None,
    started: float,
) -> Report:
    from gdgrade.course.errors import CourseError, SubmissionError
    from gdgrade.course.lookup import resolve_exercise
    from gdgrade.course.submission import read_submission
    from gdgrade.judging import Options, make_job, run, settings_for, to_report

    course = load(course_path)
    try:
        exercise = resolve_exercise(course, exercise_name)
        if zygote is not None:
            zygote.start(settings_for(exercise, confine))
        path = file or _named_file(exercise_name) or exercise.entry_path
        submission = read_submission(path, follow_symlinks=True)
        options = Options(seed, confine, start_method, part, quick)
        job = make_job(course, exercise, submission, options)
    except (CourseError, SubmissionError) as error:
        usage(str(error))
    if part is not None and part not in {entry.id for entry in exercise.parts}:
        usage(f"{exercise.id} has no part {part!r}; its parts are {', '.join(entry.id for entry in exercise.parts)}")
    if job.extra.get("seed_warning"):
        click.echo(f"gdgrade: warning: {job.extra['seed_warning']}", err=True)
    with _progress(job) as on_event:
        result = run(job, zygote, on_event)
    if result["errors"]:
        machine(f"the checks of {exercise.id} could not be run: {result['errors'][0]}")
    return to_report(course, exercise, submission, job, result, started=started)


def _write_page(report: Report, path: Path) -> None:
    from gdgrade.report.html import write_report

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_report(report, path)
    except OSError as error:
        usage(f"{path} cannot be written: {error.strerror}")
    click.echo(f"page: {path}", err=True)


def _named_file(name: str) -> Path | None:
    """`gdgrade check path/to/langevin.py` names the exercise and the file at once."""
    path = Path(name)
    return path if path.suffix in (".py", ".ipynb") and path.is_file() else None


@contextlib.contextmanager
def _progress(job: Job) -> Iterator[Any]:
    """A line on the terminal that says which check was decided last; nothing when output is not a terminal."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    with console.status(Text(f"checking {job.exercise} ...")) as status:
        done = 0

        def on_event(event: Any) -> None:
            nonlocal done
            done += 1
            status.update(Text(f"checking {job.exercise}: {done} checks done, last: {event['title']}"))

        yield on_event


def _show(report: Report, style: str, verbose: bool, no_color: bool, show_hidden: bool, command: str) -> None:
    if style == "json":
        click.echo(report.to_json(), nl=False)
        return
    if style == "junit":
        from gdgrade.report.junit import to_junit

        click.echo(to_junit(report, show_hidden=show_hidden))
        return
    from rich.console import Console

    from gdgrade.report.terminal import print_report

    console = Console(no_color=no_color or bool(os.environ.get("NO_COLOR")), highlight=False)
    print_report(report, console, verbose=verbose, show_hidden=show_hidden, command=command)
