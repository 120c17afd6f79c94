"""Bounds and calibrations."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from gdgrade.compare import (
    Calibration,
    at_least,
    at_most,
    clopper_pearson,
    dump_calibrations,
    limit_from,
    load_calibrations,
    within,
)


def test_beyond_a_theoretical_bound_is_too_good_to_be_true() -> None:
    """An ELBO above the log-likelihood fails with these words; below it passes."""
    result = at_most(-6.9, -7.0485, "the mean ELBO", too_good=True)
    assert not result.passed
    assert result.too_good
    assert result.message == (
        "the mean ELBO is -6.9, but no right answer gets above -7.0485: too good to be true. "
        "Is a term missing or a sign wrong?"
    )
    assert at_most(-7.2, -7.0485, "the mean ELBO", too_good=True).passed
    low = at_least(0.3, 1.2, "the cross-entropy", too_good=True)
    assert low.too_good
    assert "gets below 1.2: too good to be true" in low.message


def test_a_plain_bound_says_what_is_due() -> None:
    """A missed target is not called too good."""
    result = at_most(3.0, 2.0, "the error")
    assert (result.passed, result.too_good, result.message) == (
        False,
        False,
        "the error is 3, at most 2 is due.",
    )
    assert at_least(1.0, 2.0, "the score").message == "the score is 1, at least 2 is due."


def test_each_side_of_within_has_its_own_words() -> None:
    """Only the side marked as theoretical is too good."""
    assert within(1.5, 0.0, 1.0, "W", too_good="high").too_good
    assert not within(-0.5, 0.0, 1.0, "W", too_good="high").too_good
    assert within(-0.5, 0.0, 1.0, "W", too_good="both").too_good
    assert within(0.0, 0.0, 1.0, "W").passed
    assert within(1.0, 0.0, 1.0, "W").passed


def test_slack_is_room_on_the_bound() -> None:
    """Rounding beyond a bound is forgiven as far as the slack goes."""
    assert at_most(1 + 1e-12, 1.0, "x", slack=1e-9).passed
    assert not at_most(1 + 1e-12, 1.0, "x").passed
    assert at_least(0.9, 1.0, "x", slack=0.2).passed


def test_a_near_miss_can_be_read() -> None:
    """A value that rounds to its bound is shown with more digits."""
    assert "1.00001" in at_most(1.00001, 1.0, "x").message


def test_arrays_are_held_to_their_bounds_entry_by_entry() -> None:
    """The worst entry is reported with its index; bounds may be arrays."""
    result = at_most(torch.tensor([-3.0, -1.0, -0.5]), [-2.0, -2.0, -1.0], "the ELBO", too_good=True)
    assert result.message.startswith("the ELBO at [1] is -1, but no right answer gets above -2")
    assert at_most([-3.0, -2.5], -2.0, "x").passed


@pytest.mark.parametrize(
    "value",
    [None, "x", object(), 1j, [], np.nan, [0.0, np.nan], [[1.0], [1.0, 2.0]], np.zeros((3, 5))],
    ids=lambda value: re.sub(r" at 0x\w+", "", repr(value)),
)
def test_what_is_no_number_fails_without_raising(value: object) -> None:
    """NaN, text, nothing and shapes that do not fit fail with a message."""
    result = within(value, [-1.0, -1.0], [1.0, 1.0], "x")
    assert not result.passed
    assert result.message.startswith("x")


def test_infinities() -> None:
    """An infinite value passes only where there is no bound."""
    assert not at_most(np.inf, 1.0, "x").passed
    assert at_most(-np.inf, 1.0, "x").passed
    assert not at_least(-np.inf, 1.0, "x").passed


@pytest.mark.parametrize(("low", "high", "slack"), [(1.0, 0.0, 0.0), (np.nan, 1.0, 0.0), (0.0, 1.0, -1.0)])
def test_senseless_bounds_raise(low: float, high: float, slack: float) -> None:
    """Crossed or missing bounds and negative slack are the grader's mistakes."""
    with pytest.raises(ValueError, match="low <= high"):
        within(0.5, low, high, "x", slack=slack)


def test_limit_lies_three_spreads_beyond_the_worst() -> None:
    """In the direction of worse scores."""
    scores = [1.0, 2.0, 3.0]
    assert limit_from(scores, "higher") == 1.0 - 3.0
    assert limit_from(scores, "lower") == 3.0 + 3.0
    assert limit_from(scores, "lower", spreads=1) == 4.0


@pytest.mark.parametrize(("scores", "direction"), [([1.0], "higher"), ([1.0, np.nan], "lower"), ([1.0, 2.0], "up")])
def test_senseless_scores_raise(scores: list[float], direction: str) -> None:
    """One score, a NaN or an unknown direction has no limit."""
    with pytest.raises(ValueError, match=r"limit_from|direction"):
        limit_from(scores, direction)  # type: ignore[arg-type]


def calibration() -> Calibration:
    """A calibration of three runs."""
    return Calibration.measured(
        "test ELBO (nats)",
        [0, 1, 2],
        [-105.0, -104.0, -106.0],
        "higher",
        date="2026-11-20",
        machine="one core, torch 2.13",
    )


def test_calibrations_survive_the_file(tmp_path: Path) -> None:
    """What is written is read back, and judges scores."""
    path = tmp_path / "calibrations.json"
    dump_calibrations(path, {"ex01/elbo": calibration()})
    stored = load_calibrations(path)["ex01/elbo"]
    assert stored == calibration()
    assert stored.limit == pytest.approx(-109.0)
    assert stored.judge(-108.9).passed
    assert not stored.judge(-109.1).passed
    assert not stored.judge(None).passed


def test_a_limit_changed_by_hand_is_refused(tmp_path: Path) -> None:
    """The limit must follow from the stored scores; the message names file, key and both numbers."""
    path = tmp_path / "calibrations.json"
    dump_calibrations(path, {"ex01/elbo": calibration()})
    content = json.loads(path.read_text())
    content["calibrations"]["ex01/elbo"]["limit"] = -120.0
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"calibrations\.json: calibration 'ex01/elbo'.*-120 is not -109"):
        load_calibrations(path)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"version": 2, "calibrations": {}}',
        '{"version": 1}',
        '{"version": 1, "calibrations": {"a": {}}}',
        '{"version": 1, "calibrations": {"a": 3}}',
        '{"version": 1, "calibrations": {"a": {"seeds": ["x"], "scores": []}}}',
    ],
)
def test_files_of_another_kind_are_refused(tmp_path: Path, text: str) -> None:
    """Each error names the file."""
    path = tmp_path / "limits.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"limits\.json"):
        load_calibrations(path)


@pytest.mark.parametrize(("k", "n"), [(0, 20), (20, 20), (3, 20), (500, 1000)])
def test_clopper_pearson_agrees_with_scipy(k: int, n: int) -> None:
    """The interval is scipy's exact one."""
    expected = stats.binomtest(k, n).proportion_ci(0.99, method="exact")
    assert clopper_pearson(k, n, 0.99) == pytest.approx((expected.low, expected.high), rel=1e-9)


@pytest.mark.parametrize(("k", "n", "level"), [(-1, 5, 0.9), (6, 5, 0.9), (0, 0, 0.9), (1, 5, 1.0)])
def test_senseless_trials_raise(k: int, n: int, level: float) -> None:
    """Counts and levels out of range raise."""
    with pytest.raises(ValueError, match="clopper_pearson"):
        clopper_pearson(k, n, level)
