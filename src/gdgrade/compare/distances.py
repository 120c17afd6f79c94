"""Distances between two clouds of points, as numbers. For tests of equality see :mod:`gdgrade.compare.two_sample`.

Plain numpy: POT costs more than a second to import. The project's tests compare these values with POT and
scipy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from gdgrade.compare.arrays import FloatArray, as_floats, as_points

_FEW_DIMENSIONS = 16
_ROWS = 1024  # rows of a distance matrix held at once


def pairwise_distances(x: object, y: object, *, squared: bool = False) -> FloatArray:
    """Euclidean distances of all pairs, ``(n, m)``.

    Up to 16 dimensions from the differences: exact to rounding, 0 for equal points. Above that from inner
    products of centred points, many times faster; squared distances are then exact to about 1e-15 times the
    largest squared norm.

    Args:
        x: ``(n, d)`` or ``(n,)``.
        y: ``(m, d)`` or ``(m,)``, same unit.
        squared: return squared distances.

    Raises:
        ValueError: if the dimensions differ.

    Example:
        >>> pairwise_distances([[0.0, 0.0]], [[3.0, 4.0], [0.0, 0.0]])
        array([[5., 0.]])
    """
    a, b = _two_clouds(x, y)
    result = _squared(a, b)
    return result if squared else np.sqrt(result, out=result)


def energy_distance(x: object, y: object) -> float:
    """Energy distance ``2 mean|x - y| - mean|x - x'| - mean|y - y'|``, over all pairs, x = x' included.

    Not negative, 0 only for equal clouds; not the square root. Unit of the points. Exact (a V-statistic: for
    two samples of one law its expectation is positive, of order 1/n).

    Args:
        x: ``(n, d)`` or ``(n,)``, n >= 1.
        y: ``(m, d)`` or ``(m,)``, m >= 1.

    Raises:
        ValueError: if a cloud is empty or the dimensions differ.

    Example:
        >>> energy_distance([0.0], [3.0])
        6.0

    Source: Székely & Rizzo (2013), Energy statistics, J. Stat. Planning and Inference 143, 1249-1272, eq.
        (2.5).
    """
    a, b = _two_clouds(x, y)
    return 2 * _mean_distance(a, b) - _mean_distance(a, a) - _mean_distance(b, b)


def mmd_squared(x: object, y: object, bandwidth: float) -> float:
    """Squared maximum mean discrepancy with the Gaussian kernel ``exp(-|x - y|^2 / (2 bandwidth^2))``.

    Over all pairs, x = x' included (the biased estimate): not negative. No unit. Exact.

    Args:
        x: ``(n, d)`` or ``(n,)``, n >= 1.
        y: ``(m, d)`` or ``(m,)``, m >= 1.
        bandwidth: positive, unit of the points.

    Raises:
        ValueError: if the bandwidth is not positive, a cloud is empty or the dimensions differ.

    Example:
        >>> round(mmd_squared([0.0], [1.0], bandwidth=1.0), 6)
        0.786939

    Source: Gretton et al. (2012), A kernel two-sample test, JMLR 13, 723-773, eq. (5).
    """
    if not bandwidth > 0:
        raise ValueError(f"mmd_squared: bandwidth must be positive, got {bandwidth}")
    a, b = _two_clouds(x, y)

    def mean_kernel(p: FloatArray, q: FloatArray) -> float:
        total = sum(float(np.exp(block / (-2 * bandwidth**2)).sum()) for block in _blocks(p, q))
        return total / (len(p) * len(q))

    return mean_kernel(a, a) + mean_kernel(b, b) - 2 * mean_kernel(a, b)


def wasserstein_1d(x: object, y: object, p: float = 1.0) -> float:
    """Wasserstein distance W_p of two samples of numbers, any lengths, equal weights. Exact.

    ``(integral over u in (0, 1) of |F^-1(u) - G^-1(u)|^p)^(1/p)`` with the empirical quantile functions,
    which are constant between the levels i/n and j/m. With the root: W_2, not its square. Unit of the
    numbers.

    Args:
        x: ``(n,)``, n >= 1.
        y: ``(m,)``, m >= 1.
        p: order, at least 1.

    Raises:
        ValueError: if p < 1, or the samples are not vectors with entries.

    Example:
        >>> wasserstein_1d([0.0, 2.0], [1.0])
        1.0

    Source: Peyré & Cuturi (2019), Computational Optimal Transport, remark 2.30.
    """
    a, b = as_floats(x), as_floats(y)
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"wasserstein_1d: vectors are due, got {a.shape} and {b.shape}")
    return _wasserstein_columns(*_two_clouds(a, b), p=p)


def unit_directions(n: int, d: int, rng: np.random.Generator) -> FloatArray:
    """n directions in d dimensions, ``(n, d)``, each of length 1, independent and uniform on the sphere."""
    directions = rng.standard_normal((n, d))
    unit: FloatArray = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return unit


def sliced_wasserstein(x: object, y: object, directions: object, p: float = 1.0) -> float:
    """Sliced Wasserstein distance over given directions: ``(mean over directions of W_p^p)^(1/p)``.

    Exact for these directions; the distance over all directions is approached with an error of order
    1/sqrt(directions). Unit of the points.

    Args:
        x: ``(n, d)`` or ``(n,)``, n >= 1.
        y: ``(m, d)`` or ``(m,)``, m >= 1.
        directions: ``(L, d)``, L >= 1, of length 1 (not normalised here); see :func:`unit_directions`.
        p: order, at least 1.

    Raises:
        ValueError: if p < 1, a cloud is empty, or the dimensions differ.

    Example:
        >>> sliced_wasserstein([[0.0, 0.0]], [[3.0, 4.0]], directions=[[1.0, 0.0], [0.0, 1.0]])
        3.5

    Source: Bonneel et al. (2015), Sliced and Radon Wasserstein barycenters of measures, JMIV 51, definition
        3.
    """
    a, b = _two_clouds(x, y)
    along = as_floats(directions)
    if along.ndim != 2 or along.shape[1] != a.shape[1] or len(along) == 0:
        raise ValueError(f"sliced_wasserstein: directions must be (L, {a.shape[1]}), got {along.shape}")
    return _wasserstein_columns(a @ along.T, b @ along.T, p=p)


def _wasserstein_columns(a: FloatArray, b: FloatArray, p: float) -> float:
    """(mean over columns of W_p^p)^(1/p) of the columns of ``(n, L)`` and ``(m, L)``."""
    if not p >= 1:
        raise ValueError(f"the order p of a Wasserstein distance must be at least 1, got {p}")
    a, b = np.sort(a, axis=0), np.sort(b, axis=0)
    n, m = len(a), len(b)
    if n == m:
        gaps = np.abs(a - b)
        weights = np.full(n, 1 / n)
    else:
        # Levels in units of 1/(n m), so that equal levels i/n = j/m are equal integers.
        levels = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
        weights = np.diff(levels, prepend=0) / (n * m)
        gaps = np.abs(a[(levels - 1) // m] - b[(levels - 1) // n])
    cost = float(np.mean(weights @ (gaps if p == 1 else gaps**p)))  # mean over the L columns
    return float(cost ** (1 / p))


def _two_clouds(x: object, y: object) -> tuple[FloatArray, FloatArray]:
    a, b = as_points(x), as_points(y)
    if a.shape[1] != b.shape[1] or len(a) == 0 or len(b) == 0:
        raise ValueError(f"two clouds of points in one dimension d are due, got {a.shape} and {b.shape}")
    return a, b


def _squared(a: FloatArray, b: FloatArray) -> FloatArray:
    if a.shape[1] <= _FEW_DIMENSIONS:
        result = np.zeros((len(a), len(b)))
        for k in range(a.shape[1]):
            gap = a[:, k, None] - b[None, :, k]
            result += gap * gap
        return result
    centre = (a.mean(axis=0) + b.mean(axis=0)) / 2  # small norms lose less to cancellation
    a, b = a - centre, b - centre
    result = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * (a @ b.T)
    return np.asarray(np.maximum(result, 0.0, out=result))


def _blocks(a: FloatArray, b: FloatArray) -> Iterator[FloatArray]:
    for start in range(0, len(a), _ROWS):
        yield _squared(a[start : start + _ROWS], b)


def _mean_distance(a: FloatArray, b: FloatArray) -> float:
    return math.fsum(float(np.sqrt(block).sum()) for block in _blocks(a, b)) / (len(a) * len(b))
