# right: a dict-like schedule with other names and ready-made tables; noises indexed by t, the start last
import math
from collections import UserDict

import torch
from torch import nn
import torch.nn.functional as F


class Schedule(UserDict):
    """A dict that knows more than it shows."""

    def table(self, name, t, x):
        return getattr(self, name)[t].reshape((-1,) + (1,) * (x.dim() - 1))


def linear_schedule(T, beta_min=1e-4, beta_max=0.02, scale=True):
    factor = 1000 / T if scale else 1
    beta = torch.linspace(beta_min * factor, beta_max * factor, T)
    alpha = 1 - beta
    alpha_bar = alpha.cumprod(0)
    s = Schedule(beta=beta, alpha=alpha, alpha_bar=alpha_bar)
    prev = torch.cat((torch.tensor([1.0]), alpha_bar[:-1]))
    s.root, s.root_noise = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
    s.on_x0 = beta * prev.sqrt() / (1 - alpha_bar)
    s.on_xt = (1 - prev) * alpha.sqrt() / (1 - alpha_bar)
    s.post_var = beta * (1 - prev) / (1 - alpha_bar)
    s.T = T
    return s


def q_sample(x0, t, schedule, noise=None):
    noise = torch.randn(x0.shape, dtype=x0.dtype) if noise is None else noise
    return schedule.table("root", t, x0) * x0 + schedule.table("root_noise", t, x0) * noise


def ddpm_loss(model, x0, schedule, t=None, noise=None):
    noise = torch.randn(x0.shape, dtype=x0.dtype) if noise is None else noise
    t = (torch.rand(len(x0)) * schedule.T).long() if t is None else t
    return (noise - model(q_sample(x0, t, schedule, noise), t)).pow(2).mean()


def predict_x0(x_t, t, eps, schedule):
    return (x_t - schedule.table("root_noise", t, x_t) * eps) / schedule.table("root", t, x_t)


def q_posterior(x0, x_t, t, schedule):
    mean = schedule.table("on_x0", t, x0) * x0 + schedule.table("on_xt", t, x0) * x_t
    return mean, schedule.table("post_var", t, x0).expand_as(mean)


def p_sample(model, x_t, t, schedule, noise=None):
    times = torch.ones(x_t.shape[0], dtype=torch.long) * t
    x0 = predict_x0(x_t, times, model(x_t, times), schedule)
    mean, _ = q_posterior(x0, x_t, times, schedule)
    if t == 0:
        return mean
    return mean + schedule["beta"][t].sqrt() * (torch.randn_like(x_t) if noise is None else noise)


def sample(model, shape, schedule, noises=None, return_traj=False):
    model.eval()
    if noises is None:
        noises = torch.randn(schedule.T + 1, *shape, dtype=schedule["beta"].dtype)
    traj = [noises[schedule.T]]
    with torch.inference_mode():
        for t in range(schedule.T - 1, -1, -1):
            traj.append(p_sample(model, traj[-1], t, schedule, noises[t]))
    return (traj[-1], traj) if return_traj else traj[-1]


def time_embedding(t, dim):
    w = torch.exp(torch.arange(0, dim, 2) * (-math.log(10000.0) / dim))
    z = torch.polar(torch.ones(len(t), dim // 2), t.to(w.dtype).outer(w))
    return torch.cat((z.imag, z.real), dim=-1)


class Film(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.conv = nn.Conv2d(a, b, 3, padding=1)
        self.norm = nn.GroupNorm(1, b)
        self.film = nn.Linear(16, 2 * b)

    def forward(self, x, e):
        s, m = self.film(e)[:, :, None, None].chunk(2, dim=1)
        return F.gelu(self.norm(self.conv(x)) * (1 + s) + m)


class UNet(nn.Module):
    """Space-to-depth down, depth-to-space up, skips are added."""

    def __init__(self, c=16):
        super().__init__()
        self.a1, self.a2 = Film(1, c), Film(c, c)
        self.b1, self.b2 = Film(4 * c, 2 * c), Film(2 * c, 2 * c)
        self.m1, self.m2 = Film(8 * c, 4 * c), Film(4 * c, 8 * c)
        self.y, self.z = Film(2 * c, 4 * c), Film(c, c)
        self.out = nn.Conv2d(c, 1, 1)

    def forward(self, x, t):
        e = time_embedding(t, 16).to(x)
        a = self.a2(self.a1(x, e), e)
        b = self.b2(self.b1(F.pixel_unshuffle(a, 2), e), e)
        m = self.m2(self.m1(F.pixel_unshuffle(b, 2), e), e)
        y = self.y(F.pixel_shuffle(m, 2) + b, e)
        return self.out(self.z(F.pixel_shuffle(y, 2) + a, e))


def ddim_timesteps(T, S):
    return torch.linspace(0, T - 1, S, dtype=torch.float64).round().long()


def ddim_step(model, x, t, t_prev, schedule, eta=0.0, noise=None):
    times = torch.ones(x.shape[0], dtype=torch.long) * int(t)
    eps = model(x, times)
    ab = schedule["alpha_bar"][t]
    prev = torch.tensor(1.0, dtype=ab.dtype) if t_prev < 0 else schedule["alpha_bar"][t_prev]
    var = eta**2 * (1 - prev) / (1 - ab) * (1 - ab / prev)
    x = prev.sqrt() * predict_x0(x, times, eps, schedule) + F.relu(1 - prev - var).sqrt() * eps
    return x if eta == 0 else x + var.sqrt() * (torch.randn_like(x) if noise is None else noise)


def ddim_sample(model, x_T, schedule, n_steps=20, eta=0.0, noises=None):
    steps = ddim_timesteps(schedule.T, n_steps).flip(0)
    for i, (t, s) in enumerate(zip(steps, torch.cat([steps[1:], torch.tensor([-1])]))):
        x_T = ddim_step(model, x_T, t, s, schedule, eta, None if noises is None else noises[i])
    return x_T.detach()


def ddim_invert(model, x0, schedule, n_steps=20):
    y, before = x0, 0.0  # x / sqrt(abar) moves along eps in steps of sqrt(1/abar - 1)
    for t in ddim_timesteps(schedule.T, n_steps):
        ab = schedule["alpha_bar"][t]
        now = (1 / ab - 1).sqrt()
        x = y / (1 + before**2) ** 0.5
        y = y + (now - before) * model(x, torch.ones(len(x0), dtype=torch.long) * t)
        before = now
    return y * ab.sqrt()


def slerp(a, b, weight):
    dims = tuple(range(1, a.dim()))
    u = a / a.square().sum(dims, keepdim=True).sqrt()
    v = b / b.square().sum(dims, keepdim=True).sqrt()
    om = (u * v).sum(dims, keepdim=True).acos()
    return (((1 - weight) * om).sin() * a + (weight * om).sin() * b) / om.sin()
