"""Known wrong formulas of exercise 1."""

from gdgrade.mistakes import mistake


@mistake(of="weighted_mean", title="not divided by the sum of the weights", hint="What comes out if all weights are 2?")
def mean_not_divided(ref, x, w):
    return (w[:, None] * x).sum(axis=0)


@mistake(of="weighted_mean", title="weights ignored", hint="Where in your code do the weights come in?")
def mean_without_weights(ref, x, w):
    return x.mean(axis=0)


@mistake(
    of="weighted_variance", title="distances to the plain mean", hint="Which point is the middle of weighted data?"
)
def variance_around_plain_mean(ref, x, w):
    return ref.weighted_mean((x - x.mean(axis=0)) ** 2, w)


@mistake(
    of="weighted_variance", title="standard deviation", hint="In which unit is your answer, and in which the data?"
)
def deviation(ref, x, w):
    return ref.weighted_mean((x - ref.weighted_mean(x, w)) ** 2, w) ** 0.5


@mistake(of="bootstrap_means", title="resamples of one value less", hint="How many values does one resample hold?")
def one_value_less(ref, x, rounds, rng=None):
    import numpy as np

    rng = np.random.default_rng() if rng is None else rng
    n = len(x)
    return np.array([x[rng.integers(n, size=n - 1)].mean() for _ in range(rounds)])


@mistake(of="bootstrap_means", title="one resample for all rounds", hint="What is the spread of your means?")
def same_resample(ref, x, rounds, rng=None):
    return ref.np.full(rounds, x[(rng or ref.np.random.default_rng()).integers(len(x), size=len(x))].mean())
