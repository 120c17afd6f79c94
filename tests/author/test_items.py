"""Item analysis on a made-up class."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gdgrade.author.items import analyse, read_reports
from gdgrade.cli import main
from gdgrade.course.loading import load_course
from gdgrade.course.manifest import Exercise
from gdgrade.language import speaking
from gdgrade.report.assembly import assemble
from gdgrade.report.model import CheckResult, Confinement, Report, SeedInfo, SubmissionRef, Versions

NAMES = ("easy", "fair", "good", "strong", "broken", "upside_down")


@pytest.fixture
def exercise(numpy_course: Path) -> Exercise:
    return load_course(numpy_course / "course.yml").exercises[0]


def report(exercise: Exercise, strength: int, **other: bool) -> Report:
    """Of a student so strong; `other`: checks that went otherwise than the strength says."""
    passed = {
        "easy": True,
        "fair": strength >= 4,
        "good": strength >= 6,
        "strong": strength >= 9,
        "broken": False,
        "upside_down": strength < 6,
        **other,
    }
    return assemble(
        exercise,
        [result(name, passed[name], strength) for name in NAMES],
        submission=SubmissionRef(name=f"student{strength}.py", sha256="0" * 64),
        confinement=Confinement(level="A"),
        versions=Versions(gdgrade="0", course="1", python="3", platform="x"),
        seeds=SeedInfo(public=1),
    )


def result(name: str, passed: bool, strength: int) -> CheckResult:
    fields: dict[str, Any] = {"id": f"ex01_statistics/x/{name}", "part": "1.3", "title": name, "max_points": 0.5}
    if passed:
        return CheckResult(**fields, outcome="passed", points=0.5)
    named = {"mistake": "one_value_less", "mistake_kind": "mistake"} if name == "fair" and strength < 3 else {}
    message = f"means: {strength} of 9 numbers differ; the largest difference is 0.{strength}"
    return CheckResult(**fields, outcome="failed", cause="student", message=message, **named)


@pytest.fixture
def classroom(exercise: Exercise) -> list[Report]:
    """Twelve students, each stronger than the one before."""
    return [report(exercise, strength) for strength in range(12)]


def by_name(reports: list[Report]) -> dict[str, Any]:
    return {item.check.rsplit("/", 1)[1]: item for item in analyse(reports)}


def test_rates_discrimination_and_mistakes(classroom: list[Report]) -> None:
    """Pass rates, who passes what, and which mistakes were made."""
    items = by_name(classroom)
    assert items["easy"].pass_rate == 1
    assert items["easy"].discrimination is None
    assert items["fair"].passed == 8
    assert items["fair"].mistakes == {"one_value_less": 3}
    assert items["upside_down"].discrimination < 0


def test_equal_failures_without_a_name_are_one_cluster(classroom: list[Report]) -> None:
    """Messages that differ in their numbers alone are the same wrong answer."""
    clusters = by_name(classroom)["broken"].clusters
    assert clusters == {"means: # of # numbers differ; the largest difference is #": 12}


@pytest.mark.parametrize("name", ["en", "fr"])
def test_reports_that_students_see_make_no_cluster(classroom: list[Report], name: str) -> None:
    """The one message of all failures of a hidden check says nothing, in no language."""
    hidden = [
        report.model_copy(
            update={"checks": tuple(c.model_copy(update={"visibility": "hidden"}) for c in report.checks)}
        )
        for report in classroom
    ]
    with speaking(name):
        redacted = [report.redacted() for report in hidden]
    assert by_name(hidden)["broken"].clusters
    item = by_name(redacted)["broken"]
    assert (item.clusters, item.judged) == ({}, 12)


def test_checks_that_look_wrong(classroom: list[Report]) -> None:
    """A check that nobody passes and one that the strong fail are pointed out; the others are not."""
    items = by_name(classroom)
    assert "best quarter" in items["broken"].suspicion
    assert "strong submissions fail it" in items["upside_down"].suspicion
    assert items["easy"].suspicion == items["fair"].suspicion == ""


def test_a_check_whose_failures_all_have_a_name_is_not_suspected(classroom: list[Report]) -> None:
    """It fails the strong more often than the weak, but for a mistake that they really made."""
    named = [
        report.model_copy(
            update={
                "checks": tuple(
                    c.model_copy(update={"mistake": "one_value_less"})
                    if c.id.endswith("upside_down") and c.outcome == "failed"
                    else c
                    for c in report.checks
                )
            }
        )
        for report in classroom
    ]
    item = by_name(named)["upside_down"]
    assert item.discrimination < 0
    assert item.suspicion == ""


def test_command(classroom: list[Report], tmp_path: Path) -> None:
    """A folder of reports, other JSON files among them, gives the table or JSON; none is a wrong usage."""
    folder: Callable[[str], Path] = lambda name: tmp_path / "results" / name  # noqa: E731
    folder("a").mkdir(parents=True)
    for number, report in enumerate(classroom):
        folder(f"a/{number}.json").write_text(report.to_json())
    folder("other.json").write_text("{}")
    assert len(read_reports(tmp_path / "results")) == 12
    text = CliRunner().invoke(main, ["author", "items", str(tmp_path / "results")])
    assert text.exit_code == 0
    assert "look at ex01_statistics/x/broken" in text.output
    data = json.loads(
        CliRunner().invoke(main, ["author", "items", str(tmp_path / "results"), "--format", "json"]).output
    )
    assert len(data) == 6
    (tmp_path / "empty").mkdir()
    assert CliRunner().invoke(main, ["author", "items", str(tmp_path / "empty")]).exit_code == 2


def test_a_weak_correlation_is_no_suspicion(exercise: Exercise) -> None:
    """In a class of twelve -0.3 is what chance does; in ten such classes together it is not."""
    one = [report(exercise, strength, upside_down=strength not in (2, 7, 9, 11)) for strength in range(12)]
    few, many = (by_name(one * classes)["upside_down"] for classes in (1, 10))
    assert few.discrimination == pytest.approx(many.discrimination)
    assert -0.5 < few.discrimination < -0.2
    assert "strong submissions" not in few.suspicion
    assert "strong submissions" in many.suspicion


def test_page_and_narrow_table(classroom: list[Report], tmp_path: Path) -> None:
    """The page plots what can be plotted and escapes what students wrote; forty columns show every name whole."""
    for number, report in enumerate(classroom):
        text = report.to_json().replace("numbers differ", "<b>numbers</b> differ")
        (tmp_path / f"{number}.json").write_text(text)
    shown = CliRunner().invoke(main, ["author", "items", str(tmp_path), "--format", "html"])
    assert shown.exit_code == 0
    assert "<b>" not in shown.output
    assert "&lt;b&gt;numbers" in shown.output
    assert shown.output.count("<circle ") == 4  # easy and broken cannot tell anybody apart
    assert re.findall(r'--bad\)">([\d, ]+)</text>', shown.output) == ["1", "2", "4"]  # the third, broken, has no dot
    assert "2 of 6 checks" in shown.output
    assert 'width:67%"' in shown.output
    narrow = CliRunner(env={"COLUMNS": "40"}).invoke(main, ["author", "items", str(tmp_path)]).output
    assert "ex01_statistics/x/upside_down\n  12 judged, 50% passed" in narrow
    assert max(map(len, narrow.splitlines())) <= 40


def test_store(numpy_course: Path, tmp_path: Path) -> None:
    """The store of a batch is read as well: one report per student, the latest."""
    planted = numpy_course / "tests/submissions/ex01_statistics"
    for student, file in (("ann", "right_average.py"), ("bob", "wrong_mean_not_divided.py")):
        place = tmp_path / "hand-ins" / student / "ex01_statistics"
        place.mkdir(parents=True)
        (place / "statistics_by_hand.py").write_bytes((planted / file).read_bytes())
    out = str(tmp_path / "store")
    arguments = ["batch", str(tmp_path / "hand-ins"), "--out", out, "--course", str(numpy_course), "--confine", "best"]
    assert CliRunner().invoke(main, [*arguments, "--jobs", "1"]).exit_code in (0, 1)
    items = {item.check.rsplit("/", 1)[1]: item for item in analyse(read_reports(Path(out)))}
    assert (items["mean"].judged, items["mean"].passed) == (2, 1)
    assert items["mean"].mistakes == {"mean_not_divided": 1}


def test_a_preview_that_cannot_be_written(numpy_course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page where no file can be, and a statement that is no UTF-8: one sentence each."""
    monkeypatch.setattr("gdgrade.author.preview.views", lambda *args: [])
    arguments = ["author", "preview", "ex01", "--as", "student", "--course", str(numpy_course)]
    result = CliRunner().invoke(main, [*arguments, "--html", str(numpy_course / "nowhere/p.html")])
    assert result.exit_code == 2
    assert "p.html cannot be written: No such file or directory" in result.output
    (numpy_course / "exercises/ex01_statistics/README.md").write_bytes(b"o\xf9")
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "exercises/ex01_statistics/README.md is not UTF-8 (byte 0xf9 at line 1)" in result.output
