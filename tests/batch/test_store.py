"""The store keeps what it was given, moves to newer versions, and says clearly when it cannot."""

import os
import sqlite3
import time
from pathlib import Path

import pytest

from gdgrade.batch.grades import grades
from gdgrade.batch.manual import ManualError, decide, grant, read_extensions, withdraw
from gdgrade.batch.schema import STEPS, VERSION
from gdgrade.batch.store import FILE_NAME, Key, Store, StoreError, Verdict
from gdgrade.course.manifest import Course

from .conftest import RIGHT
from .helpers import hand_in, report_json

KEY = Key("1", "ex01_target", "", "1234:-", "0", "c", "full")


def key_for(sha256: str) -> Key:
    return Key(KEY.revision, KEY.exercise, sha256, KEY.seeds, KEY.engine, KEY.checks, KEY.how)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "out", write=True)


def test_identical_files_share_a_verdict(store: Store, course: Course) -> None:
    """Two students with the same file: one pending file, one verdict, two grades under their own file names."""
    one, two = hand_in("ada", RIGHT), hand_in("bob", RIGHT)
    run = store.begin_run(course.id, "1", {}, [one, two])
    (row,) = store.pending(run)
    assert row["students"] == 2
    store.record(run, key_for(row["sha256"]), Verdict(report_json(course, points=3)))
    assert store.pending(run) == []
    assert [(grade.student, grade.final) for grade in grades(store, course)] == [("ada", 3.0), ("bob", 3.0)]


def test_a_problem_is_no_verdict_to_reuse(store: Store, course: Course) -> None:
    """What the machine could not grade is not found by its key, stands in the queue, and is no zero."""
    run = store.begin_run(course.id, "1", {}, [hand_in("ada", RIGHT)])
    key = key_for(store.pending(run)[0]["sha256"])
    store.record(run, key, Verdict(None, "no room"))
    assert store.find(key) is None
    (grade,) = grades(store, course)
    assert (grade.final, grade.state, grade.needs_person) == (None, "failed", True)


def test_every_run_is_kept(store: Store, course: Course) -> None:
    """A second run adds hand-ins and verdicts; the first one's stay as they were."""
    for points in (1, 2):
        run = store.begin_run(course.id, "1", {}, [hand_in("ada", RIGHT)])
        store.record(run, key_for(store.pending(run)[0]["sha256"]), Verdict(report_json(course, points=points)))
    assert [grade.final for grade in grades(store, course, run=1)] == [1.0]
    assert [grade.final for grade in grades(store, course, run=2)] == [2.0]
    assert [grade.final for grade in grades(store, course)] == [2.0]


def test_decisions_of_people_survive(store: Store, course: Course) -> None:
    """Points added or set by a person hold for every later run, and never go below zero."""
    run = store.begin_run(course.id, "1", {}, [hand_in("ada", RIGHT)])
    store.record(run, key_for(store.pending(run)[0]["sha256"]), Verdict(report_json(course, points=3)))
    number = decide(store, "ada", "ex01_target", adjust=-1, why="copied the plot")
    assert grades(store, course)[0].final == 2.0
    store.begin_run(course.id, "1", {}, [hand_in("ada", RIGHT + "# new\n")])
    run = store.last_run()["id"]  # type: ignore[index]
    store.record(run, key_for(store.pending(run)[0]["sha256"]), Verdict(report_json(course, points=4)))
    assert grades(store, course)[0].final == 3.0
    assert "copied the plot" in grades(store, course)[0].comment
    decide(store, "ada", "ex01_target", points=7, why="oral exam")
    assert grades(store, course)[0].final == 7.0
    withdraw(store, number)
    decide(store, "ada", "ex01_target", adjust=-100, why="cheated")
    assert grades(store, course)[0].final == 0.0
    with pytest.raises(ManualError, match="why"):
        decide(store, "ada", "ex01_target", adjust=1, why=" ")
    with pytest.raises(ManualError, match="no decision"):
        withdraw(store, 99)


def test_extensions(store: Store, course: Course, tmp_path: Path) -> None:
    """Extensions come from a CSV, with comma or semicolon; a wrong line is named."""
    path = tmp_path / "e.csv"
    path.write_text("student;days;exercise\nada;1,5;ex01\nbob;2;\n")
    granted = read_extensions(path, course)
    assert granted == {("ada", "ex01_target"): 1.5, ("bob", ""): 2.0}
    grant(store, granted)
    path.write_text("student,days\nada,many\n")
    with pytest.raises(ManualError, match=r"e\.csv:2: days"):
        read_extensions(path, course)


def test_a_transaction_is_all_or_nothing(store: Store, course: Course) -> None:
    """A collection that breaks half-way leaves no half run."""

    def broken() -> object:
        yield hand_in("ada", RIGHT)
        raise RuntimeError("the archive's disk went away")

    with pytest.raises(RuntimeError):
        store.begin_run(course.id, "1", {}, broken())  # type: ignore[arg-type]
    assert store.last_run() is None
    assert store.db.execute("SELECT count(*) FROM files").fetchone()[0] == 0


def test_an_old_store_is_brought_up(tmp_path: Path) -> None:
    """A store of version 1 with a run in it opens and keeps its run."""
    folder = tmp_path / "old"
    folder.mkdir()
    db = sqlite3.connect(folder / FILE_NAME)
    db.executescript(STEPS[0] + "; PRAGMA user_version = 1;")
    db.execute("INSERT INTO runs (started_at, course, revision, engine) VALUES ('2026', 'c', '1', '0')")
    db.commit()
    db.close()
    with Store(folder, write=True) as store:
        assert store.db.execute("PRAGMA user_version").fetchone()[0] == VERSION
        assert store.run(1)["course"] == "c"
        assert store.db.execute("SELECT count(*) FROM recordings").fetchone()[0] == 0


def test_stores_that_are_none(tmp_path: Path) -> None:
    """A missing, foreign, newer or damaged store is named as such."""
    with pytest.raises(StoreError, match="no store"):
        Store(tmp_path)
    db = sqlite3.connect(tmp_path / FILE_NAME)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    with pytest.raises(StoreError, match="newer"):
        Store(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"this is no database at all, but some text" * 100)
    with pytest.raises(StoreError, match="damaged"):
        Store(tmp_path)


def test_one_writer(store: Store) -> None:
    """A second writer is refused while the first one lives; readers are not."""
    with pytest.raises(StoreError, match="another gdgrade"):
        Store(store.folder, write=True)
    Store(store.folder).close()
    store.close()
    Store(store.folder, write=True).close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(tmp_path: Path) -> None:
    """A folder that cannot be written is named, before anything is graded."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="cannot be written"):
            Store(tmp_path / "out", write=True)
    finally:
        tmp_path.chmod(0o700)


def test_a_clock_that_jumps(store: Store, course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which verdict is the latest does not depend on the clock."""
    for hours, points in ((0, 1), (-48, 2)):
        moment = time.time() + 3600 * hours
        monkeypatch.setattr("gdgrade.batch.store.now", lambda moment=moment: time.ctime(moment))
        run = store.begin_run(course.id, "1", {}, [hand_in("ada", RIGHT)])
        store.record(run, key_for(store.pending(run)[0]["sha256"]), Verdict(report_json(course, points=points)))
    assert [grade.final for grade in grades(store, course)] == [2.0]
