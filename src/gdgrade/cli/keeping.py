"""Keeping a check's verdict in the student's workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gdgrade.language import _

if TYPE_CHECKING:
    from gdgrade.course.manifest import Course
    from gdgrade.report.model import Report


def keep(course: Course, file: Path, report: Report) -> None:
    """Keep the verdict where progress is kept; a failure is a warning and changes nothing else."""
    from gdgrade.workspace.progress import record

    try:
        record(course.root, file, report)
    except OSError as error:
        reason = error.strerror or str(error)
        click.echo(_("gdgrade: warning: progress was not kept: {reason}").format(reason=reason), err=True)
