"""Molecules as equal-sized arrays with a mask, ready for a network: of the shipped cut of QM9, or of all of it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gdgrade.data.content import Arrays
from gdgrade.data.loading import load, load_full

ELEMENTS = ("H", "C", "N", "O", "F")
ATOMIC_NUMBER = {"H": 1, "C": 6, "N": 7, "O": 8, "F": 9}


@dataclass(frozen=True)
class Molecules:
    """N molecules of up to M atoms; rows after the last atom are zero everywhere.

    Attributes:
        positions: (N, M, 3), angstrom; the mean over the atoms present, all of the same weight, is zero.
        mask: (N, M), 1 = atom present, 0 = filling.
        element: (N, M), index into `ELEMENTS`; 0 in the filling too.
        smiles: (N,), text of QM9, without stereo marks.
    """

    positions: NDArray[np.float64]
    mask: NDArray[np.float64]
    element: NDArray[np.int64]
    smiles: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def n_atoms(self) -> NDArray[np.int64]:
        """Number of atoms of each molecule, (N,)."""
        counts: NDArray[np.int64] = (self.mask > 0).sum(axis=1, dtype=np.int64)
        return counts

    @property
    def symbols(self) -> list[list[str]]:
        """The elements of each molecule's atoms, as text, without the filling."""
        return [[ELEMENTS[kind] for kind in row[:count]] for row, count in zip(self.element, self.n_atoms, strict=True)]

    def one_hot(self) -> NDArray[np.float64]:
        """(N, M, 5): 1 in the column of the atom's element in `ELEMENTS`, 0 elsewhere and in the filling."""
        kinds: NDArray[np.float64] = np.eye(len(ELEMENTS))[self.element] * self.mask[..., None]
        return kinds

    def __getitem__(self, rows: Any) -> "Molecules":
        """Some of the molecules, with the columns that they need; rows: a slice, indices or a condition."""
        mask = self.mask[rows]
        if mask.ndim != 2:
            raise IndexError("choose molecules with a slice, a list of indices or a condition, not with one number")
        columns = slice(int(mask.sum(1).max(initial=0)))
        return Molecules(
            self.positions[rows][:, columns], mask[:, columns], self.element[rows][:, columns], self.smiles[rows]
        )

    def __iter__(self) -> Iterator[tuple[NDArray[np.float64], list[str]]]:
        """Each molecule's positions (n_atoms, 3) and symbols, without the filling."""
        for place, symbols in zip(self.positions, self.symbols, strict=True):
            yield place[: len(symbols)], symbols


def load_molecules(
    max_heavy: int = 7,
    part: Literal["train", "test"] | None = None,
    *,
    full: bool = False,
    folder: str | os.PathLike[str] | None = None,
) -> Molecules:
    """The molecules of QM9 with at most ``max_heavy`` atoms other than hydrogen.

    Args:
        max_heavy: 1 to 9. Up to 7 the shipped cut is complete (3,921 molecules, at most 23 atoms).
        part: ``"train"`` or ``"test"`` of the proposed split. None: both.
        full: read all of QM9 from the package that carries it (see ``load_full("qm9")``), not the shipped cut.
        folder: the folder of the shipped file, in place of the search for it.

    Raises:
        DataError: if the data are missing or damaged.
        ValueError: for another max_heavy or part.

    >>> molecules = load_molecules(max_heavy=1)
    >>> molecules.smiles.tolist(), molecules.symbols[2], molecules.positions.shape
    (['C', 'N', 'O'], ['O', 'H', 'H'], (3, 5, 3))
    """
    if not 1 <= max_heavy <= 9:
        raise ValueError(f"max_heavy must be 1 to 9, the most heavy atoms of a molecule of QM9, got {max_heavy}")
    arrays = load_full("qm9", part=part) if full else load("molecules-small", part=part, folder=_path(folder))
    return from_arrays({key: array[arrays["n_heavy"] <= max_heavy] for key, array in arrays.items()})


def from_arrays(arrays: Arrays) -> Molecules:
    """Centre positions, and name elements, of arrays as ``load("molecules-small")`` returns them."""
    numbers = arrays["atomic_numbers"]
    numbers = numbers[:, : int((numbers > 0).sum(1).max(initial=0))]
    mask = (numbers > 0).astype(np.float64)
    positions = arrays["positions"][:, : numbers.shape[1]].astype(np.float64)
    centre = (positions * mask[..., None]).sum(1, keepdims=True) / mask.sum(1)[:, None, None]
    index = np.zeros(10, np.int64)
    for place, symbol in enumerate(ELEMENTS):
        index[ATOMIC_NUMBER[symbol]] = place
    return Molecules((positions - centre) * mask[..., None], mask, index[numbers], arrays["smiles"])


def _path(folder: str | os.PathLike[str] | None) -> Path | None:
    return None if folder is None else Path(folder)
