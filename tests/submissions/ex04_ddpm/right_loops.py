# right: Python loops, one sample at a time, a chain per sample; keyword call of the network
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


def linear_schedule(T, beta_min=1e-4, beta_max=0.02, scale=True):
    betas, alphas, abar, product = [], [], [], 1.0
    for i in range(T):
        beta = beta_min + (beta_max - beta_min) * i / (T - 1)
        if scale:
            beta = beta * 1000 / T
        product = product * (1 - beta)
        betas.append(beta)
        alphas.append(1 - beta)
        abar.append(product)
    return {"betas": torch.tensor(betas), "alphas": torch.tensor(alphas), "abar": torch.tensor(abar)}


def expand(v, x):
    while v.ndim < x.ndim:
        v = v.unsqueeze(-1)
    return v


def q_sample(x0, t, schedule, noise=None):
    rows = []
    for i in range(len(x0)):
        a = schedule["abar"][int(t[i])]
        n = torch.randn_like(x0[i]) if noise is None else noise[i]
        rows.append(a**0.5 * x0[i] + (1 - a) ** 0.5 * n)
    return torch.stack(rows)


def ddpm_loss(model, x0, schedule, t=None, noise=None):
    total, count = 0.0, 0
    for i in range(len(x0)):
        ti = torch.randint(len(schedule["betas"]), (1,)) if t is None else t[i : i + 1]
        n = torch.randn_like(x0[i : i + 1]) if noise is None else noise[i : i + 1]
        x_t = q_sample(x0[i : i + 1], ti, schedule, n)
        total = total + ((model(x=x_t, t=ti) - n) ** 2).sum()
        count += n.numel()
    return total / count


def predict_x0(x_t, t, eps, schedule):
    out = torch.zeros_like(x_t)
    for i in range(len(x_t)):
        a = schedule["abar"][t[i]]
        out[i] = (x_t[i] - (1 - a) ** 0.5 * eps[i]) / a**0.5
    return out


def q_posterior(x0, x_t, t, schedule):
    means, variances = [], []
    for i in range(len(x0)):
        k = int(t[i])
        ab = float(schedule["abar"][k])
        prev = float(schedule["abar"][k - 1]) if k > 0 else 1.0
        b = float(schedule["betas"][k])
        means.append((prev**0.5 * b * x0[i] + (1 - b) ** 0.5 * (1 - prev) * x_t[i]) / (1 - ab))
        variances.append(torch.full_like(x0[i], (1 - prev) / (1 - ab) * b))
    return torch.stack(means), torch.stack(variances)


def p_sample(model, x_t, t, schedule, noise=None):
    b, a, ab = schedule["betas"][t], schedule["alphas"][t], schedule["abar"][t]
    eps = torch.cat([model(x_t[i : i + 1], torch.tensor([t])) for i in range(len(x_t))])
    mean = (x_t - b / torch.sqrt(1 - ab) * eps) / torch.sqrt(a)
    if t > 0:
        if noise is None:
            noise = torch.randn_like(x_t)
        mean = mean + torch.sqrt(b) * noise
    return mean


def sample(model, shape, schedule, noises=None, return_traj=False):
    with torch.no_grad():
        T, rows = len(schedule["betas"]), []
        for j in range(shape[0]):
            x = torch.randn(1, *shape[1:]) if noises is None else noises[0, j : j + 1]
            states = [x]
            for t in range(T - 1, -1, -1):
                n = None if noises is None else noises[T - t, j : j + 1]
                x = p_sample(model, x, t, schedule, n)
                states.append(x)
            rows.append(torch.stack(states))
        traj = torch.cat(rows, dim=1)
        return (traj[-1], traj) if return_traj else traj[-1]


def time_embedding(t, dim):
    rows = []
    for time in t.tolist():
        angles = [time / 10000 ** (2 * k / dim) for k in range(dim // 2)]
        rows.append([math.sin(a) for a in angles] + [math.cos(a) for a in angles])
    return torch.tensor(rows)


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
            noise = torch.randn_like(x)
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
