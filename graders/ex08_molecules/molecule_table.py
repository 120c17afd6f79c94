"""The table of bond lengths, the judge's own stability, and small molecules whose bonds are known.

Lengths in picometres, positions in angstrom. Table: Hoogeboom et al. (2022), appendix C.
"""

from __future__ import annotations

import math

TABLE = (
    (
        3,
        {"CC": 120, "CN": 116, "CO": 113, "NN": 110},
        3,
    ),
    (
        2,
        {"CC": 134, "CN": 129, "CO": 120, "NN": 125, "NO": 121, "OO": 121},
        5,
    ),
    (
        1,
        {
            **{"HH": 74, "HC": 109, "HN": 101, "HO": 96, "HF": 92, "CC": 154, "CN": 147, "CO": 143, "CF": 135},
            **{"NN": 145, "NO": 140, "NF": 136, "OO": 148, "OF": 142, "FF": 142},
        },
        10,
    ),
)
VALENCE = {"H": 1, "C": 4, "N": 3, "O": 2, "F": 1}


def ends(a, b):
    """(order, length below which it holds) of a pair, from the triple bond to the single one, in picometres."""
    found = [(order, lengths.get(a + b, lengths.get(b + a)), tolerance) for order, lengths, tolerance in TABLE]
    return [(order, length + tolerance) for order, length, tolerance in found if length is not None]


def order_of(a, b, d):
    """The order of a bond of d angstrom: of the shortest entry that reaches so far, 0 if none does."""
    return next((order for order, end in ends(a, b) if 100 * d < end), 0)


def distances(x):
    """(i, j, angstrom) of all pairs i < j."""
    rows = [[float(value) for value in row] for row in x]
    return [(i, j, math.dist(rows[i], rows[j])) for i in range(len(rows)) for j in range(i)]


def judged_stability(x, types):
    """(share of atoms with the right valence, whether all have it)."""
    sums = [0] * len(types)
    for i, j, d in distances(x):
        order = order_of(types[i], types[j], d)
        sums[i] += order
        sums[j] += order
    satisfied = sum(total == VALENCE[symbol] for total, symbol in zip(sums, types, strict=True))
    return satisfied / len(types), satisfied == len(types)


def margin(x, types):
    """By how many picometres the nearest distance misses a threshold of the table."""
    return min(abs(100 * d - end) for i, j, d in distances(x) for _, end in ends(types[i], types[j]))


# Idealised geometries; the lengths are usual experimental ones.
_CH = 1.09 / math.sqrt(3)
GEOMETRIES = {
    "hydrogen": ([[0, 0, 0], [0, 0, 0.74]], ["H", "H"]),
    "water": ([[0, 0, 0], [0.757, 0.586, 0], [-0.757, 0.586, 0]], ["O", "H", "H"]),
    "broken water": ([[0, 0, 0], [0.757, 0.586, 0], [-1.6, 1.3, 0]], ["O", "H", "H"]),
    "methane": (
        [[0, 0, 0], [_CH, _CH, _CH], [_CH, -_CH, -_CH], [-_CH, _CH, -_CH], [-_CH, -_CH, _CH]],
        ["C", "H", "H", "H", "H"],
    ),
    "carbon dioxide": ([[0, 0, 0], [1.18, 0, 0], [-1.18, 0, 0]], ["C", "O", "O"]),
    "hydrogen cyanide": ([[-1.066, 0, 0], [0, 0, 0], [1.156, 0, 0]], ["H", "C", "N"]),
    "ethyne": ([[0.601, 0, 0], [-0.601, 0, 0], [1.661, 0, 0], [-1.661, 0, 0]], ["C", "C", "H", "H"]),
    "ethene": (
        [[0.667, 0, 0], [-0.667, 0, 0], [1.237, 0.924, 0], [1.237, -0.924, 0], [-1.237, 0.924, 0], [-1.237, -0.924, 0]],
        ["C", "C", "H", "H", "H", "H"],
    ),
    "carbon monoxide": ([[0, 0, 0], [1.128, 0, 0]], ["C", "O"]),
    "lone oxygen": ([[0.3, -0.2, 0.1]], ["O"]),
    "hydrogen fluoride": ([[0, 0, 0], [0, 0.917, 0]], ["F", "H"]),
    "nitrogen": ([[0, 0, 0], [0, 0.6, 0.9]], ["N", "N"]),
}
