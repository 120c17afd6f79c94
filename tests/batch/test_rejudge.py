"""Changed checks are judged by the kept answers where they ask the same, and the rest is named and run again."""

import shutil
from pathlib import Path

import pytest

from gdgrade.batch.store import Store

from .conftest import COURSE, RIGHT, WRONG, gdgrade

CRASH = RIGHT.replace("return 2 * x", "import os; os._exit(3)")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of the course whose checks can be changed."""
    return Path(shutil.copytree(COURSE, tmp_path / "course"))


def points(out: Path, course: Path) -> dict[str, str]:
    lines = gdgrade("results", "--out", out, course=course).stdout.splitlines()[1:]
    return {line.split()[0]: line.split()[2] for line in lines}


def test_rejudge(own: Path, tmp_path: Path) -> None:
    """A milder check raises a grade without running code; a check with new inputs sends the file to be run."""
    for name, text in (("ada", RIGHT), ("bob", WRONG), ("cyd", CRASH), ("dan", "def double(:\n")):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "target.py").write_text(text)
    out = tmp_path / "out"
    assert gdgrade("batch", tmp_path / "in", "--out", out, course=own).returncode == 0
    before = points(out, own)
    assert before == {"ada": "8", "bob": "4", "cyd": "4", "dan": "0"}
    assert "4 verdicts stand" in gdgrade("rejudge", "--out", out, course=own).stdout

    checks = own / "graders/ex01_target/test_target.py"
    text = checks.read_text()
    milder = text.replace(
        "agrees(student.double, reference.double, draw.normal(5, 2))", "student.double(draw.normal(5, 2))"
    )
    assert milder != text
    checks.write_text(milder)
    done = gdgrade("rejudge", "--out", out, course=own)
    assert (done.returncode, "4 judged again" in done.stdout) == (0, True), done.stdout + done.stderr
    assert points(out, own) == {"ada": "8", "bob": "6", "cyd": "4", "dan": "0"}

    checks.write_text(milder.replace("draw.normal(4, 3)", "draw.normal(3, 3)"))
    done = gdgrade("rejudge", "--out", out, course=own)
    assert done.returncode == 1
    assert "changed inputs: target/double_hidden" in done.stdout
    # A file that does not load gives no answers, whatever is asked, and needs no second run.
    assert "1 judged again" in done.stdout
    assert gdgrade("batch", "--resume", "--out", out, course=own).returncode == 0
    with Store(out) as store:
        assert store.db.execute("SELECT count(*) FROM verdicts WHERE replayed IS NOT NULL").fetchone()[0] == 5
    assert points(out, own)["ada"] == "8"
