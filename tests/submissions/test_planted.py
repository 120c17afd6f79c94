"""Every planted submission gets exactly the verdict that its first line promises, through the real road."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gdgrade.author.planted import Planted, disagreements, planted_files
from gdgrade.course.loading import load_course
from gdgrade.course.submission import read_submission
from gdgrade.judging import Options, make_job, run, settings_for
from gdgrade.processes.launcher import Zygote

ROOT = Path(__file__).resolve().parents[2]
COURSE = load_course(ROOT / "course.yml")
CASES = [
    pytest.param(exercise.id, planted, id=f"{exercise.short}-{planted.path.stem}")
    for exercise in COURSE.exercises
    for planted in planted_files(ROOT / "tests/submissions" / exercise.id)
]


@pytest.fixture(scope="module")
def zygotes() -> Iterator[dict[str, Zygote]]:
    """One zygote per exercise, started when its first submission comes, the former one ended."""
    running: dict[str, Zygote] = {}
    yield running
    for zygote in running.values():
        zygote.close()


@pytest.mark.parametrize(("exercise_id", "planted"), CASES)
def test_verdict_is_as_promised(exercise_id: str, planted: Planted, zygotes: Any) -> None:
    """Right answers pass everything; wrong ones fail just the named checks and are diagnosed as themselves."""
    exercise = COURSE.exercise(exercise_id)
    if exercise_id not in zygotes:
        for name in list(zygotes):
            zygotes.pop(name).close()
        zygotes[exercise_id] = Zygote(settings_for(exercise))
    submission = read_submission(planted.path)
    job = make_job(COURSE, exercise, submission, Options(quick=not planted.full))
    result = run(job, zygotes[exercise_id])
    assert result["errors"] == []
    assert result["outcomes"]
    assert disagreements(planted, result["outcomes"]) == []


@pytest.mark.parametrize("exercise_id", [exercise.id for exercise in COURSE.exercises])
def test_stub_scores_nothing_and_reference_everything(exercise_id: str, zygotes: Any) -> None:
    """The reference gets every point; the untouched stub gets none and is called not attempted, part by part."""
    exercise = COURSE.exercise(exercise_id)
    with_zygote = Zygote(settings_for(exercise))
    try:
        for path in (exercise.reference_path, exercise.entry_path):
            job = make_job(COURSE, exercise, read_submission(path), Options(quick=True))
            result = run(job, with_zygote)
            assert result["errors"] == []
            for entry in result["outcomes"]:
                if path == exercise.reference_path:
                    assert entry["outcome"] == "passed", entry
                else:
                    assert entry["points"] == 0
                    assert (entry["outcome"], entry["cause"]) in {("failed", "not_attempted"), ("skipped", "none")}, (
                        entry
                    )
                    assert not entry["hint"]
    finally:
        with_zygote.close()


@pytest.mark.parametrize("exercise_id", [exercise.id for exercise in COURSE.exercises])
def test_points_add_up(exercise_id: str, zygotes: Any) -> None:
    """The points of a part's checks add up to the part's points in course.yml."""
    exercise = COURSE.exercise(exercise_id)
    zygote = Zygote(settings_for(exercise))
    try:
        result = run(make_job(COURSE, exercise, read_submission(exercise.entry_path)), zygote)
    finally:
        zygote.close()
    for part in exercise.parts:
        total = sum(entry["max_points"] for entry in result["outcomes"] if entry["part"] == part.id)
        assert total == pytest.approx(part.points), f"part {part.id}"
