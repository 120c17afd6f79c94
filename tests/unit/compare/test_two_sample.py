"""Two-sample tests: exact level for any law, power, and the same statistics as the distances."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from gdgrade.compare import (
    energy_distance,
    energy_test,
    ks_test,
    mann_whitney,
    mmd_squared,
    mmd_test,
    sliced_wasserstein_test,
    wasserstein_1d,
)
from gdgrade.compare.two_sample import LARGEST_SIDE

TESTS = [energy_test, mmd_test, sliced_wasserstein_test]


@pytest.mark.parametrize("test", TESTS)
def test_permutation_pvalues_are_uniform_on_their_grid(test) -> None:
    """With B = 19, each of the 20 p-values comes equally often: exact for a skewed law and unequal sizes."""
    runs = 2000
    ranks = []
    for rng in np.random.default_rng(6).spawn(runs):
        x, y = rng.exponential(size=(7, 2)), rng.exponential(size=(9, 2))
        ranks.append(round(20 * test(x, y, rng, permutations=19).pvalue))
    counts = np.bincount(ranks, minlength=21)[1:]
    assert counts.sum() == runs
    assert stats.chisquare(counts).pvalue > 1e-5
    assert np.mean(np.array(ranks) == 1) == pytest.approx(0.05, abs=5 * np.sqrt(0.05 * 0.95 / runs))


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize(
    "change", [{"probs": [1, 0, 1, 0, 1, 0, 1, 0]}, {"probs": [1, 1, 1, 1, 1, 1, 1, 0]}], ids=["half", "one"]
)
def test_missing_modes_are_found(test, ring, change: dict) -> None:
    """Half the modes or one mode missing gives the smallest possible p-value, 1/200, at 1000 points."""
    rng = np.random.default_rng(7)
    x, y = ring.sample(rng, **change), ring.sample(rng)
    result = test(x, y, rng)
    assert result.pvalue == result.level == 1 / 200
    assert result.rejects(0.005)


def test_mmd_with_a_narrow_kernel_sees_a_doubled_variance(ring) -> None:
    """With bandwidth 0.2 MMD finds the doubled noise variance, which the energy distance misses."""
    found = {"mmd": 0, "energy": 0}
    for rng in np.random.default_rng(8).spawn(10):
        x, y = ring.sample(rng, sd=0.2 * 2**0.5), ring.sample(rng)
        found["mmd"] += mmd_test(x, y, rng, bandwidth=0.2).rejects(0.005)
        found["energy"] += energy_test(x, y, rng).rejects(0.005)
    assert found["mmd"] == 10
    assert found["energy"] < 10


def test_statistics_are_the_distances(ring) -> None:
    """The statistic of each test is the value of the distance of the same name."""
    rng = np.random.default_rng(0)
    x, y = ring.sample(rng, 40), ring.sample(rng, 30)
    assert energy_test(x, y, rng).statistic == pytest.approx(energy_distance(x, y), abs=1e-12)
    assert mmd_test(x, y, rng, bandwidth=0.5).statistic == pytest.approx(mmd_squared(x, y, 0.5), abs=1e-12)
    both = (mmd_squared(x, y, 0.5) + mmd_squared(x, y, 1.0)) / 2
    assert mmd_test(x, y, rng, bandwidth=[0.5, 1.0]).statistic == pytest.approx(both, abs=1e-12)
    line = sliced_wasserstein_test(x[:, 0], y[:, 0], rng)
    assert line.statistic == pytest.approx(wasserstein_1d(x[:, 0], y[:, 0]), abs=1e-12)


@pytest.mark.parametrize("test", TESTS)
def test_same_seed_same_result_and_draws_are_accepted(test, ring) -> None:
    """Results repeat with the seed; a draw (anything with a seed) serves as well as a generator."""
    x, y = ring.sample(np.random.default_rng(0), 50), ring.sample(np.random.default_rng(1), 50)
    assert test(x, y, np.random.default_rng(5)) == test(x, y, np.random.default_rng(5))
    assert test(x, y, SimpleNamespace(seed=2**60)) == test(x, y, SimpleNamespace(seed=2**60))
    assert test(x, y, SimpleNamespace(seed=1)).pvalue != test(x, y, SimpleNamespace(seed=2)).pvalue


@pytest.mark.parametrize("test", TESTS)
def test_equal_points_never_reject(test) -> None:
    """Where all points coincide every division ties, and ties count for the student."""
    assert test(np.ones((30, 2)), np.ones((30, 2)), np.random.default_rng(0)).pvalue == 1.0


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("samples", [None, [[1.0, 2.0]], np.full((9, 2), np.nan), np.zeros((9, 3))], ids=repr)
def test_unfit_samples_reject_without_raising(test, samples: object) -> None:
    """What cannot be compared is rejected, at any level the test can reach."""
    result = test(samples, np.zeros((9, 2)), np.random.default_rng(0))
    assert result.rejects(0.005)
    assert result.pvalue == 0.0


@pytest.mark.parametrize("test", TESTS)
def test_many_points_are_thinned(test) -> None:
    """Beyond 2000 points per side a random subset is compared."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(LARGEST_SIDE + 500, 1)), rng.normal(size=(50, 1))
    assert test(x, y, rng, permutations=9).pvalue > 0.05


def test_too_few_permutations_for_the_level_raise() -> None:
    """With B = 99 a test cannot reject at 0.005, and says so instead of passing everybody."""
    rng = np.random.default_rng(0)
    result = energy_test(rng.normal(size=50) + 9, rng.normal(size=50), rng, permutations=99)
    with pytest.raises(ValueError, match="can never reject at 0.005"):
        result.rejects(0.005)


def test_senseless_parameters_raise() -> None:
    """No permutations, no bandwidth or a bad right side are the grader's mistakes."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 2))
    for call in (
        lambda: energy_test(x, x, rng, permutations=0),
        lambda: mmd_test(x, x, rng, bandwidth=0.0),
        lambda: mmd_test(x, x, rng, bandwidth=[]),
        lambda: energy_test(x, x * np.nan, rng),
    ):
        with pytest.raises(ValueError, match=r".+"):
            call()


@pytest.mark.parametrize("test", TESTS)
def test_cost_leaves_room(test, ring) -> None:
    """1000 against 1000 with 199 permutations: a few tenths of a second; ten times that is an accident."""
    rng = np.random.default_rng(0)
    x, y = ring.sample(rng), ring.sample(rng)
    start = time.perf_counter()
    test(x, y, rng)
    assert time.perf_counter() - start < 5


def test_ks_agrees_with_scipy_and_is_exact(gap_from_uniform) -> None:
    """p-values of 5 uniform numbers are uniform; a wrong scale is found."""
    assert gap_from_uniform(lambda rng: ks_test(rng.random(5), lambda x: x).pvalue) < 0.06
    x = np.random.default_rng(0).normal(size=400)
    assert ks_test(x, stats.norm.cdf).pvalue == pytest.approx(stats.kstest(x, "norm", method="exact").pvalue)
    assert ks_test(2 * x, stats.norm.cdf).rejects(1e-6)
    assert ks_test([np.nan], stats.norm.cdf).pvalue == 0.0


def test_mann_whitney_agrees_with_scipy() -> None:
    """The statistic is the share of pairs, the p-value scipy's; equal numbers do not reject."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=30), rng.normal(size=40) + 0.2
    result = mann_whitney(x, y)
    assert result.statistic == pytest.approx(np.mean(x[:, None] > y))
    assert result.pvalue == pytest.approx(stats.mannwhitneyu(x, y).pvalue)
    assert mann_whitney(np.ones(20), np.ones(20)).pvalue == 1.0
    assert mann_whitney(None, y).pvalue == 0.0
