"""Whatever a course file holds, the loader either returns a course or raises CourseError."""

import contextlib

import yaml
from hypothesis import given
from hypothesis import strategies as st

from gdgrade.course.errors import CourseError
from gdgrade.course.loading import course_from_text

KEYS = st.sampled_from(
    ["course", "seeds", "limits", "late", "exercises", "id", "title", "revision", "parts", "points", "needs", "entry",
     "deadline", "optional", "public", "secret", "preload", "forbidden_packages", "data", "weight", "seconds", "<<", ""]
)  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["ex01_a", "1.1", "2026-01-01T00:00:00+01:00", "a.py", "10" * 300])
    | st.dates()
    | st.datetimes()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=6),
    max_leaves=25,
)


def load(text: str) -> None:
    with contextlib.suppress(CourseError):
        course_from_text(text, "course.yml")


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_mapping(data: dict[str, object]) -> None:
    """Any data under any known key is refused with a CourseError or accepted, nothing else."""
    load(yaml.safe_dump(data))


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """So is any text, YAML or not."""
    load(text)


@given(st.lists(st.sampled_from(list("[]{}:,-?&*!|>'\"%@`#\n\t \\ax01.~<=")), max_size=60))
def test_any_punctuation(pieces: list[str]) -> None:
    """And so is a soup of what YAML treats as special."""
    load("".join(pieces))


@given(st.data())
def test_a_damaged_course(data: st.DataObject) -> None:
    """A right course with a piece cut out or replaced is never worse than a CourseError."""
    from textwrap import dedent

    good = dedent("""\
        course: {id: tiny, title: "A tiny course", revision: "1"}
        exercises:
          - id: ex01_mean
            title: The mean
            entry: mean.py
            deadline: 2026-12-14T23:59:00+01:00
            parts:
              - {id: "1.1", title: "Mean", points: 2, needs: ["1.1"]}
        """)
    start = data.draw(st.integers(0, len(good)))
    stop = data.draw(st.integers(start, min(len(good), start + 30)))
    load(good[:start] + data.draw(st.text(max_size=8)) + good[stop:])
