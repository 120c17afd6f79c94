# right: one class does it all, the functions only delegate; named tuples; extra parameters; no_grad missing where it does not matter
from typing import NamedTuple

import torch
from torch import nn
import torch.nn.functional as F


class Posterior(NamedTuple):
    mean: torch.Tensor
    variance: torch.Tensor


class Diffusion:
    def __init__(self, schedule):
        self.b, self.a, self.ab = (schedule[k] for k in ("betas", "alphas", "abar"))
        self.padded = torch.cat([self.ab.new_ones(1), self.ab])

    def at(self, table, t, like):
        return table.index_select(0, t).view(-1, *([1] * (like.dim() - 1))).type_as(like)

    def forward(self, x0, t, noise):
        ab = self.at(self.ab, t, x0)
        return torch.lerp(torch.zeros_like(x0), x0, ab.sqrt()) + (1 - ab).sqrt() * noise

    def clean(self, x, t, eps):
        ab = self.at(self.ab, t, x)
        return torch.rsqrt(ab) * (x - torch.sqrt(1 - ab) * eps)

    def posterior(self, x0, x, t):
        ab, prev, b = self.at(self.ab, t, x), self.at(self.padded, t, x), self.at(self.b, t, x)
        mean = torch.addcdiv(prev.sqrt() * b / (1 - ab) * x0, (1 - b).sqrt() * (1 - prev) * x, 1 - ab)
        return Posterior(mean, b * (1 - prev) / (1 - ab))

    def back(self, model, x, t, noise):
        eps = model(x, x.new_full((x.size(0),), t).long())
        mean = self.a[t].rsqrt() * (x - self.b[t] * (1 - self.ab[t]).rsqrt() * eps)
        return mean + (self.b[t].sqrt() * noise if t else 0)


def linear_schedule(T, beta_min=1e-4, beta_max=0.02, scale=True, device="cpu"):
    betas = torch.linspace(beta_min, beta_max, T, device=device) * (1000 / T) ** scale
    return dict(betas=betas, alphas=1 - betas, abar=torch.exp(torch.cumsum(torch.log1p(-betas), 0)), T=T)


def q_sample(x0, t, schedule, noise=None, generator=None):
    noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype) if noise is None else noise
    return Diffusion(schedule).forward(x0, t, noise)


def ddpm_loss(model, x0, schedule, t=None, noise=None, weight=1.0):
    t = torch.randint(len(schedule["abar"]), x0.shape[:1]) if t is None else t
    noise = torch.randn_like(x0) if noise is None else noise
    return weight * torch.nn.MSELoss()(model(q_sample(x0, t, schedule, noise), t), noise)


def predict_x0(x_t, t, eps, schedule):
    return Diffusion(schedule).clean(x_t, t, eps)


def q_posterior(x0, x_t, t, schedule):
    return Diffusion(schedule).posterior(x0, x_t, t)


def p_sample(model, x_t, t, schedule, noise=None):
    return Diffusion(schedule).back(model, x_t, int(t), torch.randn_like(x_t) if noise is None else noise)


def sample(model, shape, schedule, noises=None, return_traj=False):
    diffusion, T = Diffusion(schedule), len(schedule["abar"])
    x = torch.randn(shape, dtype=schedule["abar"].dtype) if noises is None else noises[0].clone()
    traj = x.new_empty(T + 1, *shape)
    traj[0] = x
    for i in range(T):
        t = T - 1 - i
        x = diffusion.back(model, x, t, torch.randn_like(x) if noises is None else noises[1 + i]).detach()
        traj[1 + i] = x
    return (x, traj) if return_traj else x


def time_embedding(t, dim):
    w = torch.logspace(0, -4 * (1 - 2 / dim), dim // 2) if dim > 2 else torch.ones(1)
    return (t.unsqueeze(1) * w).unsqueeze(1).repeat(1, 2, 1).add(
        torch.tensor([[0.0], [torch.pi / 2]])
    ).sin().flatten(1)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.norm, self.qkv, self.back = nn.GroupNorm(1, c), nn.Linear(c, 3 * c), nn.Linear(c, c)

    def forward(self, x):
        h = self.norm(x).flatten(2).transpose(1, 2)
        q, k, v = self.qkv(h).chunk(3, dim=-1)
        h = self.back(F.scaled_dot_product_attention(q, k, v))
        return x + h.transpose(1, 2).reshape(x.shape)


class Res(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.body = nn.ModuleDict(
            dict(
                n1=nn.GroupNorm(1, a), c1=nn.Conv2d(a, b, 3, padding=1), n2=nn.GroupNorm(2, b),
                drop=nn.Dropout(0.1), c2=nn.Conv2d(b, b, 3, padding=1), t=nn.Linear(64, b),
            )
        )
        self.skip = nn.Identity() if a == b else nn.Conv2d(a, b, 1)
        nn.init.zeros_(self.body["c2"].weight)

    def forward(self, x, e):
        m = self.body
        h = m["c1"](F.silu(m["n1"](x))) + m["t"](F.silu(e))[..., None, None]
        return self.skip(x) + m["c2"](m["drop"](F.silu(m["n2"](h))))


class UNet(nn.Module):
    """Pre-activation, attention at the bottom, dropout, last convolution starts at zero; t as it is, twice embedded."""

    def __init__(self, c=16):
        super().__init__()
        self.stem, widths = nn.Conv2d(1, c, 3, padding=1), (c, c, 2 * c)
        self.down = nn.ModuleList([Res(c, c), Res(c, c), Res(c, 2 * c)])
        self.attention = Attention(2 * c)
        self.up = nn.ModuleList([Res(2 * c + widths[1], c), Res(c + widths[0], c)])
        self.head = nn.Conv2d(c, 1, 3, padding=1)
        self.mlp = nn.Sequential(nn.Linear(32, 64), nn.SiLU(), nn.Linear(64, 64))
        nn.init.zeros_(self.head.weight)

    def forward(self, x, t):
        e = self.mlp(time_embedding(t, 32))
        a = self.down[0](self.stem(x), e)
        b = self.down[1](F.interpolate(a, scale_factor=0.5, mode="area"), e)
        m = self.attention(self.down[2](F.interpolate(b, scale_factor=0.5, mode="area"), e))
        y = self.up[0](torch.cat([F.interpolate(m, size=b.shape[-2:], mode="bilinear"), b], 1), e)
        return self.head(self.up[1](torch.cat([F.interpolate(y, size=a.shape[-2:], mode="bilinear"), a], 1), e))


def ddim_timesteps(T, S):
    return tuple(int(k * (T - 1) / (S - 1) + 0.5) for k in range(S))


def ddim_step(model, x, t, t_prev, schedule, eta=0.0, noise=None):
    padded = torch.cat([schedule["abar"].new_ones(1), schedule["abar"]])
    ab, prev = padded[t + 1], padded[t_prev + 1]
    eps = model(x, x.new_full((x.size(0),), t).long())
    sigma = eta * ((1 - prev) / (1 - ab) * (1 - ab / prev)).sqrt()
    rest = (1 - prev - sigma * sigma).clamp_min(0).sqrt()
    x = (prev / ab).sqrt() * x + (rest - ((1 - ab) * prev / ab).sqrt()) * eps
    return x + sigma * (torch.randn_like(x) if noise is None else noise) if eta else x


def ddim_sample(model, x_T, schedule, n_steps=20, eta=0.0, noises=None):
    steps, x = (-1, *ddim_timesteps(len(schedule["abar"]), n_steps)), x_T
    for i, k in enumerate(range(n_steps, 0, -1)):
        x = ddim_step(model, x, steps[k], steps[k - 1], schedule, eta, None if noises is None else noises[i]).detach()
    return x


def ddim_invert(model, x0, schedule, n_steps=20):
    padded, below = torch.cat([schedule["abar"].new_ones(1), schedule["abar"]]), -1
    for t in ddim_timesteps(len(schedule["abar"]), n_steps):
        was, now = padded[below + 1], padded[t + 1]
        eps = model(x0, x0.new_full((x0.size(0),), t).long())
        x0 = (now / was).sqrt() * x0 + ((1 - now).sqrt() - (now * (1 - was) / was).sqrt()) * eps
        below = t
    return x0.detach()


def slerp(a, b, weight):
    def one(p, q):
        om = torch.arccos((p * q).sum() / torch.linalg.vector_norm(p) / torch.linalg.vector_norm(q))
        return (torch.sin(om - weight * om) * p + torch.sin(weight * om) * q) / torch.sin(om)

    return torch.func.vmap(one)(a, b)
