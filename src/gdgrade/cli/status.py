"""`gdgrade status` and `gdgrade next`: where a student stands, and what to write next."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gdgrade.cli.common import course_option, lang_option, load, usage
from gdgrade.language import _

if TYPE_CHECKING:
    from gdgrade.course.manifest import Course, Exercise
    from gdgrade.workspace.overview import ExerciseState, Step
    from gdgrade.workspace.progress import Progress

format_option = click.option(
    "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)


@click.command("status", epilog="Exit codes: 0 shown, 2 wrong usage, 3 the progress file cannot be read.")
@click.argument("exercises", nargs=-1, metavar="[EX...]")
@format_option
@click.option("--no-color", is_flag=True, help="Plain text, without colours.")
@lang_option
@course_option
def status_command(exercises: tuple[str, ...], style: str, no_color: bool, course_path: Path | None) -> None:
    """Show all exercises (or EX...) with parts, points and deadlines, as far as `gdgrade check` has seen them.

    A star marks what was checked before you changed the file last.

    \b
    Examples:
      gdgrade status
      gdgrade status ex05
      gdgrade status --format json
    """
    course = load(course_path)
    chosen = _chosen(course, exercises)
    progress, kept = _progress(course.root)
    now = datetime.now(UTC)
    from gdgrade.workspace.overview import state_of

    states = [state_of(exercise, course.late, course.root, progress, now) for exercise in chosen]
    if style == "json":
        from gdgrade.workspace.display import status_data

        _json(status_data(course, states, kept, now))
        return
    from gdgrade.workspace.display import print_status

    print_status(course, states, _console(no_color), now)
    _say_if_nothing_is_kept(course, kept)


@click.command("next", epilog="Exit codes: 0 shown, 2 wrong usage, 3 the progress file cannot be read.")
@click.argument("exercise", required=False)
@format_option
@click.option("--no-color", is_flag=True, help="Plain text, without colours.")
@lang_option
@course_option
def next_command(exercise: str | None, style: str, no_color: bool, course_path: Path | None) -> None:
    """Say what to write next: the first part that has not passed, where it is, and how to check it.

    \b
    Examples:
      gdgrade next
      gdgrade next ex05
    """
    course = load(course_path)
    progress, kept = _progress(course.root)
    step = step_in(course, _chosen(course, (exercise,) if exercise else ()), progress)
    if style == "json":
        from gdgrade.workspace.display import step_data

        _json(step_data(step))
        return
    from gdgrade.workspace.display import print_step

    print_step(step, _console(no_color))
    _say_if_nothing_is_kept(course, kept)


def _say_if_nothing_is_kept(course: Course, kept: bool) -> None:
    from gdgrade.workspace.releases import holds_solutions

    if not kept and not holds_solutions(course.root):
        click.echo(_("No progress is kept here. To keep it from now on: gdgrade start"), err=True)


def step_in(course: Course, exercises: list[Exercise], progress: Progress) -> Step | None:
    """The next step within some exercises."""
    from gdgrade.workspace.overview import next_step, state_of

    now = datetime.now(UTC)
    states: list[ExerciseState] = [state_of(entry, course.late, course.root, progress, now) for entry in exercises]
    return next_step(states, course.root)


def _chosen(course: Course, names: tuple[str, ...]) -> list[Exercise]:
    from gdgrade.course.errors import CourseError
    from gdgrade.course.lookup import resolve_exercise

    try:
        return [resolve_exercise(course, name) for name in names] or list(course.exercises)
    except CourseError as error:
        usage(str(error))


def _progress(root: Path) -> tuple[Progress, bool]:
    """What is kept, and whether anything is kept at all."""
    from gdgrade.cli.common import machine
    from gdgrade.workspace.progress import Progress, path_of, read

    try:
        found = read(root)
    except OSError as error:
        machine(_("{path} cannot be read: {reason}").format(path=path_of(root), reason=error.strerror))
    return (found, True) if found is not None else (Progress(), False)


def _console(no_color: bool) -> Any:
    import os

    from rich.console import Console

    return Console(no_color=no_color or bool(os.environ.get("NO_COLOR")), highlight=False)


def _json(data: Any) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))
