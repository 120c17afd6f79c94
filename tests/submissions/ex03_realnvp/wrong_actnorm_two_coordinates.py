# wrong: two coordinates, whatever dim says | fails: actnorm/maths | diagnosis: none
import math

import torch
import torch.nn as nn


def small_network(hidden):
    layers = [nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 2)]
    nn.init.zeros_(layers[-1].weight)
    nn.init.zeros_(layers[-1].bias)
    return nn.Sequential(*layers)


class AffineCoupling(nn.Module):
    def __init__(self, mask, hidden=64):
        super().__init__()
        self.register_buffer("mask", torch.as_tensor(mask, dtype=torch.get_default_dtype()).clone())
        self.scale_net = small_network(hidden)
        self.shift_net = small_network(hidden)
        self.alpha = nn.Parameter(torch.tensor(1.0))

    def conditioner(self, point):
        seen = point * self.mask
        s = self.alpha * torch.tanh(self.scale_net(seen))
        t = self.shift_net(seen)
        return (1 - self.mask) * s, (1 - self.mask) * t

    def forward(self, z):
        s, t = self.conditioner(z)
        x = z * torch.exp(s) + t
        return x, s.sum(dim=1)

    def inverse(self, x):
        s, t = self.conditioner(x)
        z = (x - t) * torch.exp(-s)
        return z, -s.sum(dim=1)


class RealNVP(nn.Module):
    def __init__(self, n_layers=8):
        super().__init__()
        masks = [torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])]
        self.layers = nn.ModuleList([AffineCoupling(masks[i % 2]) for i in range(n_layers)])

    def forward(self, z):
        total = torch.zeros(len(z), dtype=z.dtype)
        for layer in self.layers:
            z, log_det = layer(z)
            total = total + log_det
        return z, total

    def inverse(self, x):
        total = torch.zeros(len(x), dtype=x.dtype)
        for layer in self.layers[::-1]:
            x, log_det = layer.inverse(x)
            total = total + log_det
        return x, total

    def log_prob(self, x):
        z, log_det = self.inverse(x)
        base = -0.5 * (z**2).sum(dim=1) - math.log(2 * math.pi)
        return base + log_det

    def sample(self, n, noise=None):
        if noise is None:
            noise = torch.randn(n, 2)
        x, _ = self.forward(noise)
        return x


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
        self.b = nn.Parameter(torch.zeros(2))
        self.log_s = nn.Parameter(torch.zeros(2))
        self.register_buffer("ready", torch.tensor(False))

    def forward(self, z):
        return z / torch.exp(self.log_s) - self.b, -self.log_s.sum() * torch.ones(len(z), dtype=z.dtype)

    def inverse(self, x):
        if not self.ready:
            with torch.no_grad():
                self.b.copy_(-x.mean(dim=0))
                self.log_s.copy_(-torch.log(x.std(dim=0)))
                self.ready.fill_(True)
        return (x + self.b) * torch.exp(self.log_s), self.log_s.sum() * torch.ones(len(x), dtype=x.dtype)
