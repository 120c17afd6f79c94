"""The course of this repository: its manifest loads, its files are there, its points add up."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gdgrade.course.loading import load_course
from gdgrade.course.manifest import Course, Exercise

ROOT = Path(__file__).resolve().parents[3]
COURSE = load_course(ROOT / "course.yml")


@pytest.fixture
def course() -> Course:
    """The real one, in place of the little one."""
    return COURSE


def test_every_file_is_there(course: Course) -> None:
    """Stub, reference and graders of every exercise."""
    assert course.missing_files() == []


def test_langevin_and_sinkhorn_are_worth_20_points(course: Course) -> None:
    """Their statements say so; the bonus comes on top."""
    points = {e.short: (e.max_points, e.max_bonus) for e in course.exercises if e.short in ("ex05", "ex06")}
    assert points == {"ex05": (20, 2), "ex06": (20, 0)}


def test_sinkhorn_cannot_be_delegated(course: Course) -> None:
    """The libraries that solve the exercise are out of the worker's reach."""
    assert set(course.exercise("ex06_sinkhorn").forbidden_packages) >= {"ot", "geomloss"}


def check_points(exercise: Exercise) -> Iterator[tuple[str, float]]:
    """Part and points of every ``@check``, read from the graders' text: importing them would load torch."""
    for file in sorted(exercise.graders_dir.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            marks = node.decorator_list if isinstance(node, ast.FunctionDef) else []
            for mark in marks:
                if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "check":
                    fields = {word.arg: word.value for word in mark.keywords}
                    yield ast.literal_eval(mark.args[0]), ast.literal_eval(fields["points"]) * _cases(marks)


def _cases(marks: list[ast.expr]) -> int:
    """How often a function runs: parametrize with a list that stands there multiplies."""
    count = 1
    for mark in marks:
        if isinstance(mark, ast.Call) and "parametrize" in ast.unparse(mark.func):
            assert isinstance(mark.args[1], ast.List | ast.Tuple), "write the cases of a check as a list in place"
            count *= len(mark.args[1].elts)
    return count


@pytest.mark.parametrize("exercise", COURSE.exercises, ids=lambda exercise: exercise.id)
def test_the_checks_of_a_part_add_up_to_its_points(exercise: Exercise) -> None:
    """For every part, the optional ones too; and no check names a part that is not there."""
    sums: dict[str, float] = {}
    for part, points in check_points(exercise):
        sums[part] = sums.get(part, 0) + points
    assert {part: round(total, 9) for part, total in sums.items()} == {part.id: part.points for part in exercise.parts}
