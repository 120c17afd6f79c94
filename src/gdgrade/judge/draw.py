"""Seeded random inputs for checks: the same check with the same seed always sees the same numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


def derive_seed(material: str, *labels: object) -> int:
    """63 bits from a seed and labels, by SHA-256; different labels give unrelated streams."""
    text = "\x1f".join([material, *map(str, labels)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


class Draw:
    """Random inputs of one check (or of one attempt of it).

    Args:
        seed: any non-negative integer.
        library: "torch" for float64 tensors, "numpy" for float64 arrays.
    """

    def __init__(self, seed: int, library: str = "torch") -> None:
        self.seed = seed
        self.library = library
        self.rng = np.random.Generator(np.random.Philox(seed))

    def _out(self, array: Any) -> Any:
        if self.library == "numpy":
            return array
        import torch

        return torch.from_numpy(np.ascontiguousarray(array))

    def fork(self, label: str) -> Draw:
        """A new, independent draw, the same for the same label."""
        return Draw(derive_seed(str(self.seed), label), self.library)

    def normal(self, *shape: int, mean: float = 0.0, scale: float = 1.0) -> Any:
        """Independent N(mean, scale^2) values of the given shape; `scale` is a standard deviation."""
        return self._out(mean + scale * self.rng.standard_normal(shape))

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Any:
        """Independent uniform values in [low, high)."""
        return self._out(self.rng.uniform(low, high, shape))

    def integers(self, low: int, high: int, *shape: int) -> Any:
        """Independent integers in low..high-1; without a shape, one Python int."""
        if not shape:
            return int(self.rng.integers(low, high))
        return self._out(self.rng.integers(low, high, shape))

    def signs(self, *shape: int) -> Any:
        """Independent values -1.0 or +1.0."""
        return self._out(self.rng.integers(0, 2, shape) * 2.0 - 1.0)

    def weights(self, count: int) -> Any:
        """Positive, clearly uneven weights that sum to one, shape (count,)."""
        raw = 0.3 + np.arange(1, count + 1) + self.rng.uniform(0.0, 0.5, count)
        self.rng.shuffle(raw)
        return self._out(raw / raw.sum())

    def permutation(self, count: int) -> Any:
        """A random order of 0..count-1, never the identity for count >= 2."""
        order = self.rng.permutation(count)
        if count >= 2 and (order == np.arange(count)).all():
            order = np.roll(order, 1)
        return self._out(order)

    def orthogonal(self, size: int) -> Any:
        """A Haar-distributed orthogonal matrix, shape (size, size) (QR with the sign fix of Mezzadri 2007)."""
        q, r = np.linalg.qr(self.rng.standard_normal((size, size)))
        return self._out(q * np.sign(np.diag(r)))

    def spd(self, size: int, low: float = 0.5, high: float = 2.0) -> Any:
        """A symmetric positive definite matrix with eigenvalues in [low, high]."""
        q, r = np.linalg.qr(self.rng.standard_normal((size, size)))
        q = q * np.sign(np.diag(r))
        matrix = (q * self.rng.uniform(low, high, size)) @ q.T
        return self._out((matrix + matrix.T) / 2)

    def choice(self, items: Sequence[T]) -> T:
        """One of `items`."""
        return items[int(self.rng.integers(0, len(items)))]

    def generator(self) -> Any:
        """A seeded `torch.Generator`."""
        import torch

        return torch.Generator().manual_seed(int(self.rng.integers(0, 2**31)))
