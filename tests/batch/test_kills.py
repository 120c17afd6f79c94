"""`kill -9` of any process of a batch, at random times: nothing is lost, nothing is graded twice."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from gdgrade.batch.store import FILE_NAME, Store, StoreError

from .conftest import RIGHT, command

KILLS = int(os.environ.get("GDGRADE_KILLS", "50"))
FILES = 24


def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The batch and all it started: zygote, server of judges, judges, workers."""
    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def hand_ins(folder: Path, number: int) -> Path:
    for student in range(FILES):
        path = folder / f"batch{number}" / f"s{student:02}" / "target.py"
        path.parent.mkdir(parents=True)
        path.write_text(f"{RIGHT}# {number}.{student}\n")
    return folder / f"batch{number}"


def settled(out: Path) -> bool:
    try:
        with Store(out) as store:
            last = store.last_run()
            return last is not None and store.pending(last["id"]) == []
    except StoreError:
        return False


def begun(out: Path) -> bool:
    """Whether the collection of a run that is still open is in the store."""
    if not (out / FILE_NAME).exists():
        return False
    try:
        with Store(out) as store:
            last = store.last_run()
            return last is not None and last["state"] == "open"
    except StoreError:
        return False


@pytest.mark.soak
def test_killed_at_random_points(tmp_path: Path) -> None:
    """Batches are killed until 50 kills are made; each is resumed until it is done, and every file has one verdict."""
    chance = random.Random(20261122)
    out, kills, number, victims = tmp_path / "out", 0, 0, {"main": 0, "helper": 0}
    while kills < KILLS:
        number += 1
        folder = hand_ins(tmp_path / "in", number)
        while True:
            source = ["--resume"] if begun(out) else [str(folder)]
            process = subprocess.Popen(
                command("batch", *source, "--out", out, "--jobs", 2, "--quiet"),
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
            while process.poll() is None and kills < KILLS:
                # From the first instant on: also while things start, collect and write.
                time.sleep(chance.uniform(0.0, 1.2))
                members = family(process)
                if not members:
                    break
                main_wanted = chance.random() < 0.4
                if not main_wanted and len(members) == 1:
                    continue  # nothing has been started yet
                victim = members[0] if main_wanted else chance.choice(members[1:])
                try:
                    os.kill(victim.pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                kills += 1
                victims["main" if victim is members[0] else "helper"] += 1
                if victim is members[0]:
                    break
            _, stderr = process.communicate(timeout=120)
            assert process.returncode in (0, -signal.SIGKILL, 3), (process.returncode, stderr.decode())
            if process.returncode == 0:
                break
    with Store(out) as store:
        assert store.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        rows = store.db.execute("SELECT sha256, count(*) AS n FROM verdicts GROUP BY sha256").fetchall()
        assert all(row["n"] == 1 for row in rows), "a file was graded twice"
        assert len(rows) == number * FILES, "a verdict was lost"
        wrong = store.db.execute("SELECT count(*) FROM verdicts WHERE problem != ''").fetchone()[0]
        assert wrong == 0, "a kill was held against a submission"
        students = store.db.execute("SELECT count(*) FROM hand_ins WHERE verdict IS NULL").fetchone()[0]
        assert students == 0
    from gdgrade.batch.grades import grades
    from gdgrade.course.loading import load_course

    from .conftest import COURSE

    for run in range(1, number + 1):
        with Store(out) as store:
            points = {grade.final for grade in grades(store, load_course(COURSE / "course.yml"), run=run)}
        assert points == {8.0}, "a kill cost points"
    assert min(victims.values()) >= KILLS // 10, victims
