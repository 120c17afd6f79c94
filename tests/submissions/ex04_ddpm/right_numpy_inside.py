# right: numpy for everything that needs no gradient; numpy arrays come back
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F


def arr(v):
    return v.detach().numpy() if isinstance(v, torch.Tensor) else np.asarray(v)


def linear_schedule(T, beta_min=1e-4, beta_max=0.02, scale=True):
    betas = np.linspace(beta_min, beta_max, T) * (1000.0 / T if scale else 1.0)
    return {"betas": betas, "alphas": 1 - betas, "abar": np.cumprod(1 - betas)}


def col(v, x):
    return np.asarray(v).reshape((-1,) + (1,) * (x.ndim - 1))


def q_sample(x0, t, schedule, noise=None):
    x0, t = arr(x0), arr(t)
    noise = np.random.standard_normal(x0.shape) if noise is None else arr(noise)
    ab = col(arr(schedule["abar"])[t], x0)
    return np.sqrt(ab) * x0 + np.sqrt(1 - ab) * noise


def ddpm_loss(model, x0, schedule, t=None, noise=None):
    t = torch.from_numpy(np.random.randint(0, len(arr(schedule["betas"])), size=len(x0))) if t is None else t
    noise = torch.from_numpy(np.random.standard_normal(tuple(x0.shape))).to(x0.dtype) if noise is None else noise
    x_t = torch.from_numpy(q_sample(x0, t, schedule, noise)).to(x0.dtype)
    return torch.mean((noise - model(x_t, t)) ** 2)


def predict_x0(x_t, t, eps, schedule):
    x_t, eps = arr(x_t), arr(eps)
    ab = col(arr(schedule["abar"])[arr(t)], x_t)
    return x_t / np.sqrt(ab) - np.sqrt((1 - ab) / ab) * eps


def q_posterior(x0, x_t, t, schedule):
    x0, x_t, t = arr(x0), arr(x_t), arr(t)
    ab = arr(schedule["abar"])
    prev = np.where(t > 0, ab[np.maximum(t - 1, 0)], 1.0)
    beta, ab = arr(schedule["betas"])[t], ab[t]
    w0, wt = np.sqrt(prev) * beta / (1 - ab), np.sqrt(1 - beta) * (1 - prev) / (1 - ab)
    return col(w0, x0) * x0 + col(wt, x0) * x_t, (1 - prev) / (1 - ab) * beta


def p_sample(model, x_t, t, schedule, noise=None):
    beta, ab = float(schedule["betas"][t]), float(schedule["abar"][t])
    x = torch.as_tensor(x_t)
    with torch.no_grad():
        eps = model(x, torch.tensor([t] * len(x))).numpy()
    mean = (x.numpy() - beta / np.sqrt(1 - ab) * eps) / np.sqrt(1 - beta)
    if t == 0:
        return mean
    n = np.random.standard_normal(mean.shape) if noise is None else arr(noise)
    return mean + np.sqrt(beta) * n


def sample(model, shape, schedule, noises=None, return_traj=False):
    T = len(arr(schedule["betas"]))
    dtype = next(model.parameters()).dtype
    x = np.random.standard_normal(shape) if noises is None else arr(noises[0])
    traj = [x]
    for i, t in enumerate(range(T - 1, -1, -1)):
        x = p_sample(model, torch.from_numpy(x).to(dtype), t, schedule, None if noises is None else noises[1 + i])
        traj.append(x)
    return (x, np.stack(traj)) if return_traj else x


def time_embedding(t, dim):
    k = np.arange(dim // 2)
    angles = np.outer(arr(t), 10000.0 ** (-2 * k / dim))
    return torch.from_numpy(np.hstack([np.sin(angles), np.cos(angles)])).to(torch.get_default_dtype())


class Conv(nn.Sequential):
    def __init__(self, a, b, stride=1):
        super().__init__(nn.Conv2d(a, b, 3, stride, 1), nn.GroupNorm(2, b), nn.LeakyReLU(0.1))


class UNet(nn.Module):
    def __init__(self, c=16):
        super().__init__()
        self.enter, self.lower, self.lowest = Conv(1, c), Conv(c, 2 * c, 2), Conv(2 * c, 4 * c, 2)
        self.deep = Conv(4 * c, 4 * c)
        self.up1, self.join1 = nn.ConvTranspose2d(4 * c, 2 * c, 4, 2, 1), Conv(4 * c, 2 * c)
        self.up2, self.join2 = nn.ConvTranspose2d(2 * c, c, 4, 2, 1), Conv(2 * c, c)
        self.exit = nn.Conv2d(c, 1, 3, padding=1)
        self.times = nn.ModuleList([nn.Linear(24, w) for w in (c, 2 * c, 4 * c, 2 * c, c)])

    def forward(self, x, t):
        e = time_embedding(t, 24)
        es = [layer(e)[..., None, None] for layer in self.times]
        a = self.enter(x) + es[0]
        b = self.lower(a) + es[1]
        q = self.deep(self.lowest(b) + es[2])
        u = self.join1(torch.cat((b, self.up1(q)), 1)) + es[3]
        u = self.join2(torch.cat((a, self.up2(u)), 1)) + es[4]
        return self.exit(u)


def ddim_timesteps(T, S):
    return np.round(np.linspace(0, T - 1, S)).astype(int)


def ddim_step(model, x, t, t_prev, schedule, eta=0.0, noise=None):
    ab = float(schedule["abar"][t])
    prev = 1.0 if t_prev == -1 else float(schedule["abar"][t_prev])
    with torch.no_grad():
        eps = model(x, torch.tensor([int(t)] * len(x)))
    x0 = (x - (1 - ab) ** 0.5 * eps) / ab**0.5
    sigma = eta * ((1 - prev) / (1 - ab) * (1 - ab / prev)) ** 0.5
    out = prev**0.5 * x0 + max(1 - prev - sigma**2, 0) ** 0.5 * eps
    return out + (sigma * (torch.randn_like(x) if noise is None else noise) if eta else 0)


def ddim_sample(model, x_T, schedule, n_steps=20, eta=0.0, noises=None):
    seq = [-1] + [int(s) for s in ddim_timesteps(len(arr(schedule["betas"])), n_steps)]
    x = x_T
    for i in range(n_steps):
        x = ddim_step(model, x, seq[-1 - i], seq[-2 - i], schedule, eta, None if noises is None else noises[i])
    return x


def ddim_invert(model, x0, schedule, n_steps=20):
    x, prev = x0, 1.0
    for t in ddim_timesteps(len(arr(schedule["betas"])), n_steps):
        ab = float(schedule["abar"][t])
        with torch.no_grad():
            eps = model(x, torch.tensor([int(t)] * len(x)))
        x = ab**0.5 * (x - (1 - prev) ** 0.5 * eps) / prev**0.5 + (1 - ab) ** 0.5 * eps
        prev = ab
    return x


def slerp(a, b, weight):
    a, b = arr(a), arr(b)
    rows = []
    for p, q in zip(a, b):
        om = np.arccos(np.sum(p * q) / np.linalg.norm(p) / np.linalg.norm(q))
        rows.append((np.sin((1 - weight) * om) * p + np.sin(weight * om) * q) / np.sin(om))
    return np.stack(rows)
