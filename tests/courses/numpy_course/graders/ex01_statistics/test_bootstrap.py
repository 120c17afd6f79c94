"""Part 1.3: the bootstrap."""

import numpy as np

from gdgrade.checks import attempts, check, close, mean_z, require


class Counting:
    """A generator that always draws the same: scattered multiples of a large odd number."""

    def __init__(self, start):
        self.next = start

    def integers(self, low, high=None, size=None):
        import numpy as np

        low, high = (0, low) if high is None else (low, high)
        count = int(np.prod(size))
        self.next += count
        scattered = np.arange(self.next - count, self.next) * 2654435761 % 2**32
        return (low + scattered // 7919 % (high - low)).reshape(size)


@check("1.3", points=2)
def test_given_draws(student, reference, draw):
    """With the draws given, the means are right."""
    x, start = draw.normal(7, scale=3.0), draw.integers(1, 9)

    def resample(module, x, rounds, start):
        return module.bootstrap_means(x, rounds, Counting(start))

    got = student.run(resample, student.module, x, 4, start)
    close(got, resample(reference, x, 4, start), "means", rtol=1e-5, means="one number per round")


@check("1.3", points=1, visibility="hidden", alpha=1.25e-7)
def test_fresh_draws(student, draw):
    """Left to draw by itself, the means scatter as they must around the sample's mean."""
    x = draw.normal(30, scale=2.0)

    def trial(draw):
        student.seed(draw.seed)
        means = np.asarray(student.bootstrap_means(x, 400), dtype=float)
        require(means.shape == (400,), "means: one number per round is due")
        require(np.isfinite(means).all(), "means: some are not finite")
        require(len(np.unique(means)) > 300, "the same resample is used again and again")
        return mean_z(means, x.mean(), x.std() / len(x) ** 0.5)

    attempts(draw, trial)
