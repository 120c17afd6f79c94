"""The course and its exercises know where their files lie and what they are worth."""

import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from gdgrade.course.loading import load_course
from gdgrade.course.manifest import Course, Limits, split_id


def test_places_are_below_the_course_file(course: Course) -> None:
    """Statement, reference and graders mirror each other below the folder of the course file."""
    exercise = course.exercise("ex01_mean")
    assert course.root == Path("/courses/tiny")
    assert exercise.entry_path == Path("/courses/tiny/exercises/ex01_mean/mean.py")
    assert exercise.reference_path == Path("/courses/tiny/reference/ex01_mean/mean.py")
    assert exercise.graders_dir == Path("/courses/tiny/graders/ex01_mean")


def test_an_exercise_takes_the_limits_it_does_not_set(course: Course) -> None:
    """Own limits win, one by one; the rest is the course's."""
    assert course.exercise("ex01_mean").limits == Limits(seconds=10, memory_mib=512)
    assert course.exercise("ex02_spread").limits == Limits(seconds=30, memory_mib=512)


def test_optional_parts_are_a_bonus(course: Course) -> None:
    """The maximum leaves them out."""
    exercise = course.exercise("ex01_mean")
    assert (exercise.max_points, exercise.max_bonus) == (5, 1)


def test_names_in_pieces(course: Course) -> None:
    """Short name, number and subject come from the id."""
    exercise = course.exercise("ex01_mean")
    assert (exercise.short, exercise.number, exercise.subject) == ("ex01", 1, "mean")
    assert split_id("warm_up") == ("warm_up", None, "")
    assert split_id("lab3") == ("lab3", 3, "")


def test_unknown_names_say_what_there_is(course: Course) -> None:
    """Asking for a missing exercise or part lists the others."""
    with pytest.raises(KeyError, match="ex01_mean, ex02_spread"):
        course.exercise("ex03")
    with pytest.raises(KeyError, match=r"1\.1, 1\.2, 1\.3"):
        course.exercise("ex01_mean").part("1.9")
    assert course.exercise("ex01_mean").part("1.2").needs == ("1.1",)


def test_a_course_cannot_be_changed(course: Course) -> None:
    """Models are frozen, so a course can be shared."""
    with pytest.raises(ValidationError):
        course.exercises[0].title = "other"  # type: ignore[misc]


def test_a_course_travels(course: Course) -> None:
    """An exercise that was pickled to another process still knows its folder and limits."""
    exercise = pickle.loads(pickle.dumps(course.exercises[1]))
    assert exercise.entry_path == course.exercises[1].entry_path
    assert exercise.limits == course.exercises[1].limits


def test_missing_files_are_listed(tmp_path: Path, good: str) -> None:
    """Entry files of statement and reference, and folders of graders; nothing when all is there."""
    (tmp_path / "course.yml").write_text(good)
    for exercise, entry in (("ex01_mean", "mean.py"), ("ex02_spread", "spread.py")):
        for kind in ("exercises", "reference", "graders"):
            folder = tmp_path / kind / exercise
            folder.mkdir(parents=True)
            (folder / entry).touch()
    course = load_course(tmp_path / "course.yml")
    assert course.missing_files() == []
    (tmp_path / "reference/ex01_mean/mean.py").unlink()
    (tmp_path / "exercises/ex02_spread/spread.py").unlink()
    (tmp_path / "graders/ex02_spread/spread.py").unlink()
    (tmp_path / "graders/ex02_spread").rmdir()
    assert [path.relative_to(tmp_path).as_posix() for path in course.missing_files()] == [
        "reference/ex01_mean/mean.py",
        "exercises/ex02_spread/spread.py",
        "graders/ex02_spread",
    ]
    assert course.missing_files(("reference",)) == [tmp_path / "reference/ex01_mean/mean.py"]
