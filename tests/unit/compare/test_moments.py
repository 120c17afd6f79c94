"""Tests of moments: exact under the null, strong against what they are for."""

import numpy as np
import pytest
import torch
from scipy import stats

from gdgrade.compare import correlation_test, covariance_test, mean_z, variance_chi2
from gdgrade.compare.tails import (
    binomial_two_sided,
    chi2_two_sided,
    chi2_upper,
    normal_two_sided,
    t_two_sided,
)

COV = np.array([[2.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 0.5]])


def test_tails_agree_with_scipy_stats() -> None:
    """The tail functions give scipy.stats' numbers, also far out."""
    for z in (0.0, 0.5, 4.892, 12.0):
        assert normal_two_sided(z) == pytest.approx(2 * stats.norm.sf(z), rel=1e-12)
    for x, dof in ((0.1, 3), (50.0, 20), (210_000.0, 200_000), (900.0, 200)):
        assert chi2_upper(x, dof) == pytest.approx(stats.chi2.sf(x, dof), rel=1e-9)
        both = 2 * min(stats.chi2.sf(x, dof), stats.chi2.cdf(x, dof))
        assert chi2_two_sided(x, dof) == pytest.approx(both, rel=1e-9)
    for t, dof in ((0.0, 5), (-2.5, 7), (30.0, 998)):
        assert t_two_sided(t, dof) == pytest.approx(2 * stats.t.sf(abs(t), dof), rel=1e-9)
    for k, n, p in ((0, 10, 0.3), (3, 10, 0.3), (10, 10, 0.3), (40, 1000, 0.011)):
        both = 2 * min(stats.binom.cdf(k, n, p), stats.binom.sf(k - 1, n, p))
        assert binomial_two_sided(k, n, p) == pytest.approx(min(1.0, both), rel=1e-9)


def test_mean_is_exact_under_the_null(gap_from_uniform) -> None:
    """p-values of the mean of 7 Gaussian numbers are uniform."""
    assert gap_from_uniform(lambda rng: mean_z(rng.normal(3, 2, 7), 3.0, 2.0).pvalue) < 0.06


def test_mean_of_several_coordinates_keeps_its_level() -> None:
    """With 5 coordinates, equal or independent, the level 0.05 is kept (Bonferroni)."""
    for spread in (1.0, 0.0):
        rejected = 0
        for rng in np.random.default_rng(1).spawn(2000):
            x = rng.normal(size=(9, 1)) * np.ones(5) if spread == 0.0 else rng.normal(size=(9, 5))
            rejected += mean_z(x, 0.0, 1.0).rejects(0.05)
        assert rejected / 2000 < 0.05 + 0.025  # five standard errors above


def test_variance_is_exact_under_the_null(gap_from_uniform) -> None:
    """p-values of the variance are uniform, with known and with estimated mean."""
    assert gap_from_uniform(lambda rng: variance_chi2(rng.normal(3, 2, (6, 2)), 4.0, mean=3.0).pvalue) < 0.06
    assert gap_from_uniform(lambda rng: variance_chi2(rng.normal(3, 2, (6, 2)), 4.0).pvalue) < 0.06


def test_covariance_is_exact_under_the_null(gap_from_uniform) -> None:
    """p-values of the covariance of only 8 samples in 3 dimensions are uniform, mean known or not."""
    root = np.linalg.cholesky(COV)

    def trial(rng: np.random.Generator, mean: object) -> float:
        return covariance_test(1.0 + rng.normal(size=(8, 3)) @ root.T, COV, mean=mean).pvalue

    assert gap_from_uniform(lambda rng: trial(rng, np.ones(3))) < 0.06
    assert gap_from_uniform(lambda rng: trial(rng, None)) < 0.06


def test_correlation_is_exact_under_the_null(gap_from_uniform) -> None:
    """p-values of the correlation of 6 pairs are uniform even if only one side is Gaussian."""
    assert gap_from_uniform(lambda rng: correlation_test(rng.normal(size=6), rng.exponential(size=6)).pvalue) < 0.06


def test_correlation_agrees_with_scipy() -> None:
    """Statistic and p-value are those of scipy.stats.pearsonr."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=30), rng.normal(size=30)
    expected = stats.pearsonr(x, y + 0.3 * x)
    result = correlation_test(x, y + 0.3 * x)
    assert (result.statistic, result.pvalue) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)


def test_power_of_the_mean() -> None:
    """A shift of 0.25 standard deviations is found at 1e-6 with N = (8 / 0.25)^2 samples (probability 0.999)."""
    for rng in np.random.default_rng(0).spawn(50):
        assert mean_z(0.25 + rng.normal(size=1024), 0.0, 1.0).rejects(1e-6)


@pytest.mark.parametrize(("ratio", "n"), [(2.0, 267), (0.5, 267), (1.1, 14_100)])
def test_power_of_the_variance(ratio: float, n: int) -> None:
    """A variance ratio r is found at 1e-6 with N = 2 (8 / ln r)^2 samples."""
    found = [
        variance_chi2(ratio**0.5 * rng.normal(size=n), 1.0, mean=0.0).pvalue < 1e-6
        for rng in np.random.default_rng(0).spawn(50)
    ]
    assert np.mean(found) > 0.95


def test_covariance_sees_what_the_pooled_variance_misses() -> None:
    """Errors of opposite sign, and a correlation of the wrong sign, leave the pooled variance right."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2000, 2))
    opposite = z * np.sqrt([1.3, 0.7])
    assert not variance_chi2(opposite, 1.0).rejects(1e-3)
    assert covariance_test(opposite, np.eye(2)).rejects(1e-6)
    cov = np.array([[1.0, 0.5], [0.5, 1.0]])
    wrong_sign = z @ np.linalg.cholesky(np.array([[1.0, -0.5], [-0.5, 1.0]])).T
    result = covariance_test(wrong_sign, cov)
    assert result.rejects(1e-6)
    assert result.detail.startswith("Entry [0, 1] of the covariance of 2000 samples is -0.")


def test_means_and_deviations_may_differ_per_sample() -> None:
    """The law of a step from different starting points is tested in one go."""
    rng = np.random.default_rng(0)
    start = rng.normal(size=(500, 2)) * 5
    after = 0.9 * start + 0.1 * rng.normal(size=(500, 2))
    assert mean_z(after, 0.9 * start, 0.1).pvalue > 0.01
    assert mean_z(after, 0.9 * start + 0.02, 0.1).rejects(1e-4)
    assert variance_chi2(after, 0.01, mean=0.9 * start).pvalue > 0.01


@pytest.mark.parametrize(
    "samples",
    [
        None,
        "x",
        [],
        1.0,
        np.full(9, np.nan),
        [1.0, np.inf, 2.0],
        np.zeros((9, 2)) + 1j,
        np.zeros((4, 0)),
        [[1.0], [2.0, 3.0]],
    ],
    ids=repr,
)
def test_unfit_samples_reject_without_raising(samples: object) -> None:
    """What cannot be a sample is rejected with a reason."""
    for result in (
        mean_z(samples, 0.0, 1.0),
        variance_chi2(samples, 1.0),
        covariance_test(samples, np.eye(2)),
        correlation_test(samples, samples),
    ):
        assert result.pvalue == 0.0
        assert result.rejects(1e-9)
        assert result.detail.endswith(".")


def test_samples_that_do_not_fit_the_mean_reject() -> None:
    """A wrong number of coordinates is the student's, so it rejects rather than raises."""
    assert "do not fit a mean of shape (2,)" in mean_z(np.zeros((5, 3)), [0.0, 0.0], 1.0).detail
    assert covariance_test(np.zeros((5, 3)), np.eye(2)).detail == "Samples in 2 dimensions are due, got (5, 3)."


def test_constant_samples_reject() -> None:
    """Samples without any spread fail the tests of spread."""
    assert variance_chi2(np.ones(50), 1.0).rejects(1e-9)
    assert covariance_test(np.ones((50, 2)), np.eye(2)).rejects(1e-9)
    assert correlation_test(np.ones(50), np.arange(50.0)).rejects(1e-9)


def test_senseless_parameters_raise() -> None:
    """A standard deviation, variance or covariance that is none is the grader's mistake."""
    with pytest.raises(ValueError, match="positive"):
        mean_z([1.0, 2.0], 0.0, 0.0)
    with pytest.raises(ValueError, match="positive"):
        variance_chi2([1.0, 2.0], -1.0)
    with pytest.raises(ValueError, match="positive definite"):
        covariance_test(np.zeros((5, 2)), [[1.0, 2.0], [2.0, 1.0]])


def test_torch_and_lists_give_the_same_result() -> None:
    """The kind of array does not matter."""
    x = np.random.default_rng(0).normal(size=20)
    assert mean_z(torch.tensor(x), 0.0, 1.0) == mean_z(x.tolist(), 0.0, 1.0) == mean_z(x, 0.0, 1.0)
