"""Part 8.9: what chemistry says of the student's bonds, of stable molecules, and of molecules made from noise.

RDKit is the referee, not the table of lengths: see `chemistry`. Molecules on which the two disagree, or whose distances
lie near a threshold, are not asked.
"""

import numpy as np
import torch
from chemistry import canonical, constitution, constitution_of_bonds
from molecule_oracles import PointMass, Recipe, schedule_of
from molecule_reading import run_either
from molecule_table import distances, judged_stability, margin, order_of
from molecule_worker import chain, stabilities

from gdgrade.checks import check, observe, require

SYMBOLS = {1: "H", 6: "C", 7: "N", 8: "O", 9: "F"}
NEAR = 0.3  # picometres from a threshold; rounding to float32 moves distances by far less
UNIT = 2.5  # angstrom in one unit of the chain: noise that is left over is then as large as a bond is short


@check("8.9", points=0.5, requires=["rdkit"])
def test_bonds_make_the_molecule(student, draw, data):
    """The bonds found in real molecules make, in RDKit's eyes, exactly these molecules."""
    found, kinds, few = [], {}, 36
    for x, types, smiles in real_molecules(draw, data):
        bonds = judged_bonds(x, types)
        new = {kind for kind in kinds_of(types, bonds) if kinds.get(kind, 0) < 2}  # rare bonds are asked too
        if (len(found) < few or new) and constitution_of_bonds(types, bonds) == smiles:
            found.append((x, types, smiles))
            for kind in kinds_of(types, bonds):
                kinds[kind] = kinds.get(kind, 0) + 1
    require(len(found) >= few, "too few molecules")
    answers = run_either(student, orders, [(x, types) for x, types, _ in found])
    observe("orders", answers)
    wrong = 0
    for answer, (x, types, smiles) in zip(answers, found, strict=True):
        pairs = [(i, j) for i, j, _ in distances(x)]
        bonds = [(i, j, order) for (i, j), order in zip(pairs, answer, strict=True) if order]
        possible = all(order in (1, 2, 3) for _, _, order in bonds)
        wrong += not possible or constitution_of_bonds(types, bonds) != smiles
    require(not wrong, f"in {wrong} of {len(found)} real molecules the bonds do not make the molecule")


@check("8.9", points=0.3, requires=["rdkit"])
def test_stable_means_possible(student, draw, data):
    """Real molecules are stable; without one hydrogen, or with one atom far away, they are neither stable nor valid."""
    asked, due = [], []
    for x, types, smiles in real_molecules(draw, data):
        if not judged_stability(x, types)[1] or constitution(x, types) != smiles:
            continue
        for cloud, symbols in (without_hydrogen(x, types), torn(x, types)):
            broken = not judged_stability(cloud, symbols)[1] and constitution(cloud, symbols) is None
            if broken and margin(cloud, symbols) > NEAR:
                asked.append((cloud, symbols))
                due.append(False)
        asked.append((x, types))
        due.append(True)
        if len(asked) >= 45:
            break
    require(sum(due) >= 10 and len(due) - sum(due) >= 10, "too few molecules")
    verdicts = [stable for _, stable in run_either(student, stabilities, asked)]
    observe("verdicts", verdicts)
    missed = sum(right and not got for got, right in zip(verdicts, due, strict=True))
    fooled = sum(got and not right for got, right in zip(verdicts, due, strict=True))
    require(not missed, f"{missed} of {sum(due)} real molecules are called unstable")
    require(not fooled, f"{fooled} of {len(due) - sum(due)} broken molecules are called stable")


@check("8.9", points=0.2, requires=["rdkit"])
def test_noise_becomes_molecules(student, draw, data):
    """From noise, with a network that knows a molecule, the steps back make that molecule, and RDKit finds it valid."""
    recipe, each = Recipe(30), 3
    schedule = schedule_of(*recipe)
    made, asked = 0, 0
    for x, types, smiles in real_molecules(draw, data, most=12):
        if constitution(x, types) != smiles:
            continue
        model = PointMass(schedule["abar"], (x - x.mean(0)) / UNIT)
        start = draw.normal(each, len(types), 3)
        start = start - start.mean(dim=1, keepdim=True)
        ends = run_either(student, chain, tuple(recipe), schedule, model, start, None)
        ends = UNIT * torch.as_tensor(ends).double()
        require(tuple(ends.shape) == tuple(start.shape), f"p_sample_com: got shape {tuple(ends.shape)}")
        asked += each
        made += sum(bool(end.isfinite().all()) and constitution(end, types) == smiles for end in ends)
        if asked >= 8 * each:
            break
    require(asked >= 8 * each, "too few molecules")
    require(
        made == asked, f"of {asked} clouds made from noise {asked - made} are not the molecule that the network knows"
    )


# ---- molecules


def real_molecules(draw, data, most=400):
    """Molecules of QM9 in a random order: positions (M, 3), turned at random, symbols, canonical SMILES."""
    cut = data("molecules-small")
    for k in draw.permutation(len(cut["n_atoms"]))[:most].tolist():
        n = int(cut["n_atoms"][k])
        types = [SYMBOLS[int(number)] for number in cut["atomic_numbers"][k, :n]]
        x = torch.from_numpy(cut["positions"][k, :n].astype(np.float64)) @ draw.orthogonal(3).T
        if margin(x, types) > NEAR:
            yield x, types, canonical(str(cut["smiles"][k]))


def judged_bonds(x, types):
    """(i, j, order) of all bonds by the table."""
    found = [(i, j, order_of(types[i], types[j], d)) for i, j, d in distances(x)]
    return [bond for bond in found if bond[2]]


def kinds_of(types, bonds):
    """The kinds of bonds in a molecule: elements in alphabetical order, and order."""
    return {(*sorted((types[i], types[j])), order) for i, j, order in bonds}


def without_hydrogen(x, types):
    """The molecule without its first hydrogen; all of it where it has none."""
    keep = [k for k in range(len(types)) if types[k] != "H" or "H" in types[:k]]
    return x[keep], [types[k] for k in keep]


def torn(x, types):
    """The molecule with its outermost atom twice as far out, and 1 angstrom more."""
    gap = x - x.mean(0)
    far = int(gap.norm(dim=1).argmax())
    moved = x.clone()
    moved[far] = x.mean(0) + gap[far] * (2 + 1 / float(gap[far].norm()))
    return moved, types


# ---- in the worker


def orders(module, molecules):
    """Per molecule the student's bond orders of all pairs, in the order of `distances`."""
    found = []
    for x, types in molecules:
        pairs = [(i, j, float((x[i] - x[j]).norm())) for i in range(len(types)) for j in range(i)]
        found.append([int(module.bond_order(types[i], types[j], d)) for i, j, d in pairs])
    return found
