"""`author new`: a working exercise, nothing overwritten, course.yml with its comments."""

import ast
import dataclasses
import difflib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from gdgrade.author.tasks import QUICK
from gdgrade.author.verdict import Verdict
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
    there, write = everything(), Path.open

    for name in ("mistakes.py", ".course.yml.new"):

        def full(path: Path, *args: str, name: str = name, **kwargs: str) -> object:
            if path.name == name:
                raise OSError(28, "No space left on device", str(path))
            return write(path, *args, **kwargs)

        monkeypatch.setattr(Path, "open", full)
        result = new(numpy_course, "ex02_walk")
        assert result.exit_code == 2
        assert f"{name}: cannot be written: No space left on device" in result.output
        assert everything() == there


def test_an_interrupt_leaves_nothing_behind(numpy_course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were made are gone again, and course.yml is as it was."""
    there, before, write = sorted(numpy_course.rglob("*")), (numpy_course / "course.yml").read_text(), Path.open

    def interrupted(path: Path, *args: str, **kwargs: str) -> object:
        if path.name == "mistakes.py":
            raise KeyboardInterrupt
        return write(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", interrupted)
    assert new(numpy_course, "ex02_walk").exit_code != 0
    monkeypatch.undo()
    assert sorted(numpy_course.rglob("*")) == there
    assert (numpy_course / "course.yml").read_text() == before


FLOW_ITEM = """exercises:
  - {id: ex01_one, title: One, entry: one.py, parts: [
    {id: "1.1", title: A, points: 1}, {id: "1.2", title: B, points: 1}, {id: "1.3", title: C, points: 1}]}"""


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("exercises:", "exercises: &all"),
        lambda text: text.replace("- id:", "- &first\n    id:"),
        lambda text: text.replace("Means, spreads and resampling", '"Means\u2028 and spreads"'),
        lambda text: text.replace("\n", "\r\n", 3),
        lambda text: "\ufeff" + text,
        lambda text: text.partition("exercises:")[0] + FLOW_ITEM,
    ],
    ids=[
        "no newline at the end",
        "anchored list",
        "anchored item",
        "line separator",
        "mixed endings",
        "byte mark",
        "item in braces",
    ],
)
def test_course_files_of_odd_shapes(numpy_course: Path, change) -> None:
    """The entry comes last and nothing else changes."""
    file = numpy_course / "course.yml"
    before = change(file.read_text())
    file.write_bytes(before.encode())
    assert new(numpy_course, "ex02_walk").exit_code == 0
    assert file.read_bytes().decode().startswith(before)
    assert [len(exercise.parts) for exercise in load_course(file).exercises] == [3, 2]


def test_a_list_in_brackets_keeps_its_line_endings(numpy_course: Path) -> None:
    """Such a file is written anew, as it was found: with a byte order mark and Windows' line ends."""
    file = numpy_course / "course.yml"
    head, _, _ = file.read_text().partition("exercises:")
    entry = '{id: ex01_one, title: One, entry: one.py, parts: [{id: "1.1", title: A, points: 1}]}'
    file.write_bytes(("\ufeff" + head + f"exercises: [{entry}]  # all\n").replace("\n", "\r\n").encode())
    assert new(numpy_course, "ex02_walk").exit_code == 0
    after = file.read_bytes().decode()
    assert after.count("\n") == after.count("\r\n") == head.count("\n") + 1
    assert "# all" in after
    assert len(load_course(file).exercises) == 2


@pytest.mark.parametrize("title", ['Three """ quotes', "back\\slash \\N{x}", "two\nlines", 'ends in "'])
def test_any_title(numpy_course: Path, title: str) -> None:
    """Titles of any characters make files that are Python, and one line of the statement."""
    assert new(numpy_course, "ex02_walk", title).exit_code == 0
    line = " ".join(title.split())
    for name in ("exercises/ex02_walk/walk.py", "reference/ex02_walk/walk.py"):
        words = ast.get_docstring(ast.parse((numpy_course / name).read_text()))
        assert words is not None
        assert words.startswith(f"Exercise 2: {line}")
    assert (numpy_course / "exercises/ex02_walk/README.md").read_text().startswith(f"# Exercise 2: {line}\n")
    assert load_course(numpy_course / "course.yml").exercises[-1].title == line


@pytest.mark.parametrize("title", ["", " ", "x" * 201])
def test_titles_that_cannot_be(numpy_course: Path, title: str) -> None:
    """The option is named, not a line of course.yml that is not there."""
    result = new(numpy_course, "ex02_walk", title)
    assert result.exit_code == 2
    assert "the title must have 1 to 200 characters" in result.output


@pytest.mark.parametrize("name", ["ex02_numpy", "ex02_random", "ex02_class", "ex02_torch"])
def test_names_that_would_hide_a_module(numpy_course: Path, name: str) -> None:
    """A student's random.py would be imported in place of Python's by all that needs it."""
    result = new(numpy_course, name)
    assert result.exit_code == 2
    assert f"Write e.g. {name}_by_hand" in result.output


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


@pytest.mark.parametrize("listed", ["exercises: []\n", "exercises:\n", ""])
def test_the_first_exercise_of_a_course(tmp_path: Path, listed: str, verdict_on: Callable[..., Verdict]) -> None:
    """A course file that lists none is a beginning; what else is wrong with it is said, and it stays as it is."""
    file = tmp_path / "course.yml"
    file.write_text(f'# mine\ncourse: {{id: c, title: "C", revision: "1", arrays: numpy}}  # all of it\n{listed}')
    assert new(tmp_path, "ex01_walk").exit_code == 0
    assert file.read_text().startswith(
        '# mine\ncourse: {id: c, title: "C", revision: "1", arrays: numpy}  # all of it\n'
    )
    assert "  - id: ex01_walk\n" in file.read_text()
    assert verdict_on(tmp_path, dataclasses.replace(QUICK, seeds=1, chance=2, mutants=2, junk=1)).sound
    wrong = f"course: {{id: c, titel: C}}\n{listed}"
    file.write_text(wrong)
    result = new(tmp_path, "ex02_walk")
    assert (result.exit_code, "titel" in result.output, file.read_text()) == (2, True, wrong)
