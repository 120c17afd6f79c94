"""Exercise 1: means, spreads and resampling. Statement: README.md beside this file."""

import numpy as np


def weighted_mean(x, w):
    """Weighted mean of each column: x (n, d), w (n,) positive; (d,)."""
    # TODO 1.1: the weights need not sum to 1.
    raise NotImplementedError("exercise 1.1: weighted_mean is not written yet")


def weighted_variance(x, w):
    """Weighted mean of the squared distances to the weighted mean, (d,)."""
    raise NotImplementedError("exercise 1.2: weighted_variance is not written yet")


def bootstrap_means(x, rounds, rng=None):
    """Means of `rounds` resamples of x (n,), each of n values with replacement; (rounds,)."""
    raise NotImplementedError("exercise 1.3: bootstrap_means is not written yet")
