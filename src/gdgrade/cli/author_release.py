"""`gdgrade author release`: the package that students get."""

from __future__ import annotations

from pathlib import Path

import click

from gdgrade.cli.common import EXIT_FAILED, Quit, course_option, load, machine, usage

EXITS = (
    "Exit codes: 0 made, 1 it would give answers away or has nothing to give, 2 wrong usage, or DIR|ZIP is there "
    "already or cannot be written, 3 machine failed."
)


@click.command("release", epilog=EXITS)
@click.argument("exercises", nargs=-1, metavar="[EX...]")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="DIR|ZIP", help="A new folder, or a .zip file."
)
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Judges at a time.")
@course_option
def release_command(exercises: tuple[str, ...], out: Path, jobs: int, course_path: Path | None) -> None:
    """Make what students get of EX... (default: all exercises).

    Statements, stubs and public checks, with recorded answers in place of the reference and of the known mistakes.
    Before it is written, the package is searched for solutions, and the whole student flow is run in a copy of it.

    \b
    Example:
      gdgrade author release --out handout.zip
    """
    from gdgrade.author.handout_files import PlaceError
    from gdgrade.author.release import ReleaseError, release
    from gdgrade.course.errors import CourseError, SubmissionError
    from gdgrade.course.lookup import resolve_exercise
    from gdgrade.processes.launcher import LaunchError

    course = load(course_path)
    try:
        chosen = [resolve_exercise(course, name) for name in exercises] or list(course.exercises)
        made = release(course, chosen, out, jobs=jobs)
    except (CourseError, SubmissionError, PlaceError) as error:
        usage(str(error))
    except ReleaseError as error:
        raise Quit(str(error), EXIT_FAILED) from None
    except LaunchError as error:
        machine(str(error))
    for entry in made:
        told, caught = entry.hints
        click.echo(f"{entry.exercise}: {len(entry.checks)} checks, {told} of {caught} mistakes get their hint")
        if entry.untold:
            click.echo(f"  caught, but named by hidden checks only: {', '.join(entry.untold)}")
        for name, why in entry.left_out.items():
            click.echo(f"  left out: {name} ({why})")
        for note in entry.notes:
            click.echo(f"  note: {note}")
    click.echo(f"written: {out}")
