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


OTHER = """\
# a course
course: {id: c, title: "C", revision: "1", arrays: numpy}
exercises:
- id: ex01_first   # the first
  title:  'One'
  entry: first.py
  parts:
  - {id: "1.1",   title: "A", points: 1}
    # of this exercise

# of what follows
seeds:
    public: 3
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_course_file_changes_by_the_entry_alone(tmp_path: Path, newline: str) -> None:
    """Indentation, spaces and line ends stay; the entry stands at the end of the list, indented as its neighbours."""
    file = tmp_path / "course.yml"
    file.write_text(OTHER, newline=newline)
    result = new(tmp_path, "ex02_walk", "Walks")
    assert result.exit_code == 0, result.output
    after = file.read_bytes().decode().split(newline)
    before, rest = OTHER.split("\n\n# of what")
    added = after[before.count("\n") + 1 :][: -rest.count("\n") - 2]
    assert after == [*before.split("\n"), *added, *("\n# of what" + rest).split("\n")]
    assert added[:3] == ["", "- id: ex02_walk", '  title: "Walks"']
    assert added[-2] == '  - {id: "2.1", title: "A point on the way", points: 2}'
    assert len(load_course(file).exercises) == 2


def test_a_file_where_a_folder_is_needed(numpy_course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said in a sentence, and nothing is left behind; nor is it when the disk fails half-way."""

    def everything() -> list[Path]:
        return sorted(numpy_course.rglob("*"))

    (numpy_course / "tests/submissions").rename(numpy_course / "kept")
    (numpy_course / "tests/submissions").write_text("a file")
    there = everything()
    result = new(numpy_course, "ex02_walk")
    assert result.exit_code == 2
    assert "tests/submissions: is a file where a folder is needed" in result.output
    assert everything() == there

    (numpy_course / "tests/submissions").unlink()
    (numpy_course / "kept").rename(numpy_course / "tests/submissions")
    there, write = everything(), Path.write_text

    def full(path: Path, *args: str, **kwargs: str) -> int:
        if path.name == "mistakes.py":
            raise OSError(28, "No space left on device", str(path))
        return write(path, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", full)
    result = new(numpy_course, "ex02_walk")
    assert result.exit_code == 2
    assert "mistakes.py: cannot be written: No space left on device" in result.output
    assert everything() == there


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
