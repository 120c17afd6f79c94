"""What a person decides: points and comments that no grading overwrites, and extensions of deadlines."""

from __future__ import annotations

import csv
import getpass
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gdgrade.batch.store import Store, now
from gdgrade.course.errors import UnknownExerciseError
from gdgrade.course.lookup import resolve_exercise
from gdgrade.course.manifest import Course
from gdgrade.report.text import clean_text


class ManualError(Exception):
    """A decision that cannot be taken as it stands; the text says why."""


@dataclass(frozen=True)
class Decision:
    """One decision of a person.

    Attributes:
        adjust: added to the points, after the late policy.
        points: in place of the points, late policy included; None: as graded.
        why: for the student to read; a comment alone has `adjust` 0.
    """

    number: int
    at: str
    by: str
    student: str
    exercise: str
    adjust: float
    points: float | None
    why: str


def decide(
    store: Store, student: str, exercise: str, *, adjust: float = 0.0, points: float | None = None, why: str
) -> int:
    """Write a decision down; returns its number."""
    if not why.strip():
        raise ManualError("say why with --why; the student reads it")
    with store.transaction() as db:
        cursor = db.execute(
            "INSERT INTO manual (at, by, student, exercise, adjust, points, why) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (now(), _person(), student, exercise, adjust, points, clean_text(why, 2000, newlines=True)),
        )
    return int(cursor.lastrowid or 0)


def withdraw(store: Store, number: int) -> None:
    """Take a decision back.

    Raises:
        ManualError: there is none of that number.
    """
    with store.transaction() as db:
        if db.execute("DELETE FROM manual WHERE id = ?", (number,)).rowcount == 0:
            raise ManualError(f"there is no decision {number}")


def decisions(store: Store) -> dict[tuple[str, str], list[Decision]]:
    """All decisions by student and exercise, in the order in which they were taken."""
    found: dict[tuple[str, str], list[Decision]] = {}
    for row in store.db.execute("SELECT * FROM manual ORDER BY id"):
        found.setdefault((row["student"], row["exercise"]), []).append(_decision(row))
    return found


def _decision(row: sqlite3.Row) -> Decision:
    return Decision(row["id"], row["at"], row["by"], row["student"], row["exercise"], row["adjust"], row["points"],
                    row["why"])  # fmt: skip


def _person() -> str:
    try:
        return clean_text(getpass.getuser(), 60)
    except (OSError, KeyError):
        return "unknown"


def read_extensions(path: Path, course: Course) -> dict[tuple[str, str], float]:
    """Days granted, from a CSV with the columns `student`, `days` and, if it holds for one only, `exercise`.

    Raises:
        ManualError: with file, line and what is wrong.
    """
    granted: dict[tuple[str, str], float] = {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ManualError(f"{path} cannot be read: {error}") from error
    delimiter = ";" if text.split("\n", 1)[0].count(";") else ","
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter)
    columns = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    if not {"student", "days"} <= set(columns):
        raise ManualError(f"{path}: needs the columns student and days, has {', '.join(columns) or 'none'}")
    for row in reader:
        where = f"{path}:{reader.line_num}"
        student = (row[columns["student"]] or "").strip()
        wanted = (row.get(columns.get("exercise", "")) or "").strip()
        try:
            exercise = resolve_exercise(course, wanted).id if wanted else ""
            days = float((row[columns["days"]] or "").strip().replace(",", "."))
        except UnknownExerciseError as error:
            raise ManualError(f"{where}: {error}") from error
        except ValueError:
            raise ManualError(f"{where}: days must be a number, got {row[columns['days']]!r}") from None
        if not 0 <= days <= 3650 or not student:
            raise ManualError(f"{where}: needs a student and between 0 and 3650 days")
        granted[student, exercise] = days
    return granted


def grant(store: Store, extensions: Mapping[tuple[str, str], float]) -> None:
    """Write extensions down; a later one for the same student and exercise replaces the earlier."""
    with store.transaction() as db:
        for (student, exercise), days in extensions.items():
            db.execute("INSERT OR REPLACE INTO extensions VALUES (?, ?, ?)", (student, exercise, days))


def extensions(store: Store) -> dict[tuple[str, str], float]:
    """Days granted by student and exercise; an empty exercise means all."""
    return {(row["student"], row["exercise"]): row["days"] for row in store.db.execute("SELECT * FROM extensions")}
