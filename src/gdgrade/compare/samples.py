"""Samples that came from a student: readable as points, or a rejection that says why not."""

from __future__ import annotations

import math

import numpy as np

from gdgrade.compare.arrays import FloatArray, as_floats, as_points
from gdgrade.compare.excerpts import describe, shape_text
from gdgrade.compare.result import TestResult


class UnfitSamplesError(Exception):
    """Samples that no law could have given; :meth:`result` makes the rejection. Never leaves this package."""

    def result(self, name: str, level: float | None = None) -> TestResult:
        """A result with p-value 0, statistic infinity and the reason as its detail."""
        return TestResult(name, math.inf, 0.0, str(self), level)


def read_values(samples: object, least: int = 1) -> FloatArray:
    """Samples of any shape ``(N, ...)`` as float64, checked to be finite and at least ``least`` many.

    Raises:
        UnfitSamplesError: if they are not.
    """
    try:
        values = as_floats(samples)
    except Exception:  # whatever a strange object raises, it holds no samples
        raise UnfitSamplesError(f"Samples are due, got {describe(samples)}.") from None
    if values.ndim == 0 or len(values) < least or values.size == 0:
        raise UnfitSamplesError(f"At least {least} samples are due, got {shape_text(values.shape)}.")
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise UnfitSamplesError(f"{bad} of {values.size} sampled numbers are NaN or infinite.")
    return values


def read_points(samples: object, dim: int | None = None, least: int = 1) -> FloatArray:
    """Samples as points ``(N, d)``; a vector ``(N,)`` counts as N points in one dimension.

    Raises:
        UnfitSamplesError: if they are not finite, too few, of the wrong rank, or not in ``dim`` dimensions.
    """
    values = read_values(samples, least)
    if values.ndim > 2:
        raise UnfitSamplesError(f"Samples (N, d) are due, got {shape_text(values.shape)}.")
    points = as_points(values)
    if dim is not None and points.shape[1] != dim:
        raise UnfitSamplesError(f"Samples in {dim} dimensions are due, got {shape_text(values.shape)}.")
    return points
