"""Tail probabilities of the few laws used here, from scipy.special (scipy.stats costs 0.75 s to import)."""

from __future__ import annotations

import math

import numpy as np

from gdgrade.compare.arrays import FloatArray


def normal_two_sided(z: float) -> float:
    """P(|Z| >= |z|) for Z ~ N(0, 1).

    Example:
        >>> round(normal_two_sided(1.959964), 6)
        0.05
    """
    return math.erfc(abs(z) / math.sqrt(2.0))


def chi2_upper(x: float, dof: float) -> float:
    """P(X >= x) for X ~ chi2(dof)."""
    from scipy import special

    return float(special.gammaincc(dof / 2, max(x, 0.0) / 2))


def chi2_two_sided(x: float, dof: float) -> float:
    """Twice the smaller tail of chi2(dof) at x, at most 1. Exactly uniform under the null."""
    from scipy import special

    half, lower = max(x, 0.0) / 2, dof / 2
    return min(1.0, 2 * float(min(special.gammainc(lower, half), special.gammaincc(lower, half))))


def t_two_sided(t: float, dof: float) -> float:
    """P(|T| >= |t|) for T ~ Student's t with ``dof`` degrees of freedom."""
    from scipy import special

    if math.isinf(t):
        return 0.0
    return float(special.betainc(dof / 2, 0.5, dof / (dof + t * t)))


def binomial_two_sided(k: int, n: int, p: float) -> float:
    """Twice the smaller of P(X <= k) and P(X >= k) for X ~ Binomial(n, p), at most 1.

    At most conservative: X is discrete, so under the null P(pvalue <= u) <= u.
    """
    from scipy import special

    upper = 1.0 if k <= 0 else float(special.betainc(k, n - k + 1, p))
    lower = 1.0 if k >= n else float(special.betainc(n - k, k + 1, 1 - p))
    return min(1.0, 2 * min(lower, upper))


def chi2_counts(counts: FloatArray, expected: FloatArray) -> FloatArray:
    """Pearson's statistic sum (count - expected)^2 / expected over the last axis.

    Cells with ``expected == 0`` must be empty: they contribute infinity otherwise.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = (counts - expected) ** 2 / expected
    terms = np.where(expected > 0, terms, np.where(counts > 0, np.inf, 0.0))
    total: FloatArray = np.asarray(terms.sum(axis=-1))
    return total
