"""Samples that came from a student: readable as points, or a rejection that says why not."""

from __future__ import annotations

import math

import numpy as np

from gdgrade.compare.arrays import FloatArray, as_floats, as_points
from gdgrade.compare.excerpts import describe, shape_text
from gdgrade.compare.result import TestResult
from gdgrade.language import _


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
        raise UnfitSamplesError(_("Samples are due, got {value}.").format(value=describe(samples))) from None
    if values.ndim == 0 or len(values) < least or values.size == 0:
        text = _("At least {least} samples are due, got {shape}.")
        raise UnfitSamplesError(text.format(least=least, shape=shape_text(values.shape)))
    bad = int((~np.isfinite(values)).sum())
    if bad:
        text = _("{count} of {all} sampled numbers are NaN or infinite.")
        raise UnfitSamplesError(text.format(count=bad, all=values.size))
    return values


def read_points(samples: object, dim: int | None = None, least: int = 1) -> FloatArray:
    """Samples as points ``(N, d)``; a vector ``(N,)`` counts as N points in one dimension.

    Raises:
        UnfitSamplesError: if they are not finite, too few, of the wrong rank, or not in ``dim`` dimensions.
    """
    values = read_values(samples, least)
    if values.ndim > 2:
        raise UnfitSamplesError(_("Samples (N, d) are due, got {shape}.").format(shape=shape_text(values.shape)))
    points = as_points(values)
    if dim is not None and points.shape[1] != dim:
        text = _("Samples in {dim} dimensions are due, got {shape}.")
        raise UnfitSamplesError(text.format(dim=dim, shape=shape_text(values.shape)))
    return points
