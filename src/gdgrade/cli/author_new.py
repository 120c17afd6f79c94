"""`gdgrade author new`: a new exercise that works, to be changed piece by piece."""

from __future__ import annotations

from pathlib import Path

import click

from gdgrade.cli.common import course_option, load, usage


@click.command("new")
@click.argument("name")
@click.option("--title", required=True, help="What students read.")
@course_option
def new_command(name: str, title: str, course_path: Path | None) -> None:
    """Make a new exercise NAME, such as ex09_ddim, from a small template.

    Statement, stub, reference, checks, mistakes, a right and a wrong planted answer and the entry in course.yml are
    written; nothing is overwritten. The new exercise passes `gdgrade author check` at once; comments marked REPLACE
    say what to change. A new course begins with a course.yml that lists no exercise (`exercises: []`).

    \b
    Example:
      gdgrade author new ex09_ddim --title "Deterministic sampling"
    """
    from gdgrade.author.scaffold import course_of, create
    from gdgrade.course.errors import CourseError

    course = load(course_path, course_of)
    try:
        written = create(course, name, title)
    except CourseError as error:
        usage(str(error))
    for path in written:
        click.echo(path.relative_to(course.root))
    short = name.split("_")[0]
    click.echo(
        f"\nIt works as it is:  gdgrade author check {short}\nNow replace what the comments marked REPLACE name."
    )
