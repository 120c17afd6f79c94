"""A small course to make mistakes in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gdgrade.course.errors import CourseError, Issue
from gdgrade.course.loading import course_from_text
from gdgrade.course.manifest import Course

GOOD = """\
course: {id: tiny, title: "A tiny course", revision: "1", arrays: numpy}
seeds: {public: 7}
limits: {seconds: 10, memory_mib: 512}
late: {grace_minutes: 15, per_day: 0.1, cutoff_days: 7}
exercises:
  - id: ex01_mean
    title: The mean
    entry: mean.py
    deadline: 2026-12-14T23:59:00+01:00
    parts:
      - {id: "1.1", title: "Mean", points: 2}
      - {id: "1.2", title: "Weighted mean", points: 3, needs: ["1.1"]}
      - {id: "1.3", title: "Median", points: 1, optional: true}
  - id: ex02_spread
    title: The spread
    entry: spread.py
    limits: {seconds: 30}
    forbidden_packages: [scipy]
    parts:
      - {id: "2.1", title: "Variance", points: 4}
"""


@pytest.fixture
def good() -> str:
    """Text of a course without a mistake; its lines are numbered from 1."""
    return GOOD


@pytest.fixture
def course() -> Course:
    """That course, as if it lay in the folder ``/courses/tiny``."""
    return course_from_text(GOOD, Path("/courses/tiny/course.yml"))


@pytest.fixture
def issues() -> Callable[[str], list[Issue]]:
    """All issues of a text, which must have some."""

    def find(text: str) -> list[Issue]:
        with pytest.raises(CourseError) as caught:
            course_from_text(text, "course.yml")
        return list(caught.value.issues)

    return find
