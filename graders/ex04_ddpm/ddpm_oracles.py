"""Networks whose answer is known, and the judge's own formulas of exercise 4.

Oracles are modules with one parameter, as the statement promises, take any number of samples, and read t in any shape
that has one number or one per sample.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch


class Recipe(NamedTuple):
    """Arguments of `linear_schedule`."""

    T: int
    beta_min: float = 1e-4
    beta_max: float = 0.02
    scale: bool = True


def schedule_of(T, beta_min=1e-4, beta_max=0.02, scale=True):
    """The right schedule, from the formulas of the statement; abar by adding logarithms."""
    k = torch.arange(T, dtype=torch.float64)
    betas = (beta_min + (beta_max - beta_min) * k / (T - 1)) * (1000 / T if scale else 1.0)
    return {"betas": betas, "alphas": 1 - betas, "abar": torch.log1p(-betas).cumsum(0).exp()}


def before(abar, t):
    """abar before step t (B,), 1 before the first."""
    return torch.cat([torch.ones(1, dtype=abar.dtype), abar])[t]


def wide(values, x):
    """One number per sample in a shape that multiplies x (B, ...)."""
    return torch.as_tensor(values).to(x.dtype).reshape(-1, *[1] * (x.ndim - 1))


def noised(x0, t, abar, noise):
    """x_t of every sample, one after the other."""
    levels = abar.to(x0.dtype)[t]
    return torch.stack([a.sqrt() * x + (1 - a).sqrt() * n for a, x, n in zip(levels, x0, noise, strict=True)])


# ---- oracles


class Oracle(torch.nn.Module):
    """A network with one idle parameter and a table of abar."""

    def __init__(self, abar=None):
        super().__init__()
        self.idle = torch.nn.Parameter(torch.zeros(()))
        self.register_buffer("abar", torch.ones(1) if abar is None else abar)

    def level(self, x, t):
        """abar at t in a shape that multiplies x; an index out of range counts as the nearest."""
        index = torch.as_tensor(t).detach().to(torch.long).reshape(-1).clamp(0, len(self.abar) - 1)
        return wide(self.abar[index], x)


class Bent(Oracle):
    """Smooth, no straight line in x, and sensitive to t: a wrong point or a wrong t shows.

    Near 0.9 x, as noise mostly is, so that a chain of steps stays of order one.
    """

    def forward(self, x, t):
        x = torch.as_tensor(x)
        time = wide(torch.as_tensor(t).detach().to(x.dtype).reshape(-1), x)
        return 0.9 * x + (0.3 + 0.005 * time) * torch.sin(2 * x + 0.1 * time)


class PointMass(Oracle):
    """The right network for data that are all c, of the shape of one sample or of a batch of one."""

    def __init__(self, abar, c):
        super().__init__(abar)
        self.register_buffer("c", c)

    def forward(self, x, t):
        x = torch.as_tensor(x)
        abar = self.level(x, t)
        return (x - abar.sqrt() * self.c.to(x.dtype)) / (1 - abar).sqrt()


class Gaussian(Oracle):
    """The right network for data from N(m, variance I)."""

    def __init__(self, abar, m, variance):
        super().__init__(abar)
        self.register_buffer("m", torch.as_tensor(m))
        self.variance = variance

    def forward(self, x, t):
        x = torch.as_tensor(x)
        abar = self.level(x, t)
        gap = x - abar.sqrt() * self.m.to(x.dtype)
        return (1 - abar).sqrt() * gap / (abar * self.variance + 1 - abar)


class Mixture(Oracle):
    """The right network for a mixture of round Gaussians in the plane, (k, 2) means of equal spread."""

    def __init__(self, abar, means, sigma, weights):
        super().__init__(abar)
        self.register_buffer("means", means)
        self.register_buffer("weights", weights)
        self.sigma = sigma

    def forward(self, x, t):
        x = torch.as_tensor(x)
        abar = self.level(x, t)  # (B, 1)
        variance = abar * self.sigma**2 + 1 - abar
        pulls = abar.sqrt()[..., None] * self.means.to(x.dtype) - x[:, None, :]  # (B, k, 2)
        logits = self.weights.to(x.dtype).log() - pulls.square().sum(-1) / (2 * variance)
        score = (torch.softmax(logits, dim=1)[..., None] * pulls).sum(1) / variance
        return -(1 - abar).sqrt() * score


class Zero(Oracle):
    """The network that always answers 0."""

    def forward(self, x, t):
        return torch.zeros_like(torch.as_tensor(x))


# ---- what theory says


def ancestral_step(model, x_t, t, schedule, noise):
    """The step, from the guess at the clean data: another algebra than the statement's, the same numbers."""
    beta, alpha, abar = (schedule[key][t] for key in ("betas", "alphas", "abar"))
    eps = model(x_t, torch.full((len(x_t),), t))
    x0 = x_t / abar.sqrt() - (1 / abar - 1).sqrt() * eps
    prev = abar / alpha if t > 0 else torch.ones(())
    mean = (prev.sqrt() * beta * x0 + alpha.sqrt() * (1 - prev) * x_t) / (1 - abar)
    return mean + (beta.sqrt() * noise if t > 0 else 0)


def affine_step(schedule, t, m, variance):
    """x -> a x + b, the mean of the ancestral step at t for data N(m, variance) and the right network."""
    beta, alpha, abar = (schedule[key][t] for key in ("betas", "alphas", "abar"))
    spread = abar * variance + 1 - abar
    return (1 - beta / spread) / alpha.sqrt(), beta * abar.sqrt() * m / spread / alpha.sqrt()


def affine_law(schedule, m, variance):
    """Mean and variance of what the ancestral sampler generates for data N(m, variance), started from N(0, 1)."""
    mean, spread = torch.zeros(()), torch.ones(())
    for t in reversed(range(len(schedule["betas"]))):
        a, b = affine_step(schedule, t, m, variance)
        mean, spread = a * mean + b, a**2 * spread + (schedule["betas"][t] if t > 0 else 0.0)
    return mean, spread


def gaussian_entropy(variance):
    """Of N(m, variance), nats."""
    return 0.5 * math.log(2 * math.pi * math.e * variance)


def bound_of_steps(schedule, m, variance, slopes, offsets, deviations):
    """The variational bound on -E log p(x0), nats, of a sampler whose steps are x -> slope x + offset + deviation n.

    For data N(m, variance) everything is Gaussian, so the expectations are sums. The last step, which adds no noise,
    counts as one of deviation sqrt(beta_0), as in the paper's L_0.

    Args:
        slopes, offsets, deviations: (T,), of the steps at t = 0..T-1.
    """
    betas, abar = schedule["betas"], schedule["abar"]
    T = len(betas)
    # L_T: KL of N(sqrt(abar) x0, 1 - abar) from N(0, 1), averaged over x0
    last = abar[-1]
    total = 0.5 * (last * (m**2 + variance) + (1 - last) - 1 - torch.log(1 - last))
    for t in range(1, T):
        prev = abar[t - 1]
        posterior = (1 - prev) / (1 - abar[t]) * betas[t]
        on_x0 = prev.sqrt() * betas[t] / (1 - abar[t])
        on_xt = (1 - betas[t]).sqrt() * (1 - prev) / (1 - abar[t])
        # The gap of the means is a linear form in x0 and the noise of x_t = sqrt(abar) x0 + sqrt(1 - abar) n.
        in_x0 = on_x0 + (on_xt - slopes[t]) * abar[t].sqrt()
        in_noise = (on_xt - slopes[t]) * (1 - abar[t]).sqrt()
        gap = (in_x0 * m - offsets[t]) ** 2 + in_x0**2 * variance + in_noise**2
        v = deviations[t] ** 2
        total = total + 0.5 * ((posterior + gap) / v - 1 + torch.log(v / posterior))
    in_x0 = 1 - slopes[0] * abar[0].sqrt()
    in_noise = slopes[0] * (1 - abar[0]).sqrt()
    gap = (in_x0 * m - offsets[0]) ** 2 + in_x0**2 * variance + in_noise**2
    return total + 0.5 * (gap / betas[0] + torch.log(2 * math.pi * betas[0]))


def posterior_by_bayes(schedule, x0, x_t, t):
    """Mean (B, ...) and variance (B,) of one step back, for t >= 1: two Gaussian factors multiplied, q(x_t | x_{t-1})
    and q(x_{t-1} | x_0), each with its precision."""
    beta, alpha, prev = schedule["betas"][t], schedule["alphas"][t], schedule["abar"][t - 1]
    precision = alpha / beta + 1 / (1 - prev)
    pull = wide(alpha.sqrt() / beta, x_t) * x_t + wide(prev.sqrt() / (1 - prev), x0) * x0
    return pull / wide(precision, x0), 1 / precision
