"""`gdgrade doctor`: what this machine offers."""

from __future__ import annotations

import json
import sys

import click

from gdgrade.cli.common import EXIT_MACHINE


@click.command("doctor")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def doctor_command(style: str) -> None:
    """Try the confinement layers of this machine and show what each one stops.

    Exit code 3 means that --confine strict (the default of batch grading) would refuse to grade here.

    \b
    Examples:
      gdgrade doctor
      gdgrade doctor --format json
    """
    from gdgrade.confine import level_of, probe
    from gdgrade.confine.policy import DEFAULT_REQUIRED

    reports = probe("best")
    layers = {report.layer: ("on" if report.works else f"off: {report.detail}") for report in reports}
    level = level_of(layers)
    strict = all(report.works for report in reports if report.layer in DEFAULT_REQUIRED)
    if style == "json":
        rows = [
            {"layer": report.layer, "works": report.works, "detail": report.detail, "stops": report.stops}
            for report in reports
        ]
        click.echo(json.dumps({"level": level, "strict": strict, "layers": rows}, indent=2))
    else:
        _show(reports, level, strict)
    sys.exit(0 if strict else EXIT_MACHINE)


def _show(reports: object, level: str, strict: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"Confinement of student code on this machine: level {level}", title_justify="left")
    for heading in ("layer", "works here?", "what it stops", "seen"):
        table.add_column(heading, overflow="fold")
    for report in reports:  # type: ignore[attr-defined]
        works = Text("yes", style="green") if report.works else Text("no", style="red")
        table.add_row(Text(report.layer), works, Text(report.stops), Text(report.detail))
    console = Console()
    console.print(table)
    verdict = "grades here" if strict else "refuses to grade here: a required layer is missing"
    console.print(Text(f"--confine strict {verdict}."))
