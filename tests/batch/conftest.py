"""A tiny numpy course, and hand-ins for it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from gdgrade.course.loading import load_course
from gdgrade.course.manifest import Course

COURSE = Path(__file__).parents[1] / "cheats/courses/plain"

RIGHT = """\
def double(x):
    return 2 * x


def apply(f, x):
    return f(f(x)) + 1


def spread(x):
    return x.max() - x.min()
"""
WRONG = RIGHT.replace("2 * x", "3 * x")


@pytest.fixture
def course() -> Course:
    return load_course(COURSE / "course.yml")


@pytest.fixture
def hand_ins(tmp_path: Path) -> Path:
    """Three students in folders: two with the same right file, one with a wrong one."""
    for name, text in (("ada", RIGHT), ("bob", RIGHT), ("cyd", WRONG)):
        folder = tmp_path / "hand-ins" / name
        folder.mkdir(parents=True)
        (folder / "target.py").write_text(text)
    return tmp_path / "hand-ins"


def command(*arguments: object, course: Path = COURSE) -> list[str]:
    return [sys.executable, "-m", "gdgrade", *map(str, arguments), "--course", str(course)]


def gdgrade(
    *arguments: object, course: Path = COURSE, cwd: Path | None = None, wrapper: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the command line for real."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*wrapper, *command(*arguments, course=course)], capture_output=True, text=True, timeout=300, cwd=cwd,
        env=environment,
    )  # fmt: skip
