"""A checkerboard."""

import math

import numpy as np

from gdgrade.data.toys._backend import Array, Generator, library, points, uniform


class Checkerboard:
    """Uniform on the eight dark squares, side 2, of a 4 x 4 board over [-4, 4]^2.

    A square is dark if the sum of its column and row number is even: [0, 2)^2 is one.
    Dark squares cover half of the board, so the density is 1/32 and the entropy log 32. Same layout as the
    "checkerboard" of Grathwohl et al. (2019), FFJORD.
    """

    def sample(self, n: int, generator: Generator) -> Array:
        """(n, 2) independent draws."""
        u = uniform(generator, n, 2)
        xp = library(u)
        x = 8 * u[:, 0] - 4
        # Two dark squares in each column: a place in [0, 4) over both, the upper half moved two rows up.
        y = 4 * u[:, 1]
        y = y + 2 * xp.floor(y / 2)  # in [0, 2) or [4, 6)
        odd = xp.floor(x / 2) % 2
        return xp.stack([x, y - 4 + 2 * odd], -1)

    def log_prob(self, x: Array) -> Array:
        """Log-density in nats, (..., 2) -> (...): -log 32 on dark squares, else -infinity."""
        x = points(x)
        xp = library(x)
        inside = ((x >= -4) & (x < 4)).all(-1)
        dark = xp.floor(x / 2).sum(-1) % 2 == 0
        level = 0 * x.sum(-1) - math.log(32)  # of the dtype and device of x, and nan where x is
        return xp.where(inside & dark, level, level - np.inf)

    def entropy(self) -> float:
        """log 32 = 3.4657 nats, exactly."""
        return math.log(32)
