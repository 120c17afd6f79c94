"""Reports as JSON text, and back."""

from __future__ import annotations

from typing import TextIO

from gdgrade.report.model import Report


def write_json(report: Report, stream: TextIO, *, indent: int | None = 2) -> None:
    """Write one report: sorted keys, one newline at the end, nothing else."""
    stream.write(report.to_json(indent=indent))


def read_json(stream: TextIO) -> Report:
    """Read what ``write_json`` wrote.

    Raises:
        pydantic.ValidationError: if it is not a report of this schema.
    """
    return Report.from_json(stream.read())
