"""`gdgrade author preview` and `items`: what the other side sees, and how a class did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gdgrade.cli.common import course_option, load, machine, usage

if TYPE_CHECKING:
    from gdgrade.author.items import Item

NARROW = 72  # columns below which the five of a table would hold a few letters each


@click.command("preview")
@click.argument("exercise")
@click.option(
    "--as",
    "side",
    type=click.Choice(["student", "assistant"]),
    required=True,
    help="Whose view; an assistant sees all.",
)
@click.option("--html", "page_path", type=click.Path(path_type=Path, dir_okay=False), help="Write a page to this file.")
@course_option
def preview_command(exercise: str, side: str, page_path: Path | None, course_path: Path | None) -> None:
    """Show EXERCISE as the other side sees it: statement, and the reports of a stub, of wrong answers, of a right one.

    \b
    Examples:
      gdgrade author preview ex05 --as student
      gdgrade author preview ex05 --as assistant --html preview.html
    """
    from rich.console import Console

    from gdgrade.author.planted import HeaderError
    from gdgrade.author.preview import page, views
    from gdgrade.author.reading import TextError, read_text
    from gdgrade.course.errors import CourseError, SubmissionError
    from gdgrade.course.lookup import resolve_exercise
    from gdgrade.processes.launcher import LaunchError
    from gdgrade.report.terminal import print_report

    course = load(course_path)
    try:
        chosen = resolve_exercise(course, exercise)
        readme = chosen.folder("exercises") / "README.md"
        statement = read_text(readme)
        shown = views(course, chosen)
    except TextError as error:
        usage(f"{readme.relative_to(course.root)} {error}")
    except (CourseError, SubmissionError, HeaderError, OSError) as error:
        usage(str(error))
    except LaunchError as error:
        machine(str(error))
    staff = side == "assistant"
    if page_path is not None:
        try:
            page_path.write_text(page(chosen, statement, shown, staff=staff), encoding="utf-8")
        except OSError as error:
            usage(f"{page_path} cannot be written: {error.strerror}")
        click.echo(f"written: {page_path}")
        return
    console = Console(highlight=False)
    console.print(statement, markup=False)
    for view in shown:
        console.rule(view.what)
        print_report(view.report, console, verbose=staff, show_hidden=staff)


@click.command("items")
@click.argument("results", type=click.Path(path_type=Path, exists=True))
@click.option("--format", "style", type=click.Choice(["text", "json", "html"]), default="text", show_default=True)
def items_command(results: Path, style: str) -> None:
    """Look at the checks through a class's RESULTS: the folder of a batch, or one of JSON reports.

    Per check: how many passed, how well it tells strong from weak submissions, the most frequent mistakes, equal wrong
    answers that no known mistake explains (give them a name in mistakes.py), and whether the check itself looks wrong.

    \b
    Examples:
      gdgrade author items results
      gdgrade author items results --format html > items.html
    """
    from gdgrade.author.items import analyse, read_reports
    from gdgrade.batch.store import StoreError

    try:
        items = analyse(read_reports(results))
    except (FileNotFoundError, StoreError) as error:
        usage(str(error))
    if style == "json":
        click.echo(json.dumps([item.to_json() for item in items], indent=2, sort_keys=True))
    elif style == "html":
        from gdgrade.author.items_page import page

        click.echo(page(items), nl=False)
    else:
        _print_items(items)


def _print_items(items: Sequence[Item]) -> None:
    from rich.console import Console, Group, RenderableType
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table(box=None)
    for heading in ("check", "judged", "passed", "tells apart", "most frequent mistakes"):
        table.add_column(heading, overflow="fold")  # names in full, on two lines if need be
    lines: list[RenderableType] = []
    for item in items:
        told = "" if item.discrimination is None else f"{item.discrimination:+.2f}"
        names = ", ".join(f"{name} x{count}" for name, count in list(item.mistakes.items())[:3])
        rate = f"{item.pass_rate:.0%}" if item.judged else ""
        table.add_row(Text(item.check), str(item.judged), rate, told, Text(names))
        words = [f"{item.judged} judged", rate and f"{rate} passed", told and f"tells apart {told}", names]
        lines += [Text(item.check, style="bold"), Padding(Text(", ".join(filter(None, words))), (0, 0, 0, 2))]
    console.print(Group(*lines) if console.width < NARROW else table)
    for item in items:
        for cluster, count in item.clusters.items():
            console.print(Text(f"{item.check}: {count} equal failures without a name: {cluster}"))
    for item in items:
        if item.suspicion:
            console.print(Text(f"look at {item.check}: {item.suspicion}", style="yellow"))
