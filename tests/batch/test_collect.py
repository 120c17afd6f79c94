"""Every layout is understood, nothing is dropped silently, no archive does harm."""

import io
import os
import tarfile
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from gdgrade.batch import sources
from gdgrade.batch.collect import HandIn, How, collect
from gdgrade.batch.sources import Refused
from gdgrade.course.loading import course_from_text
from gdgrade.course.manifest import Course

RIGHT = b"def double(x):\n    return 2 * x\n"
TWO = """
course: {id: two, title: Two, revision: "1", arrays: numpy}
exercises:
  - {id: ex01_target, title: T, entry: target.py, parts: [{id: "1.1", title: A, points: 1}]}
  - {id: ex05_langevin, title: L, entry: langevin.py, parts: [{id: "5.1", title: A, points: 1}]}
"""


@pytest.fixture
def two() -> Course:
    return course_from_text(TWO, "course.yml")


def put(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def zipped(path: Path, files: dict[str, bytes], date: tuple[int, ...] = (2026, 12, 14, 22, 30, 0)) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, date), data)  # type: ignore[arg-type]
    return path


def sorted_out(found: object) -> tuple[dict[tuple[str, str], HandIn], dict[str, str]]:
    taken, refused = {}, {}
    for entry in found:  # type: ignore[attr-defined]
        if isinstance(entry, Refused):
            refused[entry.path] = entry.reason
        else:
            taken[entry.student, entry.exercise] = entry
    return taken, refused


def test_folders(two: Course, tmp_path: Path) -> None:
    """A folder per student, with or without folders of exercises in it."""
    put(tmp_path, {"ada/langevin.py": RIGHT, "ada/target.py": RIGHT, "bob/ex05/solution.py": RIGHT, "bob/a.pdf": b"x"})
    taken, refused = sorted_out(collect([tmp_path], two))
    assert set(taken) == {("ada", "ex05_langevin"), ("ada", "ex01_target"), ("bob", "ex05_langevin")}
    assert list(refused) == ["bob/a.pdf"]


def test_flat(two: Course, tmp_path: Path) -> None:
    """A flat folder by pattern; a name that does not fit is listed."""
    put(tmp_path, {"ada_ex05.py": RIGHT, "bob_b_ex01.py": RIGHT, "ex07.py": RIGHT, "cyd_ex09.py": RIGHT})
    taken, refused = sorted_out(collect([tmp_path], two))
    assert set(taken) == {("ada", "ex05_langevin"), ("bob_b", "ex01_target")}
    assert set(refused) == {"ex07.py", "cyd_ex09.py"}
    put(tmp_path / "other", {"05-ada.py": RIGHT})
    taken, _ = sorted_out(collect([tmp_path / "other"], two, How(pattern="{exercise}-{student}")))
    assert set(taken) == {("ada", "ex05_langevin")}


def test_pattern_needs_a_student(two: Course, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="student"):
        list(collect([tmp_path], two, How(pattern="{exercise}")))


def test_moodle(two: Course, tmp_path: Path) -> None:
    """Moodle's zip: names and numbers of participants, the time of each file, online texts listed."""
    archive = zipped(tmp_path / "m.zip", {
        "Ada Lovelace_12345_assignsubmission_file_/langevin.py": RIGHT,
        "Bob_B_77_assignsubmission_file_/langevin.ipynb": b"{",
        "Cyd_78_assignsubmission_onlinetext_/onlinetext.html": b"<p>",
        "Dan_79_assignsubmission_file_langevin.py": RIGHT,
    })  # fmt: skip
    how = How(zone=timezone(timedelta(hours=1)))
    taken, refused = sorted_out(collect([archive], two, how))
    ada = taken["Ada Lovelace_12345", "ex05_langevin"]
    assert (ada.name, ada.identifiers, ada.layout) == ("Ada Lovelace", {"moodle": "12345"}, "moodle")
    assert ada.submitted == datetime(2026, 12, 14, 21, 30, tzinfo=UTC)
    assert "Moodle" in ada.time_source
    assert taken["Bob_B_77", "ex05_langevin"].problem
    assert ("Dan_79", "ex05_langevin") in taken
    assert list(refused) == ["Cyd_78_assignsubmission_onlinetext_/onlinetext.html"]


def test_canvas(two: Course, tmp_path: Path) -> None:
    """Canvas's zip, late marks and numbered resubmissions; the latest of two is taken."""
    archive = zipped(tmp_path / "c.zip", {
        "lovelaceada_123_456_langevin.py": RIGHT,
        "bakerbob_LATE_124_457_langevin-1.py": RIGHT,
        "cyd_125_458_target.py": RIGHT,
        "dan_126_459_work.zip": zipped(tmp_path / "inner.zip", {"langevin.py": RIGHT}).read_bytes(),
    })  # fmt: skip
    taken, refused = sorted_out(collect([archive], two))
    assert {key[0] for key in taken} == {"lovelaceada_123", "bakerbob_124", "cyd_125", "dan_126"}
    assert taken["bakerbob_124", "ex05_langevin"].identifiers == {"canvas": "124"}
    assert refused == {}


def test_gradescope(two: Course, tmp_path: Path) -> None:
    """Gradescope's export: who and when stand in its YAML file."""
    meta = b"""
submission_987:
  :submitters:
  - :name: Ada Lovelace
    :sid: '4711'
    :email: ada@example.org
  :created_at: 2026-12-14 22:05:00.000000000 Z
  :score: 0.0
"""
    put(tmp_path, {"assignment_1_export/submission_metadata.yml": meta,
                   "assignment_1_export/submission_987/langevin.py": RIGHT,
                   "assignment_1_export/submission_988/langevin.py": RIGHT})  # fmt: skip
    taken, refused = sorted_out(collect([tmp_path], two))
    ada = taken["4711", "ex05_langevin"]
    assert ada.name == "Ada Lovelace"
    assert ada.identifiers["email"] == "ada@example.org"
    assert ada.submitted == datetime(2026, 12, 14, 22, 5, tzinfo=UTC)
    assert list(refused) == ["assignment_1_export/submission_988/langevin.py"]


def test_nbgrader(two: Course, tmp_path: Path) -> None:
    """nbgrader's tree with its timestamps."""
    put(tmp_path, {"submitted/ada/ex05_langevin/langevin.py": RIGHT,
                   "submitted/ada/ex05_langevin/timestamp.txt": b"2026-12-14 22:05:00.123456 UTC",
                   "submitted/bob/ex01/target.py": RIGHT})  # fmt: skip
    for root in (tmp_path, tmp_path / "submitted"):
        taken, refused = sorted_out(collect([root], two))
        assert taken["ada", "ex05_langevin"].submitted == datetime(2026, 12, 14, 22, 5, 0, 123456, tzinfo=UTC)
        assert ("bob", "ex01_target") in taken
        assert refused == {}


def test_files_that_are_wrong(two: Course, tmp_path: Path) -> None:
    """Empty, binary, too large: kept under the student's name with a problem. BOM, Latin-1 and CRLF are read."""
    put(tmp_path, {
        "empty/target.py": b"", "binary/target.py": b"\0\1", "large/target.py": b"#" * 2_000_001,
        "bom/target.py": b"\xef\xbb\xbfx = 1\r\n", "latin/target.py": "# été\n".encode("latin-1"),
    })  # fmt: skip
    taken, refused = sorted_out(collect([tmp_path], two))
    problems = {student for (student, _), hand_in in taken.items() if hand_in.problem}
    assert problems == {"empty", "binary", "large"}
    submission = taken["bom", "ex01_target"].submission
    assert submission is not None
    assert submission.source == "x = 1\n"
    assert refused == {}


def test_duplicates(two: Course, tmp_path: Path) -> None:
    """One file per student and exercise: by the name of the exercise's file, then the latest; the rest is listed."""
    put(tmp_path, {"ada/langevin.py": RIGHT, "ada/langevin (2).py": RIGHT, "ada/ex05_helper.py": RIGHT,
                   "bob/ex05_a.py": RIGHT, "bob/ex05_b.py": RIGHT})  # fmt: skip
    taken, refused = sorted_out(collect([tmp_path], two))
    assert taken["ada", "ex05_langevin"].file == "ada/langevin.py"
    assert set(refused) == {"ada/langevin (2).py", "ada/ex05_helper.py", "bob/ex05_a.py", "bob/ex05_b.py"}
    taken, refused = sorted_out(collect([tmp_path, tmp_path], two))
    assert len(taken) == 1
    assert "earlier source" in refused["ada/langevin.py"]


def test_links_and_pipes(two: Course, tmp_path: Path) -> None:
    """Neither links nor pipes are opened."""
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada/target.py").symlink_to("/etc/passwd")
    (tmp_path / "bob").symlink_to("/etc")
    os.mkfifo(tmp_path / "target.py")
    taken, refused = sorted_out(collect([tmp_path], two))
    assert taken == {}
    assert set(refused) == {"ada/target.py", "bob", "target.py"}


def test_hostile_archives(two: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that leave the archive, links, devices, bombs, nests: refused with a reason; the rest is taken."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        link = tarfile.TarInfo("eve/target.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        device = tarfile.TarInfo("eve/langevin.py")
        device.type = tarfile.CHRTYPE
        archive.addfile(device)
        good = tarfile.TarInfo("ada/target.py")
        good.size = len(RIGHT)
        archive.addfile(good, io.BytesIO(RIGHT))
    (tmp_path / "t.tar.gz").write_bytes(stream.getvalue())
    deep = zipped(tmp_path / "deep.zip", {"x/target.py": RIGHT}).read_bytes()
    for _ in range(4):
        deep = zipped(tmp_path / "deep.zip", {"x/deep.zip": deep}).read_bytes()
    zipped(tmp_path / "z.zip", {
        "../../evil_ex01.py": RIGHT, "/abs/target.py": RIGHT, "C:\\x\\target.py": RIGHT,
        "bob/target.py": b"#" * (sources.MAX_FILE + 1), "x/deep.zip": deep, "cyd/target.py": RIGHT,
    })  # fmt: skip
    (tmp_path / "broken.zip").write_bytes(b"PK\3\4 nothing")
    roots = [tmp_path / name for name in ("t.tar.gz", "z.zip", "broken.zip")]
    taken, refused = sorted_out(collect(roots, two))
    assert set(taken) == {("ada", "ex01_target"), ("cyd", "ex01_target")}
    assert len(refused) == 8
    assert not (tmp_path.parent / "evil_ex01.py").exists()


def test_zip_that_lies_about_sizes(two: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A header that claims a small size does not let a large member through."""
    monkeypatch.setattr(sources, "MAX_FILE", 1000)
    path = zipped(tmp_path / "z.zip", {"ada/target.py": b"#" * 5000})
    data = path.read_bytes().replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(data)
    taken, _ = sorted_out(collect([path], two))
    assert taken["ada", "ex01_target"].problem or len(taken["ada", "ex01_target"].data) <= 1000


def test_hostile_names(two: Course, tmp_path: Path) -> None:
    """Control characters of names do not reach the terminal."""
    put(tmp_path, {"a\x1b[31mda/target.py": RIGHT})
    taken, _ = sorted_out(collect([tmp_path], two))
    assert list(taken) == [("a\\x1b[31mda", "ex01_target")]


def test_times_of_files_on_disk(two: Course, tmp_path: Path) -> None:
    """A file's own time counts only when asked for: copying changes it."""
    put(tmp_path, {"ada/target.py": RIGHT})
    taken, _ = sorted_out(collect([tmp_path], two))
    assert taken["ada", "ex01_target"].submitted is None
    taken, _ = sorted_out(collect([tmp_path], two, How(use_mtime=True)))
    assert taken["ada", "ex01_target"].submitted is not None
