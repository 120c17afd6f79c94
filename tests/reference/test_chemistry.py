"""RDKit as referee of exercise 8: it knows real molecules, refuses broken ones, and is not needed to grade the rest."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gdgrade
from gdgrade.data import load_molecules

ROOT = Path(__file__).parents[2]
WATER = np.array([[0.0, 0.0, 0.0], [0.757, 0.586, 0.0], [-0.757, 0.586, 0.0]])


@pytest.fixture(scope="module")
def chemistry():
    pytest.importorskip("rdkit")
    path = ROOT / "graders/ex08_molecules/chemistry.py"
    spec = importlib.util.spec_from_file_location("ex08_chemistry", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_real_molecules_are_found_to_be_themselves(chemistry):
    """Every twentieth molecule of the cut is valid; of 250, all but at most one have the SMILES of the data."""
    molecules = load_molecules(9, folder=ROOT / "data")[::20]
    found = [chemistry.constitution(x, types) for x, types in molecules]
    assert None not in found
    same = [text == chemistry.canonical(str(smiles)) for text, smiles in zip(found, molecules.smiles, strict=True)]
    assert sum(same) >= len(same) - 1


def test_what_is_no_molecule_is_refused(chemistry):
    """Two molecules, a radical, atoms in one place, an atom alone in space."""
    assert chemistry.constitution(WATER, ["O", "H", "H"]) == "O"
    both = np.concatenate([WATER, WATER + 8])
    assert chemistry.constitution(both, ["O", "H", "H"] * 2) is None
    assert chemistry.constitution(WATER[:2], ["O", "H"]) is None
    assert chemistry.constitution(0 * WATER, ["O", "H", "H"]) is None
    assert chemistry.constitution(WATER * [[1], [1], [4]], ["O", "H", "H"]) is None


def test_bonds_must_fit_the_valences(chemistry):
    """Given bonds make ethene; one order too many, one too few, or two fragments make nothing."""
    types = ["C", "C", "H", "H", "H", "H"]
    arms = [(0, 2, 1), (0, 3, 1), (1, 4, 1), (1, 5, 1)]
    assert chemistry.constitution_of_bonds(types, [(0, 1, 2), *arms]) == "C=C"
    assert chemistry.constitution_of_bonds(types, [(0, 1, 3), *arms]) is None
    assert chemistry.constitution_of_bonds(types, [(0, 1, 1), *arms]) is None
    assert chemistry.constitution_of_bonds(types, arms) is None


def test_a_crowd_of_atoms_comes_to_an_end(chemistry):
    """Twenty-three atoms in a small ball: refused, not searched for hours."""
    x = np.random.default_rng(0).standard_normal((23, 3)) * 0.7
    assert chemistry.constitution(x, ["C", "N", "O", "H"] * 5 + ["C"] * 3) is None


def test_stereo_marks_do_not_matter(chemistry):
    """Both forms of an imine are one text, and no hydrogen stays in it."""
    assert chemistry.canonical("[H]/N=C/O") == chemistry.canonical("[H]/N=C\\O") == chemistry.canonical("N=CO")


@pytest.mark.skipif("ex08_molecules" not in (ROOT / "course.yml").read_text(), reason="exercise 8 is not in the course")
def test_exercise_8_is_graded_without_rdkit(tmp_path):
    """Where RDKit cannot be imported part 8.9 stays open, with the reason, and what is right counts.

    A copy of gdgrade hides RDKit from every process of the run."""
    library = tmp_path / "library"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(gdgrade.__file__).parent, library / "gdgrade", ignore=ignored)
    with (library / "gdgrade/__init__.py").open("a") as module:
        module.write("\nimport sys\n\nsys.modules['rdkit'] = None\n")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(library)}

    def judged(part: str) -> tuple[int, dict]:
        done = subprocess.run(
            [sys.executable, "-m", "gdgrade", "check", "ex08", str(ROOT / "reference/ex08_molecules/molecules.py"),
             "--part", part, "--format", "json", "--course", str(ROOT)],
            capture_output=True, text=True, timeout=600, env=environment,
        )  # fmt: skip
        return done.returncode, json.loads(done.stdout)

    code, report = judged("8.9")
    assert code == 3
    assert len(report["checks"]) == 3
    for check in report["checks"]:
        assert (check["outcome"], check["cause"], check["points"]) == ("skipped", "infrastructure", 0)
        assert "needs rdkit, which is not installed here (pip install 'gdgrade[molecules]')" in check["message"]
    assert next(part for part in report["parts"] if part["id"] == "8.9")["undecided"] == 1
    code, report = judged("8.6")
    assert (code, report["totals"]["points"]) == (0, 2)
