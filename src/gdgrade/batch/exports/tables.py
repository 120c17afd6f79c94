"""Tables for spreadsheets and for analysis: CSV per exercise and per check, JSON Lines, Parquet, JUnit."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gdgrade.batch.exports.sheets import defused
from gdgrade.batch.grades import Grade

GRADE_COLUMNS = ("student", "name", "exercise", "state", "points", "max_points", "graded_points", "bonus", "late_days",
                 "late_factor", "adjusted", "comment", "problem", "submitted", "file", "sha256", "run")  # fmt: skip
CHECK_COLUMNS = ("student", "exercise", "part", "check", "title", "outcome", "cause", "points", "max_points", "mistake",
                 "hidden", "optional", "seconds", "peak_memory_mib", "message")  # fmt: skip


def grade_rows(grades: Sequence[Grade]) -> Iterator[dict[str, Any]]:
    """One row per student and exercise."""
    for grade in grades:
        totals = grade.report.totals if grade.report is not None else None
        yield {
            "student": grade.student, "name": grade.name, "exercise": grade.exercise, "state": grade.state,
            "points": grade.final, "max_points": grade.max_points,
            "graded_points": totals.points if totals else None, "bonus": totals.bonus if totals else None,
            "late_days": grade.late.days_late if grade.late else None,
            "late_factor": grade.late.factor if grade.late else None,
            "adjusted": sum(one.adjust for one in grade.decisions) if grade.decisions else None,
            "comment": grade.comment, "problem": grade.problem,
            "submitted": grade.submitted.isoformat() if grade.submitted else None, "file": grade.file,
            "sha256": grade.sha256, "run": grade.run,
        }  # fmt: skip


def check_rows(grades: Sequence[Grade]) -> Iterator[dict[str, Any]]:
    """One row per student and check."""
    for grade in grades:
        for check in grade.report.checks if grade.report is not None else ():
            yield {
                "student": grade.student, "exercise": grade.exercise, "part": check.part, "check": check.id,
                "title": check.title, "outcome": check.outcome, "cause": check.cause, "points": check.points,
                "max_points": check.max_points, "mistake": check.mistake, "hidden": check.visibility == "hidden",
                "optional": check.optional, "seconds": check.timings.seconds,
                "peak_memory_mib": check.timings.peak_memory_mib, "message": check.message,
            }  # fmt: skip


def to_csv(columns: Sequence[str], rows: Iterator[dict[str, Any]]) -> str:
    """CSV with a header; texts that a spreadsheet would take for formulas are defused, numbers stay numbers."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
    return buffer.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    return defused(value) if isinstance(value, str) else value


def to_json_lines(rows: Iterator[dict[str, Any]]) -> str:
    """One JSON object per line, for any program that analyses."""
    return "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)


def write_parquet(rows: Iterator[dict[str, Any]], path: Path) -> None:
    """A Parquet file.

    Raises:
        ModuleNotFoundError: pyarrow is not installed.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(list(rows)), path)
