"""docs/soundness.md: what it says of full verdicts, and that it takes no others."""

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gdgrade.author.record import main, page
from gdgrade.author.tasks import QUICK
from gdgrade.author.verdict import Verdict

ROOT = Path(__file__).parents[2]
# Full in name: what the page shows does not depend on how much was tried.
SMALL = dataclasses.replace(QUICK, mode="full", seeds=2, chance=2, power=1, mutants=3, junk=1)
DAY = dt.date(2026, 11, 30)


def test_page(
    numpy_course: Path, verdict_on: Callable[..., Verdict], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The numbers are those of the verdict; a fault is on the page."""
    verdict = verdict_on(numpy_course, SMALL).to_json()
    assert verdict["sound"]
    text = page([verdict], DAY, "a machine")
    assert "of 2026-11-30, on" in text
    assert "every check of 2 seeds" in text
    right, wrong = (row.split(" | ") for row in re.findall(r"^\| ex01_statistics \| .*", text, re.MULTILINE))
    assert right[1:4] == ["yes", "4", "0"]
    assert float(right[4]) > float(right[5])  # two seeds bound less than what is declared
    assert wrong[4].split(" of ")[0] == str(verdict["sections"][_at(verdict, "mutants")]["figures"]["killed"])
    assert "not sound" not in text
    reference = verdict["sections"][_at(verdict, "reference")]
    reference["problems"] = ["fails at seed 3"]
    text = page([{**verdict, "sound": False}], DAY, "a machine")
    assert "| ex01_statistics | no |" in text
    assert "- ex01_statistics, reference: fails at seed 3" in text
    path, earlier = tmp_path / "verdict.json", tmp_path / "earlier.json"
    path.write_text(json.dumps([verdict]))
    earlier.write_text(json.dumps([{**verdict, "sound": False}]))
    main([str(earlier), str(path)])
    shown = capsys.readouterr().out
    assert "| ex01_statistics | yes | 4 | 0 |" in shown
    assert "| ex01_statistics | no |" not in shown


def test_a_failed_run_is_counted_once(numpy_course: Path, verdict_on: Callable[..., Verdict]) -> None:
    """Two checks that fail in one and the same run are two problems and one failed run."""
    tight = """

@check("1.1", points=0)
def test_{name}(student):
    \"\"\"Nothing in float32 is that near.\"\"\"
    third = student.weighted_mean(np.full((3, 1), 1 / 3), np.ones(3))
    require(abs(float(third[0]) - 1 / 3) < 1e-12, "far")
"""
    with (numpy_course / "graders/ex01_statistics/test_moments.py").open("a") as file:
        file.write("\n\nimport numpy as np\n\nfrom gdgrade.checks import check, require\n")
        file.write(tight.format(name="a") + tight.format(name="b"))
    verdict = verdict_on(numpy_course, SMALL).to_json()
    reference = verdict["sections"][_at(verdict, "reference")]
    assert (reference["figures"]["runs"], reference["figures"]["failed"]) == (4, 2)
    assert len(reference["problems"]) == 2


def _at(verdict: dict[str, list[dict[str, str]]], name: str) -> int:
    return [section["name"] for section in verdict["sections"]].index(name)


@pytest.mark.parametrize("verdicts", [[], [{"mode": "quick"}]])
def test_only_full_verdicts(verdicts: list[dict[str, str]]) -> None:
    """A quick one says less than the page would claim."""
    with pytest.raises(ValueError, match="made of full verdicts"):
        page(verdicts, DAY, "a machine")


def test_the_committed_page() -> None:
    """It is of exercises of the course, on 200 seeds in two precisions; where one is not sound it says why."""
    text = (ROOT / "docs/soundness.md").read_text(encoding="utf-8")
    names = {path.name for path in (ROOT / "graders").glob("ex*")}
    rows = re.findall(r"^\| (ex\w+) \| (yes|no) \| (\d+) \|", text, re.MULTILINE)
    assert rows
    assert {name for name, _sound, _runs in rows} <= names
    assert {runs for _name, _sound, runs in rows} == {"400"}
    assert [name for name, sound, _runs in rows if sound == "no" and f"- {name}, " not in text] == []
