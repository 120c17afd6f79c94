"""The course is found from anywhere in it, and an exercise by any name that people use."""

from pathlib import Path

import pytest

from gdgrade.course.errors import CourseError, UnknownExerciseError
from gdgrade.course.loading import course_from_text
from gdgrade.course.lookup import find_course, resolve_exercise
from gdgrade.course.manifest import Course


@pytest.fixture
def folder(tmp_path: Path, good: str) -> Path:
    """A course folder with a folder deep in it."""
    (tmp_path / "tiny/exercises/ex01_mean").mkdir(parents=True)
    (tmp_path / "tiny/course.yml").write_text(good)
    return tmp_path / "tiny"


def test_the_course_is_found_by_walking_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a folder or a file in it, and from the current folder."""
    file = folder / "course.yml"
    assert find_course(folder / "exercises/ex01_mean", env={}) == file
    assert find_course(folder / "exercises/ex01_mean/mean.py", env={}) == file
    monkeypatch.chdir(folder / "exercises")
    assert find_course(env={}) == file


def test_the_nearest_course_wins(folder: Path, good: str) -> None:
    """A course inside of a course is its own."""
    inner = folder / "exercises/course.yml"
    inner.write_text(good)
    assert find_course(folder / "exercises/ex01_mean", env={}) == inner


def test_option_before_variable_before_folder(folder: Path, tmp_path: Path, good: str) -> None:
    """--course wins over GDGRADE_COURSE, and that over the current folder; each takes a file or a folder."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "course.yml").write_text(good)
    env = {"GDGRADE_COURSE": str(tmp_path / "a")}
    assert find_course(folder, env=env) == tmp_path / "a/course.yml"
    assert find_course(folder, option=tmp_path / "b/course.yml", env=env) == tmp_path / "b/course.yml"
    assert find_course(folder, env={"GDGRADE_COURSE": ""}) == folder / "course.yml"


def test_no_course_anywhere(tmp_path: Path) -> None:
    """The error says where was looked and how to name a course."""
    with pytest.raises(CourseError, match=r"course\.yml: not found in .* --course FOLDER .* GDGRADE_COURSE"):
        find_course(tmp_path, env={})


def test_a_wrong_name_of_a_course(folder: Path, tmp_path: Path) -> None:
    """The error says which of option and variable is wrong, and why."""
    with pytest.raises(CourseError, match=r"--course: the folder .*exercises holds no course\.yml"):
        find_course(option=folder / "exercises", env={})
    with pytest.raises(CourseError, match="GDGRADE_COURSE: .*nowhere does not exist"):
        find_course(folder, env={"GDGRADE_COURSE": str(tmp_path / "nowhere")})


NAMES = {
    "ex01_mean": "ex01_mean", "ex01": "ex01_mean", "EX01": "ex01_mean", "ex1": "ex01_mean", "01": "ex01_mean",
    "1": "ex01_mean", "mean": "ex01_mean", "mean.py": "ex01_mean", "mean.ipynb": "ex01_mean",
    "exercises/ex01_mean/mean.py": "ex01_mean", "exercises/ex02_spread": "ex02_spread",
    "exercises/ex02_spread/": "ex02_spread", "./ex02": "ex02_spread", "/tmp/alice_ex02.py": "ex02_spread",
    "alice/ex02/solution.py": "ex02_spread", "ex02_spread/other.py": "ex02_spread",
    "Spread-final (2).ipynb": "ex02_spread", "C:\\work\\ex02\\main.py": "ex02_spread",
    "ex01/spread.py": "ex02_spread",  # the file's own name before the folder's
    "bob_2.py_ex01.py": "ex01_mean",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=str)
def test_names_and_paths_of_exercises(name: str, course: Course) -> None:
    """Full and short names, numbers, subjects and paths; the path need not exist."""
    assert resolve_exercise(course, name).id == NAMES[name]
    assert resolve_exercise(course, Path(name) if name.strip("./") else name).id == NAMES[name]


@pytest.mark.parametrize("name", ["", ".", "/", "3", "ex03", "results/5/main.py", "meaning.py", "x" * 5000, "²"])
def test_unknown_exercises_list_what_there_is(name: str, course: Course) -> None:
    """Nothing is guessed: a number in a folder's name or a longer word is no exercise."""
    with pytest.raises(UnknownExerciseError) as caught:
        resolve_exercise(course, name)
    assert "The exercises are ex01_mean, ex02_spread." in str(caught.value)


def test_a_slip_of_the_pen_gets_the_nearest_name(course: Course) -> None:
    """The error proposes, it does not decide."""
    with pytest.raises(UnknownExerciseError, match="no exercise is called 'sprad'. Did you mean ex02_spread?"):
        resolve_exercise(course, "sprad")


def test_two_names_in_one_are_ambiguous(course: Course) -> None:
    """A file that names two exercises is refused."""
    with pytest.raises(UnknownExerciseError, match="may mean ex01_mean or ex02_spread. Give the full name."):
        resolve_exercise(course, "ex01_and_ex02.py")


def test_one_subject_in_two_exercises(good: str) -> None:
    """The same entry file in two exercises is ambiguous alone, and clear with its folder's name in its own."""
    course = course_from_text(good.replace("spread.py", "mean.py"), "course.yml")
    with pytest.raises(UnknownExerciseError, match="may mean"):
        resolve_exercise(course, "solution_mean_final.py")
