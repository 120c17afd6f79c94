"""Two interleaved half circles."""

import math
from typing import Any

import numpy as np

from gdgrade.data.toys._backend import Array, Generator, library, like, log_sum_exp, normal, points, uniform
from gdgrade.data.toys._entropy import entropy_on_grid


class TwoMoons:
    r"""A point uniform on one of two half circles of radius 1, plus noise $N(0, \sigma^2 I)$.

    The upper half circle is $(\cos t, \sin t)$, the lower $(1 - \cos t, \tfrac12 - \sin t)$, with
    $t \in [0, \pi]$: the form of scikit-learn's ``make_moons``, with t drawn instead of laid on a grid. The
    density is the average over t of Gaussians; Gauss-Legendre quadrature over the angle gives it to ten
    digits wherever there is mass.

    Args:
        sigma: standard deviation of the noise, at least 0.02 (thinner moons would need very many nodes).

    Raises:
        ValueError: for a smaller sigma.

    >>> round(TwoMoons(0.1).entropy(), 6)
    1.007585
    """

    def __init__(self, sigma: float = 0.1) -> None:
        if not sigma >= 0.02:
            raise ValueError(f"sigma must be at least 0.02, got {sigma}")
        self.sigma = float(sigma)
        # Along the circle the integrand is a bell of width sigma. Gauss nodes lie at most pi^2 / (2 m) apart,
        # here 0.7 sigma, where the rule's error for a bell is exp(-2 (pi / 0.7)^2), some 1e-17.
        node, weight = np.polynomial.legendre.leggauss(math.ceil(24 + 7 / self.sigma))
        angle = np.pi * (node + 1) / 2
        self._centres = np.concatenate([_upper(np, angle), _lower(np, angle)])  # (2 m, 2)
        self._log_weight = np.log(np.concatenate([weight, weight]) / 4)  # Gauss weights sum to 2 per moon

    def sample(self, n: int, generator: Generator) -> Array:
        """(n, 2) independent draws."""
        angle, side = np.pi * uniform(generator, n), uniform(generator, n)
        xp = library(angle)
        place = xp.where(side[:, None] < 0.5, _upper(xp, angle), _lower(xp, angle))
        return place + self.sigma * normal(generator, n, 2)

    def log_prob(self, x: Array) -> Array:
        """Log-density in nats, (..., 2) -> (...)."""
        x = points(x)
        gap = x[..., None, :] - like(self._centres, x)  # (..., 2 m, 2)
        exponent = like(self._log_weight, x) - (gap**2).sum(-1) / (2 * self.sigma**2)
        return log_sum_exp(exponent) - math.log(2 * math.pi * self.sigma**2)

    def entropy(self) -> float:
        """Entropy in nats, by quadrature over the plane (error below 1e-6)."""
        margin = 9 * self.sigma
        low, high = np.array([-1.0, -0.5]) - margin, np.array([2.0, 1.0]) + margin
        return entropy_on_grid(self.log_prob, low, high, self.sigma / 4)


def _upper(xp: Any, angle: Array) -> Array:
    return xp.stack([xp.cos(angle), xp.sin(angle)], -1)


def _lower(xp: Any, angle: Array) -> Array:
    return xp.stack([1 - xp.cos(angle), 0.5 - xp.sin(angle)], -1)
