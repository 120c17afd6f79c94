# wrong: noising, loss and step project uniform noise of the right mean and variance | fails: forward/drawn_noise, forward/loss_draws, back/fresh_noise | diagnosis: none
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


def remove_mean(x, mask=None):
    if mask is None:
        return x - x.mean(dim=1, keepdim=True)
    m = mask.unsqueeze(-1).to(x.dtype)
    mean = (x * m).sum(dim=1, keepdim=True) / m.sum(dim=1, keepdim=True)
    return (x - mean) * m


def com_free_noise(shape, generator=None, noise=None, mask=None):
    if noise is None:
        noise = torch.randn(*shape, generator=generator)
    return remove_mean(noise, mask)


def log_prob_com_gaussian(x):
    B, M, _ = x.shape
    d = (M - 1) * 3
    return -0.5 * (x**2).sum(dim=(1, 2)) - 0.5 * d * math.log(2 * math.pi)


def uniform_noise(x):
    return (2 * torch.rand_like(x) - 1) * math.sqrt(3)


def q_sample_com(x0, t, schedule, noise=None, mask=None):
    if noise is None:
        noise = com_free_noise(x0.shape, noise=uniform_noise(x0), mask=mask).to(x0.dtype)
    ab = schedule["abar"][t].to(x0.dtype).view(-1, 1, 1)
    return torch.sqrt(ab) * x0 + torch.sqrt(1 - ab) * noise


def ddpm_loss_com(model, x0, schedule, t=None, noise=None, mask=None):
    B = x0.shape[0]
    if t is None:
        t = torch.randint(0, schedule["betas"].shape[0], (B,))
    if noise is None:
        noise = com_free_noise(x0.shape, noise=uniform_noise(x0), mask=mask).to(x0.dtype)
    guess = model(q_sample_com(x0, t, schedule, noise, mask), t)
    if mask is None:
        return F.mse_loss(guess, noise)
    return ((guess - noise) ** 2)[mask > 0].mean()


def random_rotation(generator=None):
    A = torch.randn(3, 3, generator=generator)
    Q, R = torch.linalg.qr(A)
    Q = Q @ torch.diag(torch.sign(torch.diag(R)))
    if torch.det(Q) < 0:
        Q = -Q
    return Q


class EGNNLayer(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.phi_e = nn.Sequential(nn.Linear(2 * hidden + 1, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())
        self.phi_x = nn.Sequential(nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1))
        self.phi_h = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.SiLU(), nn.Linear(hidden, hidden))

    def forward(self, h, x, mask=None):
        B, M, H = h.shape
        if mask is None:
            mask = torch.ones(B, M, dtype=x.dtype)
        mask = mask.to(x.dtype)
        pair = mask[:, :, None] * mask[:, None, :] * (1 - torch.eye(M, dtype=x.dtype))
        diff = x.unsqueeze(2) - x.unsqueeze(1)
        d2 = (diff**2).sum(-1)
        d = torch.sqrt(d2 + (1 - pair))
        hi = h.unsqueeze(2).repeat(1, 1, M, 1)
        hj = h.unsqueeze(1).repeat(1, M, 1, 1)
        m = self.phi_e(torch.cat([hi, hj, d2.unsqueeze(-1)], dim=-1)) * pair.unsqueeze(-1)
        n = (mask.sum(1) - 1).clamp(min=1).view(B, 1, 1)
        x = x + ((diff / (d.unsqueeze(-1) + 1)) * self.phi_x(m) * pair.unsqueeze(-1)).sum(2) / n
        h = h + self.phi_h(torch.cat([h, m.sum(2)], dim=-1))
        return h, x


class EGNN(nn.Module):
    def __init__(self, hidden=32, n_layers=3, h_dim=1):
        super().__init__()
        self.h_dim = h_dim
        self.embed = nn.Linear(h_dim + 1, hidden)
        self.layers = nn.ModuleList([EGNNLayer(hidden) for _ in range(n_layers)])

    def forward(self, x_t, t, h=None, mask=None):
        B, M, _ = x_t.shape
        if h is None:
            h = torch.ones(B, M, self.h_dim, dtype=x_t.dtype)
        time = (t.to(x_t.dtype) / 100).view(B, 1, 1).expand(B, M, 1)
        h = self.embed(torch.cat([h.to(x_t.dtype), time], dim=-1))
        x = x_t
        for layer in self.layers:
            h, x = layer(h, x, mask)
        return remove_mean(x - x_t, mask)


def p_sample_com(model, x_t, t, schedule, noise=None, mask=None):
    b, a, ab = schedule["betas"][t], schedule["alphas"][t], schedule["abar"][t]
    tt = torch.full((x_t.shape[0],), t, dtype=torch.long)
    eps = remove_mean(model(x_t, tt), mask)
    mean = (x_t - b / torch.sqrt(1 - ab) * eps) / torch.sqrt(a)
    if t == 0:
        return mean
    if noise is None:
        noise = com_free_noise(x_t.shape, noise=uniform_noise(x_t)).to(x_t.dtype)
    return mean + torch.sqrt(b) * remove_mean(noise, mask)


SINGLE = {
    "HH": 74, "HC": 109, "HN": 101, "HO": 96, "HF": 92, "CC": 154, "CN": 147, "CO": 143, "CF": 135,
    "NN": 145, "NO": 140, "NF": 136, "OO": 148, "OF": 142, "FF": 142,
}  # fmt: skip
DOUBLE = {"CC": 134, "CN": 129, "CO": 120, "NN": 125, "NO": 121, "OO": 121}
TRIPLE = {"CC": 120, "CN": 116, "CO": 113, "NN": 110}
VALENCE = {"H": 1, "C": 4, "N": 3, "O": 2, "F": 1}


def bond_order(a, b, d):
    d = 100 * d

    def length(table):
        return table[a + b] if a + b in table else table.get(b + a, -1000)

    if d < length(SINGLE) + 10:
        if d < length(DOUBLE) + 5:
            if d < length(TRIPLE) + 3:
                return 3
            return 2
        return 1
    return 0


def stability(x, types):
    M = len(types)
    valence = [0] * M
    for i in range(M):
        for j in range(i + 1, M):
            order = bond_order(types[i], types[j], torch.norm(x[i] - x[j]).item())
            valence[i] += order
            valence[j] += order
    ok = [valence[i] == VALENCE[types[i]] for i in range(M)]
    return sum(ok) / M, all(ok)


def kabsch(x, y):
    H = (x - x.mean(0)).T @ (y - y.mean(0))
    U, S, Vh = torch.linalg.svd(H)
    sign = torch.sign(torch.det(Vh.T @ U.T))
    D = torch.diag(torch.stack([torch.ones_like(sign), torch.ones_like(sign), sign]))
    return Vh.T @ D @ U.T


def align(x, y):
    from scipy.optimize import linear_sum_assignment

    xc, yc = x - x.mean(0), y - y.mean(0)
    best = None
    for k in range(12):
        z = xc if k == 0 else xc @ random_rotation().to(x.dtype).T
        perm = None
        for _ in range(50):
            cost = ((z[:, None] - yc[None]) ** 2).sum(-1)
            new = torch.tensor(linear_sum_assignment(cost.numpy())[1])
            if perm is not None and (new == perm).all():
                break
            perm = new
            z = xc @ kabsch(xc, yc[perm]).T
        err = ((z - yc[perm]) ** 2).sum().item()
        if best is None or err < best[0]:
            best = (err, z + y.mean(0), perm)
    return best[1], best[2]
