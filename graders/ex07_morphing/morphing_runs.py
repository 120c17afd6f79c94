"""The morphs of part 7.6: from a far cloud A to a mixture B with uneven weights, and how their ends are scored.

The judge's own arithmetic, in float64; the student's code gives only the frames. `calibrate.py` runs the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import torch
from morphing_oracles import mixture_score

CENTRES = torch.tensor([[0.0, 2.0], [2.0, -1.0], [-1.5, -1.5]], dtype=torch.float64)
SHARES = (0.5, 0.3, 0.2)
SIGMA = 0.35
N = 60
NUMBERS = {"eta": 0.05, "lam": 4.0, "eps": 2.0, "n_steps": 40, "tau": 1.0}
FAR = torch.tensor([-5.0, 1.0], dtype=torch.float64)
FRESH = 1500  # points of the sample with which the end is compared


class Problem(NamedTuple):
    """One morph: start (N, 2), target sample (N, 2), score of the target, and the fresh sample of the target."""

    x0: Any
    y: Any
    score: Any
    fresh: Any


class Scores(NamedTuple):
    """How a morph ended.

    Attributes:
        energy: energy distance to the fresh sample, in units of length.
        nearest: mean distance from a particle to the nearest point of y.
        weights: total variation between the shares of the modes among the particles and in y, in [0, 1].
        width: mean squared distance to the nearest centre over 2 SIGMA^2; 1 for points of the target.
    """

    energy: float
    nearest: float
    weights: float
    width: float


def problem(draw: Any, start: Any, spread: float) -> Problem:
    """A morph from N(start, spread^2 I); the sample y has exactly the shares of the mixture."""
    home = torch.repeat_interleave(torch.arange(3), torch.tensor([round(share * N) for share in SHARES]))
    y = CENTRES[home][draw.permutation(N)] + draw.normal(N, 2, scale=SIGMA)
    x0 = start + draw.normal(N, 2, scale=spread)
    shares = torch.tensor(SHARES, dtype=torch.float64)
    picked = torch.bucketize(draw.uniform(FRESH), shares.cumsum(0)[:2])
    fresh = CENTRES[picked] + draw.normal(FRESH, 2, scale=SIGMA)
    return Problem(x0, y, mixture_score(CENTRES, SIGMA, shares), fresh)


def far_problem(draw: Any) -> Problem:
    """From a round cloud far from all modes."""
    return problem(draw, FAR, 0.5)


def mode_problem(draw: Any) -> Problem:
    """From inside the lightest mode."""
    return problem(draw, CENTRES[2], SIGMA)


def scores(end: Any, given: Problem) -> Scores:
    """The scores of a last frame (N, 2)."""

    def mean_distance(a: Any, b: Any) -> float:
        return float((a[:, None] - b[None]).square().sum(-1).sqrt().mean())

    def shares(points: Any) -> Any:
        nearest = (points[:, None] - CENTRES).square().sum(-1).argmin(1)
        return torch.bincount(nearest, minlength=3) / len(points)

    own = mean_distance(end, end) + mean_distance(given.fresh, given.fresh)
    return Scores(
        2 * mean_distance(end, given.fresh) - own,
        float((end[:, None] - given.y[None]).square().sum(-1).sqrt().min(1).values.mean()),
        float((shares(end) - shares(given.y)).abs().sum()) / 2,
        float((end[:, None] - CENTRES).square().sum(-1).min(1).values.mean()) / (2 * SIGMA**2),
    )


def limits() -> dict[str, float]:
    """The pass limits, from calibration.json; `calibrate.py` writes that file."""
    return json.loads((Path(__file__).parent / "calibration.json").read_text(encoding="utf-8"))["limits"]
