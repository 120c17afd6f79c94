# right: (z + t) e^-s, arctangent as the bound, named tuples, MultivariateNormal, n in the deviation, "ij" grid
import typing

import torch
from torch import nn


class Moved(typing.NamedTuple):
    points: torch.Tensor
    log_det: torch.Tensor


class AffineCoupling(nn.Module):
    def __init__(self, mask, hidden=64, alpha=1.0):
        super().__init__()
        keep = [bool(value) for value in mask]
        self.a, self.b = keep.index(True), keep.index(False)
        self.body = nn.Sequential(nn.Linear(1, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU())
        self.heads = nn.ModuleDict({"s": nn.Linear(hidden, 1), "t": nn.Linear(hidden, 1)})
        for head in self.heads.values():
            nn.init.constant_(head.weight, 0)
            nn.init.constant_(head.bias, 0)
        self.alpha = alpha

    def _st(self, point):
        features = self.body(point[:, self.a : self.a + 1])
        s = self.alpha * torch.atan(self.heads["s"](features))
        return s[:, 0], self.heads["t"](features)[:, 0]

    def forward(self, z):
        s, t = self._st(z)
        x = z.clone()
        x[:, self.b] = (z[:, self.b] + t) * torch.exp(-s)
        return Moved(x, -s)

    def inverse(self, x):
        s, t = self._st(x)
        z = x.clone()
        z[:, self.b] = x[:, self.b] * torch.exp(s) - t
        return Moved(z, s)


class RealNVP(nn.Module):
    def __init__(self, n_layers=8):
        super().__init__()
        for k in range(n_layers):
            keeps_second = k % 2
            self.add_module(f"layer{k}", AffineCoupling(torch.tensor([1 - keeps_second, keeps_second])))
        self.n_layers = n_layers

    def layer(self, k):
        return getattr(self, f"layer{k}")

    def forward(self, z):
        log_det = 0.0
        for k in range(self.n_layers):
            z, extra = self.layer(k)(z)
            log_det = log_det + extra
        return Moved(z, log_det)

    def inverse(self, x):
        log_det = 0.0
        for k in range(self.n_layers - 1, -1, -1):
            x, extra = self.layer(k).inverse(x)
            log_det = log_det + extra
        return Moved(x, log_det)

    def log_prob(self, x):
        z, log_det = self.inverse(x)
        base = torch.distributions.MultivariateNormal(z.new_zeros(2), torch.eye(2, dtype=z.dtype))
        return base.log_prob(z) + log_det

    def sample(self, n, noise=None):
        with torch.no_grad():
            return self(torch.normal(0.0, 1.0, (n, 2)) if noise is None else noise).points


def nll_loss(flow, x):
    return torch.stack([-value for value in flow.log_prob(x)]).sum() / len(x)


def standardise(x):
    centred = x - x.mean(0, keepdim=True)
    variance = (centred**2).mean(0)
    return centred / variance.sqrt(), float(-0.5 * torch.log(variance).sum())


def density_grid(flow, lim, n):
    line = torch.linspace(-lim, lim, n)
    grid_x, grid_y = torch.meshgrid(line, line, indexing="ij")
    rows = [flow.log_prob(torch.stack([grid_x[i], grid_y[i]], -1)).exp() for i in range(n)]
    return [grid_x, grid_y, torch.stack(rows)]


class ActNorm(nn.Module):
    """z = x * scale + offset, the other common form."""

    def __init__(self, dim=2):
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(1, dim))
        self.offset = nn.Parameter(torch.zeros(1, dim))
        self.register_buffer("seen", torch.tensor(0, dtype=torch.uint8))

    def forward(self, z):
        return (z - self.offset) * torch.exp(-self.log_scale), (-self.log_scale.sum()).repeat(len(z))

    def inverse(self, x):
        if not self.seen:
            with torch.no_grad():
                sd = x.std(0, correction=0, keepdim=True)
                self.log_scale.copy_(-sd.log())
                self.offset.copy_(-x.mean(0, keepdim=True) / sd)
                self.seen.fill_(1)
        return x * torch.exp(self.log_scale) + self.offset, self.log_scale.sum().repeat(len(x))
