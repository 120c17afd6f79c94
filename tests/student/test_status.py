"""`gdgrade status`, `next`, `hint` and `solution`."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gdgrade.cli import main
from gdgrade.course.loading import load_course
from gdgrade.workspace import progress
from gdgrade.workspace.display import amount
from gdgrade.workspace.overview import next_step, overview
from gdgrade.workspace.progress import Progress

from .conftest import ENTRY, EX, gdgrade
from .test_progress import kept, verdict


def run(command: str, *args: str, root: Path) -> Result:
    return CliRunner().invoke(main, [command, *args, "--course", str(root)])


def sha(root: Path) -> str:
    import hashlib

    return hashlib.sha256((root / ENTRY).read_bytes()).hexdigest()


def test_a_fresh_workspace(workspace: Path) -> None:
    """All parts are there, none is checked; the first is next, with its line and its command."""
    result = run("status", root=workspace)
    assert result.exit_code == 0, result.output
    for words in ("ex01  Means, spreads and resampling", "Weighted mean", "0 of 7 points", "no deadline"):
        assert words in result.stdout
    assert result.stdout.count("not checked yet") == 3
    shown = run("next", root=workspace)
    assert "1.1  Weighted mean" in shown.stdout
    assert re.search(r"weighted_mean .*statistics_by_hand\.py:8\n", shown.stdout)
    assert "the weights need not sum to 1." in shown.stdout
    assert "gdgrade check ex01 --part 1.1" in shown.stdout


def test_after_checks(solved: Path) -> None:
    """Verdicts, points, the next part; and a star when the file has changed since."""
    assert gdgrade("check", "ex01", cwd=solved).returncode == 1
    data = json.loads(run("status", "--format", "json", root=solved).stdout)
    (exercise,) = data["exercises"]
    assert data["progress_kept"] is True
    assert [part["status"] for part in exercise["parts"]] == ["passed", "passed", "not_attempted"]
    # The check of far values is hidden, so a student's package is worth less than the part.
    assert [part["points"] for part in exercise["parts"]] == [part["judged"] for part in exercise["parts"][:2]] + [0]
    assert not exercise["stale"]
    assert "1.3  Bootstrap" in run("next", root=solved).stdout
    assert "bootstrap_means" in run("next", "ex01", root=solved).stdout

    with (solved / ENTRY).open("a") as file:
        file.write("\n# later\n")
    assert json.loads(run("status", "--format", "json", root=solved).stdout)["exercises"][0]["stale"]
    assert "passed*" in run("status", root=solved).stdout
    (solved / ENTRY).unlink()
    assert "passed*" in run("status", root=solved).stdout


def test_everything_done(workspace: Path) -> None:
    progress.write(workspace, kept(*(verdict(part, sha256=sha(workspace)) for part in ("1.1", "1.2", "1.3"))))
    assert "Well done" in run("next", root=workspace).stdout
    assert run("next", "--format", "json", root=workspace).stdout.strip() == "null"


def test_outside_a_workspace(unpacked: Path) -> None:
    """Without progress everything is open, and it is said how to keep it."""
    result = run("status", root=unpacked)
    assert result.exit_code == 0
    assert result.stdout.count("not checked yet") == 3
    assert "gdgrade start" in result.stderr
    assert json.loads(run("status", "--format", "json", root=unpacked).stdout)["progress_kept"] is False


def with_exercises(root: Path, *entries: str) -> None:
    text = (root / "course.yml").read_text()
    (root / "course.yml").write_text(text.replace("parts:", "deadline: 2026-12-07T23:59:00+01:00\n  parts:", 1))
    with (root / "course.yml").open("a") as file:
        file.writelines(f"{entry}\n" for entry in entries)


def test_deadlines(workspace: Path) -> None:
    """Time left before it, what lateness costs after it; an exercise that is worth nothing any more comes last."""
    parts = "[{id: '2.1', title: P, points: 1, optional: true}, {id: '2.2', title: Q, points: 1}]"
    with_exercises(workspace, f"- {{id: ex02_next, title: Next, entry: n.py, parts: {parts}}}")
    course = load_course(workspace / "course.yml")
    deadline = course.exercises[0].deadline
    assert deadline is not None

    def step_at(offset: timedelta) -> tuple[float, str]:
        states = overview(course, Progress(), deadline + offset)
        step = next_step(states, workspace)
        assert step is not None
        return states[0].late.factor, step.part.part.id

    assert step_at(timedelta(days=-1)) == (1.0, "1.1")
    assert step_at(timedelta(hours=1)) == (0.5, "1.1")  # half of it per day in this course
    assert step_at(timedelta(days=3)) == (0.0, "2.2")  # cut off; the optional part 2.1 waits for the required one
    assert "was due" in run("status", root=workspace).stdout or deadline > datetime.now(UTC)


def test_parts_wait_for_what_they_need(workspace: Path) -> None:
    """1.2 needs 1.1, so with both open 1.1 is next, and with 1.1 failed it still is."""
    progress.write(workspace, kept(verdict("1.1", status="failed"), verdict("1.3")))
    shown = run("next", root=workspace).stdout
    assert "1.1  Weighted mean" in shown
    assert "not right yet" in shown


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(days=15, hours=3), "15 days"), (timedelta(days=1, hours=6), "30 h 0 min"),
        (timedelta(hours=5, minutes=20), "5 h 20 min"), (timedelta(minutes=7, seconds=50), "7 min"),
    ],
)  # fmt: skip
def test_amounts_of_time(time: timedelta, words: str) -> None:
    assert amount(time) == words


def test_hints_come_one_by_one(workspace: Path) -> None:
    """Each call gives the next; a number gives that one; use is noted and shown, and costs nothing."""
    texts = [run("hint", "ex01", "1.1", root=workspace).stdout for _ in range(4)]
    assert "hint 1 of 3" in texts[0]
    assert "all weights are 2" in texts[0]
    assert "hint 2 of 3" in texts[1]
    assert "hint 3 of 3" in texts[2]
    assert "hint 3 of 3" in texts[3]
    assert "hint 1 of 3" in run("hint", "1", "1", "1", root=workspace).stdout
    assert "3 hints" in run("status", root=workspace).stdout
    assert "1.1  Weighted mean" in run("hint", "ex01", root=workspace).stdout  # the part that is next


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("ex01", "1.1", "4"), "has 3 hints; there is no hint 4"),
        (("ex01", "1.3"), "no hints on part 1.3"),
        (("ex01", "9.9"), "its parts are 1.1, 1.2, 1.3"),
        (("ex77", "1.1"), "no exercise is called"),
        (("ex01", "1.1", "0"), "x>=1"),
    ],
)
def test_hints_that_are_not_there(workspace: Path, args: tuple[str, ...], words: str) -> None:
    result = run("hint", *args, root=workspace)
    assert result.exit_code == 2
    assert words in result.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n- b\n", "must be a mapping"), ("1.1: [a]\n", "must be in quotes"), ('"1.1": a\n', "list of texts"),
        ('"1.1": ["a", 3]\n', "list of texts"), ("{", "cannot be read"),
    ],
)  # fmt: skip
def test_broken_hints(workspace: Path, text: str, words: str) -> None:
    (workspace / f"exercises/{EX}/hints.yml").write_text(text)
    result = run("hint", "ex01", "1.1", root=workspace)
    assert result.exit_code == 2
    assert words in result.output


def test_hints_in_french(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A translated part is shown in French; one that is missing, or has another number of hints, as it is."""
    (workspace / f"exercises/{EX}/hints.fr.yml").write_text('"1.1": [un, deux, trois]\n"1.2": [un]\n')
    monkeypatch.setenv("GDGRADE_LANG", "fr")
    assert "  un\n" in run("hint", "ex01", "1.1", "1", root=workspace).stdout
    assert "Around which mean?" in run("hint", "ex01", "1.2", "1", root=workspace).stdout


def test_solutions_are_where_the_course_has_them(workspace: Path, checkout: Path) -> None:
    """The package says that it has none, and nothing else; the teacher's folder prints it."""
    result = run("solution", "ex01", root=workspace)
    assert result.exit_code == 2
    assert "holds no solution" in result.output
    assert "weighted_mean(" not in result.output
    shown = run("solution", "ex01", root=checkout)
    assert shown.exit_code == 0
    assert shown.stdout == (checkout / f"reference/{EX}/statistics_by_hand.py").read_text()
