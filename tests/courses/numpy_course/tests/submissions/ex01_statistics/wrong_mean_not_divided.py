# wrong: not divided by the weights' sum | fails: moments/mean | diagnosis: mean_not_divided

import numpy as np


def weighted_mean(x, w):
    return w @ x


def weighted_variance(x, w):
    mean = weighted_mean(x, w) / w.sum()
    return weighted_mean((x - mean) ** 2, w) / w.sum()


def bootstrap_means(x, rounds, rng=None):
    rng = np.random.default_rng() if rng is None else rng
    return np.array([np.mean(x[rng.integers(len(x), size=len(x))]) for _ in range(rounds)])
