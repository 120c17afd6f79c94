"""The toys on which flows are trained, and what a trained flow is worth on them, by the judge's own arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from flow_probes import train_flow

from gdgrade.compare.calibration import Calibration, load_calibrations
from gdgrade.data.toys import Checkerboard, TwoMoons, ring

ROWS, TEST_ROWS, BATCH, RATE = 20_000, 4_000, 256, 5e-3
CALIBRATION = Path(__file__).resolve().parent / "calibration.json"


class Toy(NamedTuple):
    """A density in the plane, its exact log-density, and for how long a flow is trained on it."""

    title: str
    make: Callable[[], Any]
    steps: int


TOYS = {
    "moons": Toy("two moons", lambda: TwoMoons(0.1), 1000),
    "ring": Toy("eight Gaussians", lambda: ring(8, 2.0, 0.2), 700),
    "checkerboard": Toy("checkerboard", Checkerboard, 700),
}


class Scores(NamedTuple):
    """Of a trained flow q on fresh points of the density p.

    Attributes:
        kl: mean of log p - log q, nats, the paired estimate of KL(p || q); inf if log q is not finite somewhere.
        error: its standard error.
        radius: largest distance between the distribution function of the squared norm of the points' noise and that of
            chi2 with 2 degrees of freedom, in [0, 1]: 0 if the noise looks normal.
    """

    kl: float
    error: float
    radius: float


def train_and_score(run: Callable[..., Any], toy: Toy, seed: int) -> tuple[Scores, dict[str, Any]]:
    """Train the flow of a module and score it.

    Args:
        run: calls ``train_flow(module, ...)`` where the module is: ``student.run`` with its first arguments filled in.
        seed: of data, weights and batches.

    Returns:
        the scores, and the answer of `train_flow`.
    """
    density = toy.make()
    generator = torch.Generator().manual_seed(seed)
    data, test = (density.sample(n, generator) for n in (ROWS, TEST_ROWS))
    answer = run(train_flow, data, test, seed, toy.steps, BATCH, RATE)
    return scores(answer, density, test), answer


def scores(answer: dict[str, Any], density: Any, test: Any) -> Scores:
    """Scores of the answer of `train_flow`; shapes other than due count as useless."""
    log_q = torch.as_tensor(answer["log_prob"]).to(torch.float64)
    noise = torch.as_tensor(answer["noise"]).to(torch.float64)
    if log_q.shape != test.shape[:1] or noise.shape != test.shape or not bool(torch.isfinite(log_q).all()):
        return Scores(float("inf"), 0.0, 1.0)
    # Both in float64 at the very same points: what p and q have in common cancels, point by point.
    gap = density.log_prob(test.to(torch.float64)) - log_q
    level = 1 - torch.exp(-noise.square().sum(-1) / 2).sort(descending=True).values  # uniform if the noise is normal
    rank = torch.arange(len(level), dtype=torch.float64) / len(level)
    radius = float(torch.maximum((level - rank).abs(), (rank + 1 / len(level) - level).abs()).max())
    return Scores(float(gap.mean()), float(gap.std()) / len(gap) ** 0.5, radius)


@cache
def calibrations() -> dict[str, Calibration]:
    """The stored limits, by "<toy> <score>"."""
    return load_calibrations(CALIBRATION)
