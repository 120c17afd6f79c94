"""The late policy: every boundary, to the second."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdgrade.course.late import penalty
from gdgrade.course.manifest import LatePolicy

DUE = datetime(2026, 12, 14, 23, 59, tzinfo=timezone(timedelta(hours=1)))
POLICY = LatePolicy(grace_minutes=15, per_day=0.1, cutoff_days=7)

CASES = [
    # lateness, factor, started days, explanation
    (timedelta(hours=-1), 1.0, 0, "In time."),
    (timedelta(0), 1.0, 0, "In time."),
    (timedelta(seconds=1), 1.0, 0, "Late by 1 s, within the 15 minutes of grace."),
    (timedelta(minutes=15), 1.0, 0, "Late by 15 min, within the 15 minutes of grace."),
    (timedelta(minutes=15, seconds=1), 0.9, 1, "Late by 15 min, counted as 1 day: 10 % of the points are lost."),
    (timedelta(days=1), 0.9, 1, "Late by 1 d, counted as 1 day: 10 % of the points are lost."),
    (timedelta(days=1, seconds=1), 0.8, 2, "Late by 1 d, counted as 2 days: 20 % of the points are lost."),
    (timedelta(days=2, hours=3), 0.7, 3, "Late by 2 d 3 h, counted as 3 days: 30 % of the points are lost."),
    (timedelta(days=7), 0.3, 7, "Late by 7 d, counted as 7 days: 70 % of the points are lost."),
    (timedelta(days=7, seconds=1), 0.0, 8, "Late by 7 d, after the cut-off of 7 days."),
    (timedelta(days=900), 0.0, 900, "Late by 900 d, after the cut-off of 7 days."),
]


@pytest.mark.parametrize(("late", "factor", "days", "words"), CASES, ids=[str(case[0]) for case in CASES])
def test_each_boundary(late: timedelta, factor: float, days: int, words: str) -> None:
    """In time, in grace, started days, cut-off; the sentence says what was counted."""
    decision = penalty(DUE, DUE + late, POLICY)
    assert (decision.factor, decision.days_late, decision.explanation) == (factor, days, words)


def test_an_extension_moves_the_deadline() -> None:
    """Two days more, or half a day; the sentence mentions it."""
    assert penalty(DUE, DUE + timedelta(days=2), POLICY, 2).factor == 1.0
    decision = penalty(DUE, DUE + timedelta(days=1), POLICY, 0.5)
    assert decision.factor == 0.9
    assert "(deadline extended by 0.5 days)" in decision.explanation


def test_time_zones_do_not_matter() -> None:
    """The same instant in another zone is in time all the same."""
    assert penalty(DUE, DUE.astimezone(UTC), POLICY).days_late == 0


def test_no_deadline_and_no_policy() -> None:
    """Without a deadline nothing is late; without a policy lateness is named and costs nothing."""
    assert penalty(None, DUE, POLICY).explanation == "No deadline."
    decision = penalty(DUE, DUE + timedelta(days=3), LatePolicy())
    assert decision.factor == 1.0
    assert decision.explanation == "Late by 3 d, counted as 3 days: nothing is lost."


def test_what_has_no_answer() -> None:
    """A naive time and a negative extension are the caller's mistakes."""
    with pytest.raises(ValueError, match="time zone"):
        penalty(DUE, datetime(2026, 12, 14), POLICY)
    with pytest.raises(ValueError, match="extension_days"):
        penalty(DUE, DUE, POLICY, -1)


@given(st.integers(-(10**6), 10**7), st.integers(0, 10**6), st.floats(0, 1), st.integers(0, 30))
def test_later_is_never_better(seconds: int, more: int, per_day: float, extension: int) -> None:
    """The factor lies in [0, 1], falls with lateness and rises with an extension."""
    policy = LatePolicy(grace_minutes=15, per_day=per_day, cutoff_days=20)
    early = penalty(DUE, DUE + timedelta(seconds=seconds), policy)
    late = penalty(DUE, DUE + timedelta(seconds=seconds + more), policy)
    extended = penalty(DUE, DUE + timedelta(seconds=seconds), policy, extension)
    assert 0 <= late.factor <= early.factor <= extended.factor <= 1
