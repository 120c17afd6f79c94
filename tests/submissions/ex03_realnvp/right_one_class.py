# right: the flow does without the coupling class, its weights are bare parameters, determinants from autograd-free sums
import math

import torch
from torch import nn


def bend(a, w1, b1, w2, b2):
    """Two numbers from one: (B,) -> s, t, each (B,)."""
    hidden = torch.sin(a[:, None] * w1 + b1)
    hidden = torch.cat([hidden, torch.tanh(hidden)], dim=1)
    out = hidden @ w2 + b2
    return torch.tanh(out[:, 0]), out[:, 1]


def fresh_numbers(width):
    return [
        nn.Parameter(2 * torch.randn(width)), nn.Parameter(torch.rand(width) * 6 - 3),
        nn.Parameter(torch.zeros(2 * width, 2)), nn.Parameter(torch.zeros(2)),
    ]  # fmt: skip


def push(z, kept, numbers):
    s, t = bend(z[:, kept], *numbers)
    free = z[:, 1 - kept] * s.exp() + t
    return torch.stack([z[:, 0], free] if kept == 0 else [free, z[:, 1]], 1), s


def pull(x, kept, numbers):
    s, t = bend(x[:, kept], *numbers)
    free = (x[:, 1 - kept] - t) * (-s).exp()
    return torch.stack([x[:, 0], free] if kept == 0 else [free, x[:, 1]], 1), -s


class AffineCoupling(nn.Module):
    def __init__(self, mask, hidden=64):
        super().__init__()
        self.kept = int(torch.as_tensor(mask).argmax())
        self.numbers = nn.ParameterList(fresh_numbers(hidden))

    def forward(self, z):
        return push(z, self.kept, list(self.numbers))

    def inverse(self, x):
        return pull(x, self.kept, list(self.numbers))


class RealNVP(nn.Module):
    def __init__(self, n_layers=8):
        super().__init__()
        self.numbers = nn.ParameterList([p for _ in range(n_layers) for p in fresh_numbers(64)])
        self.n_layers = n_layers

    def of(self, k):
        return [self.numbers[4 * k + i] for i in range(4)]

    def forward(self, z):
        log_dets = []
        for k in range(self.n_layers):
            z, s = push(z, k % 2, self.of(k))
            log_dets.append(s)
        return z, sum(log_dets)

    def inverse(self, x):
        log_dets = []
        for k in reversed(range(self.n_layers)):
            x, s = pull(x, k % 2, self.of(k))
            log_dets.append(s)
        return x, sum(log_dets)

    def log_prob(self, x):
        z, log_det = self.inverse(x)
        return log_det - (z * z).sum(1) / 2 - math.log(2 * math.pi)

    def sample(self, n, noise=None):
        return self.forward(noise if noise is not None else torch.randn((n, 2)))[0]


def nll_loss(flow, x):
    z, log_det = flow.inverse(x)
    return ((z * z).sum(1) / 2 + math.log(2 * math.pi) - log_det).mean()


def standardise(x):
    cov = torch.cov(x.T)
    return (x - x.mean(0)) / cov.diag().sqrt(), -0.5 * cov.diag().log().sum()


def density_grid(flow, lim, n):
    side = torch.arange(n) * (2 * lim / (n - 1)) - lim
    points = torch.cartesian_prod(side, side).flip(1)
    values = torch.stack([flow.log_prob(point[None])[0] for point in points]).exp()
    return points[:, 0].view(n, n), points[:, 1].view(n, n), values.view(n, n).detach()


class ActNorm(nn.Module):
    def __init__(self, dim=2):
        super().__init__()
        self.b = nn.Parameter(torch.full((dim,), float("nan")))
        self.l = nn.Parameter(torch.zeros(dim))

    def forward(self, z):
        return z * torch.exp(-self.l) - self.b, -self.l.sum().expand(len(z))

    def inverse(self, x):
        if torch.isnan(self.b).any():  # NaN means not initialised, and is saved with the rest
            self.b.data, self.l.data = -x.mean(0), -x.std(0).log()
        return (x + self.b) * torch.exp(self.l), self.l.sum().expand(len(x))
