"""Exports: real formats filled and read back; nothing else in them changes; no formula gets through."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gdgrade.batch.exports import gradescope, moodle, tables
from gdgrade.batch.exports.canvas import fill_gradebook
from gdgrade.batch.exports.moodle import fill_worksheet
from gdgrade.batch.exports.sheets import SheetError, defused, read_sheet
from gdgrade.batch.grades import Grade, grades
from gdgrade.batch.manual import decide
from gdgrade.batch.store import Key, Store, Verdict
from gdgrade.course.manifest import Course
from gdgrade.report.junit import to_junit

from .conftest import RIGHT, gdgrade
from .helpers import hand_in, make_report

FIXTURES = Path(__file__).parent / "fixtures"
WHO = {
    "ada": ("Ada Lovelace", {"moodle": "12345", "canvas": "123", "email": "ada@example.org"}, 8),
    "bob": ("Bob Baker", {"moodle": "77", "canvas": "124", "email": "bob@example.org"}, 4),
    "eve": ("=cmd|' /C calc'!A0", {"moodle": "79", "canvas": "999", "email": "eve@example.org"}, 6),
}


@pytest.fixture
def some(course: Course, tmp_path: Path) -> list[Grade]:
    """Full points, half (locked in Moodle), three quarters less one by hand with a formula for a reason."""
    with Store(tmp_path / "out", write=True) as store:
        entries = [
            hand_in(student, f"{RIGHT}# {student}\n", name=name, identifiers=ids)
            for student, (name, ids, _) in WHO.items()
        ]
        run = store.begin_run(course.id, "1", {}, entries)
        for entry in entries:
            assert entry.submission is not None
            report = make_report(course, points=WHO[entry.student][2])
            key = Key("1", "ex01_target", entry.submission.sha256, "1:-", "0", "c", "full")
            store.record(run, key, Verdict(report.to_json(indent=None)))
        decide(store, "eve", "ex01_target", adjust=-1, why='=HYPERLINK("http://evil")')
        return grades(store, course)


def rows(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter))


@pytest.mark.parametrize(
    ("language", "delimiter", "ada", "eve"), [("en", ",", "20.00", "12.50"), ("fr", ";", "20,00", "12,50")]
)
def test_moodle_worksheet(some: list[Grade], language: str, delimiter: str, ada: str, eve: str) -> None:
    """Grades scaled to Moodle's maximum, with its decimal mark; locked rows and all other cells are as before."""
    path = FIXTURES / f"moodle_worksheet_{language}.csv"
    sheet = read_sheet(path)
    filled = fill_worksheet(sheet, some)
    before, after = rows(path.read_bytes().decode(), delimiter), rows(sheet.text(), delimiter)
    assert (filled.rows, filled.locked, filled.not_in_sheet) == (2, ["bob"], [])
    by_id = {row[0]: row for row in after}
    assert by_id["Participant 12345"][4] == ada
    assert by_id["Participant 79"][4] == eve
    assert "HYPERLINK" in by_id["Participant 79"][-1]
    touched = {4, len(before[0]) - 1}
    for old, new in zip(before, after, strict=True):
        for column, (one, two) in enumerate(zip(old, new, strict=True)):
            assert one == two or (column in touched and old[0] in ("Participant 12345", "Participant 79"))
    assert sheet.text().startswith("\ufeff")


def test_a_worksheet_with_nothing_to_fill_is_the_same_bytes(tmp_path: Path) -> None:
    """Reading and writing without a grade gives back every byte, also of cells with line breaks and quotes."""
    for name in ("moodle_worksheet_en.csv", "moodle_worksheet_fr.csv", "canvas_gradebook.csv"):
        sheet = read_sheet(FIXTURES / name)
        assert sheet.text().encode() == (FIXTURES / name).read_bytes()


def test_worksheets_that_are_none(tmp_path: Path, some: list[Grade], course: Course) -> None:
    """A file that is no worksheet or gradebook is named as such and stays as it is."""
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(SheetError, match="Identifier"):
        fill_worksheet(read_sheet(path), some)
    with pytest.raises(SheetError, match="Canvas"):
        fill_gradebook(read_sheet(path), course, some)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SheetError, match="UTF-8"):
        read_sheet(path)


def test_moodle_import(some: list[Grade]) -> None:
    """One row per student, looked up by e-mail address; reasons cannot become formulas."""
    text, missing = moodle.import_file(some, "email", titles={"ex01_target": "Target"})
    header, *body = rows(text)
    assert header == ["Email address", "Target", "Feedback: Target"]
    assert [row[:2] for row in body] == [
        ["ada@example.org", "8.00"],
        ["bob@example.org", "4.00"],
        ["eve@example.org", "5.00"],
    ]
    assert missing == []
    text, missing = moodle.import_file(some, "username", titles={"ex01_target": "Target"})
    assert rows(text)[1][0] == "ada"


def test_canvas_gradebook(some: list[Grade], course: Course) -> None:
    """Points scaled to "Points Possible" in the assignment's column only; a missing student is named."""
    path = FIXTURES / "canvas_gradebook.csv"
    sheet = read_sheet(path)
    filled = fill_gradebook(sheet, course, some)
    before, after = rows(path.read_text()), rows(sheet.text())
    by_id = {row[1]: row for row in after}
    assert (by_id["123"][5], by_id["124"][5], by_id["125"][5]) == ("16.00", "8.00", "")
    assert filled.not_in_sheet == ["eve"]
    for old, new in zip(before, after, strict=True):
        assert [cell for i, cell in enumerate(old) if i != 5] == [cell for i, cell in enumerate(new) if i != 5]
    named = fill_gradebook(read_sheet(path), course, some, {"ex01_target": "Essay"})
    assert named.rows == 2
    with pytest.raises(SheetError, match="Nothing"):
        fill_gradebook(read_sheet(path), course, some, {"ex01_target": "Nothing"})


def test_csv_and_json_lines(some: list[Grade]) -> None:
    """Tables read back with the same numbers; every text that looks like a formula is defused."""
    text = tables.to_csv(tables.GRADE_COLUMNS, tables.grade_rows(some))
    read = list(csv.DictReader(io.StringIO(text)))
    assert [(row["student"], float(row["points"])) for row in read] == [("ada", 8), ("bob", 4), ("eve", 5)]
    assert read[2]["name"] == "'" + WHO["eve"][0]
    for row in rows(text) + rows(tables.to_csv(tables.CHECK_COLUMNS, tables.check_rows(some))):
        assert not any(cell.startswith(("=", "@", "+", "\t", "\r")) for cell in row)
    lines = [json.loads(line) for line in tables.to_json_lines(tables.check_rows(some)).splitlines()]
    assert len(lines) == 9
    assert sum(line["points"] for line in lines if line["student"] == "bob") == 4


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "|x", "%0"])
def test_formulas(text: str) -> None:
    assert defused(text) == "'" + text


def test_gradescope_results(course: Course) -> None:
    """results.json has the sums, the visible output, and no inputs of hidden checks."""
    report = make_report(course, points=4, message="31337")
    checks = tuple(check.model_copy(update={"visibility": "hidden"}) for check in report.checks)
    content = gradescope.results(report)
    assert content["score"] == 4
    assert sum(test["score"] for test in content["tests"]) == 4
    assert sum(test["max_score"] for test in content["tests"]) == 8
    hidden = gradescope.to_json(gradescope.results(report.model_copy(update={"checks": checks})))
    assert "31337" not in hidden
    odd = report.checks[0].model_copy(update={"outcome": "error", "cause": "grader", "points": 0.0})
    undecided = gradescope.results(report.model_copy(update={"checks": (odd, *report.checks[1:])}))
    assert "score" not in undecided["tests"][0]


def test_gradescope_autograder(course: Course, tmp_path: Path) -> None:
    """The built zip holds what its scripts need and no other exercise's files; its grader writes results.json."""
    root = Path(__file__).parents[2]
    target = tmp_path / "autograder.zip"
    done = gdgrade("gradescope", "build", "ex01", target, "--engine", root)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(target) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "source")
    assert {"setup.sh", "run_autograder", "course/course.yml", "engine/pyproject.toml"} <= names
    assert "course/graders/ex01_target/test_target.py" in names
    assert "engine/src/gdgrade/worker/serve.py" in names
    assert not any(name.startswith(("engine/tests", "engine/reference", "seed")) for name in names)
    assert subprocess.run(["bash", "-n", tmp_path / "source/run_autograder"]).returncode == 0
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission/target.py").write_text(RIGHT.replace("2 * x", "3 * x"))
    # As the script does, with the engine out of the zip and the course out of the zip.
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "source/engine/src"),
        "GDGRADE_COURSE": str(tmp_path / "source/course"),
    }
    graded = subprocess.run(
        [sys.executable, "-m", "gdgrade", "gradescope", "grade", "ex01_target", tmp_path / "submission",
         tmp_path / "r/results.json"],
        env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert graded.returncode == 0, graded.stderr
    content = json.loads((tmp_path / "r/results.json").read_text())
    assert content["score"] == 4
    assert {test["status"] for test in content["tests"]} == {"passed", "failed"}


def test_junit(course: Course) -> None:
    """JUnit reads back with the right counts."""
    root = ET.fromstring(to_junit(make_report(course, points=4)))
    assert root.attrib["tests"] == "3"
    assert root.attrib["failures"] == "2"


def test_from_the_command_line(some: list[Grade], tmp_path: Path) -> None:
    """Every export runs from the store, and `gdgrade grade` shows in it."""
    out = tmp_path / "out"
    shutil.copy(FIXTURES / "moodle_worksheet_en.csv", tmp_path / "w.csv")
    shutil.copy(FIXTURES / "canvas_gradebook.csv", tmp_path / "g.csv")
    graded = gdgrade("grade", "ada", "ex01", "--adjust", "-2", "--why", "no figure", "--out", out)
    assert "6 of 8 points" in graded.stdout, graded.stderr
    for arguments in (
        ("csv", tmp_path / "csv"), ("jsonl", tmp_path / "c.jsonl"), ("junit", tmp_path / "junit"),
        ("html", tmp_path / "html"),
        ("moodle", tmp_path / "w.csv"), ("moodle-import", tmp_path / "i.csv"), ("canvas", tmp_path / "g.csv"),
    ):  # fmt: skip
        done = gdgrade("export", *arguments, "--out", out)
        assert done.returncode == 0, (arguments, done.stderr)
    assert rows((tmp_path / "w.csv").read_bytes().decode())[1][4] == "15.00"
    assert rows((tmp_path / "g.csv").read_text())[3][5] == "12.00"
    assert rows((tmp_path / "i.csv").read_text())[1][1] == "6.00"
    assert len(list((tmp_path / "junit").iterdir())) == 3
