"""Part 7.4: the exact map on the line, and the interpolation along a plan."""

import itertools

import torch
from morphing_oracles import array_of

from gdgrade.checks import agrees, check, close

IMAGES = "one image per entry of x"
POINTS = "one point per particle"


@check("7.4", points=0.5)
def test_cheapest_matching(student, draw):
    """On the line, no other one-to-one matching is cheaper, and the images come in the order of x."""

    def by_trying_all(x, y):
        return y[cheapest_order(x[:, None], y[:, None])]

    for n in (6, 4, 1):
        x, y = draw.normal(n), draw.normal(n, mean=1.0, scale=2.0)
        agrees(student.exact_ot_map_1d, by_trying_all, x, y, name="images", means=IMAGES)


@check("7.4", points=0.5, visibility="hidden")
def test_increasing(student, draw):
    """The map hits every target once and never swaps two particles."""
    n = 60
    order = draw.permutation(n)
    y = draw.normal(n, scale=3.0)

    def by_hand(x, y):
        return y.sort().values[order]  # x holds the ranks themselves, stretched by a curve

    x = torch.sinh((order.to(torch.float64) - n / 3) / 15)
    agrees(student.exact_ot_map_1d, by_hand, x, y, name="images", means=IMAGES)


@check("7.4", points=0.5)
def test_given_plan(student, draw):
    """With an uneven plan, every particle is on the straight way to the mean of its own row."""
    for n, m, t in ((5, 3, 0.3), (2, 6, 0.8), (4, 4, 0.0), (3, 5, 1.0)):
        x, y = draw.normal(n, 3), draw.normal(m, 3, mean=2.0)
        rows = torch.stack([draw.weights(m) for _ in range(n)])
        P = draw.weights(n)[:, None] * rows

        def law(x, y, P, t, rows=rows):
            return x + t * (torch.einsum("ij,jk->ik", rows, y) - x)

        agrees(student.displacement_interpolation, law, x, y, P, t, name="points at time t", means=POINTS)


@check("7.4", points=0.5, visibility="hidden")
def test_constant_speed(student, draw):
    """Along the exact plan the clouds move at constant speed: distances grow like the time between them."""
    n, times = 5, (0.0, 0.25, 0.6, 1.0)
    x, y = draw.normal(n, 2), draw.normal(n, 2, mean=1.0, scale=1.5)
    order = cheapest_order(x, y)
    P = torch.zeros(n, n)
    P[torch.arange(n), order] = 1 / n
    results = [student.displacement_interpolation(x, y, P, t) for t in times]
    clouds = [array_of(result, (n, 2), "points at time t") for result in results]
    whole = wasserstein_2(x, y)
    for (s, early), (t, late) in itertools.combinations(zip(times, clouds, strict=True), 2):
        close(wasserstein_2(early, late), (t - s) * whole, f"W2 between times {s:g} and {t:g}", rtol=2e-5)


# ---- what the checks know by themselves


def cheapest_order(x, y):
    """The order in which y, (n, d), is matched to x at the least sum of squared distances; by trying all n!."""
    cost = (x[:, None] - y[None]).square().sum(-1)
    orders = torch.tensor(list(itertools.permutations(range(len(x)))))  # (n!, n)
    return orders[cost[torch.arange(len(x)), orders].sum(1).argmin()]


def wasserstein_2(x, y):
    """W2 between two clouds of equal size, a number."""
    return (x - y[cheapest_order(x, y)]).square().sum(-1).mean().sqrt()
