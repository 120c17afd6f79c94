"""`gdgrade batch` and `gdgrade results` as people use them, with real judges and workers."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from gdgrade.batch.store import FILE_NAME, Store

from .conftest import RIGHT, command, gdgrade


def counted(out: Path) -> tuple[int, int]:
    """Verdicts and hand-ins without one."""
    with Store(out) as store:
        verdicts = store.db.execute("SELECT count(*) FROM verdicts").fetchone()[0]
        return verdicts, store.db.execute("SELECT count(*) FROM hand_ins WHERE verdict IS NULL").fetchone()[0]


def test_a_batch_and_its_results(hand_ins: Path, tmp_path: Path) -> None:
    """Identical files are graded once; a second batch grades what is new only; two runs can be compared."""
    out = tmp_path / "out"
    first = gdgrade("batch", hand_ins, "--out", out)
    assert first.returncode == 0, first.stderr
    assert "3 hand-ins of 3 students, 2 files graded" in first.stdout
    assert counted(out) == (2, 0)
    (hand_ins / "cyd/target.py").write_text(RIGHT + "# mended\n")
    (hand_ins / "cyd/notes.txt").write_text("hello")
    second = gdgrade("batch", hand_ins, "--out", out)
    assert second.returncode == 1  # one file was not taken
    assert "1 files graded, 1 known" in second.stdout
    assert "cyd/notes.txt" in second.stdout
    assert counted(out) == (3, 0)
    listed = json.loads(gdgrade("results", "--out", out, "--format", "json").stdout)
    assert {entry["student"]: entry["points"] for entry in listed} == {"ada": 8.0, "bob": 8.0, "cyd": 8.0}
    compared = gdgrade("results", "--out", out, "--compare", 1, 2).stdout
    assert "cyd  ex01_target  4 -> 8  another file was handed in" in compared
    assert "target/double: failed (student) -> passed" in compared
    assert "1 changed" in compared
    assert gdgrade("results", "cyd", "ex01", "--out", out).stdout.count("8 of 8 points") == 1
    assert gdgrade("results", "nobody", "--out", out).returncode == 2


def test_wrong_usage(tmp_path: Path, hand_ins: Path) -> None:
    """Wrong words end with code 2 and say what to do; nothing is left behind."""
    cases = [
        ("batch", "--out", tmp_path / "o"), ("batch", "--resume", "--out", tmp_path / "o"),
        ("batch", hand_ins, "--jobs", "none"), ("batch", hand_ins, "--exercise", "ex77", "--out", tmp_path / "o"),
        ("batch", hand_ins, "--pattern", "x", "--out", tmp_path / "o"),
    ]  # fmt: skip
    for case in cases:
        done = gdgrade(*case, cwd=tmp_path)
        assert done.returncode == 2, (case, done.stderr)
        assert "Traceback" not in done.stderr
    missing = gdgrade("results", "--out", tmp_path / "none")
    assert (missing.returncode, "no store" in missing.stderr) == (3, True)


def many(folder: Path, count: int) -> Path:
    for number in range(count):
        path = folder / f"s{number:03}" / "target.py"
        path.parent.mkdir(parents=True)
        path.write_text(f"{RIGHT}# {number}\n")
    return folder


def test_ctrl_c(tmp_path: Path) -> None:
    """Ctrl-C finishes what is being graded, says how to go on, and the rest is graded then."""
    out = tmp_path / "out"
    process = subprocess.Popen(
        command("batch", many(tmp_path / "in", 60), "--out", out, "--jobs", 1), stderr=subprocess.PIPE, text=True,
        stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not ((out / FILE_NAME).exists() and counted_safely(out) >= 2):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "--resume" in stderr
    verdicts, open_ones = counted(out)
    assert 2 <= verdicts < 60
    assert open_ones == 60 - verdicts
    done = gdgrade("batch", "--resume", "--out", out)
    assert done.returncode == 0, done.stderr
    assert counted(out) == (60, 0)


def counted_safely(out: Path) -> int:
    try:
        return counted(out)[0]
    except Exception:
        return 0  # the tables are being made


def test_no_room(tmp_path: Path) -> None:
    """A full disk (here: a limit on the size of files) ends with a clear message; with room again nothing is lost."""
    out = tmp_path / "out"
    limited = ["bash", "-c", 'ulimit -f 120; exec "$@"', "bash"]
    done = gdgrade("batch", many(tmp_path / "in", 40), "--out", out, "--quiet", wrapper=limited)
    assert done.returncode == 3, (done.returncode, done.stderr)
    assert "room" in done.stderr
    assert "Traceback" not in done.stderr
    with Store(out) as store:
        assert store.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        begun = store.last_run() is not None
    again = gdgrade("batch", *(("--resume",) if begun else (tmp_path / "in",)), "--out", out)
    assert again.returncode == 0, again.stderr
    assert counted(out) == (40, 0)


def test_two_batches_on_one_store(hand_ins: Path, tmp_path: Path) -> None:
    """The second batch is refused at once."""
    with Store(tmp_path / "out", write=True):
        done = gdgrade("batch", hand_ins, "--out", tmp_path / "out")
    assert done.returncode == 3
    assert "another gdgrade is writing" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a place that cannot be written even by root")
def test_output_that_is_no_folder(hand_ins: Path) -> None:
    """A place that cannot be written is named."""
    done = gdgrade("batch", hand_ins, "--out", "/proc/nowhere")
    assert done.returncode == 3
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_late_policy_and_extensions(tmp_path: Path) -> None:
    """The time of submission costs points as the policy says; an extension gives them back."""
    course = tmp_path / "course"
    subprocess.run(["cp", "-r", str(Path(__file__).parents[1] / "cheats/courses/plain"), str(course)], check=True)
    file = course / "course.yml"
    text = file.read_text().replace("    entry:", "    deadline: 2026-01-01T12:00:00+00:00\n    entry:")
    file.write_text(text.replace("seeds:", "late: {per_day: 0.25, cutoff_days: 7}\nseeds:"))
    for name in ("ada", "bob"):
        folder = tmp_path / "in/submitted" / name / "ex01_target"
        folder.mkdir(parents=True)
        (folder / "target.py").write_text(RIGHT)
        (folder / "timestamp.txt").write_text("2026-01-02 13:00:00 UTC")
    (tmp_path / "e.csv").write_text("student,days\nbob,2\n")
    out = tmp_path / "out"
    done = gdgrade("batch", tmp_path / "in", "--out", out, "--extensions", tmp_path / "e.csv", course=course)
    assert done.returncode == 0, done.stderr
    listed = json.loads(gdgrade("results", "--out", out, "--format", "json", course=course).stdout)
    assert {entry["student"]: entry["points"] for entry in listed} == {"ada": 4.0, "bob": 8.0}
    assert "counted as 2 days" in listed[0]["comment"]
    assert os.path.exists(out)  # noqa: PTH110
