"""Part 6.1: the cost matrix."""

import torch

from gdgrade.checks import agrees, check

PAIRS = "one row per point of x, one column per point of y"


@check("6.1", points=1)
def test_squared_distances(student, reference, draw):
    """Without p the cost is the squared Euclidean distance, in any dimension."""
    for n, m, d in [(5, 3, 3), (2, 4, 1), (1, 6, 4), (3, 3, 2)]:  # the square one, where a transpose fits
        x, y = draw.normal(n, d, scale=2.0), draw.normal(m, d, mean=0.5)
        agrees(student.cost_matrix, reference.cost_matrix, x, y, name="cost matrix", means=PAIRS)


@check("6.1", points=0.5, visibility="hidden")
def test_other_powers(student, reference, draw):
    """Other powers of the distance are right, also for points that coincide."""
    x, y = draw.normal(4, 3), draw.normal(6, 3)
    for p in (3, 1, 1.5, 2):
        agrees(student.cost_matrix, reference.cost_matrix, x, y, p=p, name=f"cost matrix with p = {p}", means=PAIRS)
    # Coinciding points: a distance by way of |x|^2 + |y|^2 - 2xy is zero only up to the root of a rounding error, and
    # not a number where that is negative, in one pair of four or so. From 26 points on torch.cdist goes this way too,
    # too roughly for float32, so two clouds of 24.
    for _ in range(2):
        x = draw.normal(24, 5)
        y = torch.cat([draw.normal(2, 5), x])
        name = "cost matrix with p = 1, some points coincide"
        agrees(student.cost_matrix, reference.cost_matrix, x, y, p=1, rtol=1e-6, name=name, means=PAIRS)
