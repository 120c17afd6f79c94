# right: the last part in float32, with starts in the default type; one atom after the other in the layer, gated messages
from dataclasses import dataclass
import math
import numpy as np
import torch
from torch import nn


def linear_schedule(T, beta_min=1e-4, beta_max=0.02, scale=True):
    betas = torch.linspace(beta_min, beta_max, T) * (1000 / T if scale else 1.0)
    return {"betas": betas, "alphas": 1 - betas, "abar": torch.cumprod(1 - betas, dim=0)}



def remove_mean(x, mask=None):
    if mask is None:
        return x - torch.mean(x, dim=-2, keepdim=True)
    mask = mask.unsqueeze(-1) if mask.ndim == 2 else mask
    N = mask.sum(1, keepdims=True)
    mean = torch.sum(x * mask, dim=1, keepdim=True) / N
    return x - mean * mask


def com_free_noise(shape, generator=None, noise=None, mask=None):
    if noise is None:
        noise = torch.randn(*shape, generator=generator)
        if mask is not None:
            noise = noise * mask.reshape(shape[0], shape[1], 1)
    return remove_mean(noise, mask)


def log_prob_com_gaussian(x):
    N, D = x.shape[1:]
    return -0.5 * x.pow(2).flatten(1).sum(1) - 0.5 * (N - 1) * D * np.log(2 * np.pi)


def _extract(values, t, like):
    return torch.take(values, t).to(like.dtype)[:, None, None]


def q_sample_com(x0, t, schedule, noise=None, mask=None):
    if noise is None:
        noise = com_free_noise(x0.shape, mask=mask).type_as(x0)
    alpha = _extract(torch.sqrt(schedule["abar"]), t, x0)
    sigma = _extract(torch.sqrt(1 - schedule["abar"]), t, x0)
    return alpha * x0 + sigma * noise


def ddpm_loss_com(model, x0, schedule, t=None, noise=None, mask=None, reduce="mean"):
    if t is None:
        t = torch.randint(0, schedule["betas"].shape[0], size=(x0.shape[0],), device=x0.device)
    if noise is None:
        noise = com_free_noise(x0.shape, mask=mask).type_as(x0)
    pred = model(q_sample_com(x0, t, schedule, noise, mask), t)
    sq = (pred - noise) ** 2
    if mask is None:
        return sq.sum() / sq.numel()
    mask = mask.reshape(mask.shape[0], -1, 1).type_as(sq)
    return torch.where(mask > 0, sq, torch.zeros_like(sq)).sum() / (mask.sum() * 3)


def random_rotation(generator=None):
    Q, R = torch.linalg.qr(torch.randn((3, 3), generator=generator))
    Q = Q @ torch.diag(torch.sign(torch.diagonal(R)))
    if torch.det(Q) < 0:
        Q[:, 0] = -Q[:, 0]
    return Q


@dataclass
class Config:
    hidden: int = 32
    act: type = nn.GELU


class EGNNLayer(nn.Module):
    def __init__(self, hidden=32, cfg=None):
        super().__init__()
        cfg = cfg or Config(hidden)
        H = cfg.hidden
        self.edge_mlp = nn.Sequential(nn.Linear(2 * H + 1, 2 * H), cfg.act(), nn.Linear(2 * H, H), cfg.act())
        self.att = nn.Sequential(nn.Linear(H, 1), nn.Sigmoid())
        last = nn.Linear(H, 1, bias=False)
        nn.init.xavier_uniform_(last.weight, gain=0.001)
        self.coord_mlp = nn.Sequential(nn.Linear(H, H), cfg.act(), last)
        self.node_mlp = nn.Sequential(nn.Linear(2 * H, H), cfg.act(), nn.Linear(H, H))

    def forward(self, h, x, mask=None):
        xs, hs = [], []
        M = x.shape[1]
        m = torch.ones_like(x[:, :, 0]) if mask is None else mask.reshape(x.shape[0], M).type_as(x)
        norm = (m.sum(1, keepdim=True) - 1).clamp(min=1)
        for i in range(M):
            others = [j for j in range(M) if j != i]
            d = x[:, i : i + 1] - x[:, others]
            r2 = d.square().sum(-1, keepdim=True)
            r = (r2 + 1e-12).sqrt()
            msg = self.edge_mlp(torch.cat([h[:, i : i + 1].expand(-1, M - 1, -1), h[:, others], r2], -1))
            msg = msg * self.att(msg)
            w = m[:, others].unsqueeze(-1)
            xs.append(x[:, i] + (w * d / (r + 1) * self.coord_mlp(msg)).sum(1) / norm)
            hs.append(h[:, i] + self.node_mlp(torch.cat([h[:, i], (w * msg).sum(1)], -1)))
        return torch.stack(hs, 1), torch.stack(xs, 1)


class EGNN(nn.Module):
    def __init__(self, hidden=32, n_layers=3, h_dim=1):
        super().__init__()
        self.h_dim = h_dim
        self.embedding = nn.Linear(h_dim + 1, hidden)
        self.layers = nn.Sequential(*[EGNNLayer(hidden) for _ in range(n_layers)])

    def forward(self, x_t, t, h=None, mask=None):
        B, M = x_t.shape[:2]
        if h is None:
            h = torch.ones((B, M, self.h_dim), dtype=x_t.dtype)
        time = (t.to(x_t.dtype) / 100).view(B, 1, 1).repeat(1, M, 1)
        h = self.embedding(torch.cat([h, time], dim=2))
        x = x_t.clone()
        for layer in self.layers:
            h, x = layer(h, x, mask)
        vel = x - x_t
        if mask is not None:
            vel = vel * mask.reshape(B, M, 1)
        return remove_mean(vel, mask)


@torch.no_grad()
def p_sample_com(model, x_t, t, schedule, noise=None, mask=None):
    ts = torch.ones(x_t.shape[0], dtype=torch.long) * t
    beta, alpha, abar = schedule["betas"][t], schedule["alphas"][t], schedule["abar"][t]
    z = com_free_noise(x_t.shape, mask=mask).type_as(x_t) if noise is None else noise
    z = z * (t > 0)
    out = (x_t - beta / torch.sqrt(1 - abar) * model(x_t, ts)) / torch.sqrt(alpha) + torch.sqrt(beta) * z
    return remove_mean(out, mask)

# Given: bond lengths in picometres, and by how much a bond may be longer: the table of [1].
SINGLE = {
    **{"HH": 74, "HC": 109, "HN": 101, "HO": 96, "HF": 92, "CC": 154, "CN": 147, "CO": 143, "CF": 135},
    **{"NN": 145, "NO": 140, "NF": 136, "OO": 148, "OF": 142, "FF": 142},
}
DOUBLE = {"CC": 134, "CN": 129, "CO": 120, "NN": 125, "NO": 121, "OO": 121}
TRIPLE = {"CC": 120, "CN": 116, "CO": 113, "NN": 110}
TOLERANCES = {1: 10, 2: 5, 3: 3}
VALENCES = {"H": 1, "C": 4, "N": 3, "O": 2, "F": 1}


class BondTable(dict):
    def __missing__(self, key):
        return None


def _both(table):
    return BondTable({k: v for key, v in table.items() for k in (key, key[::-1])})


ORDERS = ((3, _both(TRIPLE)), (2, _both(DOUBLE)), (1, _both(SINGLE)))


def bond_order(a, b, d):
    return next((o for o, tab in ORDERS if tab[a + b] and d < (tab[a + b] + TOLERANCES[o]) / 100), 0)


def stability(x, types):
    x = x.tolist()
    def valence(i):
        return sum(bond_order(types[i], types[j], math.dist(x[i], x[j])) for j in range(len(x)) if j != i)
    good = [valence(i) == VALENCES[s] for i, s in enumerate(types)]
    return np.float64(sum(good) / len(good)), bool(all(good))


def kabsch(x, y):
    x, y = x.float(), y.float()
    H = (x - x.mean(0)).T @ (y - y.mean(0))
    U, S, Vt = torch.linalg.svd(H)
    if torch.det(Vt.T @ U.T) < 0:
        Vt = Vt.clone()
        Vt[2] *= -1
    return Vt.T @ U.T


def align(x, y):
    M = len(x)
    X, Y = (x - x.mean(0)).float(), (y - y.mean(0)).float()
    best = (float("inf"),)
    gen = torch.Generator().manual_seed(5)
    from scipy.optimize import linear_sum_assignment as lsa
    for k in range(150):
        R = torch.eye(3) if k == 0 else random_rotation(gen).float()
        perm = None
        for _ in range(60):
            new = lsa(torch.cdist(X @ R.T, Y).pow(2).numpy())[1]
            if perm is not None and list(new) == list(perm):
                break
            perm = new
            R = kabsch(X, Y[perm])
        cost = (X @ R.T - Y[perm]).square().sum().item()
        if cost < best[0]:
            best = (cost, R, perm)
    _, R, perm = best
    return X @ R.T + y.mean(0).float(), torch.from_numpy(np.asarray(perm))
