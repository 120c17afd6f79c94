"""Tests of means, variances and covariances with exact nulls for Gaussian samples.

All samples are independent draws along the first axis. Use the last state of many independent chains, never
the path of one: dependent samples make every p-value here too small.
"""

from __future__ import annotations

import math

import numpy as np

from gdgrade.compare.arrays import FloatArray, as_floats
from gdgrade.compare.result import TestResult
from gdgrade.compare.samples import UnfitSamplesError, read_points, read_values
from gdgrade.compare.tails import chi2_two_sided, chi2_upper, normal_two_sided, t_two_sided
from gdgrade.language import N_, _


def mean_z(samples: object, mean: object, sd: object, *, name: str = N_("mean")) -> TestResult:
    r"""Test that samples have a given mean, their standard deviation being known.

    Per coordinate ``z_j = sqrt(N) * mean_i (x_ij - mean_ij) / sd_ij``; the statistic is the z_j of largest
    magnitude among the d coordinates, the p-value ``min(1, d * P(|Z| >= |z|))`` (Bonferroni: valid however
    the coordinates depend on each other).

    Exact for Gaussian samples and d = 1, conservative for d > 1; for other laws approximate with the central
    limit theorem (the error of the tail is of order 1/sqrt(N) for skewed laws).

    Power: a mean off by delta sd is found with probability 0.999 at level 1e-6 if N >= (8 / delta)^2.

    Args:
        samples: ``(N, ...)``, N >= 1, coordinates of any shape after the first axis.
        mean: broadcasts to ``samples``; may differ from sample to sample. Same unit.
        sd: standard deviation of one sample, positive, broadcasts likewise. Same unit.
        name: for the report.

    Raises:
        ValueError: if ``sd`` is not positive.

    Example:
        >>> mean_z([0.5, 1.5, 1.0, 3.0], mean=1.0, sd=1.0).statistic
        1.0

    Source: z-test; the standardised mean of N independent N(0, 1) is N(0, 1).
    """
    try:
        x = read_values(samples)
        m, s = _like(mean, x, "mean"), _like(sd, x, "sd")
    except UnfitSamplesError as unfit:
        return unfit.result(name)
    if not np.all(s > 0):
        raise ValueError(f"{name}: sd must be positive")
    n = len(x)
    z = ((x - m) / s).reshape(n, -1).mean(axis=0) * math.sqrt(n)  # (d,)
    j = int(np.argmax(np.abs(z)))
    pvalue = min(1.0, z.size * normal_two_sided(float(z[j])))
    got, due = float(x.reshape(n, -1)[:, j].mean()), float(m.reshape(n, -1)[:, j].mean())
    text = (
        _("The mean of {count} samples in coordinate {coordinate} is {got:.4g}, should be {due:.4g} (z = {z:.2f}).")
        if z.size > 1
        else _("The mean of {count} samples is {got:.4g}, should be {due:.4g} (z = {z:.2f}).")
    )
    detail = text.format(count=n, coordinate=j, got=got, due=due, z=z[j])
    return TestResult(name, float(z[j]), pvalue, detail)


def variance_chi2(samples: object, variance: object, mean: object = None, *, name: str = N_("variance")) -> TestResult:
    """Test that independent coordinates have a given variance, all of them pooled.

    Statistic: ``sum_ij (x_ij - mean_ij)^2 / variance_ij``, under the null chi2 with one degree of freedom per
    number if the mean is given, else ``(N - 1) / N`` per number (the mean of each coordinate over the samples
    is subtracted). Two-sided: twice the smaller tail.

    Exact for Gaussian samples whose coordinates are independent. Heavy tails make it reject too often (the
    variance of the statistic grows with the kurtosis). Errors of opposite sign in different coordinates
    cancel here; see :func:`covariance_test`.

    Power: a variance ratio r is found with probability 0.999 at level 1e-6 if N >= 2 * (8 / ln r)^2 numbers.

    Args:
        samples: ``(N, ...)``, N >= 2.
        variance: positive, broadcasts to ``samples``; unit of the samples squared. If the mean is unknown it
            must not differ from sample to sample.
        mean: known mean, broadcasts to ``samples``; None to estimate it.
        name: for the report.

    Raises:
        ValueError: if ``variance`` is not positive.

    Example:
        >>> variance_chi2([-1.0, 1.0, -1.0, 1.0], variance=1.0, mean=0.0).statistic
        4.0

    Source: chi-squared test of a variance; sums of squares of independent N(0, 1) are chi2 (Cochran's
        theorem).
    """
    try:
        x = read_values(samples, least=2)
        v = _like(variance, x, "variance")
        m = x.mean(axis=0, keepdims=True) if mean is None else _like(mean, x, "mean")
    except UnfitSamplesError as unfit:
        return unfit.result(name)
    if not np.all(v > 0):
        raise ValueError(f"{name}: variance must be positive")
    dof = x.size if mean is not None else x.size - x.size // len(x)
    statistic = float((((x - m) ** 2) / v).sum())
    detail = _(
        "The variance of {count} samples is {ratio:.4g} times what it should be (a right answer is within {room:.2g} "
        "of 1)."
    ).format(count=len(x), ratio=statistic / dof, room=3 * math.sqrt(2 / dof))
    return TestResult(name, statistic, chi2_two_sided(statistic, dof), detail)


def covariance_test(samples: object, cov: object, mean: object = None, *, name: str = N_("covariance")) -> TestResult:
    """Test that Gaussian samples have a given covariance matrix, in all directions at once. Exact.

    The samples are whitened with the Cholesky factor of ``cov``. Their scatter matrix is then Wishart(I, n),
    n = N (or N - 1 if the mean is estimated), and its Cholesky factor T has independent entries: T_ii^2 ~
    chi2(n - i) for i = 0..d-1 and T_ij ~ N(0, 1) below the diagonal (Bartlett's decomposition). The d(d+1)/2
    two-sided p-values of these are independent and uniform; the statistic is Fisher's ``-2 sum ln p``, which
    is chi2(d(d+1)).

    Args:
        samples: ``(N, d)`` or ``(N,)``, N >= d + 1.
        cov: ``(d, d)``, positive definite; unit of the samples squared. A number for d = 1.
        mean: ``(d,)`` known mean; None to estimate it.
        name: for the report.

    Raises:
        ValueError: if ``cov`` is not a positive definite matrix.

    Example:
        >>> from gdgrade.compare import sign_vectors
        >>> covariance_test(sign_vectors(4)[:, :2], [[1.0, 0.0], [0.0, 25.0]], mean=[0.0, 0.0]).rejects(0.05)
        True

    Source: Anderson (2003), An Introduction to Multivariate Statistical Analysis, 3rd ed., theorem 7.2.1
        (Bartlett decomposition); Fisher (1932), Statistical Methods for Research Workers, section 21.1
        (combination).
    """
    c = np.atleast_2d(as_floats(cov))
    d = len(c)
    try:
        factor = np.linalg.cholesky(c)
    except np.linalg.LinAlgError:
        raise ValueError(f"{name}: cov must be a positive definite matrix") from None
    try:
        x = read_points(samples, dim=d, least=d + 1)
    except UnfitSamplesError as unfit:
        return unfit.result(name)
    centre = x.mean(axis=0) if mean is None else np.broadcast_to(as_floats(mean), (d,))
    n = len(x) - (mean is None)
    white = np.linalg.solve(factor, (x - centre).T).T  # (N, d)
    bartlett = np.transpose(np.linalg.qr(white).R)  # (d, d) lower; signs do not matter below
    pvalues = [chi2_two_sided(float(bartlett[i, i]) ** 2, n - i) for i in range(d)]
    pvalues += [normal_two_sided(float(bartlett[i, j])) for i in range(d) for j in range(i)]
    statistic = -2 * sum(math.log(max(p, 1e-300)) for p in pvalues)
    found = (x - centre).T @ (x - centre) / n
    variances = np.diag(c)
    z = (found - c) / np.sqrt((np.outer(variances, variances) + c**2) / n)
    i, j = (int(k) for k in np.unravel_index(np.argmax(np.abs(z)), z.shape))
    detail = _("Entry [{i}, {j}] of the covariance of {count} samples is {got:.4g}, should be {due:.4g}.").format(
        i=i, j=j, count=len(x), got=found[i, j], due=c[i, j]
    )
    return TestResult(name, statistic, chi2_upper(statistic, 2 * len(pvalues)), detail)


def correlation_test(x: object, y: object, *, name: str = N_("correlation")) -> TestResult:
    """Test that two samples of numbers, paired, are uncorrelated.

    Statistic: Pearson's r. Under the null ``r * sqrt((N - 2) / (1 - r^2))`` has Student's t law with N - 2
    degrees of freedom. Exact if the pairs are independent of each other, x independent of y, and one of the
    two Gaussian; else approximate, with an error that vanishes as N grows.

    Args:
        x: ``(N,)``, N >= 3.
        y: ``(N,)``.
        name: for the report.

    Example:
        >>> correlation_test([1.0, 2.0, 3.0, 4.0], [1.0, -1.0, -1.0, 1.0]).pvalue
        1.0

    Source: Fisher (1915), Biometrika 10, 507-521.
    """
    try:
        a, b = read_points(x, dim=1, least=3)[:, 0], read_points(y, dim=1, least=3)[:, 0]
        if len(a) != len(b):
            raise UnfitSamplesError(_("Pairs are due, got {a} and {b} numbers.").format(a=len(a), b=len(b)))
        a, b = a - a.mean(), b - b.mean()
        size = math.sqrt(float(a @ a)) * math.sqrt(float(b @ b))
        if size == 0.0:
            raise UnfitSamplesError(_("All numbers of a sample are equal."))
    except UnfitSamplesError as unfit:
        return unfit.result(name)
    r = max(-1.0, min(1.0, float(a @ b) / size))
    dof = len(a) - 2
    t = math.inf if abs(r) == 1.0 else r * math.sqrt(dof / (1 - r * r))
    detail = _("The correlation over {count} pairs is {r:.4g}, should be 0 up to {room:.2g}.").format(
        count=len(a), r=r, room=3 / math.sqrt(len(a))
    )
    return TestResult(name, r, t_two_sided(t, dof), detail)


def _like(value: object, x: FloatArray, what: str) -> FloatArray:
    """``value`` of the grader, broadcast to the shape of the samples ``x``."""
    array = as_floats(value)
    try:
        return np.broadcast_to(array, x.shape)
    except ValueError:
        text = _("Samples {shape} do not fit a {what} of shape {due}.")
        raise UnfitSamplesError(text.format(shape=x.shape, what=_(what), due=array.shape)) from None
