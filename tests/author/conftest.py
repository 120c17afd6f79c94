"""A copy of the tiny numpy course to work in, and no cache of the person who runs the tests."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gdgrade.author.soundness import examine
from gdgrade.author.tasks import QUICK, Effort
from gdgrade.author.verdict import Verdict
from gdgrade.course.loading import load_course

NUMPY_COURSE = Path(__file__).resolve().parents[1] / "courses" / "numpy_course"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def numpy_course(tmp_path: Path) -> Path:
    """The folder of a copy that a test may change."""
    root = tmp_path / "course"
    shutil.copytree(NUMPY_COURSE, root, ignore=shutil.ignore_patterns("__pycache__"))
    return root


Examine = Callable[..., Verdict]


@pytest.fixture
def verdict_on() -> Examine:
    """A function: course folder, effort -> the verdict on its first exercise."""

    def run(root: Path, effort: Effort = QUICK) -> Verdict:
        course = load_course(root / "course.yml")
        return examine(course, course.exercises[-1], effort)

    return run
