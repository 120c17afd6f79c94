# right: np.average and one big draw

import numpy as np


def weighted_mean(x, w):
    return np.average(x, axis=0, weights=w)


def weighted_variance(x, w):
    return np.average((x - weighted_mean(x, w)) ** 2, axis=0, weights=w)


def bootstrap_means(x, rounds, rng=None):
    rng = np.random.default_rng() if rng is None else rng
    return x[rng.integers(len(x), size=(rounds, len(x)))].mean(1)
