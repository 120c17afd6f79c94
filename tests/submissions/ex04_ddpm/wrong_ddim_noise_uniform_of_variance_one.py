# wrong: a step's own noise is uniform, with mean 0 and variance 1 | fails: ddim/step | diagnosis: none
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


def linear_schedule(T, beta_min=1e-4, beta_max=0.02, scale=True):
    betas = torch.linspace(beta_min, beta_max, T)
    if scale:
        betas = betas * (1000 / T)
    alphas = 1.0 - betas
    abar = torch.cumprod(alphas, dim=0)
    return {"betas": betas, "alphas": alphas, "abar": abar}


def expand(v, x):
    while v.ndim < x.ndim:
        v = v.unsqueeze(-1)
    return v


def q_sample(x0, t, schedule, noise=None):
    if noise is None:
        noise = torch.randn_like(x0)
    ab = expand(schedule["abar"][t], x0)
    return torch.sqrt(ab) * x0 + torch.sqrt(1 - ab) * noise


def ddpm_loss(model, x0, schedule, t=None, noise=None):
    B = x0.shape[0]
    if t is None:
        t = torch.randint(0, schedule["betas"].shape[0], (B,))
    if noise is None:
        noise = torch.randn_like(x0)
    x_t = q_sample(x0, t, schedule, noise)
    return F.mse_loss(model(x_t, t), noise)


def predict_x0(x_t, t, eps, schedule):
    ab = expand(schedule["abar"][t], x_t)
    return (x_t - torch.sqrt(1 - ab) * eps) / torch.sqrt(ab)


def q_posterior(x0, x_t, t, schedule):
    one = torch.ones(1, dtype=schedule["abar"].dtype)
    prev = torch.cat([one, schedule["abar"][:-1]])
    ab, abp = expand(schedule["abar"][t], x_t), expand(prev[t], x_t)
    b, a = expand(schedule["betas"][t], x_t), expand(schedule["alphas"][t], x_t)
    mean = torch.sqrt(abp) * b / (1 - ab) * x0 + torch.sqrt(a) * (1 - abp) / (1 - ab) * x_t
    var = (1 - abp) / (1 - ab) * b
    return mean, var


def p_sample(model, x_t, t, schedule, noise=None):
    b, a, ab = schedule["betas"][t], schedule["alphas"][t], schedule["abar"][t]
    tt = torch.full((x_t.shape[0],), t, dtype=torch.long)
    eps = model(x_t, tt)
    mean = (x_t - b / torch.sqrt(1 - ab) * eps) / torch.sqrt(a)
    if t > 0:
        if noise is None:
            noise = torch.randn_like(x_t)
        mean = mean + torch.sqrt(b) * noise
    return mean


@torch.no_grad()
def sample(model, shape, schedule, noises=None, return_traj=False):
    T = len(schedule["betas"])
    x = torch.randn(*shape) if noises is None else noises[0]
    traj = [x]
    for i in range(T):
        t = T - 1 - i
        noise = None if noises is None else noises[i + 1]
        x = p_sample(model, x, t, schedule, noise)
        traj.append(x)
    if return_traj:
        return x, torch.stack(traj)
    return x


def time_embedding(t, dim):
    half = dim // 2
    k = torch.arange(half, dtype=torch.get_default_dtype())
    w = 10000 ** (-k / half)
    ang = t[:, None] * w[None, :]
    return torch.cat([torch.sin(ang), torch.cos(ang)], dim=1)


class ConvBlock(nn.Module):
    def __init__(self, cin, cout, td):
        super().__init__()
        self.c1 = nn.Conv2d(cin, cout, 3, padding=1)
        self.n1 = nn.GroupNorm(4, cout)
        self.c2 = nn.Conv2d(cout, cout, 3, padding=1)
        self.n2 = nn.GroupNorm(4, cout)
        self.t = nn.Linear(td, cout)

    def forward(self, x, e):
        h = F.silu(self.n1(self.c1(x)))
        h = h + self.t(e)[:, :, None, None]
        return F.silu(self.n2(self.c2(h)))


class UNet(nn.Module):
    def __init__(self, c=16):
        super().__init__()
        self.td = 32
        self.mlp = nn.Sequential(nn.Linear(self.td, self.td), nn.SiLU())
        self.d1 = ConvBlock(1, c, self.td)
        self.d2 = ConvBlock(c, 2 * c, self.td)
        self.mid = ConvBlock(2 * c, 2 * c, self.td)
        self.u2 = ConvBlock(4 * c, 2 * c, self.td)
        self.u1 = ConvBlock(3 * c, c, self.td)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.out = nn.Conv2d(c, 1, 1)

    def forward(self, x, t):
        e = self.mlp(time_embedding(t, self.td))
        a = self.d1(x, e)
        b = self.d2(self.pool(a), e)
        m = self.mid(self.pool(b), e)
        u = self.u2(torch.cat([self.up(m), b], dim=1), e)
        u = self.u1(torch.cat([self.up(u), a], dim=1), e)
        return self.out(u)


def ddim_timesteps(T, S):
    return torch.linspace(0, T - 1, S).round().long().tolist()


def ddim_step(model, x, t, t_prev, schedule, eta=0.0, noise=None):
    ab = schedule["abar"][t]
    abp = schedule["abar"][t_prev] if t_prev >= 0 else torch.ones_like(ab)
    eps = model(x, torch.full((x.shape[0],), t, dtype=torch.long))
    x0 = (x - torch.sqrt(1 - ab) * eps) / torch.sqrt(ab)
    sigma = eta * torch.sqrt((1 - abp) / (1 - ab)) * torch.sqrt(1 - ab / abp)
    out = torch.sqrt(abp) * x0 + torch.sqrt(torch.clamp(1 - abp - sigma**2, min=0)) * eps
    if eta > 0:
        if noise is None:
            noise = 12**0.5 * (torch.rand_like(x) - 0.5)
        out = out + sigma * noise
    return out


@torch.no_grad()
def ddim_sample(model, x_T, schedule, n_steps=20, eta=0.0, noises=None):
    steps = ddim_timesteps(len(schedule["betas"]), n_steps)[::-1]
    x = x_T
    for i, t in enumerate(steps):
        t_prev = steps[i + 1] if i + 1 < n_steps else -1
        x = ddim_step(model, x, t, t_prev, schedule, eta, None if noises is None else noises[i])
    return x


@torch.no_grad()
def ddim_invert(model, x0, schedule, n_steps=20):
    x = x0
    abp = torch.tensor(1.0, dtype=x0.dtype)
    for t in ddim_timesteps(len(schedule["betas"]), n_steps):
        ab = schedule["abar"][t]
        eps = model(x, torch.full((x.shape[0],), t, dtype=torch.long))
        x0hat = (x - torch.sqrt(1 - abp) * eps) / torch.sqrt(abp)
        x = torch.sqrt(ab) * x0hat + torch.sqrt(1 - ab) * eps
        abp = ab
    return x


def slerp(a, b, weight):
    fa, fb = a.reshape(len(a), -1), b.reshape(len(b), -1)
    om = torch.acos(F.cosine_similarity(fa, fb, dim=1, eps=0))
    wa, wb = torch.sin((1 - weight) * om) / torch.sin(om), torch.sin(weight * om) / torch.sin(om)
    return expand(wa, a) * a + expand(wb, b) * b
