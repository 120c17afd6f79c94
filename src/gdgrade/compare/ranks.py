"""Tests in one dimension from scipy.stats, which is imported at the first call (0.75 s)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gdgrade.compare.arrays import FloatArray, as_floats
from gdgrade.compare.result import TestResult
from gdgrade.compare.samples import UnfitSamplesError, read_points
from gdgrade.language import N_, _


def ks_test(samples: object, cdf: Callable[[FloatArray], object], *, name: str = N_("distribution")) -> TestResult:
    """Kolmogorov-Smirnov test that samples have a given continuous distribution function. Exact.

    Statistic: the largest distance of the empirical distribution function from ``cdf``.

    Args:
        samples: ``(N,)``, N >= 1.
        cdf: maps ``(N,)`` to probabilities ``(N,)``; continuous, known beforehand (no parameter fitted).
        name: for the report.

    Example:
        >>> ks_test([0.5], lambda x: x).statistic
        0.5

    Source: scipy.stats.ks_1samp, exact mode; Marsaglia, Tsang & Wang (2003), J. Stat. Software 8(18).
    """
    try:
        x = read_points(samples, dim=1)[:, 0]
    except UnfitSamplesError as unfit:
        return unfit.result(name)
    from scipy import stats

    outcome = stats.ks_1samp(x, lambda v: as_floats(cdf(v)), method="exact")
    statistic = float(outcome.statistic)
    place = float(outcome.statistic_location)
    detail = _(
        "At {place:.4g} the share of the {count} samples below is off by {off:.3g} (a right answer stays within "
        "{room:.2g})."
    ).format(place=place, count=len(x), off=statistic, room=1.63 / np.sqrt(len(x)))
    return TestResult(name, statistic, _probability(outcome.pvalue), detail)


def mann_whitney(x: object, y: object, *, name: str = N_("rank sum")) -> TestResult:
    """Mann-Whitney test that neither of two samples tends to be larger.

    Statistic: the share of pairs with x > y, ties counted half; 1/2 is due. Exact null if a sample has at
    most 8 numbers and there are no ties, else the normal approximation with corrections for ties and
    continuity (good to a few per cent of the p-value down to 0.001).

    Args:
        x: samples to judge, ``(n,)``.
        y: samples of the right law, ``(m,)``.
        name: for the report.

    Example:
        >>> mann_whitney([1.0, 3.0], [2.0, 4.0]).statistic
        0.25

    Source: scipy.stats.mannwhitneyu; Mann & Whitney (1947), Ann. Math. Stat. 18, 50-60.
    """
    try:
        a, b = read_points(x, dim=1)[:, 0], read_points(y, dim=1)[:, 0]
    except UnfitSamplesError as unfit:
        return unfit.result(name)
    from scipy import stats

    outcome = stats.mannwhitneyu(a, b, alternative="two-sided", method="auto")
    share = float(outcome.statistic) / (len(a) * len(b))
    pvalue = outcome.pvalue if np.isfinite(outcome.pvalue) else 1.0  # NaN where all numbers are equal
    detail = _("In {share:.1%} of the pairs the answer's number is the larger one, about half are due.").format(
        share=share
    )
    return TestResult(name, share, _probability(pvalue), detail)


def _probability(value: float) -> float:
    return min(1.0, max(0.0, float(value)))
