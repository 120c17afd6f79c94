"""The public seed stands in the course file, the secret one never."""

from pathlib import Path

import pytest

from gdgrade.course.errors import CourseError
from gdgrade.course.loading import load_course
from gdgrade.course.manifest import Course
from gdgrade.course.seeds import derive, grading_seed

LONG = "a long enough secret text"


@pytest.fixture
def on_disk(tmp_path: Path, good: str) -> Course:
    """A course on disk, with room beside it for a secret."""
    (tmp_path / "course").mkdir()
    (tmp_path / "course/course.yml").write_text(good)
    return load_course(tmp_path / "course/course.yml")


def test_without_a_secret_hidden_checks_use_the_public_seed(course: Course) -> None:
    """A student's own machine has no secret."""
    seeds = grading_seed(course, {})
    assert (seeds.public, seeds.secret, seeds.source, seeds.fingerprint) == (7, None, "none", None)
    assert seeds.material("hidden") == seeds.material("public") == 7


def test_the_secret_of_the_variable(course: Course) -> None:
    """Its text is the material of hidden checks only; white space around it does not count."""
    seeds = grading_seed(course, {"GDGRADE_SECRET_SEED": f" {LONG}\n"})
    assert seeds.material("hidden") == LONG.encode()
    assert seeds.material("public") == 7
    assert seeds.warning is None


def test_the_secret_of_a_file(on_disk: Course, tmp_path: Path) -> None:
    """A file outside the course, readable by its owner alone, gives the same seed as the variable."""
    file = tmp_path / "secret"
    file.write_text(LONG + "\n")
    file.chmod(0o600)
    seeds = grading_seed(on_disk, {"GDGRADE_SECRET_FILE": str(file)})
    assert seeds.secret == LONG.encode()
    assert seeds.source == "GDGRADE_SECRET_FILE"
    assert seeds.warning is None


def test_a_secret_that_others_can_read_is_warned_of(on_disk: Course, tmp_path: Path) -> None:
    """The warning says how to mend it."""
    file = tmp_path / "secret"
    file.write_text(LONG)
    file.chmod(0o644)
    assert f"chmod 600 {file}" in (grading_seed(on_disk, {"GDGRADE_SECRET_FILE": str(file)}).warning or "")


def test_a_short_secret_is_warned_of(course: Course) -> None:
    """Five characters can be guessed."""
    assert "only 5 characters" in (grading_seed(course, {"GDGRADE_SECRET_SEED": "12345"}).warning or "")


def test_a_secret_inside_the_course_is_refused(on_disk: Course, tmp_path: Path) -> None:
    """Directly, by a way around, or by a symlink from outside: students get the folder."""
    inside = on_disk.root / "secret"
    inside.write_text(LONG)
    (tmp_path / "link").symlink_to(inside)
    for name in (inside, tmp_path / "course/../course/secret", tmp_path / "link"):
        with pytest.raises(CourseError, match="lies in the course folder"):
            grading_seed(on_disk, {"GDGRADE_SECRET_FILE": str(name)})


def test_what_is_no_secret(on_disk: Course, tmp_path: Path) -> None:
    """A missing file, a folder, a device, an empty or giant file, an empty variable, both variables at once."""
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "giant").write_bytes(b"x" * 70_000)
    cases = {
        str(tmp_path / "none"): "cannot be read: No such file",
        str(tmp_path): "cannot be read: Is a directory",
        "/dev/null": "is not an ordinary file",
        str(tmp_path / "empty"): "is empty",
        str(tmp_path / "giant"): "is larger than",
        "a\0b": "cannot be read",
    }
    for name, message in cases.items():
        with pytest.raises(CourseError, match=message):
            grading_seed(on_disk, {"GDGRADE_SECRET_FILE": name})
    with pytest.raises(CourseError, match="GDGRADE_SECRET_SEED: is empty"):
        grading_seed(on_disk, {"GDGRADE_SECRET_SEED": " "})
    with pytest.raises(CourseError, match="is set beside GDGRADE_SECRET_FILE"):
        grading_seed(on_disk, {"GDGRADE_SECRET_SEED": LONG, "GDGRADE_SECRET_FILE": "x"})


def test_a_secret_never_shows(course: Course) -> None:
    """Neither repr nor fingerprint tells it; the fingerprint tells two secrets apart."""
    one = grading_seed(course, {"GDGRADE_SECRET_SEED": LONG})
    two = grading_seed(course, {"GDGRADE_SECRET_SEED": LONG + "!"})
    assert LONG not in repr(one)
    assert one.fingerprint is not None
    assert len(one.fingerprint) == 4
    assert one.fingerprint != two.fingerprint


def test_another_public_seed(course: Course) -> None:
    """--seed replaces the public seed."""
    assert grading_seed(course, {}, public=5).public == 5


def test_derived_seeds_do_not_meet() -> None:
    """Types and borders of labels count; the result is stable over versions and fits any generator."""
    seeds = [
        derive(1), derive(2), derive("1"), derive(b"1"), derive(1, ""), derive(1, "a", "bc"), derive(1, "ab", "c"),
        derive(1, "abc"), derive(1, 1), derive(1, "1"),
    ]  # fmt: skip
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive(20260901, "ex05_langevin", "step/given_noise", 0) == 4949618017123489811
