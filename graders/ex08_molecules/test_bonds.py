"""Part 8.6: bonds by their lengths, and stability."""

import numpy as np
import torch
from molecule_reading import run_either
from molecule_table import GEOMETRIES, TABLE, distances, ends, judged_stability, margin, order_of
from molecule_worker import orders, stabilities, stabilities_by_right_orders

from gdgrade.checks import agrees, check, close, observe, require


@check("8.6", points=0.25)
def test_well_known_bonds(student):
    """Ethane, ethene, ethyne, a water's O-H, and atoms too far apart have the orders that chemistry gives them."""
    pairs = ("C", "C", 1.54), ("C", "C", 1.34), ("C", "C", 1.20), ("O", "H", 0.96), ("N", "N", 1.10), ("H", "H", 1.5)
    for a, b, d in pairs:
        agrees(student.bond_order, order_of, a, b, d, name=f"order of {a}-{b} at {d} angstrom")


@check("8.6", points=0.75)
def test_whole_table(student):
    """Every length of the table, a little inside and a little outside its tolerance, in either order of the atoms."""
    asked = []
    for a, b in sorted({tuple(pair) for _, lengths, _ in TABLE for pair in lengths}):
        for _, end in ends(a, b):
            asked += [(one, other, (end + more) / 100) for more in (-0.5, 0.5) for one, other in ((a, b), (b, a))]
    got = student.run(orders, student.module, asked)
    due = [order_of(*entry) for entry in asked]
    observe("orders", got)
    for (a, b, d), order, right in zip(asked, got, due, strict=True):
        close(order, right, f"order of {a}-{b} at {100 * d:.1f} pm")


@check("8.6", points=0.5)
def test_hand_molecules(student):
    """Small molecules, whole and broken, get the right share of right atoms."""
    known = [(np.array(x), types) for x, types in GEOMETRIES.values()]
    compare(student, [(torch.from_numpy(x), types) for x, types in known])


@check("8.6", points=0.5, visibility="hidden")
def test_real_molecules(student, draw, data):
    """On molecules of QM9, as they are and shaken, shares and verdicts are right."""
    cut = data("molecules-small")
    symbols = {1: "H", 6: "C", 7: "N", 8: "O", 9: "F"}
    molecules = []
    for k in draw.permutation(len(cut["n_atoms"]))[:300].tolist():
        n = int(cut["n_atoms"][k])
        x = torch.from_numpy(cut["positions"][k, :n].astype(np.float64))
        types = [symbols[int(z)] for z in cut["atomic_numbers"][k, :n]]
        x = x + draw.normal(n, 3, scale=0.04) if len(molecules) % 3 == 2 else x
        if margin(x, types) > 0.01:  # no distance so near a threshold that rounding decides
            molecules.append((x @ draw.orthogonal(3).T, types))
        if len(molecules) == 40:
            break
    require(len(molecules) == 40, "too few molecules")
    compare(student, molecules)


def compare(student, molecules):
    """Shares and verdicts of the student's `stability` with the judge's.

    If they differ with the student's own `bond_order`, the judge's takes its place: a wrong one costs its own points.
    """
    due = [judged_stability(x, types) for x, types in molecules]
    got = run_either(student, stabilities, molecules)
    if not alike(got, due) and student.has("bond_order"):
        got = run_either(student, stabilities_by_right_orders, molecules)
    observe("shares", [round(share, 3) for share, _ in got])
    observe("verdicts", [stable for _, stable in got])
    shares, right = (torch.tensor([share for share, _ in found], dtype=torch.float64) for found in (got, due))
    close(shares, right, "share of the atoms with the right valence", rtol=1e-6)
    for (_, stable), (_, verdict), (x, types) in zip(got, due, molecules, strict=True):
        name = "".join(types) + lengths_of(x, types)
        require(stable == verdict, f"{name}: called {'stable' if stable else 'unstable'}, which it is not")


def lengths_of(x, types):
    """The distances in a molecule of few atoms, in words: its formula does not tell where they are."""
    few = [f"{types[j]}-{types[i]} {d:.2f} Å" for i, j, d in distances(x)] if len(types) <= 4 else []
    return f" ({', '.join(few)})" if few else ""


def alike(got, due):
    """Whether shares agree to 1e-6 and verdicts are the same."""
    return all(abs(a - b) < 1e-6 and p == q for (a, p), (b, q) in zip(got, due, strict=True))
