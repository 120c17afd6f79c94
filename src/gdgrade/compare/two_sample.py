"""Permutation tests that two samples have one law, whatever it is.

The null is exact for any law and any sample size: if both samples come from one law, every way of dealing the
pooled points out to the two sides is equally likely, so the observed statistic is the k-th largest of B + 1
with equal chances. With B = 199 the smallest p-value is 1/200 = 0.005, the level of one attempt in
:func:`gdgrade.compare.attempts`.

These are catch-alls, strong against missing modes and shifts, weak against errors of width (see
:mod:`gdgrade.compare.counts`). Compare with samples of the *algorithm's* law (the reference with the same
step size), not of its target: a right finite-step sampler differs from its target.

Cost: 1000 against 1000 points in two dimensions with 199 permutations takes about 0.2 s on one core.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gdgrade.compare.arrays import FloatArray, as_points
from gdgrade.compare.distances import pairwise_distances, unit_directions
from gdgrade.compare.randomness import Randomness, generator
from gdgrade.compare.result import TestResult
from gdgrade.compare.samples import UnfitSamplesError, read_points
from gdgrade.language import N_, _, course_text

LARGEST_SIDE = 2000
"""Points per side; of more, a random subset of this size is used (the level stays exact)."""

_FOR_MEDIAN = 500


def energy_test(
    x: object, y: object, rng: Randomness, permutations: int = 199, *, name: str = N_("energy distance")
) -> TestResult:
    """Test with the energy distance (see :func:`gdgrade.compare.energy_distance`), the statistic of the result.

    Args:
        x: samples to judge, ``(n, d)`` or ``(n,)``, n >= 2.
        y: samples of the right law, ``(m, d)`` or ``(m,)``, m >= 2; trusted.
        rng: generator or draw that deals out the points; the samples must not depend on it.
        permutations: B >= 1; p-values are multiples of 1/(B + 1).
        name: for the report.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> energy_test(rng.normal(size=50), rng.normal(size=50) + 3, rng).pvalue
        0.005

    Source: Székely & Rizzo (2004), Testing for equal distributions in high dimension, InterStat 5; level of
        permutation tests: Lehmann & Romano (2005), Testing Statistical Hypotheses, 3rd ed., theorem 15.2.1.
    """
    own = generator(rng, "two samples")
    try:
        pooled, weights = _deal(x, y, own, permutations)
    except UnfitSamplesError as unfit:
        return unfit.result(name, 1 / (permutations + 1))
    distances = pairwise_distances(pooled, pooled)
    return _judge(name, -_quadratic(weights, distances), float(distances.mean()))


def mmd_test(
    x: object,
    y: object,
    rng: Randomness,
    permutations: int = 199,
    *,
    bandwidth: float | Sequence[float] | None = None,
    name: str = "MMD",
) -> TestResult:
    """Test with the squared MMD of Gaussian kernels (see :func:`gdgrade.compare.mmd_squared`), the statistic.

    Args:
        x: samples to judge, ``(n, d)`` or ``(n,)``, n >= 2.
        y: samples of the right law, ``(m, d)`` or ``(m,)``, m >= 2; trusted.
        rng: generator or draw that deals out the points; the samples must not depend on it.
        permutations: B >= 1; p-values are multiples of 1/(B + 1).
        bandwidth: positive, unit of the points; of several, the mean of their kernels is used. By default the
            median distance of a random part of the pooled points, a quarter and a sixteenth of it: the median
            alone is as wide as a ring of modes and does not see that every other mode is missing.
        name: for the report.

    Raises:
        ValueError: if a bandwidth is not positive.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> mmd_test(rng.normal(size=50), rng.normal(size=50) + 3, rng, bandwidth=1.0).pvalue
        0.005

    Source: Gretton et al. (2012), A kernel two-sample test, JMLR 13, 723-773.
    """
    own = generator(rng, "two samples")
    try:
        pooled, weights = _deal(x, y, own, permutations)
    except UnfitSamplesError as unfit:
        return unfit.result(name, 1 / (permutations + 1))
    squared = pairwise_distances(pooled, pooled, squared=True)
    if bandwidth is None:
        # Chosen at random from the pool, so the choice knows nothing of the two sides and the level holds.
        some = own.choice(len(pooled), min(_FOR_MEDIAN, len(pooled)), replace=False)
        median = float(np.sqrt(np.median(squared[np.ix_(some, some)]))) or 1.0
        bandwidths = [median, median / 4, median / 16]
    else:
        bandwidths = [bandwidth] if isinstance(bandwidth, (int, float)) else list(bandwidth)
    if not bandwidths or not all(h > 0 for h in bandwidths):
        raise ValueError(f"{name}: bandwidths must be positive, got {bandwidths}")
    kernel = np.zeros_like(squared)
    for h in bandwidths:
        kernel += np.exp(squared / (-2 * h * h))
    return _judge(name, _quadratic(weights, kernel) / len(bandwidths), 1.0)


def sliced_wasserstein_test(
    x: object,
    y: object,
    rng: Randomness,
    permutations: int = 199,
    *,
    directions: int = 32,
    name: str = N_("sliced Wasserstein distance"),
) -> TestResult:
    """Test with the sliced W_1 over random directions (see :func:`gdgrade.compare.sliced_wasserstein`).

    Args:
        x: samples to judge, ``(n, d)`` or ``(n,)``, n >= 2.
        y: samples of the right law, ``(m, d)`` or ``(m,)``, m >= 2; trusted.
        rng: generator or draw for directions and permutations; the samples must not depend on it.
        permutations: B >= 1; p-values are multiples of 1/(B + 1).
        directions: number of directions; one is enough in one dimension.
        name: for the report.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> sliced_wasserstein_test(rng.normal(size=50), rng.normal(size=50) + 3, rng).pvalue
        0.005

    Source: permutation test on the distance of Bonneel et al. (2015), JMIV 51.
    """
    own = generator(rng, "two samples")
    try:
        pooled, weights = _deal(x, y, own, permutations)
    except UnfitSamplesError as unfit:
        return unfit.result(name, 1 / (permutations + 1))
    dim = pooled.shape[1]
    along = unit_directions(directions if dim > 1 else 1, dim, own)
    values = np.zeros(len(weights))
    for projected in (pooled @ along.T).T:  # (n + m,)
        order = np.argsort(projected)
        # W_1 is the area between the distribution functions, whose difference is a sum of weights.
        between = np.cumsum(weights[:, order], axis=1)[:, :-1]
        values += np.abs(between, out=between) @ np.diff(projected[order])
    return _judge(name, values / len(along), float(np.ptp(pooled)))


def _deal(x: object, y: object, rng: np.random.Generator, permutations: int) -> tuple[FloatArray, FloatArray]:
    """Pooled points ``(n + m, d)`` and weights ``(B + 1, n + m)``: 1/n on one side, -1/m on the other.

    Row 0 is how the points came, the others are permutations of it.
    """
    if permutations < 1:
        raise ValueError(f"at least one permutation is due, got {permutations}")
    right = as_points(y)
    left = read_points(x, dim=right.shape[1], least=2)
    if len(right) < 2 or not np.isfinite(right).all():
        raise ValueError("the samples of the right law must be at least 2 and finite")
    left, right = (_at_most(side, rng) for side in (left, right))
    n, m = len(left), len(right)
    observed = np.concatenate([np.full(n, 1 / n), np.full(m, -1 / m)])
    weights = np.tile(observed, (permutations + 1, 1))
    weights[1:] = rng.permuted(weights[1:], axis=1)
    return np.concatenate([left, right]), weights


def _at_most(points: FloatArray, rng: np.random.Generator) -> FloatArray:
    if len(points) <= LARGEST_SIDE:
        return points
    return points[rng.choice(len(points), LARGEST_SIDE, replace=False)]


def _quadratic(weights: FloatArray, matrix: FloatArray) -> FloatArray:
    """w^T M w for every row w of the weights: ``(B + 1,)``."""
    values: FloatArray = np.einsum("bi,bi->b", weights @ matrix, weights)
    return values


def _judge(name: str, values: FloatArray, scale: float) -> TestResult:
    """Rank the observed value (first) among all; ``scale`` is the size of what it was computed from."""
    observed = float(values[0])
    # Equal deals may differ in rounding; counting near-ties as "as large" errs on the student's side.
    as_large = int((values >= observed - 1e-12 * scale).sum())
    detail = _(
        "The {name} to right samples is {observed:.4g}; among {count} random divisions of the same points it is "
        "{middle:.4g} in the middle, {most:.4g} at most."
    ).format(
        name=course_text(_(name)),
        observed=observed,
        count=len(values) - 1,
        middle=np.median(values[1:]),
        most=values[1:].max(),
    )
    return TestResult(name, observed, as_large / len(values), detail, level=1 / len(values))
