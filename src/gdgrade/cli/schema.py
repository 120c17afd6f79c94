"""`gdgrade schema`: the machine-readable form of what gdgrade writes."""

from __future__ import annotations

import json

import click


@click.command("schema", short_help="Print the JSON schema of reports.")
@click.argument("what", type=click.Choice(["report"]), default="report")
def schema_command(what: str) -> None:
    """Print the JSON schema (draft 2020-12) of WHAT gdgrade writes.

    \b
    Examples:
      gdgrade schema report > report.schema.json
    """
    from gdgrade.report.model import schema

    click.echo(json.dumps(schema(), indent=2, sort_keys=True))
