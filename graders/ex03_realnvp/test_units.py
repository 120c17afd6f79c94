"""Part 3.5: the units of a density, and its values on a grid."""

import math

import torch
from flow_judging import finite, label, near, verdict
from flow_probes import slanted_gaussian

from gdgrade.checks import CheckFailed, check, observe, require


def standardised(student, x):
    """x' (B, 2) and one number, after a look at their form."""
    answer = student.standardise(x)
    if not (isinstance(answer, list | tuple) and len(answer) == 2):
        observe("form", "no pair")
        raise CheckFailed("standardise must return two things: the points, and one number")
    points, number = answer
    shapes = [list(getattr(item, "shape", ())) for item in answer]
    if shapes != [list(x.shape), []] or isinstance(number, str | list | dict):
        observe("form", shapes)
        raise CheckFailed(
            f"standardise got {tuple(x.shape)} and returned points of shape {tuple(shapes[0])} and a "
            f"log-determinant of shape {tuple(shapes[1])}; due are {tuple(x.shape)} and one number, ()"
        )
    return torch.as_tensor(points, dtype=torch.float64), float(number)


def uneven(draw):
    """Points with unequal means and spreads, (11, 2)."""
    return draw.normal(11, 2) * torch.tensor([3.0, 0.4]) + torch.tensor([5.0, -2.0])


@check("3.5", points=0.5)
def test_standardise_points(student, draw):
    """standardise gives each coordinate mean 0 and standard deviation 1, n or n - 1."""
    x = uneven(draw)
    got, _ = standardised(student, x)
    changed = observe("x changed", bool(student.mutated))
    n = len(x)
    observe("means vanish", [near(got.mean(0)[j], 0.0, 1e-8) for j in range(2)])
    sd = got.std(0, correction=0)
    named = [label(value, 1e-6, right=1.0, n_minus_one=math.sqrt((n - 1) / n)) for value in sd]
    sizes = [observe(f"spread {j}", "right" if isinstance(name, str) else "other") for j, name in enumerate(named)]
    observe("spread of the whole table is one", any(near(got.std(correction=c), 1.0, 1e-6) for c in (0, 1)))
    scale = (got[1] - got[0]) / (x[1] - x[0])
    variances = [torch.stack([x.var(0, correction=c) for c in (0, 1)])[:, j] for j in range(2)]
    observe("divided by variances", all(bool(((scale[j] * variances[j] - 1).abs() < 1e-6).any()) for j in range(2)))
    finite(got, "standardise")
    require(not changed, "standardise overwrites the points that it was given")
    # Float32 rounds the second coordinate, of size 2 and spread 0.4, to 1e-6 of its spread where the draw is narrow.
    require(all(near(mean, 0.0, 1e-5) for mean in got.mean(0)), "the means of the coordinates are not zero")
    require(verdict(sizes), "the standard deviations of the two coordinates are not one")
    expected = (x - x.mean(0)) / x.std(0, correction=0) * sd
    require(near(got, expected, 1e-5), "the points are not shifted and stretched copies of the ones given")


@check("3.5", points=0.5)
def test_standardise_log_det(student, draw):
    """The number of standardise is the log-determinant of its own map of one point, and follows the units."""
    x = uneven(draw)
    names = []
    for factor in (1.0, 10.0):
        got, number = standardised(student, factor * x)
        # The map as the student's own points show it; n or n - 1 is then no matter.
        scale = ((got[1:] - got[:-1]) / (factor * (x[1:] - x[:-1]))).median(0).values.abs()
        right = scale.log().sum()
        names.append(
            label(
                number,
                1e-6,
                right=right,
                zero=0.0,
                negated=-right,
                half=right / 2,
                times_batch=len(x) * right,
                determinant=right.exp(),
                in_bits=right / math.log(2),
                decimal=right / math.log(10),
            )
        )
        observe(f"log-determinant for the unit {factor:g}", names[-1])
    require(
        verdict(names),
        "the number is not log |det dx'/dx| of the map that standardise applies: check the sign, "
        "what happens to it in units ten times smaller, and that it concerns one point",
    )


def gridded(student, lim, n):
    """X, Y (or None where only the density came) and the density, float64, (n, n)."""
    answer = student.density_grid(slanted_gaussian(), lim, n)
    items = list(answer) if isinstance(answer, list | tuple) else [answer]
    shapes = [list(getattr(item, "shape", ())) for item in items]
    if len(items) not in (1, 3) or any(shape != [n, n] for shape in shapes):
        observe("form", shapes)
        raise CheckFailed(
            f"density_grid(flow, {lim:g}, {n}) must return X, Y and the density, each ({n}, {n}); got "
            f"{len(items)} of shape {', '.join(str(tuple(shape)) for shape in shapes)}"
        )
    items = [torch.as_tensor(item).detach().to(torch.float64) for item in items]
    return (None, None, items[0]) if len(items) == 1 else tuple(items)


@check("3.5", points=0.5)
def test_grid_points(student):
    """The grid covers [-lim, lim]^2 with n equally spaced points per side, edges included."""
    for lim, n in ((2.0, 5), (3.5, 6)):
        grid_x, grid_y, density = gridded(student, lim, n)
        if grid_x is None:  # a density alone: its values tell where it was asked
            require(
                bool(near_density(density, *mesh(lim, n))),
                f"the density does not belong to the grid of {n} x {n} points over [-{lim:g}, {lim:g}]^2",
            )
            continue
        right_x, right_y = mesh(lim, n)
        orders = {"xy": (right_x, right_y), "ij": (right_y, right_x)}
        named = next(
            (key for key, (a, b) in orders.items() if near(grid_x, a, 1e-6) and near(grid_y, b, 1e-6)), "other"
        )
        observe("order", named)
        observe("edges", [float(grid_x.min()) / lim, float(grid_x.max()) / lim])
        require(
            named != "other", f"X and Y are not the grid of {n} x {n} points over [-{lim:g}, {lim:g}]^2, edges included"
        )


@check("3.5", points=0.5)
def test_grid_density(student):
    """The values are the density itself, each at its own grid point."""
    lim, n = 2.0, 6
    grid_x, grid_y, density = gridded(student, lim, n)
    alone = grid_x is None
    if alone:
        grid_x, grid_y = mesh(lim, n)
    points = torch.stack([grid_x, grid_y], -1).reshape(-1, 2)
    log_density = slanted_gaussian().log_prob(points).detach().to(torch.float64).reshape(n, n)
    right = log_density.exp()
    named = label(
        density,
        1e-5 if alone else 1e-6,
        right=right,
        transposed=right.T,
        log_density=log_density,
        negative_log_density=-log_density,
        sums_to_one=right / right.sum(),
        largest_is_one=right / right.max(),
        upside_down=right.flip(0),
        left_to_right=right.flip(1),
    )
    observe("values are", named)
    good = named == "right" or (alone and named == "transposed") if isinstance(named, str) else False
    require(good, "the values are not the flow's density at the points (X, Y)")


def mesh(lim, n):
    """X and Y of the assignment."""
    ticks = lim * torch.linspace(-1, 1, n)
    return torch.meshgrid(ticks, ticks, indexing="xy")


def near_density(density, grid_x, grid_y):
    """Whether a density alone is the oracle's, or its logarithm, in either orientation."""
    log_density = slanted_gaussian().log_prob(torch.stack([grid_x, grid_y], -1).reshape(-1, 2))
    log_density = log_density.detach().to(torch.float64).reshape(grid_x.shape)
    wanted = (log_density.exp(), log_density.exp().T, log_density, log_density.T)
    return any(near(density, item, 1e-5) for item in wanted)
