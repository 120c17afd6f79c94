"""Entry point for pytest: the fixtures of checks, and `--submission` to run checks by hand.

    pytest graders/ex05_langevin -k step --submission my_langevin.py

Importing this costs nothing but pytest; everything else is imported when a check really runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gdgrade.judge.draw import Draw
    from gdgrade.judge.plugin import Judge
    from gdgrade.judge.student import Student

JUDGE: pytest.StashKey[Any] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gdgrade", "checks of exercises")
    group.addoption("--submission", metavar="FILE", help="the student's file that the checks are run on")
    group.addoption("--gdgrade-seed", type=int, default=None, help="another public seed than the course's")
    group.addoption("--confine", choices=["strict", "best", "none"], default="best", help="how the worker is confined")
    group.addoption("--start-method", choices=["fork", "spawn"], default=None, help="how workers are started")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "check(part, *, points, needs, visibility, alpha, ...): a graded check")
    if config.getoption("--submission", None) and JUDGE not in config.stash:
        from gdgrade.judge.standalone import StandaloneJudge

        config.stash[JUDGE] = judge = StandaloneJudge(config).judge
        config.pluginmanager.register(judge, "gdgrade-judge")
    elif JUDGE not in config.stash and any(_is_graders(argument) for argument in config.args):
        raise pytest.UsageError("graders/ holds checks of students' work: add --submission FILE")


def _is_graders(argument: str) -> bool:
    """Whether a path on the command line lies in the graders of a course."""
    path = Path(argument.split("::")[0]).absolute()
    return any(place.name == "graders" and (place.parent / "course.yml").is_file() for place in (path, *path.parents))


def pytest_unconfigure(config: pytest.Config) -> None:
    judge = config.stash.get(JUDGE, None)
    closing = getattr(judge, "close_standalone", None)
    if closing is not None:
        closing()


def _judge(request: pytest.FixtureRequest) -> Judge:
    judge = request.config.stash.get(JUDGE, None)
    if judge is None:
        raise pytest.UsageError("checks need a submission: add --submission FILE")
    return judge  # type: ignore[no-any-return]


@pytest.fixture
def student(request: pytest.FixtureRequest) -> Student:
    """The student's functions and classes, behind a process boundary."""
    return _judge(request).student(request.getfixturevalue)


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> Any:
    """The reference solution, in the judge."""
    return _judge(request).reference()


@pytest.fixture
def draw(request: pytest.FixtureRequest) -> Draw:
    """Seeded random inputs of this check."""
    return _judge(request).draw()


@pytest.fixture
def data(request: pytest.FixtureRequest) -> Any:
    """Data sets by name: ``data("mnist-small")["x_train"]``."""
    return _judge(request).data()
