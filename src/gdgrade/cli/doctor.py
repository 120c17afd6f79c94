"""`gdgrade doctor`: what is amiss on this machine, and how to mend it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gdgrade.cli.common import EXIT_FAILED, course_option, lang_option
from gdgrade.language import _

if TYPE_CHECKING:
    from rich.console import Console

    from gdgrade.doctor import Visit


@click.command("doctor", epilog="Exit codes: 0 nothing is a problem, 1 something is, 2 wrong usage.")
@click.option(
    "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)
@click.option("--strict", is_flag=True, help="For who grades strangers' code: a missing layer of confinement counts.")
@click.option("--verbose", "-v", is_flag=True, help="Also show each layer of confinement and what it stops.")
@click.option("--no-color", is_flag=True, help="Plain text, without colours.")
@lang_option
@course_option
def doctor_command(style: str, strict: bool, verbose: bool, no_color: bool, course_path: Path | None) -> None:
    """Look at Python, packages, machine, data, clock and confinement; name the command that mends what is amiss.

    \b
    Examples:
      gdgrade doctor
      gdgrade doctor --strict --verbose       before grading a class here
      gdgrade doctor --format json
    """
    from gdgrade.doctor import visit

    found = visit(course_path, strict=strict)
    if style == "json":
        click.echo(json.dumps(_data(found), indent=2, ensure_ascii=False))
    else:
        import os

        from rich.console import Console

        console = Console(no_color=no_color or bool(os.environ.get("NO_COLOR")), highlight=False)
        _show(found, console)
        if verbose:
            _show_layers(found, console)
    sys.exit(0 if found.healthy else EXIT_FAILED)


def _data(found: Visit) -> dict[str, object]:
    import dataclasses

    return {
        "ok": found.healthy,
        "findings": [dataclasses.asdict(finding) for finding in found.findings],
        "level": found.level,
        "strict": found.strict,
        "layers": [
            {"layer": report.layer, "works": report.works, "detail": report.detail, "stops": report.stops}
            for report in found.layers
        ],
    }


def _show(found: Visit, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    colours = {"ok": "green", "warning": "yellow", "problem": "red"}
    words = {"ok": _("ok"), "warning": _("look"), "problem": _("MEND")}
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in found.findings:
        table.add_row(Text(words[finding.state], colours[finding.state]), Text(finding.title, "bold"),
                      Text(finding.detail))  # fmt: skip
    console.print(table)
    amiss = [finding for finding in found.findings if finding.state != "ok" and finding.mend]
    if amiss:
        console.print()
        console.print(Text(_("To mend it:"), "bold"))
    for finding in amiss:
        for line in finding.mend.splitlines():
            console.print(Text.assemble(f"  {line}", (f"    # {finding.title}", "dim")), soft_wrap=True)


def _show_layers(found: Visit, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    title = _("Confinement of student code on this machine: level {level}").format(level=found.level)
    table = Table(title=title, title_justify="left")
    for heading in (_("layer"), _("works here?"), _("what it stops"), _("seen")):
        table.add_column(heading, overflow="fold")
    for report in found.layers:
        works = Text(_("yes"), style="green") if report.works else Text(_("no"), style="red")
        table.add_row(Text(report.layer), works, Text(report.stops), Text(report.detail))
    console.print()
    console.print(table)
    if found.strict:
        console.print(Text(_("--confine strict grades here.")))
    else:
        console.print(Text(_("--confine strict refuses to grade here: a required layer is missing.")))
