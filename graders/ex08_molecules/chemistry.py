"""What RDKit says of molecules: the strict variant of data/SOURCES.md, and constitutions from given bonds.

RDKit is imported when a function is called, so that the exercise can be graded without it; the checks that need it say
so with ``requires=["rdkit"]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

COVALENT_FACTOR = 1.15  # with which 99.99 % of QM9 is found valid, and 96 % by RDKit's default of 1.3
ITERATIONS = 10_000  # of the search for bond orders; a crowded cloud of atoms could otherwise take hours


def constitution(x: Any, types: Sequence[str]) -> str | None:
    """The molecule that RDKit sees in a cloud of atoms, by the strict variant.

    Atoms are joined by their van der Waals radii (``covFactor=1.15``), bond orders are assigned for a neutral molecule
    and sanitised; what is not one fragment is no molecule.

    Args:
        x: positions in angstrom, (M, 3), in any list of rows.
        types: symbols of the M elements.

    Returns:
        the canonical SMILES without stereo marks, or None if RDKit finds no valid molecule.
    """
    from rdkit import Chem, rdBase
    from rdkit.Chem import rdDetermineBonds
    from rdkit.Geometry import Point3D

    molecule = _atoms(types)
    conformer = Chem.Conformer(len(types))
    for index, row in enumerate(x):
        conformer.SetAtomPosition(index, Point3D(*map(float, row)))
    molecule.AddConformer(conformer)
    with rdBase.BlockLogs():
        try:
            rdDetermineBonds.DetermineConnectivity(molecule, useVdw=True, covFactor=COVALENT_FACTOR)
            if len(Chem.GetMolFrags(molecule)) != 1:
                return None
            rdDetermineBonds.DetermineBondOrders(molecule, charge=0, embedChiral=False, maxIterations=ITERATIONS)
        except (ValueError, RuntimeError):  # no assignment of bond orders fits
            return None
        return _checked(molecule)


def constitution_of_bonds(types: Sequence[str], bonds: Iterable[tuple[int, int, int]]) -> str | None:
    """The molecule that given bonds make, or None if they break a rule of valence or leave more than one fragment.

    Args:
        types: symbols of the M elements.
        bonds: (i, j, order), 0-based, orders 1 to 3.

    Returns:
        as `constitution`.
    """
    from rdkit import Chem, rdBase

    orders = {1: Chem.BondType.SINGLE, 2: Chem.BondType.DOUBLE, 3: Chem.BondType.TRIPLE}
    molecule = _atoms(types)
    for i, j, order in bonds:
        molecule.AddBond(i, j, orders[order])
    with rdBase.BlockLogs():
        return _checked(molecule)


def canonical(smiles: str) -> str:
    """A SMILES in the form in which the functions above answer."""
    from rdkit import Chem

    # read without stereo marks, or the hydrogen that a mark is about would stay in the text
    plain = Chem.MolToSmiles(Chem.MolFromSmiles(smiles), isomericSmiles=False)
    return Chem.MolToSmiles(Chem.MolFromSmiles(plain), isomericSmiles=False)


def _atoms(types: Sequence[str]) -> Any:
    """A molecule without bonds; no atom gets hydrogens that are not there."""
    from rdkit import Chem

    molecule = Chem.RWMol()
    for symbol in types:
        atom = Chem.Atom(symbol)
        atom.SetNoImplicit(True)
        molecule.AddAtom(atom)
    return molecule


def _checked(molecule: Any) -> str | None:
    from rdkit import Chem

    try:
        Chem.SanitizeMol(molecule)
    except ValueError:  # valence, aromaticity: all of RDKit's complaints derive from it
        return None
    if len(Chem.GetMolFrags(molecule)) != 1 or any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms()):
        return None
    return canonical(Chem.MolToSmiles(molecule, isomericSmiles=False))
