"""Part 7.5: the metrics of a morph. All clouds have as many points as the target sample."""

import itertools
import math

import torch
from morphing_oracles import called

from gdgrade.checks import CheckFailed, agrees, check, observe, remark, require

NAMES = ("sliced_w", "path_length", "energy")


@check("7.5", points=0.5)
def test_path_length(student, draw):
    """The path length is the mean over particles of the length of all their moves."""

    def law(traj, y):
        lengths = [[math.dist(a, b) for a, b in itertools.pairwise(path)] for path in particles(traj)]
        return {"path_length": sum(sum(path) for path in lengths) / len(lengths)}

    for steps, n, d in ((5, 4, 3), (1, 7, 2)):
        traj, y = walk(draw, steps, n, d), draw.normal(n, d)
        agrees(student.morph_metrics, law, traj, y, pick=reading("path_length"), name="path_length", rtol=1e-7)


@check("7.5", points=0.5)
def test_energy(student, draw):
    """The energy is the energy distance between the last frame and the target, over all pairs."""

    def mean_distance(a, b):
        return sum(math.dist(p, q) for p in a for q in b) / (len(a) * len(b))

    def law(traj, y):
        last, target = traj[-1].tolist(), y.tolist()
        own = mean_distance(last, last) + mean_distance(target, target)
        return {"energy": 2 * mean_distance(last, target) - own}

    for n, d in ((6, 2), (9, 3)):
        traj, y = walk(draw, 3, n, d), draw.normal(n, d, mean=1.0)
        # a distance by way of inner products is off by 1e-8 where points coincide
        agrees(student.morph_metrics, law, traj, y, pick=reading("energy"), name="energy", rtol=1e-6)


@check("7.5", points=0.5)
def test_sliced_on_a_line(student, draw):
    """On a line, where all directions are one, the sliced distance is the Wasserstein distance of the last frame."""
    n = 8
    traj, y = walk(draw, 3, n, 1), draw.normal(n, 1, mean=1.0, scale=2.0)
    gaps = (traj[-1].sort(dim=0).values - y.sort(dim=0).values).abs()
    values = [number(called(student, "morph_metrics", traj, y), "sliced_w") for _ in range(2)]
    steady = abs(values[0] - values[1]) <= 1e-4 * abs(values[0])
    observe("the value on a line", values[0] if steady else "depends on chance")
    one_of(values[0], float(gaps.mean()), float(gaps.square().mean().sqrt()), rtol=2e-5)


@check("7.5", points=0.5, visibility="hidden")
def test_sliced_of_rings(student, draw):
    """Between two rings, which look the same from everywhere, the sliced distance does not depend on directions."""
    n, small, large = 90, 1.0, 1.8
    angles = torch.arange(n) * (2 * math.pi / n)
    ring = torch.stack([angles.cos(), angles.sin()], dim=1)
    traj = torch.stack([draw.normal(n, 2), small * ring[draw.permutation(n)]])
    value = number(called(student, "morph_metrics", traj, large * ring[draw.permutation(n)]), "sliced_w")
    observe("tenfold ratio between rings", round(10 * value / ((large - small) * 2 / math.pi)))
    one_of(value, (large - small) * 2 / math.pi, (large - small) / math.sqrt(2), rtol=0.01)
    same = number(called(student, "morph_metrics", traj, small * ring[draw.permutation(n)]), "sliced_w")
    require(abs(same) < 1e-5, f"sliced_w: between a cloud and itself in another order {same:.4g} came, 0 is due")
    along_all_ways(student, draw)


# ---- what the checks know by themselves


def along_all_ways(student, draw):
    """Require that directions are uniform: a shift along an axis or a diagonal counts as much as any other.

    A cloud in d = 10 dimensions moved by the length 1 is |u_1| away along the direction u: 0.259 on average, with the
    standard deviation 0.182. The mean over a hundred directions, the fewest that the statement allows, leaves these
    bounds with a probability below 3e-12 (Chernoff), even if every call takes the same ones; else there are more.
    The d axes as directions give 0.1 for the first way, directions with positive coordinates 0.87 for the second.
    The upper bound leaves room for the root of the mean square, 0.316, of a sliced W2.
    """
    n, d, calls = 6, 10, 4
    low, high = math.gamma(d / 2) / math.gamma((d + 1) / 2) / math.sqrt(math.pi), 1 / math.sqrt(d)
    for way in (torch.eye(d)[0], torch.full((d,), d**-0.5)):
        traj = draw.normal(2, n, d)
        y = (traj[-1] + way)[draw.permutation(n)]
        value = sum(number(called(student, "morph_metrics", traj, y), "sliced_w") for _ in range(calls)) / calls
        observe("too near, too far", [value <= low - 0.12, value >= high + 0.12])
        require(
            low - 0.12 < value < high + 0.12,
            f"sliced_w: from a cloud to the same cloud moved by the length 1 in {d} dimensions {value:.3g} came; over "
            f"all directions alike {low:.3g} is due",
        )


def walk(draw, steps, n, d):
    """Frames (steps + 1, n, d) of a wide walk."""
    return draw.normal(n, d) + torch.cumsum(draw.normal(steps + 1, n, d), dim=0)


def particles(traj):
    """The path of every particle as a list of points."""
    return traj.transpose(0, 1).tolist()


def reading(name):
    """Takes one metric from a result; notes it the first time, when `agrees` shows the student's."""
    waiting = [True]

    def read(result):
        value = number(result, name)
        if waiting:
            waiting.clear()
            observe(name, value)
        return value

    return read


def number(result, name):
    """One metric of a dictionary, or of a tuple in the order of the statement."""
    if isinstance(result, tuple | list) and len(result) == len(NAMES):
        result = dict(zip(NAMES, result, strict=True))
    if not isinstance(result, dict):
        raise CheckFailed(f"morph_metrics: a dictionary is due, a {type(result).__name__} came")
    if name not in result:
        keys = ", ".join(sorted(map(str, result))[:6])
        raise CheckFailed(f"morph_metrics: the dictionary has no {name!r}; its keys are {keys}")
    value = torch.as_tensor(result[name], dtype=torch.float64).detach()
    require(value.numel() == 1, f"{name}: one number is due, an array of shape {tuple(value.shape)} came")
    require(value.isfinite().all(), f"{name}: {float(value)} is no finite number")
    return float(value)


def one_of(value, w1, w2, rtol):
    """The sliced W1, or (with a remark) the sliced W2 with its root."""
    if abs(value - w2) <= rtol * w2 and abs(value - w1) > rtol * w1:
        remark("sliced_w is a sliced W2 here; the statement asks for W1, and that was accepted")
        return
    if abs(value - w1) > rtol * w1:
        raise CheckFailed(f"sliced_w: expected {w1:.6g}, got {value:.6g}", expected=f"{w1:.6g}", got=f"{value:.6g}")
