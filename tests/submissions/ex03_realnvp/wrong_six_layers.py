# wrong: six layers where no number is asked for | fails: flow/depth | diagnosis: none
import math

import torch
import torch.nn as nn


class AffineCoupling(nn.Module):
    def __init__(self, mask, hidden=64):
        super().__init__()
        self.kept = int(mask[1] == 1)
        self.free = 1 - self.kept
        self.register_buffer("centres", torch.linspace(-4, 4, hidden))
        self.outer = nn.Linear(hidden, 2)
        self.outer.weight.data.zero_()
        self.outer.bias.data.zero_()

    def numbers(self, a):
        out = self.outer(torch.exp(-((a[:, None] - self.centres) ** 2)))
        return 2 * nn.functional.softsign(out[:, 0]), out[:, 1]

    def glue(self, a, b):
        return torch.stack([a, b] if self.kept == 0 else [b, a], dim=1)

    def forward(self, z):
        a, b = z[:, self.kept], z[:, self.free]
        s, t = self.numbers(a)
        return self.glue(a, s.exp() * b + t), s

    def inverse(self, x):
        a, b = x[:, self.kept], x[:, self.free]
        s, t = self.numbers(a)
        return self.glue(a, (b - t) / s.exp()), -s


class RealNVP(nn.Module):
    def __init__(self, n_layers=6):
        super().__init__()
        self.steps = nn.ModuleList()
        for k in range(n_layers):
            self.steps.append(AffineCoupling(torch.tensor([0.0, 1.0] if k % 2 == 0 else [1.0, 0.0])))
        self.base = torch.distributions.Normal(0.0, 1.0)

    def forward(self, z):
        parts = []
        for step in self.steps:
            z, part = step(z)
            parts.append(part)
        return z, torch.stack(parts).sum(0)

    def inverse(self, x):
        parts = []
        for step in reversed(self.steps):
            x, part = step.inverse(x)
            parts.append(part)
        return x, torch.stack(parts).sum(0)

    def log_prob(self, x):
        z, log_det = self.inverse(x)
        for j in range(2):
            log_det = log_det - 0.5 * z[:, j] ** 2 - math.log(math.sqrt(2 * math.pi))
        return log_det

    def sample(self, n, noise=None):
        noise = self.base.sample((n, 2)) if noise is None else noise
        return self(noise)[0]


def nll_loss(flow, x):
    return -flow.log_prob(x).mean()


def standardise(x):
    mean, sd = x.mean(dim=0), x.std(dim=0)
    return (x - mean) / sd, -torch.log(sd).sum()


def density_grid(flow, lim, n):
    ticks = torch.linspace(-lim, lim, n)
    xx, yy = torch.meshgrid(ticks, ticks, indexing="xy")
    points = torch.stack([xx.reshape(-1), yy.reshape(-1)], dim=1)
    with torch.no_grad():
        values = torch.exp(flow.log_prob(points))
    return xx, yy, values.reshape(n, n)


class ActNorm(nn.Module):
    def __init__(self, dim=2):
        super().__init__()
        self.b = nn.Parameter(torch.zeros(dim))
        self.log_s = nn.Parameter(torch.zeros(dim))
        self.register_buffer("ready", torch.zeros(1))

    def forward(self, z):
        return z / torch.exp(self.log_s) - self.b, -self.log_s.sum() * torch.ones(len(z), dtype=z.dtype)

    def inverse(self, x):
        if self.ready.item() == 0:
            with torch.no_grad():
                self.b.data = -x.mean(dim=0)
                self.log_s.data = -torch.log(x.std(dim=0))
                self.ready += 1
        return (x + self.b) * torch.exp(self.log_s), self.log_s.sum() * torch.ones(len(x), dtype=x.dtype)
