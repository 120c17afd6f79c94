"""Training a student's WGAN-GP inside the worker, and scoring what came out with the judge's own formulas.

The worker returns the parameters of the trained networks; the judge rebuilds both networks from them, draws the noise
and computes samples and scores by itself.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

CAPTURED = 20  # samples of high quality that make a mode captured, of SAMPLES
SAMPLES = 2500


@dataclasses.dataclass(frozen=True)
class Problem:
    """A mixture of equal round Gaussians, the networks, and the settings of the training.

    Attributes:
        centres: (K, 2) as nested lists; sigma: standard deviation.
        waves: frequencies of the sines and cosines that both networks get beside the plane coordinates; none: plain
            multilayer perceptrons.
        spread: the generator adds its network's answer to ``spread * z``; 0: it is the network alone.
        as_tensor: hand the data on as a tensor of 20,000 points instead of a function.
    """

    centres: list[list[float]]
    sigma: float
    iterations: int
    n_critic: int
    lambda_: float
    waves: tuple[float, ...] = ()
    spread: float = 0.0
    as_tensor: bool = False
    width: int = 64
    batch: int = 256
    lr: float = 1e-3


RING = Problem(
    [[2 * float(np.cos(a)), 2 * float(np.sin(a))] for a in np.arange(8) * np.pi / 4], 0.2, 400, n_critic=5, lambda_=0.1
)
GRID = Problem(
    [[2.0 * i, 2.0 * j] for i in range(-2, 3) for j in range(-2, 3)],
    0.2,
    400,
    n_critic=3,
    lambda_=1.0,
    waves=(1.5, 3.0),
    spread=2.5,
    as_tensor=True,
)


def networks(settings: dict[str, Any]) -> tuple[Any, Any]:
    """(critic, generator) with fresh weights, from torch's global generator; `settings`: fields of `Problem`."""
    import torch
    from torch import nn

    waves, spread, width = list(settings["waves"]), settings["spread"], settings["width"]

    def perceptron(outputs: int, unit: Any) -> Any:
        inputs = 2 + 4 * len(waves)
        return nn.Sequential(nn.Linear(inputs, width), unit, nn.Linear(width, width), unit, nn.Linear(width, outputs))

    def features(x: Any) -> Any:
        if not waves:
            return x
        phase = (x[..., None] * torch.tensor(waves, dtype=x.dtype)).flatten(-2)
        return torch.cat([x, phase.sin(), phase.cos()], -1)

    class Critic(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = perceptron(1, nn.LeakyReLU(0.2))

        def forward(self, x: Any) -> Any:
            return self.net(features(x))

    class Generator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = perceptron(2, nn.ReLU())

        def forward(self, z: Any) -> Any:
            if not spread:
                return self.net(features(z))
            return spread * z + self.net(features(spread * z))

    return Critic(), Generator()


def trained(module: Any, build: Any, settings: dict[str, Any], seed: int) -> Any:
    """Runs in the worker: train with the student's loop, return the parameters of critic and generator.

    Args:
        module: the student's module.
        build: `networks`.
        settings: fields of `Problem`.
        seed: for torch's, numpy's and Python's generators.
    """
    import random

    import numpy as np
    import torch

    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - students' code may use the global generator
    random.seed(seed)
    critic, generator = build(settings)
    centres = torch.tensor(settings["centres"], dtype=torch.get_default_dtype())
    source = torch.Generator().manual_seed(seed + 1)

    def sample(n: int) -> Any:
        home = torch.randint(len(centres), (n,), generator=source)
        return centres[home] + settings["sigma"] * torch.randn(n, 2, generator=source)

    module.train_wgan_gp(
        critic,
        generator,
        sample(20_000) if settings["as_tensor"] else sample,
        n_iterations=settings["iterations"],
        batch_size=settings["batch"],
        dz=2,
        n_critic=settings["n_critic"],
        lambda_=settings["lambda_"],
        lr=settings["lr"],
    )
    return [[value.detach().clone() for value in net.parameters()] for net in (critic, generator)]


@dataclasses.dataclass(frozen=True)
class Scores:
    """What a trained pair is worth.

    Attributes:
        captured: modes with at least CAPTURED of SAMPLES samples within 3 sigma.
        poorest: samples within 3 sigma of the mode that has fewest, over what an even mixture would have in all.
        high_quality: share of samples within 3 sigma of their nearest centre.
        reverse_kl: of the shares of all samples, nats.
        width: root mean square deviation, per coordinate, of the samples of high quality, in units of sigma (0.97 for
            the mixture itself, 1.5 for points spread evenly over the discs).
        slope: mean norm of the critic's gradient half-way between real and fake points.
        finite: whether all parameters are finite numbers.
    """

    captured: int
    poorest: float
    high_quality: float
    reverse_kl: float
    width: float
    slope: float
    finite: bool


def scores(problem: Problem, parameters: Any, noise: Any, real: Any) -> Scores:
    """The judge's own arithmetic on the trained parameters.

    Args:
        parameters: what `trained` returned, shapes not yet known to be right.
        noise: (SAMPLES, 2) standard normal.
        real: (SAMPLES, 2) samples of the mixture.

    Raises:
        ValueError: the parameters are not those of the networks.
    """
    import torch

    settings = dataclasses.asdict(problem)
    critic, generator = (net.double() for net in networks(settings))
    for net, values in zip((critic, generator), parameters, strict=True):
        for mine, value in zip(net.parameters(), values, strict=True):
            if tuple(value.shape) != tuple(mine.shape):
                raise ValueError("the trained networks came back with other shapes")
            mine.data = value.double()
    if not all(bool(value.isfinite().all()) for net in (critic, generator) for value in net.parameters()):
        return Scores(0, 0.0, 0.0, float("inf"), float("nan"), float("nan"), False)
    with torch.no_grad():
        x = generator(noise.double())
    centres = torch.tensor(problem.centres, dtype=torch.float64)
    distance, home = torch.cdist(x, centres).min(dim=1)
    near = distance <= 3 * problem.sigma
    good = torch.bincount(home[near], minlength=len(centres))
    shares = torch.bincount(home, minlength=len(centres)).double() / len(x)
    middle = ((x + real) / 2).requires_grad_(True)
    (slopes,) = torch.autograd.grad(critic(middle).sum(), middle)
    width = (distance[near].square().mean() / 2).sqrt() / problem.sigma if near.any() else torch.tensor(float("nan"))
    return Scores(
        int((good >= CAPTURED).sum()),
        float(good.min()) * len(centres) / len(x),
        float(near.double().mean()),
        float(torch.special.xlogy(shares, shares * len(centres)).sum()),
        float(width),
        float(slopes.norm(dim=1).mean()),
        True,
    )


def of_mixture(problem: Problem, home: Any, noise: Any) -> Any:
    """Samples of the mixture: `home` (N,) indices of centres, `noise` (N, 2) standard normal."""
    import torch

    return torch.tensor(problem.centres, dtype=torch.float64)[home] + problem.sigma * noise


def limits() -> Any:
    """The calibrated limits, by name; `calibrate.py` writes their file."""
    from gdgrade.checks import load_calibrations  # type: ignore[attr-defined]

    return load_calibrations(Path(__file__).parent / "calibration.json")
