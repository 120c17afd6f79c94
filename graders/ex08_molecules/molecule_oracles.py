"""Networks whose answer is known, and the judge's own formulas of exercise 8.

Oracles are modules with one parameter; they take any number of molecules and atoms, and read t in any shape that has
one number or one per molecule. What they answer has no mean, unless their name says so.
"""

from __future__ import annotations

from typing import NamedTuple

import torch


class Recipe(NamedTuple):
    """Arguments of `linear_schedule`."""

    T: int
    beta_min: float = 1e-4
    beta_max: float = 0.02
    scale: bool = True


def schedule_of(T, beta_min=1e-4, beta_max=0.02, scale=True):
    """The schedule of exercise 4, from its formulas; abar by adding logarithms."""
    k = torch.arange(T, dtype=torch.float64)
    betas = (beta_min + (beta_max - beta_min) * k / (T - 1)) * (1000 / T if scale else 1.0)
    return {"betas": betas, "alphas": 1 - betas, "abar": torch.log1p(-betas).cumsum(0).exp()}


# ---- the subspace


def projector(M):
    """I - 11^T / M, (M, M)."""
    return torch.eye(M, dtype=torch.float64) - 1 / M


def basis(M):
    """An orthonormal basis of the vectors of M numbers that add up to 0, as columns, (M, M - 1) (Helmert's)."""
    columns = torch.zeros(M, M - 1, dtype=torch.float64)
    for k in range(1, M):
        columns[:k, k - 1] = 1.0
        columns[k, k - 1] = -float(k)
    return columns / columns.norm(dim=0)


def centred(x, mask=None):
    """x (B, M, 3) of zero mean over the atoms, molecule by molecule; rows that are not present are zero."""
    rows = torch.zeros_like(x)
    for b in range(len(x)):
        there = torch.ones(x.shape[1], dtype=torch.bool) if mask is None else mask[b] > 0
        if bool(there.any()):
            rows[b, there] = projector(int(there.sum())).to(x.dtype) @ x[b, there]
    return rows


def clouds(draw, B, M, scale=1.0):
    """Random positions (B, M, 3) of zero mean."""
    return centred(draw.normal(B, M, 3, scale=scale))


def in_basis(x):
    """Coordinates (B, 3 (M - 1)) of centred positions (B, M, 3), in an orthonormal basis."""
    return torch.einsum("bmc,mk->bkc", x.double(), basis(x.shape[1])).flatten(1)


def noised(x0, t, abar, noise):
    """x_t of every molecule, one after the other."""
    levels = abar.to(x0.dtype)[t]
    return torch.stack([a.sqrt() * x + (1 - a).sqrt() * n for a, x, n in zip(levels, x0, noise, strict=True)])


def wide(values, x):
    """One number per molecule in a shape that multiplies x (B, M, 3)."""
    return torch.as_tensor(values).to(x.dtype).reshape(-1, *[1] * (x.ndim - 1))


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
        y = 0.9 * x + (0.3 + 0.005 * time) * torch.sin(2 * x + 0.1 * time)
        return y - y.mean(dim=1, keepdim=True)


class Drifting(Bent):
    """`Bent`, but its answer has a mean."""

    def forward(self, x, t):
        return super().forward(x, t) + torch.tensor([0.5, -0.3, 0.2], dtype=torch.as_tensor(x).dtype)


class Radial(Oracle):
    """Turns with its molecule: every atom is pushed along its own position, by an amount that depends on its length."""

    def forward(self, x, t):
        x = torch.as_tensor(x)
        time = wide(torch.as_tensor(t).detach().to(x.dtype).reshape(-1), x)
        y = x * torch.cos(x.square().sum(-1, keepdim=True) + 0.1 * time)
        return y - y.mean(dim=1, keepdim=True)


class PointMass(Oracle):
    """The right network for data that are all the molecule c (M, 3), of zero mean."""

    def __init__(self, abar, c):
        super().__init__(abar)
        self.register_buffer("c", c)

    def forward(self, x, t):
        x = torch.as_tensor(x)
        abar = self.level(x, t)
        return (x - abar.sqrt() * self.c.to(x.dtype)) / (1 - abar).sqrt()


class Gaussian(Oracle):
    """The right network for data from N(m, variance I) within the subspace, m (M, 3) of zero mean."""

    def __init__(self, abar, m, variance):
        super().__init__(abar)
        self.register_buffer("m", m)
        self.variance = variance

    def forward(self, x, t):
        x = torch.as_tensor(x)
        abar = self.level(x, t)
        gap = x - abar.sqrt() * self.m.to(x.dtype)
        return (1 - abar).sqrt() * gap / (abar * self.variance + 1 - abar)


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
    return centred(mean + (beta.sqrt() * noise if t > 0 else 0))


def affine_law(schedule, variance):
    """(share of m in the mean, variance per free direction) of what the chain generates for data N(m, variance).

    With the network that is right for the data, every step is x -> a x + b m, plus noise of variance beta (none in the
    last); started from the standard normal of the subspace.
    """
    mean, spread = torch.zeros(()), torch.ones(())
    for t in reversed(range(len(schedule["betas"]))):
        beta, alpha, abar = (schedule[key][t] for key in ("betas", "alphas", "abar"))
        width = abar * variance + 1 - abar
        a, b = (1 - beta / width) / alpha.sqrt(), beta * abar.sqrt() / width / alpha.sqrt()
        mean, spread = a * mean + b, a**2 * spread + (beta if t > 0 else 0.0)
    return mean, spread
