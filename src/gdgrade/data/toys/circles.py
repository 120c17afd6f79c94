"""Concentric circles."""

import math

import numpy as np

from gdgrade.data.toys._backend import (
    Array,
    Generator,
    categorical,
    library,
    like,
    log_sum_exp,
    normal,
    points,
)
from gdgrade.data.toys._backend import uniform as uniform_numbers


class Circles:
    r"""A point uniform on one of some circles around the origin, plus noise $N(0, \sigma^2 I)$.

    At distance $\rho$ from the origin, a circle of radius r has the density

    $\frac{1}{2\pi\sigma^2} \exp(-\frac{\rho^2 + r^2}{2\sigma^2})\, I_0(\frac{\rho r}{\sigma^2})$,

    the Rice law per area (Rice 1945); $I_0$ is the modified Bessel function.

    Args:
        radii: one per circle; circles are equally likely.
        sigma: standard deviation of the noise.

    Raises:
        ValueError: if there is no radius, or one or sigma is not positive.
    """

    def __init__(self, radii: tuple[float, ...] = (1.0, 0.5), sigma: float = 0.08) -> None:
        self.radii = np.array(radii, dtype=float)
        self.sigma = float(sigma)
        if self.radii.ndim != 1 or self.radii.size == 0 or not (self.radii > 0).all() or not self.sigma > 0:
            raise ValueError("radii must be one or more positive numbers, and sigma positive")

    def sample(self, n: int, generator: Generator) -> Array:
        """(n, 2) independent draws."""
        angle = 2 * np.pi * uniform_numbers(generator, n)
        xp = library(angle)
        which = categorical(generator, n, np.full(len(self.radii), 1 / len(self.radii)))
        radius = like(self.radii, angle)[which]
        place = radius[:, None] * xp.stack([xp.cos(angle), xp.sin(angle)], -1)
        return place + self.sigma * normal(generator, n, 2)

    def log_prob(self, x: Array) -> Array:
        """Log-density in nats, (..., 2) -> (...)."""
        x = points(x)
        square = (x**2).sum(-1)
        if library(x) is not np:
            square = square.clamp_min(1e-30)  # at the origin the density is flat, but the root has no gradient
        return self._log_prob_at(square**0.5)

    def _log_prob_at(self, distance: Array) -> Array:
        radii = like(self.radii, distance)
        gap = distance[..., None] - radii
        exponent = -(gap**2) / (2 * self.sigma**2)
        bessel = _log_i0e(distance[..., None] * radii / self.sigma**2)  # exp(-z) I0(z): never overflows
        level = math.log(len(self.radii) * 2 * math.pi * self.sigma**2)
        return log_sum_exp(exponent + bessel) - level

    def entropy(self) -> float:
        """Entropy in nats, by quadrature over the distance from the origin (error below 1e-8)."""
        step = self.sigma / 50
        rho = np.arange(step / 2, self.radii.max() + 9 * self.sigma, step)  # midpoints: rho log p is flat at both ends
        log_p = self._log_prob_at(rho)
        return float(-np.sum(2 * np.pi * rho * np.exp(log_p) * log_p) * step)


def _log_i0e(z: Array) -> Array:
    xp = library(z)
    if xp is np:
        from scipy.special import i0e

        return np.log(i0e(z))
    return xp.log(xp.special.i0e(z))
