"""The trainings of part 4.9: what runs in the worker, and what it is worth by the judge's own arithmetic.

The judge writes the loops and, on the toy, the network; the student's code is the loss, the sampler and the U-Net.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from ddpm_oracles import Mixture, Recipe, noised, schedule_of
from ddpm_worker import own_schedule, told_as

from gdgrade.compare.calibration import Calibration, load_calibrations

CALIBRATION = Path(__file__).resolve().parent / "calibration.json"

OVERFIT_STEPS, OVERFIT_RATE = 200, 3e-3
TOY, TOY_STEPS, TOY_BATCH, TOY_RATE, TOY_SAMPLES = Recipe(100), 1500, 256, 3e-3, 1000
DIGITS, DIGIT_STEPS, DIGIT_BATCH, DIGIT_RATE = Recipe(200), 150, 64, 2e-3

CENTRES = torch.tensor([[-1.5, -1.0], [1.2, -1.2], [0.0, 1.5], [-1.6, 1.4]], dtype=torch.float64)
WEIGHTS = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
SIGMA = 0.2


@cache
def calibrations() -> dict[str, Calibration]:
    """The stored limits, by name of the score."""
    return load_calibrations(CALIBRATION)


def small_digits(images: Any) -> Any:
    """uint8 (N, 28, 28) -> float64 (N, 1, 16, 16) in [-1, 1]: means over 2x2 pixels, and a black frame of 1."""
    x = np.asarray(images, dtype=np.float64).reshape(-1, 14, 2, 14, 2).mean((2, 4)) / 127.5 - 1
    return torch.from_numpy(np.pad(x, ((0, 0), (1, 1), (1, 1)), constant_values=-1.0)[:, None])


# ---- one batch, again and again


@told_as("UNet")
def overfit(module: Any, x: Any, t: Any, noise: Any, seed: int, steps: int, rate: float) -> Any:
    """In the worker: Adam on one batch of noised images; the U-Net's best guess in the last 20 steps, (B, 1, H, W).

    The best of several, since at a constant rate the last step may be an unlucky one.
    """
    import random

    torch.manual_seed(seed)
    random.seed(seed)
    net = module.UNet()
    x, noise = (values.to(torch.get_default_dtype()) for values in (x, noise))
    net.train()
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    best, smallest = torch.zeros_like(noise), float("inf")
    for step in range(steps):
        guess = net(x, t)
        loss = (guess - noise).square().mean()
        if step >= steps - 20 and float(loss.detach()) < smallest:
            best, smallest = guess.detach().clone(), float(loss.detach())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return best


def overfit_batch(draw: Any, images: Any) -> tuple[Any, Any, Any]:
    """Eight digits, each at its own step, and the noise in them."""
    x0 = torch.from_numpy(images[draw.permutation(len(images)).numpy()[:8]] / 127.5 - 1)[:, None]
    noise = draw.normal(8, 1, 28, 28)
    t = torch.tensor([1, 5, 10, 20, 40, 80, 130, 190])
    return noised(x0, t, schedule_of(*DIGITS)["abar"], noise), t, noise


# ---- points in the plane


class Net(torch.nn.Module):
    """The judge's network for points in the plane: three layers, told t by eight frequencies."""

    def __init__(self, T: int) -> None:
        super().__init__()
        self.T = T
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(18, 128),
            torch.nn.SiLU(),
            torch.nn.Linear(128, 128),
            torch.nn.SiLU(),
            torch.nn.Linear(128, 2),
        )

    def forward(self, x: Any, t: Any) -> Any:
        time = torch.as_tensor(t).to(x.dtype).reshape(-1, 1).expand(len(x), 1) / self.T
        angles = time * 2 ** torch.arange(8, dtype=x.dtype)
        return self.layers(torch.cat([x, angles.sin(), angles.cos()], dim=1))


@told_as("ddpm_loss")
def train_toy(
    module: Any, recipe: Any, right: Any, data: Any, test: Any, times: Any, seed: int, settings: Any
) -> dict[str, Any]:
    """Runs in the worker: the judge's network trained with the student's `ddpm_loss`, then the student's `sample`.

    Args:
        data: (N, 2).
        test, times: noised points (M, 2) and their t (M,), to be answered after training.
        settings: steps, batch, rate, number of samples.

    Returns:
        guesses (M, 2), samples (n, 2), and the step at which the loss stopped being finite, or -1.
    """
    import random

    steps, batch, rate, n = settings
    torch.manual_seed(seed)
    random.seed(seed)
    dtype = torch.get_default_dtype()
    data, test = data.to(dtype), test.to(dtype)
    schedule = own_schedule(module, recipe, {key: value.to(dtype) for key, value in right.items()})
    net = Net(len(right["betas"]))
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    order = torch.Generator().manual_seed(seed)
    for step in range(steps):
        loss = module.ddpm_loss(net, data[torch.randint(len(data), (batch,), generator=order)], schedule)
        if not bool(torch.isfinite(loss.detach())):
            return {"guesses": torch.zeros_like(test), "samples": torch.zeros(n, 2), "broken": step}
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        cosine.step()
    net.eval()
    samples = module.sample(net, (n, 2), schedule)
    samples = samples[0] if isinstance(samples, tuple | list) else samples
    with torch.no_grad():
        return {"guesses": net(test, times), "samples": samples, "broken": -1}


class ToyScores(NamedTuple):
    """Of a network trained on the toy, and of the samples made with it.

    Attributes:
        excess: by how much the mean squared error of the guessed noise exceeds the smallest one possible, per number.
        error: standard error of `excess`.
        shares: half the sum of the differences between the samples' shares of the modes and the right ones; 0 to 1.
        outside: share of samples further than 4 standard deviations from every centre; 0.0003 would be ideal.
        width: variance of the samples around their centres over the right one.
    """

    excess: float
    error: float
    shares: float
    outside: float
    width: float


def toy_points(draw: Any, n: int) -> Any:
    """(n, 2) points of the mixture."""
    which = torch.from_numpy(draw.rng.choice(len(WEIGHTS), n, p=WEIGHTS.numpy()))
    return CENTRES[which] + SIGMA * draw.normal(n, 2)


def toy_test(draw: Any, per_step: int = 40) -> tuple[Any, Any, Any]:
    """Noised test points (M, 2), every step equally often, their t and their noise."""
    t = torch.arange(TOY.T).repeat(per_step)
    noise = draw.normal(len(t), 2)
    abar = schedule_of(*TOY)["abar"][t][:, None]
    return abar.sqrt() * toy_points(draw, len(t)) + (1 - abar).sqrt() * noise, t, noise


def toy_scores(guesses: Any, samples: Any, test: tuple[Any, Any, Any]) -> ToyScores:
    """The judge's arithmetic, in float64, against the best network there is."""
    x, t, noise = test
    guesses, samples = guesses.double(), samples.double()
    best = Mixture(schedule_of(*TOY)["abar"], CENTRES, SIGMA, WEIGHTS)(x, t)
    # Paired: the noise that no network can find is the same in both errors, and cancels.
    gap = ((guesses - noise).square() - (best - noise).square()).mean(1)
    distances = torch.cdist(samples, CENTRES)
    nearest = distances.min(dim=1)
    shares = torch.bincount(nearest.indices, minlength=len(CENTRES)) / len(samples)
    inside = nearest.values < 4 * SIGMA
    width = nearest.values[inside].square().mean() / 2 / SIGMA**2 if bool(inside.any()) else torch.zeros(())
    return ToyScores(
        float(gap.mean()),
        float(gap.std()) / len(gap) ** 0.5,
        float((shares - WEIGHTS).abs().sum() / 2),
        float(1 - inside.double().mean()),
        float(width),
    )


# ---- digits


@told_as("ddpm_loss")
def train_digits(
    module: Any, recipe: Any, right: Any, images: Any, test: Any, times: Any, seed: int, settings: Any
) -> dict[str, Any]:
    """Runs in the worker: the student's U-Net trained with the student's `ddpm_loss` on digits.

    Args:
        images: (N, 1, 16, 16) in [-1, 1].
        test, times: noised images (M, 1, 16, 16) and their t (M,), to be answered after training.
        settings: steps, batch, rate.

    Returns:
        guesses (M, 1, 16, 16), and the step at which the loss stopped being finite, or -1.
    """
    import random

    steps, batch, rate = settings
    torch.manual_seed(seed)
    random.seed(seed)
    dtype = torch.get_default_dtype()
    images, test = images.to(dtype), test.to(dtype)
    schedule = own_schedule(module, recipe, {key: value.to(dtype) for key, value in right.items()})
    net = module.UNet()
    net.train()
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    order = torch.Generator().manual_seed(seed)
    for step in range(steps):
        loss = module.ddpm_loss(net, images[torch.randint(len(images), (batch,), generator=order)], schedule)
        if not bool(torch.isfinite(loss.detach())):
            return {"guesses": torch.zeros_like(test), "broken": step}
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    net.eval()
    with torch.no_grad():
        return {"guesses": torch.cat([net(x, t) for x, t in zip(test.split(100), times.split(100), strict=True)])}


def digit_test(draw: Any, images: Any) -> tuple[Any, Any, Any]:
    """300 digits noised to steps of the lowest quarter, where the image hides the noise best; t, noise."""
    x0 = small_digits(images[:300])
    t = torch.arange(300) % (DIGITS.T // 4)
    noise = draw.normal(*x0.shape)
    return noised(x0, t, schedule_of(*DIGITS)["abar"], noise), t, noise
