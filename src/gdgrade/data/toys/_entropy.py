"""Entropies by quadrature: the trapezium rule.

It converges exponentially for smooth functions that vanish at the border (Trefethen & Weideman 2014, The
exponentially convergent trapezoidal rule).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def expectation_over_gaussian(f: Callable[[Floats], Any], mean: Floats, sigma: float, *, per_sigma: int) -> float:
    """E f(X) for X ~ N(mean, sigma^2 I) in the plane; mass beyond 8 sigma (1e-14) is left out.

    Args:
        f: (m, 2) -> (m,).
        per_sigma: points per sigma and axis.
    """
    t = np.linspace(-8, 8, 16 * per_sigma + 1)
    weight = np.exp(-(t**2) / 2)
    weight /= weight.sum()
    offsets = np.stack(np.meshgrid(t, t), -1).reshape(-1, 2)
    weights = np.outer(weight, weight).ravel()
    return float(weights @ f(mean + sigma * offsets))


def entropy_on_grid(log_prob: Callable[[Floats], Any], low: Floats, high: Floats, step: float) -> float:
    """-integral of p log p over a rectangle, in nats.

    Args:
        log_prob: (m, 2) -> (m,), in nats.
        low, high: corners (2,), far enough out that p vanishes there.
        step: at most a fifth of the smallest width of p.
    """
    axes = [np.arange(a, b + step, step) for a, b in zip(low, high, strict=True)]
    total = 0.0
    for y in axes[1]:  # row by row: the whole grid times the mixture behind p may not fit in memory
        log_p = np.asarray(log_prob(np.stack([axes[0], np.full_like(axes[0], y)], -1)))
        total -= float(np.sum(np.exp(log_p) * log_p))
    return total * step**2
