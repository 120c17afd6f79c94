"""Part 2.5: measuring mode collapse, on samples whose statistics are known. No network is trained here."""

import math

import torch
from wgan_oracles import array_of

from gdgrade.checks import agrees, check, require

KEYS = ("counts", "high_quality", "reverse_kl")


@check("2.5", points=0.5)
def test_counts(student, draw):
    """Every sample counts for its nearest centre, however far away it is."""
    centres = 3 * torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, -1.0], [2.0, 2.0]])
    for wanted in ([4, 0, 7, 2, 5], [4, 0, 7, 2, 0]):  # the last mode may be an empty one too
        x, home = around(draw, centres, wanted, [0.1, 1.0, 3.5, 9.0, 12.0])
        order = draw.permutation(len(x))
        due = torch.bincount(home, minlength=5).double()
        compare(student, due, x[order], centres, 0.1, part="counts", means="samples at each centre")


@check("2.5", points=0.5)
def test_high_quality(student, draw):
    """The share of samples within k sigma of their centre is right for two widths and for several k."""
    centres = 6 * torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    for sigma in (0.2, 0.05):
        radii = [0.3, 0.9, 1.6, 1.8, 2.3, 2.7, 3.4, 4.2, 6.0, 9.0]  # in units of sigma; k is none of them
        x, _ = around(draw, centres, [3, 5, 2, 6], radii, sigma)
        n_near = torch.linalg.vector_norm(x[:, None] - centres, dim=2).min(1).values / sigma
        for k in (3.0, 2.0, 5.0):
            share = float((n_near < k).double().mean())
            compare(student, share, x, centres, sigma, k, part="high_quality", means="a fraction")
    default = float((n_near < 3).double().mean())
    compare(student, default, x, centres, sigma, part="high_quality", means="a fraction")


@check("2.5", points=0.5)
def test_reverse_kl(student, draw):
    """The reverse KL is 0 for even shares, log K for one single mode, and right in between, empty modes included."""
    centres = 4 * torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    cases = {
        (6, 6, 6, 6): 0.0,
        (9, 0, 0, 0): math.log(4),
        (4, 4, 0, 0): math.log(2),
        (1, 2, 0, 5): math.log(4) + (math.log(1 / 8) + 2 * math.log(2 / 8) + 5 * math.log(5 / 8)) / 8,
    }
    for counts, due in cases.items():
        x, _ = around(draw, centres, list(counts), [0.2, 1.1, 4.0])
        compare(student, due, x, centres, 0.1, part="reverse_kl", means="one number, nats")


@check("2.5", points=0.5, visibility="hidden")
def test_collapsed_generator(student, draw):
    """On the samples of a generator that covers some of 25 modes badly, all three statistics are right."""
    axis = 2.0 * torch.arange(-2, 3)
    centres, sigma = torch.cartesian_prod(axis, axis), 0.15
    counts = draw.integers(0, 30, 25) * (draw.uniform(25) < 0.6)
    counts[int(draw.integers(0, 25))] += 200
    x, home = around(draw, centres, counts.tolist(), [0.4, 1.2, 2.1, 2.6, 3.3, 4.9], sigma)
    shares = torch.bincount(home, minlength=25).double() / len(x)
    near = torch.linalg.vector_norm(x - centres[home], dim=1) < 2.4 * sigma
    due = {
        "counts": shares * len(x),
        "high_quality": float(near.double().mean()),
        "reverse_kl": float(torch.special.xlogy(shares, 25 * shares).sum()),
    }
    agrees(student.mode_statistics, lambda *inputs: due, x, centres, sigma, 2.4, pick=statistics)


# ---- what the checks know by themselves


def around(draw, centres, counts, radii, unit=0.1):
    """Samples at these distances (in `unit`, in turn) and random angles around the centres, and their centres' numbers.

    `counts[j]` samples belong to centre j; the radii stay below half the distance between centres.
    """
    home = torch.repeat_interleave(torch.arange(len(centres)), torch.tensor(counts))
    angle = draw.uniform(len(home), high=2 * math.pi)
    radius = unit * torch.tensor(radii)[torch.arange(len(home)) % len(radii)]
    return centres[home] + radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1), home


def compare(student, due, *inputs, part, means):
    """agrees on one of the three statistics."""
    agrees(
        student.mode_statistics,
        lambda *inputs: {part: due},
        *inputs,
        pick=picker(part),
        name=part,
        means=means,
        rtol=1e-6,
    )


def picker(part):
    """Take one statistic from the result, as float64."""
    return lambda result: statistics(result, (part,))[part]


def statistics(result, parts=KEYS):
    """The wanted statistics as float64: from a dict, or from a tuple in the order of the statement."""
    if isinstance(result, tuple | list) and len(result) == len(KEYS):
        result = dict(zip(KEYS, result, strict=True))
    require(isinstance(result, dict), f"mode_statistics returns a {type(result).__name__}, a dict is due")
    missing = [part for part in parts if part not in result]
    require(not missing, f"mode_statistics: the dict has no key {', '.join(missing)}")
    found = {}
    for part in parts:
        value = result[part]
        value = torch.as_tensor(value, dtype=torch.float64)
        found[part] = (
            value if part == "counts" else array_of(value.reshape(()) if value.numel() == 1 else value, (), part)
        )
    return found
