"""Exercise 1, solved."""

import numpy as np


def weighted_mean(x, w):
    """Weighted mean of each column: x (n, d), w (n,) positive; (d,)."""
    return (w[:, None] * x).sum(axis=0) / w.sum()


def weighted_variance(x, w):
    """Weighted mean of the squared distances to the weighted mean, (d,)."""
    return weighted_mean((x - weighted_mean(x, w)) ** 2, w)


def bootstrap_means(x, rounds, rng=None):
    """Means of `rounds` resamples of x (n,), each of n values with replacement; (rounds,)."""
    rng = np.random.default_rng() if rng is None else rng
    return np.array([x[rng.integers(len(x), size=len(x))].mean() for _ in range(rounds)])
