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
from gdgrade.cli.keeping import keep
from gdgrade.language import _, course_text

if TYPE_CHECKING:
    from gdgrade.course.manifest import Exercise
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
@click.option("--watch", is_flag=True, help="Stay, and check again what each save of the file may have changed.")
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
@click.option("--plot", is_flag=True, help="Also draw the figures, on a page beside the reference's.")
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
    watch: bool,
    verbose: bool,
    style: str,
    html: Path | None,
    plot: bool,
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
      gdgrade check ex05 --watch
      gdgrade check ex06 ~/hand-ins/alice_sinkhorn.py --verbose
      gdgrade check ex05 --format json > report.json
      gdgrade check ex05 --html report.html
    """
    from gdgrade.processes.launcher import LaunchError, Zygote, fork_available

    command = f"gdgrade check {exercise}" + (f" {file}" if file is not None else "")
    if start_method == "fork" and not fork_available():
        usage(_("--start-method fork works on Linux only; use spawn"))
    if watch:
        if style != "text":
            usage(_("--watch shows reports as text; leave --format out"))
        sys.exit(
            _watch(
                exercise, file, part, quick, seed, confine, start_method, course_path, verbose, no_color, html, command
            )
        )
    started = time.time()
    fork = start_method != "spawn" and fork_available()
    try:
        zygote = Zygote() if fork else None  # it starts while this process reads the course
        try:
            report, path = _judge(
                exercise, file, part, quick, seed, confine, start_method, course_path, zygote, started
            )
        finally:
            if zygote is not None:
                zygote.close()
    except LaunchError as error:
        machine(str(error))
    except KeyboardInterrupt:
        click.echo(_("stopped; nothing was recorded"), err=True)
        sys.exit(130)
    shown = report if show_hidden else report.redacted()
    if html is not None:
        _write_page(shown, html)
    _show(shown, style, verbose, no_color, show_hidden, command, _as_link(path))
    if plot:
        from gdgrade.cli.plot import plot_after_check

        plot_after_check(exercise, file or _named_file(exercise), shown, confine, start_method, course_path)
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
) -> tuple[Report, Path]:
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
    _require_part(exercise, part)
    if job.extra.get("seed_warning"):
        click.echo(_("gdgrade: warning: {warning}").format(warning=job.extra["seed_warning"]), err=True)
    with _progress(job) as on_event:
        result = run(job, zygote, on_event)
    if result["errors"]:
        text = _("the checks of {exercise} could not be run: {error}")
        machine(text.format(exercise=exercise.id, error=result["errors"][0]))
    report = to_report(course, exercise, submission, job, result, started=started)
    keep(course, path, report)
    return report, path


def _watch(
    exercise_name: str,
    file: Path | None,
    part: str | None,
    quick: bool,
    seed: int | None,
    confine: str,
    start_method: str | None,
    course_path: Path | None,
    verbose: bool,
    no_color: bool,
    html: Path | None,
    command: str,
) -> int:
    from rich.console import Console

    from gdgrade.course.errors import CourseError
    from gdgrade.course.lookup import resolve_exercise
    from gdgrade.course.submission import Submission
    from gdgrade.judging import Options, make_job
    from gdgrade.processes.launcher import LaunchError
    from gdgrade.watch.loop import Watch
    from gdgrade.watch.screen import Screen

    course = load(course_path)
    try:
        exercise = resolve_exercise(course, exercise_name)
        path = file or _named_file(exercise_name) or exercise.entry_path
        nothing = Submission("", path.name, "py", "")  # the file may be missing, or not ready, to begin with
        job = make_job(course, exercise, nothing, Options(seed, confine, start_method, part, quick))
    except CourseError as error:
        usage(str(error))
    _require_part(exercise, part)
    if job.extra.get("seed_warning"):
        click.echo(_("gdgrade: warning: {warning}").format(warning=job.extra["seed_warning"]), err=True)
    keys = sys.stdin.fileno() if _single_keys() else None
    console = Console(no_color=no_color or bool(os.environ.get("NO_COLOR")), highlight=False)
    titles = {entry.id: course_text(entry.title) for entry in exercise.parts}
    screen = Screen(console, command, titles, path=_as_link(path), keys=keys is not None, verbose=verbose)
    where = ["--course", str(course.root)]
    commands = {
        "hint": ["hint", exercise.id, "{part}", *where],
        "plot": ["plot", exercise.id, str(path), *where],
    }

    def page(report: Report) -> None:
        keep(course, path, report)
        if html is not None:
            _write_page(report, html)

    try:
        return Watch(course, exercise, job, path, screen, commands=commands, page=page).run(keys)
    except LaunchError as error:
        machine(str(error))
    except KeyboardInterrupt:
        return 130


def _single_keys() -> bool:
    """Whether single keys can be read: from a terminal, on systems that have termios."""
    import importlib.util

    return sys.stdin.isatty() and sys.stdout.isatty() and importlib.util.find_spec("termios") is not None


def _require_part(exercise: Exercise, part: str | None) -> None:
    if part is not None and part not in {entry.id for entry in exercise.parts}:
        text = _("{exercise} has no part {part!r}; its parts are {parts}")
        usage(text.format(exercise=exercise.id, part=part, parts=", ".join(entry.id for entry in exercise.parts)))


def _write_page(report: Report, path: Path) -> None:
    from gdgrade.report.html import write_report

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_report(report, path)
    except OSError as error:
        usage(_("{path} cannot be written: {reason}").format(path=path, reason=error.strerror))
    click.echo(_("page: {path}").format(path=path), err=True)


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
    with console.status(Text(_("checking {exercise} ...").format(exercise=job.exercise))) as status:
        done = 0

        def on_event(event: Any) -> None:
            nonlocal done
            done += 1
            text = _("checking {exercise}: {count} checks done, last: {title}")
            status.update(Text(text.format(exercise=job.exercise, count=done, title=event["title"])))

        yield on_event


def _as_link(path: Path) -> str:
    """The file's path as editors' terminals take it for a link: from the current folder if it lies in it."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _show(
    report: Report, style: str, verbose: bool, no_color: bool, show_hidden: bool, command: str, path: str
) -> None:
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
    print_report(report, console, verbose=verbose, show_hidden=show_hidden, command=command, path=path)
