"""What is kept of checks and hints: the newest verdict, merged by git without conflicts, never in a check's way."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from gdgrade.cli import main
from gdgrade.workspace import progress
from gdgrade.workspace.progress import Progress, Verdict

from .conftest import ENTRY, EX, gdgrade

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def verdict(part: str = "1.1", at: datetime = NOON, **changes: object) -> Verdict:
    values = {
        "exercise": EX, "part": part, "status": "passed", "points": 2.0, "max_points": 2.0, "judged": 2.0,
        "file": ENTRY, "sha256": "a" * 64, "at": at,
    }  # fmt: skip
    return Verdict(**{**values, **changes})  # type: ignore[arg-type]


def kept(*verdicts: Verdict, **hints: int) -> Progress:
    return Progress({(entry.exercise, entry.part): entry for entry in verdicts}, {(EX, p): n for p, n in hints.items()})


def test_there_and_back() -> None:
    """One sorted line per part and kind; what is read is what was written."""
    state = kept(verdict("1.10"), verdict("1.9", status="failed", points=0.5), verdict("1.1"), **{"1.9": 2})
    text = state.to_text()
    assert [(json.loads(line)["part"], "hints" in json.loads(line)) for line in text.splitlines()] == [
        ("1.1", False), ("1.9", False), ("1.9", True), ("1.10", False),
    ]  # fmt: skip
    again = Progress.from_text(text)
    assert (again.verdicts, again.hints) == (state.verdicts, state.hints)
    assert again.to_text() == text


def test_the_newest_line_holds_in_any_order() -> None:
    """Both sides' lines after a merge: the later verdict, the higher number of hints."""
    old, new = verdict(status="failed", points=0.0), verdict(at=NOON + timedelta(hours=1))
    one, two = kept(old, **{"1.1": 3}).to_text(), kept(new, **{"1.1": 1}).to_text()
    for text in (one + two, two + one):
        found = Progress.from_text(text)
        assert found.verdicts[EX, "1.1"] == new
        assert found.hints[EX, "1.1"] == 3
    summer = verdict(
        at=datetime.fromisoformat("2026-11-29T13:30:00+02:00"), status="failed"
    )  # half an hour before noon
    assert Progress.from_text(kept(summer).to_text() + kept(verdict()).to_text()).verdicts[EX, "1.1"].status == "passed"


@pytest.mark.parametrize(
    "line",
    [
        "<<<<<<< HEAD", "=======", "not json", "[1, 2]", '"text"', "{}" * 3, "[" * 10_000,
        '{"exercise": "e", "part": "1.1", "status": "passed"}',
        kept(verdict(points=-1.0)).to_text().strip(),
        kept(verdict(file="../../etc/passwd")).to_text().strip(),
        kept(verdict(file="/etc/passwd")).to_text().strip(),
        kept(verdict(status="great")).to_text().strip(),
        kept(verdict()).to_text().strip().replace("+00:00", ""),
        '{"exercise": "e", "part": "1.1", "hints": -3}',
        '{"exercise": "e", "part": "1.1", "hints": "many"}',
    ],
    ids=range(15),
)  # fmt: skip
def test_rubbish_is_passed_over(line: str) -> None:
    found = Progress.from_text(f"{line}\n{kept(verdict('1.2')).to_text()}")
    assert list(found.verdicts) == [(EX, "1.2")]
    assert found.hints == {}


def test_lines_of_a_later_version_stay() -> None:
    line = '{"exercise": "e", "part": "1.1", "badge": "gold"}'
    assert line in Progress.from_text(line + "\n").to_text()


def test_a_quick_check_does_not_hide_a_whole_one() -> None:
    """Less judged of the very same file: the fuller verdict stays. Of another file: the new one holds."""
    state = kept(verdict())
    state.take(verdict(points=1.0, judged=1.0, at=NOON + timedelta(hours=1)))
    assert state.verdicts[EX, "1.1"].judged == 2.0
    state.take(verdict(points=1.0, judged=1.0, at=NOON + timedelta(hours=1), sha256="b" * 64))
    assert state.verdicts[EX, "1.1"].judged == 1.0
    state.take(verdict(at=NOON - timedelta(days=1), status="failed"))  # a clock set back
    assert state.verdicts[EX, "1.1"].status == "failed"


VERDICTS = st.builds(
    verdict,
    st.sampled_from(["1.1", "1.2", "1.10"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 2), timezones=st.just(UTC)),
    status=st.sampled_from(progress.RECORDED),
    points=st.floats(0, 2),
)
STATES = st.builds(lambda found, hints: kept(*found, **hints), st.lists(VERDICTS),
                   st.dictionaries(st.sampled_from(["1.1", "1.2"]), st.integers(1, 3)))  # fmt: skip


@settings(max_examples=40)  # each makes a dozen passes over three files
@given(STATES, STATES, STATES)
def test_merging_does_not_depend_on_the_order(one: Progress, two: Progress, three: Progress) -> None:
    """Three machines in any order, some of them twice: all end with the same file."""
    a, b, c = one.to_text(), two.to_text(), three.to_text()
    merged = Progress.from_text(a + b + c).to_text()
    assert Progress.from_text(c + a + b + a).to_text() == merged
    assert Progress.from_text(a + Progress.from_text(c + b).to_text()).to_text() == merged
    assert Progress.from_text(merged).to_text() == merged


FIELDS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters()), st.lists(st.integers(), max_size=2)
)
ROWS = st.dictionaries(
    st.sampled_from(["exercise", "part", "status", "points", "max_points", "judged", "file", "sha256", "at", "hints"]),
    FIELDS,
).map(json.dumps)


@given(st.lists(st.one_of(st.text(), ROWS)))
def test_no_file_makes_it_fail(lines: list[str]) -> None:
    """Whatever stands in the file, it is read, and can be written again."""
    Progress.from_text(Progress.from_text("\n".join(lines)).to_text()).to_text().encode("utf-8")


def git(folder: Path, *args: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *args], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("rule", [True, False], ids=["union", "a tool that ignores .gitattributes"])
def test_git_merges_two_machines(workspace: Path, rule: bool) -> None:
    """Laptop and desktop check different parts, the same part, and look at hints: the merge needs no hands."""
    progress.write(workspace, kept(verdict("1.1", status="failed", points=0.0)))
    git(workspace, "init", "-q")
    git(workspace, "add", "-A")
    git(workspace, "commit", "-qm", "start")
    git(workspace, "branch", "laptop")

    later = NOON + timedelta(hours=2)
    progress.write(workspace, kept(verdict("1.1", at=later), verdict("1.2", status="failed"), **{"1.2": 2}))
    git(workspace, "commit", "-qam", "desktop")
    git(workspace, "checkout", "-q", "laptop")
    progress.write(workspace, kept(verdict("1.1", status="failed", at=NOON), verdict("1.3", at=later), **{"1.2": 3}))
    git(workspace, "commit", "-qam", "laptop")
    if rule:
        git(workspace, "merge", "-q", "main", "-m", "merge")
        assert "<<<<" not in progress.path_of(workspace).read_text()
    else:
        (workspace / ".git/info/attributes").write_text("/.gdgrade/progress.jsonl merge=text\n")
        done = subprocess.run(["git", "merge", "main"], cwd=workspace, capture_output=True, timeout=60)
        assert done.returncode == 1  # a conflict, and its marks are in the file

    found = progress.read(workspace)
    assert found is not None
    assert {key[1]: (entry.status, entry.at) for key, entry in found.verdicts.items()} == {
        "1.1": ("passed", later), "1.2": ("failed", NOON), "1.3": ("passed", later),
    }  # fmt: skip
    assert found.hints == {(EX, "1.2"): 3}
    progress.write(workspace, found)
    assert len(progress.path_of(workspace).read_text().splitlines()) == 4


def test_check_records(solved: Path, tmp_path: Path) -> None:
    """A check of the own file is kept with its hash; a part alone changes that part only; other files are not kept."""
    done = gdgrade("check", "ex01", "--part", "1.1", cwd=solved)
    assert done.returncode == 0, done.stderr
    found = progress.read(solved)
    assert found is not None
    assert list(found.verdicts) == [(EX, "1.1")]
    assert found.verdicts[EX, "1.1"].file == ENTRY

    done = gdgrade("check", "ex01", cwd=solved)
    assert done.returncode == 1
    found = progress.read(solved)
    assert found is not None
    assert {key[1]: entry.status for key, entry in found.verdicts.items()} == {
        "1.1": "passed", "1.2": "passed", "1.3": "not_attempted",
    }  # fmt: skip
    before = progress.path_of(solved).read_bytes()
    (tmp_path / "other.py").write_text("x = 1\n")
    assert gdgrade("check", "ex01", str(tmp_path / "other.py"), cwd=solved).returncode == 1
    assert progress.path_of(solved).read_bytes() == before


def test_nothing_is_kept_where_nobody_started(unpacked: Path) -> None:
    assert gdgrade("check", "ex01", "--part", "1.1", cwd=unpacked).returncode == 1
    assert not progress.path_of(unpacked).exists()


def test_a_full_disk_is_a_warning(solved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When progress cannot be written the verdict and its exit code stand, and the old progress is whole."""

    def full(root: Path, state: Progress) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(progress, "write", full)
    arguments = ["--course", str(solved), "--start-method", "spawn"]
    result = CliRunner().invoke(main, ["check", "ex01", "--part", "1.1", *arguments])
    assert result.exit_code == 0, result.output
    assert "progress was not kept: No space left on device" in result.stderr
    assert "2 / 2" in result.stdout
    assert progress.path_of(solved).read_text() == ""
    hint = CliRunner().invoke(main, ["hint", "ex01", "1.1", "--course", str(solved)])
    assert hint.exit_code == 0
    assert "all weights are 2" in hint.stdout
