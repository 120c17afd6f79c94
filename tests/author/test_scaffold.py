"""`author new`: a working exercise, nothing overwritten, course.yml with its comments."""

import difflib
from pathlib import Path

import pytest
from click.testing import CliRunner

from gdgrade.cli import main
from gdgrade.course.loading import load_course


def new(root: Path, name: str, title: str = 'Walks: "straight" ones') -> object:
    return CliRunner().invoke(main, ["author", "new", name, "--title", title, "--course", str(root)])


def test_course_file_keeps_comments_and_order(numpy_course: Path) -> None:
    """Only lines are added to course.yml, and it can be read."""
    before = (numpy_course / "course.yml").read_text()
    result = new(numpy_course, "ex02_walk")
    assert result.exit_code == 0, result.output
    after = (numpy_course / "course.yml").read_text()
    changed = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "-?"]
    assert changed == []
    exercise = load_course(numpy_course / "course.yml").exercises[-1]
    assert (exercise.id, exercise.title, exercise.entry) == ("ex02_walk", 'Walks: "straight" ones', "walk.py")


def test_nothing_is_overwritten(numpy_course: Path) -> None:
    """A file that is there stops everything before anything is written."""
    there = numpy_course / "graders/ex02_walk/mistakes.py"
    there.parent.mkdir()
    there.write_text("mine")
    before = (numpy_course / "course.yml").read_text()
    result = new(numpy_course, "ex02_walk")
    assert result.exit_code == 2
    assert "already there" in result.output
    assert there.read_text() == "mine"
    assert not (numpy_course / "exercises/ex02_walk").exists()
    assert (numpy_course / "course.yml").read_text() == before


@pytest.mark.parametrize("name", ["ex01_other", "ex1_other", "walk", "Ex02_walk", "ex02", "ex02_../x"])
def test_names_that_cannot_be(numpy_course: Path, name: str) -> None:
    """A number that is taken, or a name of another form, is refused."""
    assert new(numpy_course, name).exit_code == 2


def test_the_template_is_sound_at_once(numpy_course: Path, verdict_on) -> None:
    """The new exercise passes `author check` as it is."""
    assert new(numpy_course, "ex02_walk").exit_code == 0
    verdict = verdict_on(numpy_course)
    assert verdict.exercise == "ex02_walk"
    assert [problem for section in verdict.sections for problem in section.problems] == []
