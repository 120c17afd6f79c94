"""The store of a batch: one SQLite file, one writer, every run kept.

A verdict is written in one transaction together with the hand-ins that it settles, and synced to disk before the next
one, so that a killed batch loses only what it was grading.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from gdgrade import __version__
from gdgrade.batch.collect import HandIn
from gdgrade.batch.schema import STEPS, VERSION
from gdgrade.batch.sources import Refused
from gdgrade.judge.marks import missing_packages

FILE_NAME = "results.sqlite"
LOCK_NAME = "writing.lock"


class StoreError(Exception):
    """The store cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Key:
    """What a verdict depends on."""

    revision: str
    exercise: str
    sha256: str
    seeds: str
    engine: str
    checks: str
    how: str

    @property
    def text(self) -> str:
        return "|".join((self.revision, self.exercise, self.sha256, self.seeds, self.engine, self.checks, self.how))


@dataclass(frozen=True)
class Verdict:
    """What grading a file gave: a report's JSON, or a problem that a person must look at.

    Attributes:
        missing: packages for want of which checks were skipped: their points stay open until the packages are there.
        replayed: the verdict whose recording it was judged by.
    """

    report: str | None
    problem: str = ""
    seconds: float = 0.0
    attempts: int = 1
    recording: bytes | None = None
    replayed: int | None = None
    missing: tuple[str, ...] = ()


def now() -> str:
    """The time for people to read; nothing is ever ordered by it, clocks jump."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Store:
    """An open store.

    Args:
        folder: holds the store's files.
        write: take the lock of the one writer, and create what is missing.

    Raises:
        StoreError: no store, another writer, a newer version, no room, no permission.
    """

    def __init__(self, folder: Path, *, write: bool = False) -> None:
        self.folder = folder
        self.path = folder / FILE_NAME
        self._lock: sqlite3.Connection | None = None
        with self._explained():
            if write:
                folder.mkdir(parents=True, exist_ok=True)
                self._lock = _locked(folder)
            elif not self.path.exists():
                raise StoreError(f"there is no store in {folder}; `gdgrade batch PATH --out {folder}` makes one")
            self.db = sqlite3.connect(self.path, isolation_level=None, timeout=30)
            self.db.row_factory = sqlite3.Row
            self._open(write)

    def _open(self, write: bool) -> None:
        version = self.db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise StoreError(f"{self.path} is of version {version}, this gdgrade knows {VERSION}; install a newer one")
        if version < VERSION and not write and version == 0:
            raise StoreError(f"{self.path} is not a store of results")
        if write or version < VERSION:
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = FULL")
            migrate(self.db)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Errors of files and of SQLite in words."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            self.close()
            raise StoreError(_why(self.path, error)) from error
        except OSError as error:
            self.close()
            raise StoreError(f"{self.folder} cannot be written: {error.strerror}") from error
        except StoreError:
            self.close()
            raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing.

        Raises:
            StoreError: no room, no permission; the store is as before.
        """
        try:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
                self.db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self.db.execute("ROLLBACK")
                raise
        except sqlite3.DatabaseError as error:
            raise StoreError(_why(self.path, error)) from error

    def close(self) -> None:
        for connection in (getattr(self, "db", None), self._lock):
            if connection is not None:
                connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- runs ----------------------------------------------------------------------------------------------------

    def begin_run(
        self, course: str, revision: str, options: Mapping[str, Any], found: Iterable[HandIn | Refused]
    ) -> int:
        """Write down what was collected, as a new run, in one transaction; returns its number."""
        with self.transaction() as db:
            cursor = db.execute(
                "INSERT INTO runs (started_at, course, revision, engine, options) VALUES (?, ?, ?, ?, ?)",
                (now(), course, revision, __version__, json.dumps(dict(options), sort_keys=True)),
            )
            run = int(cursor.lastrowid or 0)
            for entry in found:
                if isinstance(entry, Refused):
                    row = (run, entry.path, entry.reason, entry.student)
                    db.execute("INSERT INTO refused (run, path, reason, student) VALUES (?, ?, ?, ?)", row)
                else:
                    _insert(db, run, entry)
        return run

    def end_run(self, run: int, state: str) -> None:
        """Mark a run as `done` or `stopped`."""
        with self.transaction() as db:
            db.execute("UPDATE runs SET state = ?, ended_at = ? WHERE id = ?", (state, now(), run))

    def last_run(self) -> sqlite3.Row | None:
        """The latest run, or None."""
        row: sqlite3.Row | None = self.db.execute("SELECT * FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        return row

    def run(self, number: int) -> sqlite3.Row:
        """A run by its number.

        Raises:
            StoreError: there is none.
        """
        row: sqlite3.Row | None = self.db.execute("SELECT * FROM runs WHERE id = ?", (number,)).fetchone()
        if row is None:
            last = self.db.execute("SELECT max(id) FROM runs").fetchone()[0]
            raise StoreError(f"there is no run {number}; runs are numbered 1 to {last or 0}")
        return row

    # -- verdicts ------------------------------------------------------------------------------------------------

    def pending(self, run: int) -> list[sqlite3.Row]:
        """Distinct files of a run without a verdict: exercise, sha256, students, size, seconds of an earlier one."""
        return self.db.execute(
            """SELECT h.exercise, h.sha256, count(*) AS students, length(f.data) AS size, f.kind,
                      (SELECT v.seconds FROM verdicts v WHERE v.sha256 = h.sha256 AND v.exercise = h.exercise
                       ORDER BY v.id DESC LIMIT 1) AS seconds
               FROM hand_ins h JOIN files f ON f.sha256 = h.sha256
               WHERE h.run = ? AND h.verdict IS NULL AND h.problem = '' GROUP BY h.exercise, h.sha256""",
            (run,),
        ).fetchall()

    def file(self, sha256: str) -> tuple[str, bytes]:
        """Kind and bytes of a handed-in file."""
        row = self.db.execute("SELECT kind, data FROM files WHERE sha256 = ?", (sha256,)).fetchone()
        return str(row["kind"]), zlib.decompress(row["data"])

    def find(self, key: Key) -> int | None:
        """The latest verdict with that key that still stands, or None.

        One that a person must look at does not, nor one without checks that a package has been installed for since.
        """
        row = self.db.execute(
            "SELECT id, missing FROM verdicts WHERE key = ? AND problem = '' ORDER BY id DESC LIMIT 1", (key.text,)
        ).fetchone()
        return None if row is None or _come(row["missing"]) else int(row["id"])

    def reopen(self, run: int) -> int:
        """Hand-ins of a run whose checks waited for packages that are here now lose their verdict, which is kept.

        Returns:
            how many hand-ins are to be graded again.
        """
        rows = self.db.execute(
            """SELECT h.id, v.missing FROM hand_ins h JOIN verdicts v ON v.id = h.verdict
               WHERE h.run = ? AND v.missing != ''""",
            (run,),
        ).fetchall()
        ready = [(row["id"],) for row in rows if _come(row["missing"])]
        if ready:
            with self.transaction() as db:
                db.executemany("UPDATE hand_ins SET verdict = NULL WHERE id = ?", ready)
        return len(ready)

    def settle(self, run: int, key: Key, verdict: int) -> None:
        """Let an existing verdict decide the run's hand-ins of that file."""
        with self.transaction() as db:
            _settle(db, run, key, verdict)

    def record(self, run: int, key: Key, verdict: Verdict) -> int:
        """Keep a verdict and let it decide the run's hand-ins of that file, in one transaction."""
        report = None if verdict.report is None else zlib.compress(verdict.report.encode(), 6)
        with self.transaction() as db:
            cursor = db.execute(
                """INSERT INTO verdicts (run, key, revision, exercise, sha256, seeds, engine, checks, how, made_at,
                   seconds, attempts, report, problem, replayed, missing) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)""",
                (run, key.text, key.revision, key.exercise, key.sha256, key.seeds, key.engine, key.checks, key.how,
                 now(), verdict.seconds, verdict.attempts, report, verdict.problem, verdict.replayed,
                 ",".join(verdict.missing)),
            )  # fmt: skip
            number = int(cursor.lastrowid or 0)
            if verdict.recording is not None:
                db.execute("INSERT INTO recordings (verdict, data) VALUES (?, ?)", (number, verdict.recording))
            _settle(db, run, key, number)
        return number

    def recording(self, verdict: int) -> bytes | None:
        """The tape of a verdict, or None where none was kept."""
        row = self.db.execute("SELECT data FROM recordings WHERE verdict = ?", (verdict,)).fetchone()
        return None if row is None else bytes(row["data"])

    def come(self, verdict: int) -> tuple[str, ...]:
        """Packages that a verdict's checks lacked and that can be imported here now."""
        row = self.db.execute("SELECT missing FROM verdicts WHERE id = ?", (verdict,)).fetchone()
        return _come(row["missing"])

    def repeat(self, course: str, revision: str, options: Mapping[str, Any], exercise: str | None = None) -> int:
        """A new run over the latest hand-ins of everybody, without verdicts; returns its number."""
        with self.transaction() as db:
            cursor = db.execute(
                "INSERT INTO runs (started_at, course, revision, engine, options) VALUES (?, ?, ?, ?, ?)",
                (now(), course, revision, __version__, json.dumps(dict(options), sort_keys=True)),
            )
            run = int(cursor.lastrowid or 0)
            columns = "student, name, exercise, file, sha256, problem, submitted, time_source, identifiers, layout"
            db.execute(
                f"""INSERT INTO hand_ins (run, {columns}) SELECT ?, {columns} FROM hand_ins
                    WHERE id IN (SELECT max(id) FROM hand_ins GROUP BY student, exercise)
                    AND (? IS NULL OR exercise = ?)""",  # noqa: S608 - names of columns only
                (run, exercise, exercise),
            )
        return run

    def report_json(self, verdict: int) -> str | None:
        """The report of a verdict as it was written, or None."""
        row = self.db.execute("SELECT report FROM verdicts WHERE id = ?", (verdict,)).fetchone()
        return None if row is None or row["report"] is None else zlib.decompress(row["report"]).decode()


def migrate(db: sqlite3.Connection) -> None:
    """Bring a store to today's version, step by step, each in its own transaction."""
    while (version := int(db.execute("PRAGMA user_version").fetchone()[0])) < VERSION:
        db.execute("BEGIN IMMEDIATE")
        try:
            for statement in STEPS[version].split(";\n"):
                if statement.strip():
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {version + 1}")
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise


def _insert(db: sqlite3.Connection, run: int, entry: HandIn) -> None:
    sha256 = None
    if entry.submission is not None:
        sha256 = entry.submission.sha256
        kind = "ipynb" if entry.file.lower().endswith(".ipynb") else "py"
        row = (sha256, kind, zlib.compress(entry.data, 6))
        db.execute("INSERT OR IGNORE INTO files (sha256, kind, data) VALUES (?, ?, ?)", row)
    db.execute(
        """INSERT INTO hand_ins (run, student, name, exercise, file, sha256, problem, submitted, time_source,
           identifiers, layout) VALUES (?,?,?,?,?,?,?,?,?,?,?)""",
        (run, entry.student, entry.name, entry.exercise, entry.file, sha256, entry.problem,
         entry.submitted.isoformat() if entry.submitted else None, entry.time_source,
         json.dumps(dict(entry.identifiers), sort_keys=True), entry.layout),
    )  # fmt: skip


def _settle(db: sqlite3.Connection, run: int, key: Key, verdict: int) -> None:
    where = "run = ? AND exercise = ? AND sha256 = ? AND verdict IS NULL"
    db.execute(f"UPDATE hand_ins SET verdict = ? WHERE {where}", (verdict, run, key.exercise, key.sha256))  # noqa: S608


def _come(missing: str) -> tuple[str, ...]:
    """Those of a verdict's missing packages that can be imported now, sorted."""
    names = {name for name in missing.split(",") if name}
    return tuple(sorted(names - {*missing_packages(names)}))


def _locked(folder: Path) -> sqlite3.Connection:
    """The lock of the one writer: SQLite's own file lock, which every system drops with the process that held it."""
    lock = sqlite3.connect(folder / LOCK_NAME, isolation_level=None, timeout=0)
    try:
        lock.execute("PRAGMA journal_mode = MEMORY")
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        if "locked" in str(error):
            raise StoreError(f"another gdgrade is writing to {folder}; wait for it, or use another --out") from None
        raise
    return lock


def _why(path: Path, error: sqlite3.DatabaseError) -> str:
    text = str(error)
    if "full" in text or "disk I/O" in text:
        return (
            f"no room left for {path} (or its disk failed). What was graded before is kept; "
            "make room and run it again with --resume"
        )
    if "readonly" in text or "unable to open" in text or "read-only" in text:
        return f"{path} cannot be written; give another folder with --out, or mend its permissions"
    if "not a database" in text or "malformed" in text:
        return f"{path} is not a store of results, or it is damaged: {text}"
    if "locked" in text:
        return f"{path} is in use by another program: {text}"
    return f"{path}: {text} (process {os.getpid()})"
