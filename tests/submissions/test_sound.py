"""The graders of every exercise are sound: `gdgrade author check --quick`, through the real command line.

The reference, the stub, planted answers, known mistakes, mutants and junk, each with the verdict that it deserves.
Verdicts are kept in the user's cache by content, so a second run judges only what has changed.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gdgrade.course.loading import load_course

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = [exercise.id for exercise in load_course(ROOT / "course.yml").exercises]


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Any]:
    """The verdict on each exercise; all of them in one command, two judges at a time."""
    command = [sys.executable, "-m", "gdgrade", "author", "check", "--quick", "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr[-3000:]
    return {verdict["exercise"]: verdict for verdict in json.loads(done.stdout)}


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES)
def test_graders_are_sound(exercise: str, verdicts: dict[str, Any]) -> None:
    """No section of the verdict has a problem."""
    verdict = verdicts[exercise]
    assert {part["name"]: part["problems"] for part in verdict["sections"] if not part["sound"]} == {}
    assert verdict["sound"]
