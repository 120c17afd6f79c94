"""Where a test takes its own random numbers from: a numpy generator, or the ``draw`` of a check."""

from __future__ import annotations

import zlib
from typing import Protocol

import numpy as np


class Seeded(Protocol):
    """Anything with a seed, such as the ``draw`` fixture."""

    @property
    def seed(self) -> int: ...


Randomness = np.random.Generator | Seeded
"""Source of a test's own random numbers (permutations, directions)."""


def generator(source: Randomness, label: str) -> np.random.Generator:
    """The generator itself, or a new one from a draw's seed and ``label``.

    The label matters: a generator seeded with the draw's bare seed could repeat the very numbers that the
    samples were made from, and a permutation test is exact only if its permutations know nothing of them.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> generator(rng, "energy") is rng
        True
    """
    if isinstance(source, np.random.Generator):
        return source
    return np.random.default_rng([zlib.crc32(label.encode()), source.seed])
