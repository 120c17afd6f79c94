"""`gdgrade start`: a workspace from a release; nothing overwritten, nothing written outside, nothing by halves."""

import shutil
import stat
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gdgrade.cli import main
from gdgrade.workspace import releases

from .conftest import ENTRY, EX


def start(*args: object) -> Result:
    return CliRunner().invoke(main, ["start", *map(str, args)])


def tree(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_everything_a_student_needs(workspace: Path, checkout: Path) -> None:
    """Statement, stub, checks, pictures and progress are there; no solution is, and the stub is kept for a reset."""
    stub = (checkout / ENTRY).read_bytes()
    assert (workspace / ENTRY).read_bytes() == stub
    assert (workspace / ".gdgrade/stubs" / EX / "statistics_by_hand.py").read_bytes() == stub
    assert (workspace / ".gdgrade/progress.jsonl").read_text() == ""
    assert "/.gdgrade/progress.jsonl merge=union" in (workspace / ".gitattributes").read_text()
    files = tree(workspace)
    assert f"docs/gallery/{EX}/mean.png" in files
    assert f"graders/{EX}/plots.py" in files
    assert f"exercises/{EX}/hints.yml" in files
    assert not [name for name in files if "reference" in name or "mistakes" in name]


def test_default_folder_is_named_like_the_course(
    handout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = start("--from", handout)
    assert result.exit_code == 0, result.output
    assert "cd tiny-statistics" in result.output
    assert (tmp_path / "tiny-statistics" / ENTRY).is_file()


def test_nothing_is_overwritten(handout: Path, tmp_path: Path) -> None:
    """One file in the way: exit code 2, and not a single file is written. Files elsewhere are no hindrance."""
    root = tmp_path / "work"
    (root / "exercises" / EX).mkdir(parents=True)
    (root / ENTRY).write_text("mine")
    result = start(root, "--from", handout)
    assert result.exit_code == 2
    assert "already there" in result.output
    assert tree(root) == [ENTRY]
    assert (root / ENTRY).read_text() == "mine"

    (root / ENTRY).rename(root / "notes.txt")
    (root / ".gitattributes").write_text("*.png binary")
    assert start(root, "--from", handout).exit_code == 0
    assert (root / "notes.txt").read_text() == "mine"
    assert (root / ".gitattributes").read_text() == "*.png binary\n/.gdgrade/progress.jsonl merge=union\n"

    before = {name: (root / name).read_bytes() for name in tree(root)}
    again = start(root, "--from", handout)
    assert again.exit_code == 2
    assert "workspace already" in again.output
    assert {name: (root / name).read_bytes() for name in tree(root)} == before


def test_a_link_in_the_way_is_not_followed(handout: Path, tmp_path: Path) -> None:
    root, outside = tmp_path / "work", tmp_path / "outside.txt"
    root.mkdir()
    (root / "README.md").symlink_to(outside)
    assert start(root, "--from", handout).exit_code == 2
    assert not outside.exists()


def test_in_the_unpacked_release_itself(unpacked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpacked by hand: its own folder becomes the workspace, and a file already filled in stays."""
    (unpacked / ENTRY).write_text("mine")
    monkeypatch.chdir(unpacked)
    result = start()
    assert result.exit_code == 0, result.output
    assert (unpacked / ".gdgrade/progress.jsonl").is_file()
    assert (unpacked / ENTRY).read_text() == "mine"
    assert "NotImplementedError" in (unpacked / ".gdgrade/stubs" / EX / "statistics_by_hand.py").read_text()


def test_somebody_elses_work_is_not_copied(unpacked: Path, tmp_path: Path) -> None:
    """From a folder in which somebody has worked, a new workspace gets the files as they were handed out."""
    (unpacked / ENTRY).write_text("def weighted_mean(x, w): return 7\n")
    (unpacked / "private.txt").write_text("diary")
    assert start(tmp_path / "new", "--from", unpacked).exit_code == 0
    assert "NotImplementedError" in (tmp_path / "new" / ENTRY).read_text()
    assert not (tmp_path / "new" / "private.txt").exists()


def member(name: str, mode: int = stat.S_IFREG | 0o644, flags: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr, info.flag_bits = mode << 16, flags
    return info


@pytest.mark.parametrize(
    ("info", "word"),
    [
        (member("../evil.txt"), "points outside"),
        (member("tiny/../../evil.txt"), "points outside"),
        (member("/tmp/evil.txt"), "points outside"),
        (member("C:/evil.txt"), "points outside"),
        (member("..\\evil.txt"), "points outside"),
        (member("tiny-statistics/link", stat.S_IFLNK | 0o777), "is a link"),
    ],
    ids=lambda value: value.filename if isinstance(value, zipfile.ZipInfo) else None,
)
def test_unsafe_archives_are_refused(handout: Path, tmp_path: Path, info: zipfile.ZipInfo, word: str) -> None:
    bad, root = tmp_path / "bad.zip", tmp_path / "deep" / "work"
    shutil.copyfile(handout, bad)
    with zipfile.ZipFile(bad, "a") as archive:
        archive.writestr(info, "evil")
    result = start(root, "--from", bad)
    assert result.exit_code == 2
    assert word in result.output
    assert not root.exists()
    assert not list(tmp_path.rglob("evil.txt"))


def test_bombs_are_refused(handout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is what comes out, not what a header claims."""
    monkeypatch.setattr(releases, "MAX_BYTES", 1000)
    result = start(tmp_path / "work", "--from", handout)
    assert result.exit_code == 2
    assert "too large" in result.output
    monkeypatch.setattr(releases, "MAX_BYTES", 1 << 30)
    monkeypatch.setattr(releases, "MAX_FILES", 3)
    assert "more than 3 files" in start(tmp_path / "work", "--from", handout).output
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("damage", ["absent", "no zip", "cut", "no course", "no stub", "bad course"])
def test_what_is_no_release(handout: Path, unpacked: Path, tmp_path: Path, damage: str) -> None:
    """Each says in one sentence what is wrong, with exit code 2, and writes nothing."""
    source, word = unpacked, ""
    if damage == "absent":
        source, word = tmp_path / "nowhere.zip", "does not exist"
    elif damage == "no zip":
        source, word = tmp_path / "x.zip", "cannot be unpacked"
        source.write_text("hello")
    elif damage == "cut":
        source, word = tmp_path / "x.zip", "cannot be unpacked"
        source.write_bytes(handout.read_bytes()[:-2000])
    elif damage == "no course":
        (unpacked / "course.yml").unlink()
        word = "no release of a course"
    elif damage == "no stub":
        (unpacked / ENTRY).unlink()
        word = f"{ENTRY} is missing"
    else:
        (unpacked / "course.yml").write_text("course: 3\n")
        word = "course.yml"
    result = start(tmp_path / "work", "--from", source)
    assert result.exit_code == 2, result.output
    assert word in result.output
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_the_installed_course(
    handout: Path, unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A release that lies in the package gdgrade is what `gdgrade start` takes by itself."""
    package = tmp_path / "package"
    package.mkdir()
    if kind == "zip":
        shutil.copyfile(handout, package / "course_release.zip")
    else:
        shutil.copytree(unpacked, package / "course_release")
    monkeypatch.setattr(releases, "files", lambda name: package)
    monkeypatch.chdir(tmp_path)
    assert start("mine").exit_code == 0
    assert (tmp_path / "mine" / ENTRY).is_file()


def test_nothing_to_start_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "INSTALLED", ())
    monkeypatch.chdir(tmp_path)
    result = start()
    assert result.exit_code == 2
    assert "gdgrade start --from handout.zip" in result.output


def test_a_checkout_is_released_first(
    checkout: Path, unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a teacher's folder, students' files come through `author release`; solutions never do."""
    asked = []

    def release(course, exercises, out):  # the real one is what made `unpacked`
        asked.append((course.root, [entry.id for entry in exercises]))
        shutil.copytree(unpacked, out)

    monkeypatch.setattr("gdgrade.author.release.release", release)
    result = start(tmp_path / "work", "--course", checkout, "--only", "ex01")
    assert result.exit_code == 0, result.output
    assert asked == [(checkout, [EX])]
    assert not (tmp_path / "work" / "reference").exists()
    monkeypatch.setattr("gdgrade.author.release.release", lambda course, exercises, out: shutil.copytree(checkout, out))
    refused = start(tmp_path / "other", "--course", checkout)
    assert refused.exit_code == 2
    assert "holds solutions" in refused.output
    assert not (tmp_path / "other").exists()
    assert "--only" in start(tmp_path / "other", "--from", unpacked, "--only", "ex01").output


def newer(unpacked: Path) -> Path:
    """The release of a later week: one more exercise, another stub of the first, one check fewer."""
    text = (unpacked / "course.yml").read_text()
    parts = "[{id: '2.1', title: P, points: 1}]"
    (unpacked / "course.yml").write_text(f"{text}- {{id: ex02_later, title: Later, entry: later.py, parts: {parts}}}\n")
    for folder in ("exercises", "graders"):
        (unpacked / folder / "ex02_later").mkdir()
    (unpacked / "exercises/ex02_later/later.py").write_text("# stub\n")
    stub = unpacked / ".gdgrade/stubs" / EX / "statistics_by_hand.py"
    stub.write_text(stub.read_text() + "# a clearer stub\n")
    (unpacked / f"exercises/{EX}/hints.yml").write_text('"1.1": [other, hints, now]\n')
    (unpacked / f"graders/{EX}/test_bootstrap.py").unlink()
    return unpacked


def test_a_newer_release(workspace: Path, unpacked: Path) -> None:
    """New exercises, hints and checks come in; a file with work in it stays, and so does progress."""
    release = newer(unpacked)
    (workspace / ENTRY).write_text("my work\n")
    (workspace / "notes.txt").write_text("mine")
    (workspace / ".gdgrade/progress.jsonl").write_text('{"exercise": "x", "part": "1", "hints": 1}\n')
    result = start(workspace, "--from", release, "--update")
    assert result.exit_code == 0, result.output
    assert "new: ex02_later" in result.output
    assert "your file stays" in result.output
    assert (workspace / ENTRY).read_text() == "my work\n"
    assert (workspace / "notes.txt").read_text() == "mine"
    assert (workspace / ".gdgrade/progress.jsonl").read_text().count("hints") == 1
    assert (workspace / "exercises/ex02_later/later.py").read_text() == "# stub\n"
    assert "other" in (workspace / f"exercises/{EX}/hints.yml").read_text()
    assert not (workspace / f"graders/{EX}/test_bootstrap.py").exists()
    assert "clearer" in (workspace / ".gdgrade/stubs" / EX / "statistics_by_hand.py").read_text()
    again = start(workspace, "--from", release, "--update")
    assert again.exit_code == 0
    assert "new:" not in again.output


def test_a_newer_release_replaces_an_untouched_stub(
    workspace: Path, unpacked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace / "exercises")  # without DIR: the workspace around the current folder
    result = start("--from", newer(unpacked), "--update")
    assert result.exit_code == 0, result.output
    assert "your file stays" not in result.output
    assert "clearer" in (workspace / ENTRY).read_text()


def test_updates_that_are_refused(workspace: Path, unpacked: Path, tmp_path: Path) -> None:
    """No workspace, another course, the workspace itself: exit code 2, nothing changed."""
    before = {name: (workspace / name).read_bytes() for name in tree(workspace)}
    assert "no workspace yet" in start(tmp_path, "--from", unpacked, "--update").output
    assert "workspace itself" in start(workspace, "--from", workspace, "--update").output
    (unpacked / "course.yml").write_text((unpacked / "course.yml").read_text().replace("tiny-statistics", "other"))
    result = start(workspace, "--from", unpacked, "--update")
    assert result.exit_code == 2
    assert "another course" in result.output
    assert {name: (workspace / name).read_bytes() for name in tree(workspace)} == before
