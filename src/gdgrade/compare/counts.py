"""Tests for known mixtures and for integers: how many samples fell where, and how wide each mode is.

Global distances are weak against errors of width: on a ring of 8 Gaussians with 1000 samples, doubling the
noise variance moves the energy distance by one standard error, but the pooled variance within the modes by
22. So samples of a known mixture are first assigned to their nearest centre, then counts, widths and outliers
are tested apart.

The assignment cuts each mode at the border to its neighbours. With centres D apart and modes of standard
deviation s the share that changes sides is about P(Z > D / 2s) per neighbour: 7e-5 for the ring (radius 2, s
= 0.2). The tests take the modes as well apart; they are exact up to that share.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gdgrade.compare.arrays import FloatArray, as_floats, as_points
from gdgrade.compare.result import TestResult
from gdgrade.compare.samples import UnfitSamplesError, read_points, read_values
from gdgrade.compare.tails import binomial_two_sided, chi2_counts, chi2_two_sided, chi2_upper
from gdgrade.language import N_, _

_EXPECTED_FOR_CHI2 = 10.0
_SIMULATIONS = 9_999


def multinomial_pvalue(
    counts: object, probs: object, rng: np.random.Generator | None = None
) -> tuple[float, float, float | None]:
    """Pearson's test that counts are multinomial with given probabilities.

    Rule: if every cell expects at least 10 counts, the statistic is compared with chi2(k - 1), k the number
    of cells of positive probability (an approximation; at level 0.005 its error is below a fifth of the
    level). Otherwise with 9,999 simulated tables: exact but for the finite simulation, smallest p-value 1e-4.

    Args:
        counts: ``(k,)`` non-negative integers.
        probs: ``(k,)`` non-negative, normalised here.
        rng: for the simulation; by default one with a fixed seed, so the same counts always give the same
            p-value.

    Returns:
        (statistic, p-value, smallest possible p-value or None).

    Raises:
        ValueError: if the shapes differ or the probabilities are not probabilities.

    Example:
        >>> multinomial_pvalue([50, 50], [0.5, 0.5])
        (0.0, 1.0, None)

    Source: Pearson (1900); Monte Carlo tests: Davison & Hinkley (1997), Bootstrap Methods, section 4.2.
    """
    c, p = as_floats(counts), as_floats(probs)
    if c.shape != p.shape or c.ndim != 1 or not np.all(p >= 0) or not 0 < p.sum() < math.inf:
        raise ValueError("multinomial_pvalue: counts and probs must be vectors of one length, probs >= 0, not all 0")
    p = p / p.sum()
    expected = c.sum() * p
    statistic = float(chi2_counts(c, expected))
    cells = int((p > 0).sum())
    if expected[p > 0].min() >= _EXPECTED_FOR_CHI2:
        return statistic, (chi2_upper(statistic, cells - 1) if cells > 1 else float(statistic == 0)), None
    generator = np.random.default_rng(0) if rng is None else rng
    tables = generator.multinomial(int(c.sum()), p, size=_SIMULATIONS).astype(np.float64)
    as_far = int((chi2_counts(tables, expected) >= statistic * (1 - 1e-12)).sum())
    return statistic, (1 + as_far) / (_SIMULATIONS + 1), 1 / (_SIMULATIONS + 1)


def mode_counts(
    samples: object,
    centres: object,
    probs: object = None,
    *,
    rng: np.random.Generator | None = None,
    name: str = N_("mode counts"),
) -> TestResult:
    """Test that each mode of a mixture gets its share of the samples.

    Every sample counts for its nearest centre (Euclidean; the first of equals); the counts are compared with
    ``probs`` by :func:`multinomial_pvalue`, whose statistic and rule this is.

    Args:
        samples: ``(N, d)`` or ``(N,)``.
        centres: ``(k, d)`` or ``(k,)``, k >= 2.
        probs: ``(k,)`` weights of the modes, normalised here; equal by default.
        rng: see :func:`multinomial_pvalue`.
        name: for the report.

    Example:
        >>> mode_counts([-1.1, -0.9, -1.0, 0.8], centres=[-1.0, 1.0]).statistic
        1.0
    """
    c = as_points(centres)
    try:
        x = read_points(samples, dim=c.shape[1])
    except UnfitSamplesError as unfit:
        return unfit.result(name)
    p = np.ones(len(c)) if probs is None else as_floats(probs)
    mode = _nearest(x, c)[0]
    counts = np.bincount(mode, minlength=len(c))
    statistic, pvalue, level = multinomial_pvalue(counts, p, rng)
    expected = len(x) * p / p.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        worst = int(np.nanargmax(np.abs(counts - expected) / np.sqrt(expected)))
    detail = _("Mode {mode} got {count} of {all} samples, about {due:.4g} are due.").format(
        mode=worst, count=counts[worst], all=len(x), due=expected[worst]
    )
    return TestResult(name, statistic, pvalue, detail, level)


def within_mode_variance(
    samples: object, centres: object, variance: object, *, name: str = N_("width of the modes")
) -> TestResult:
    """Test the variance of the samples around their nearest centres, all modes and coordinates pooled.

    Statistic: ``sum_i |x_i - c(x_i)|^2 / variance(x_i)``, chi2 with N d degrees of freedom for Gaussian modes
    (exact but for samples that change sides, see the module). Two-sided.

    Power: a factor 2 in the variance is 22 standard errors at N = 1000, d = 2.

    Args:
        samples: ``(N, d)`` or ``(N,)``.
        centres: ``(k, d)`` or ``(k,)``.
        variance: per coordinate, positive: a number, or ``(k,)``, one per mode. Unit of the samples squared.
        name: for the report.

    Raises:
        ValueError: if ``variance`` is not positive.

    Example:
        >>> within_mode_variance([-1.5, 1.5], centres=[-1.0, 1.0], variance=0.25).statistic
        2.0
    """
    c = as_points(centres)
    v = np.broadcast_to(as_floats(variance), (len(c),))
    if not np.all(v > 0):
        raise ValueError(f"{name}: variance must be positive")
    try:
        x = read_points(samples, dim=c.shape[1])
    except UnfitSamplesError as unfit:
        return unfit.result(name)
    mode, squared = _nearest(x, c)
    statistic = float((squared / v[mode]).sum())
    ratio = statistic / x.size
    detail = _(
        "The variance around the nearest mode is {ratio:.4g} times what it should be (a right answer is within "
        "{room:.2g} of 1)."
    ).format(ratio=ratio, room=3 * math.sqrt(2 / x.size))
    return TestResult(name, statistic, chi2_two_sided(statistic, x.size), detail)


def within_mode_mean(
    samples: object, centres: object, variance: object, *, name: str = N_("place of the modes")
) -> TestResult:
    """Test that the samples of each mode are centred where they should be.

    Statistic: ``sum_k n_k |mean_k - c_k|^2 / variance_k`` over the modes that got samples, chi2 with d
    degrees of freedom for each. Given the counts n_k, exact for Gaussian modes (but for samples that change
    sides).

    Args:
        samples: ``(N, d)`` or ``(N,)``.
        centres: ``(k, d)`` or ``(k,)``.
        variance: per coordinate, positive: a number, or ``(k,)``. Unit of the samples squared.
        name: for the report.

    Raises:
        ValueError: if ``variance`` is not positive.

    Example:
        >>> within_mode_mean([0.75, 1.75, 10.0], centres=[1.0, 10.0], variance=0.5).statistic
        0.25
    """
    c = as_points(centres)
    v = np.broadcast_to(as_floats(variance), (len(c),))
    if not np.all(v > 0):
        raise ValueError(f"{name}: variance must be positive")
    try:
        x = read_points(samples, dim=c.shape[1])
    except UnfitSamplesError as unfit:
        return unfit.result(name)
    mode = _nearest(x, c)[0]
    counts = np.bincount(mode, minlength=len(c)).astype(np.float64)
    sums = np.stack([np.bincount(mode, weights=x[:, j], minlength=len(c)) for j in range(x.shape[1])], axis=1)
    seen = counts > 0
    offset = sums[seen] / counts[seen, None] - c[seen]  # (modes seen, d)
    terms = counts[seen] * (offset**2).sum(axis=1) / v[seen]
    worst = int(np.argmax(terms))
    k = int(np.flatnonzero(seen)[worst])
    off = float(np.sqrt((offset[worst] ** 2).sum()))
    detail = _("The {count} samples of mode {mode} are centred {off:.4g} away from where they should be.").format(
        count=int(counts[k]), mode=k, off=off
    )
    statistic = float(terms.sum())
    return TestResult(name, statistic, chi2_upper(statistic, int(seen.sum()) * c.shape[1]), detail)


def outside_probability(radius: float, dim: int) -> float:
    """P(|Z| > radius) for Z ~ N(0, I) in ``dim`` dimensions; exact.

    In two dimensions this is ``exp(-radius^2 / 2)``: 1.1 % lie outside 3 standard deviations, not 0.27 %.

    Example:
        >>> round(outside_probability(3.0, 2), 5), round(outside_probability(3.0, 1), 5)
        (0.01111, 0.0027)
    """
    return chi2_upper(radius * radius, dim)


def outside_fraction(
    samples: object, centres: object, sd: float, radius: float = 4.0, *, name: str = N_("samples far out")
) -> TestResult:
    """Test how many samples lie further than ``radius`` standard deviations from every centre.

    Statistic: that number k. For Gaussian modes it is Binomial(N, :func:`outside_probability`); the p-value
    is twice the smaller exact tail, so too few far out (modes too narrow) is found as well, given enough
    samples.

    Args:
        samples: ``(N, d)`` or ``(N,)``.
        centres: ``(k, d)`` or ``(k,)``.
        sd: standard deviation of every mode per coordinate, positive; unit of the samples.
        radius: in standard deviations.
        name: for the report.

    Raises:
        ValueError: if ``sd`` or ``radius`` is not positive.

    Example:
        >>> outside_fraction([0.1, -0.3, 5.0], centres=[0.0], sd=1.0).statistic
        1.0
    """
    if not (sd > 0 and radius > 0):
        raise ValueError(f"{name}: sd and radius must be positive, got {sd} and {radius}")
    c = as_points(centres)
    try:
        x = read_points(samples, dim=c.shape[1])
    except UnfitSamplesError as unfit:
        return unfit.result(name)
    squared = _nearest(x, c)[1]
    k = int((squared > (radius * sd) ** 2).sum())
    p = outside_probability(radius, c.shape[1])
    detail = _(
        "{count} of {all} samples are further than {radius:g} sd from every mode, about {due:.3g} are due."
    ).format(count=k, all=len(x), radius=radius, due=p * len(x))
    return TestResult(name, float(k), binomial_two_sided(k, len(x), p), detail)


def uniform_integers(
    values: object, n: int, *, rng: np.random.Generator | None = None, name: str = N_("uniform integers")
) -> TestResult:
    """Test that integers are uniform on 0, ..., n-1.

    A value that is no integer or out of range rejects at once (p-value 0). Else three tests, Bonferroni over
    the three: counts in groups of consecutive integers, as many groups as still expect 10 counts each
    (statistic of the result, see :func:`multinomial_pvalue`), and exact binomial tests of how often 0 and n-1
    came: never drawing an end of the range is the usual mistake, and groups would hide it. An end that never
    came is found at level 0.005 if there are about 7.1 n values.

    Args:
        values: ``(N,)`` or any shape.
        n: number of possible values, at least 2.
        rng: see :func:`multinomial_pvalue`.
        name: for the report.

    Raises:
        ValueError: if ``n < 2``.

    Example:
        >>> uniform_integers([0, 1, 2, 3], 3).detail
        'A value 3 came, but 0 to 2 are due.'
    """
    if n < 2:
        raise ValueError(f"{name}: n must be at least 2, got {n}")
    try:
        x = read_values(values).reshape(-1)
        off = x[(x != np.floor(x)) | (x < 0) | (x > n - 1)]
        if off.size:
            raise UnfitSamplesError(
                _("A value {value:.6g} came, but 0 to {last} are due.").format(value=off[0], last=n - 1)
            )
    except UnfitSamplesError as unfit:
        return unfit.result(name)
    groups = int(min(n, max(2, len(x) // _EXPECTED_FOR_CHI2)))
    while groups > 2 and len(x) * (n // groups) < _EXPECTED_FOR_CHI2 * n:  # the smallest group has n // groups
        groups -= 1
    group = (x * groups // n).astype(np.int64)  # sizes of the groups differ by one at most
    sizes = np.bincount(np.arange(n) * groups // n, minlength=groups)
    counts = np.bincount(group, minlength=groups)
    statistic, pvalue, _level = multinomial_pvalue(counts, sizes, rng)
    worst = int(np.argmax(np.abs(counts - len(x) * sizes / n) / np.sqrt(sizes)))
    first = int(sizes[:worst].sum())
    last = first + int(sizes[worst]) - 1
    span = f"{first}" if first == last else _("{first} to {last}").format(first=first, last=last)
    text = _("A value of {span} came {count} times in {all}, about {due:.3g} times are due.").format(
        span=span, count=counts[worst], all=len(x), due=len(x) * sizes[worst] / n
    )
    options = [(pvalue, text)]
    for end in (0, n - 1):
        k = int((x == end).sum())
        text = _("The value {value} came {count} times in {all}, about {due:.3g} times are due.").format(
            value=end, count=k, all=len(x), due=len(x) / n
        )
        options.append((binomial_two_sided(k, len(x), 1 / n), text))
    smallest, detail = min(options)
    return TestResult(name, statistic, min(1.0, 3 * smallest), detail)


def _nearest(x: FloatArray, centres: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
    """Index of the nearest centre of each point, ``(N,)``, and the squared distance to it, ``(N,)``."""
    squared = np.stack([((x - c) ** 2).sum(axis=1) for c in centres])  # (k, N)
    mode = np.argmin(squared, axis=0)
    return mode, squared[mode, np.arange(len(x))]
