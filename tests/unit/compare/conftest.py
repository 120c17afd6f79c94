"""The ring of Gaussians and the measure of uniformity that several tests share."""

from collections.abc import Callable

import numpy as np
import pytest

SD = 0.2


class Ring:
    """Eight Gaussians of standard deviation 0.2 on a circle of radius 2."""

    centres = 2 * np.array([[np.cos(a), np.sin(a)] for a in np.arange(8) * np.pi / 4])
    sd = SD

    def sample(self, rng: np.random.Generator, n: int = 1000, probs: object = None, sd: float = SD) -> np.ndarray:
        """n points ``(n, 2)``; ``probs`` are the weights of the modes, equal by default."""
        p = np.ones(8) if probs is None else np.asarray(probs, dtype=float)
        mode = rng.choice(8, size=n, p=p / p.sum())
        return self.centres[mode] + sd * rng.standard_normal((n, 2))


@pytest.fixture(scope="session")
def ring() -> Ring:
    """The ring."""
    return Ring()


@pytest.fixture(scope="session")
def gap_from_uniform() -> Callable[[Callable[[np.random.Generator], float]], float]:
    """Largest gap between the distribution function of 2000 p-values under the null and the diagonal.

    For exactly uniform p-values it exceeds 0.06 with probability 1.1e-6 (2 exp(-2 n gap^2)). The seeds are fixed, so
    that is the margin of a deterministic test, not a risk taken at each run.
    """

    def gap(trial: Callable[[np.random.Generator], float], runs: int = 2000) -> float:
        p = np.sort([trial(rng) for rng in np.random.default_rng(20260901).spawn(runs)])
        return float(max((np.arange(1, runs + 1) / runs - p).max(), (p - np.arange(runs) / runs).max()))

    return gap
