"""Where nothing can be forked: ex05 and ex06 get the same verdicts from spawned workers."""

from pathlib import Path

import pytest

from gdgrade.author.planted import disagreements, read_planted
from gdgrade.course.loading import load_course
from gdgrade.course.submission import read_submission
from gdgrade.judging import Options, make_job, run

ROOT = Path(__file__).resolve().parents[2]
COURSE = load_course(ROOT / "course.yml")
CASES = [
    ("ex05_langevin", "wrong_step_noise_times_eta"),
    ("ex05_langevin", "wrong_raises"),
    ("ex05_langevin", "wrong_untouched_stub"),
    ("ex05_langevin", "right_autograd_score"),
    ("ex06_sinkhorn", "wrong_cost_root_taken"),
    ("ex06_sinkhorn", "wrong_imports_pot"),
]


def planted_path(exercise: str, name: str) -> Path:
    return ROOT / "tests/submissions" / exercise / f"{name}.py"


@pytest.mark.parametrize(("exercise_id", "name"), [case for case in CASES if planted_path(*case).exists()])
def test_planted_answers(exercise_id: str, name: str) -> None:
    """A handful of planted answers keep their promise under spawn."""
    planted = read_planted(planted_path(exercise_id, name))
    exercise = COURSE.exercise(exercise_id)
    job = make_job(COURSE, exercise, read_submission(planted.path), Options(start_method="spawn"))
    result = run(job, None)
    assert result["errors"] == []
    assert disagreements(planted, result["outcomes"]) == []


@pytest.mark.parametrize("exercise_id", ["ex05_langevin", "ex06_sinkhorn"])
def test_the_reference_passes(exercise_id: str) -> None:
    """All checks of both exercises, in one spawned worker."""
    exercise = COURSE.exercise(exercise_id)
    job = make_job(COURSE, exercise, read_submission(exercise.reference_path), Options(start_method="spawn"))
    result = run(job, None)
    assert result["errors"] == []
    assert {entry["outcome"] for entry in result["outcomes"]} == {"passed"}


def test_there_are_cases() -> None:
    """The named planted files exist; a renamed one must be renamed here."""
    assert [case for case in CASES if not planted_path(*case).exists()] == []
