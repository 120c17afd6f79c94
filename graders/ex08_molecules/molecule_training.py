"""Part 8.7: a toy whose bond lengths and angles have a known law, what runs in the worker, and what it is worth.

The toy is a water: one atom O, two H, bonds and angle independent and normal. The judge writes the loop; the network,
the loss and the steps back are the student's.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from molecule_oracles import Recipe, clouds, noised, schedule_of
from molecule_worker import chain, own_schedule

from gdgrade.compare.calibration import Calibration, load_calibrations

CALIBRATION = Path(__file__).resolve().parent / "calibration.json"

BOND, BOND_SD = 0.96, 0.05  # angstrom
ANGLE, ANGLE_SD = 104.5, 8.0  # degrees
SCALE = 0.4  # angstrom in one unit of the network: the coordinates then have about variance 1
TYPES = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])  # O, H, H
TOY, STEPS, BATCH, RATE, SAMPLES = Recipe(100), 450, 96, 5e-3, 400


@cache
def calibrations() -> dict[str, Calibration]:
    """The stored limits, by name of the score."""
    return load_calibrations(CALIBRATION)


def waters(draw: Any, n: int) -> Any:
    """(n, 3, 3) waters in the network's unit, centred, turned at random."""
    lengths = BOND + BOND_SD * draw.normal(n, 2)
    angle = (ANGLE + ANGLE_SD * draw.normal(n)) * math.pi / 180
    # two orthonormal directions, uniform: the plane of the molecule and the direction of the first bond
    first = torch.nn.functional.normalize(draw.normal(n, 3), dim=1)
    other = draw.normal(n, 3)
    second = torch.nn.functional.normalize(other - (other * first).sum(1, keepdim=True) * first, dim=1)
    ray = angle.cos()[:, None] * first + angle.sin()[:, None] * second
    x = torch.stack([torch.zeros(n, 3), lengths[:, :1] * first, lengths[:, 1:] * ray], dim=1)
    return (x - x.mean(dim=1, keepdim=True)) / SCALE


def geometry(x: Any) -> tuple[Any, Any]:
    """Bond lengths (2n,) in angstrom and angles (n,) in degrees of waters (n, 3, 3) in the network's unit."""
    arms = SCALE * (x[:, 1:] - x[:, :1])
    lengths = arms.norm(dim=-1)
    cosine = (arms[:, 0] * arms[:, 1]).sum(-1) / lengths.prod(dim=1).clamp(min=1e-12)
    return lengths.flatten(), torch.arccos(cosine.clamp(-1, 1)) * 180 / math.pi


def train_waters(
    module: Any, recipe: Any, right: Any, data: Any, types: Any, test: Any, times: Any, seed: int, settings: Any
) -> dict[str, Any]:
    """Runs in the worker: the student's EGNN trained with the student's loss, then the student's steps back.

    Args:
        data: (N, 3, 3).
        types: (3, 2), h of one molecule.
        test, times: noised molecules (m, 3, 3) and their t (m,), to be answered after training.
        settings: steps, batch, rate, number of samples.

    Returns:
        guesses (m, 3, 3), samples (n, 3, 3), and the step at which the loss stopped being finite, or -1.
    """
    import random

    class Typed(torch.nn.Module):
        """The student's network, told the elements."""

        def __init__(self) -> None:
            super().__init__()
            self.net = module.EGNN(hidden=32, n_layers=3, h_dim=2)

        def forward(self, x: Any, t: Any) -> Any:
            return self.net(x, t, types.to(x.dtype).expand(len(x), -1, -1))

    steps, batch, rate, n = settings
    torch.manual_seed(seed)
    random.seed(seed)
    dtype = torch.get_default_dtype()
    data, test = data.to(dtype), test.to(dtype)
    right = {key: value.to(dtype) for key, value in right.items()}
    schedule, model = own_schedule(module, recipe, right), Typed()
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    order = torch.Generator().manual_seed(seed)
    for step in range(steps):
        loss = module.ddpm_loss_com(model, data[torch.randint(len(data), (batch,), generator=order)], schedule)
        if not bool(torch.isfinite(loss.detach())):
            return {"guesses": torch.zeros_like(test), "samples": torch.zeros(n, 3, 3), "broken": step}
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        cosine.step()
    model.eval()
    start = torch.randn(n, 3, 3)
    samples = chain(module, recipe, right, model, start - start.mean(dim=1, keepdim=True), None)
    with torch.no_grad():
        return {"guesses": model(test, times).detach(), "samples": samples, "broken": -1}


class Scores(NamedTuple):
    """Of a network trained on the toy, and of the molecules made with it.

    Attributes:
        noise: mean squared error of the guessed noise, per number.
        bonds, angles: largest gap between the distribution function of the lengths (angles) and the right one; 0 to 1.
    """

    noise: float
    bonds: float
    angles: float


def toy_test(draw: Any, per_step: int = 20) -> tuple[Any, Any, Any]:
    """Noised test waters (m, 3, 3), every step equally often, their t and their noise."""
    t = torch.arange(TOY.T).repeat(per_step)
    noise = clouds(draw, len(t), 3)
    return noised(waters(draw, len(t)), t, schedule_of(*TOY)["abar"], noise), t, noise


def gap(values: Any, mean: float, deviation: float) -> float:
    """Kolmogorov's distance of a sample from a normal law."""
    z = (values.sort().values - mean) / deviation
    right, n = torch.special.ndtr(z), len(z)
    return float(torch.maximum((right - torch.arange(n) / n).abs(), ((torch.arange(n) + 1) / n - right).abs()).max())


def scores(guesses: Any, samples: Any, noise: Any) -> Scores:
    """The judge's arithmetic, in float64."""
    lengths, angles = geometry(samples.double())
    error = (guesses.double() - noise).square().mean()
    return Scores(float(error), gap(lengths, BOND, BOND_SD), gap(angles, ANGLE, ANGLE_SD))
