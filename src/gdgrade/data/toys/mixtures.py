"""Gaussians and their mixtures."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gdgrade.data.toys._backend import Array, Generator, categorical, like, log_sum_exp, normal, points
from gdgrade.data.toys._entropy import expectation_over_gaussian


class Gaussian:
    """One Gaussian in the plane with any covariance.

    Args:
        mean: (2,).
        covariance: (2, 2), positive definite.

    Raises:
        ValueError: for other shapes or a covariance that is not symmetric positive definite.
    """

    def __init__(self, mean: ArrayLike = (0.0, 0.0), covariance: ArrayLike = ((1.0, 0.0), (0.0, 1.0))) -> None:
        self.mean = np.array(mean, dtype=float)
        self.covariance = np.array(covariance, dtype=float)
        if self.mean.shape != (2,) or self.covariance.shape != (2, 2):
            raise ValueError(
                f"mean must be (2,) and covariance (2, 2), got {self.mean.shape} and {self.covariance.shape}"
            )
        if not np.allclose(self.covariance, self.covariance.T):
            raise ValueError("covariance must be symmetric")
        try:
            self._root = np.linalg.cholesky(self.covariance)  # covariance = root @ root.T
        except np.linalg.LinAlgError:
            raise ValueError("covariance must be positive definite") from None

    def sample(self, n: int, generator: Generator) -> Array:
        """(n, 2) independent draws."""
        noise = normal(generator, n, 2)
        return like(self.mean, noise) + noise @ like(self._root.T, noise)

    def log_prob(self, x: Array) -> Array:
        """Log-density in nats, (..., 2) -> (...)."""
        x = points(x)
        white = (x - like(self.mean, x)) @ like(np.linalg.inv(self._root).T, x)
        return -(white**2).sum(-1) / 2 - math.log(2 * math.pi) - float(np.log(np.diag(self._root)).sum())

    def entropy(self) -> float:
        r"""$\tfrac12 \log\det(2\pi e\,\Sigma)$, in nats."""
        return math.log(2 * math.pi * math.e) + float(np.log(np.diag(self._root)).sum())


class GaussianMixture:
    r"""$p(x) = \sum_j w_j\, N(x;\, \mu_j,\, \sigma^2 I)$ in the plane.

    Args:
        means: $\mu$, (k, 2).
        sigma: common standard deviation.
        weights: $w$, (k,), positive; they are divided by their sum. Default: all equal.

    Raises:
        ValueError: for other shapes, or a sigma or weight that is not positive.
    """

    def __init__(self, means: ArrayLike, sigma: float, weights: ArrayLike | None = None) -> None:
        self.means = np.array(means, dtype=float)
        if self.means.ndim != 2 or self.means.shape[1] != 2 or len(self.means) == 0:
            raise ValueError(f"means must have shape (k, 2), got {self.means.shape}")
        self.sigma = float(sigma)
        self.weights = np.ones(len(self.means)) if weights is None else np.array(weights, dtype=float)
        if self.weights.shape != (len(self.means),):
            raise ValueError(f"weights must have shape ({len(self.means)},), one per mean, got {self.weights.shape}")
        if not (self.sigma > 0 and (self.weights > 0).all()):
            raise ValueError("sigma and all weights must be positive")
        self.weights /= self.weights.sum()

    def sample(self, n: int, generator: Generator) -> Array:
        """(n, 2) independent draws."""
        which = categorical(generator, n, self.weights)
        noise = normal(generator, n, 2)
        return like(self.means, noise)[which] + self.sigma * noise

    def log_prob(self, x: Array) -> Array:
        """Log-density in nats, (..., 2) -> (...)."""
        x = points(x)
        gap = x[..., None, :] - like(self.means, x)  # (..., k, 2)
        log_norm = np.log(self.weights) - math.log(2 * math.pi * self.sigma**2)
        return log_sum_exp(like(log_norm, x) - (gap**2).sum(-1) / (2 * self.sigma**2))

    def entropy(self) -> float:
        """Entropy in nats, by quadrature around each mean; overlap counts. Error below 1e-6."""
        if len(self.means) == 1:
            return math.log(2 * math.pi * math.e * self.sigma**2)
        return -sum(
            float(weight) * expectation_over_gaussian(self._log_prob_near(mean), mean, self.sigma, per_sigma=10)
            for weight, mean in zip(self.weights, self.means, strict=True)
        )

    def _log_prob_near(self, mean: "np.ndarray[Any, Any]") -> Any:
        """``log_prob`` of the mixture without the means that are too far from ``mean`` to count there.

        A mean at distance r lies at least r - 8 sigma from any point of the quadrature around ``mean``, and
        only the points within 8 sigma carry weight: beyond 18 sigma its share is below exp(-9^2 / 2) where
        the weight is above 1e-16.
        """
        near = np.linalg.norm(self.means - mean, axis=1) <= 18 * self.sigma
        log_mass = math.log(self.weights[near].sum())
        part = GaussianMixture(self.means[near], self.sigma, self.weights[near])
        return lambda x: part.log_prob(x) + log_mass


def ring(k: int = 8, radius: float = 2.0, sigma: float = 0.1) -> GaussianMixture:
    """``k`` equal Gaussians on a circle, the first on the positive x axis.

    >>> round(ring(sigma=0.02).entropy() - math.log(8) - math.log(2 * math.pi * math.e * 0.02**2), 9) + 0.0
    0.0
    """
    angle = 2 * np.pi * np.arange(k) / k
    return GaussianMixture(radius * np.stack([np.cos(angle), np.sin(angle)], -1), sigma)


def grid(side: int = 5, spacing: float = 2.0, sigma: float = 0.05) -> GaussianMixture:
    """``side`` x ``side`` equal Gaussians on a square grid around the origin; the default is the 25-grid.

    >>> grid().means.min(), grid().means.max(), len(grid().means)
    (np.float64(-4.0), np.float64(4.0), 25)
    """
    line = spacing * (np.arange(side) - (side - 1) / 2)
    return GaussianMixture(np.stack(np.meshgrid(line, line), -1).reshape(-1, 2), sigma)
