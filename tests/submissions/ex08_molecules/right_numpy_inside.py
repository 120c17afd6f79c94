# right: numpy and scipy inside where no gradient is due; numpy arrays and numpy scalars come back
import numpy as np
import scipy.stats
import torch
import torch.nn as nn
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation


def linear_schedule(T, beta_min=1e-4, beta_max=0.02, scale=True):
    betas = torch.linspace(beta_min, beta_max, T)
    if scale:
        betas = betas * (1000 / T)
    alphas = 1.0 - betas
    abar = torch.cumprod(alphas, dim=0)
    return {"betas": betas, "alphas": alphas, "abar": abar}


def to_np(a):
    return a.detach().cpu().numpy() if isinstance(a, torch.Tensor) else np.asarray(a)


def remove_mean(x, mask=None):
    if isinstance(x, torch.Tensor) and x.requires_grad:  # the network's answer
        return x - x.mean(1, keepdim=True) if mask is None else (x - centre(x, mask)) * mask[..., None]
    x = to_np(x)
    if mask is None:
        return x - x.mean(axis=1, keepdims=True)
    m = to_np(mask)[..., None].astype(x.dtype)
    return np.where(m > 0, x - (x * m).sum(1, keepdims=True) / m.sum(1, keepdims=True), 0.0)


def centre(x, mask):
    m = mask[..., None]
    return (x * m).sum(1, keepdim=True) / m.sum(1, keepdim=True)


def rng_of(generator):
    seed = torch.randint(0, 2**62, (1,), generator=generator).item()
    return np.random.default_rng(seed)


def com_free_noise(shape, generator=None, noise=None, mask=None):
    return remove_mean(rng_of(generator).standard_normal(tuple(shape)) if noise is None else noise, mask)


def log_prob_com_gaussian(x):
    x = to_np(x)
    return scipy.stats.norm.logpdf(x).sum((1, 2)) + 1.5 * np.log(2 * np.pi)


def q_sample_com(x0, t, schedule, noise=None, mask=None):
    x0, ab = to_np(x0), to_np(schedule["abar"])[to_np(t)].reshape(-1, 1, 1)
    eps = com_free_noise(x0.shape, noise=noise, mask=mask)
    return (np.sqrt(ab) * x0 + np.sqrt(1 - ab) * eps).astype(x0.dtype)


def ddpm_loss_com(model, x0, schedule, t=None, noise=None, mask=None):
    rng = rng_of(None)
    if t is None:
        t = torch.from_numpy(rng.integers(0, len(schedule["betas"]), len(x0)))
    eps = com_free_noise(x0.shape, noise=noise, mask=mask)
    x_t = torch.from_numpy(q_sample_com(x0, t, schedule, eps, mask)).to(x0.dtype)
    gap = model(x_t, t) - torch.from_numpy(eps).to(x0.dtype)
    weights = torch.ones(x0.shape[:2]) if mask is None else mask
    return (gap.pow(2).sum(-1) * weights).sum() / weights.sum() / 3


def random_rotation(generator=None):
    return Rotation.random(random_state=int(rng_of(generator).integers(2**32))).as_matrix()


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
        out = x - x_t
        return out - out.mean(1, keepdim=True) if mask is None else (out - centre(out, mask)) * mask[..., None]


def p_sample_com(model, x_t, t, schedule, noise=None, mask=None):
    b, a, ab = (float(schedule[key][t]) for key in ("betas", "alphas", "abar"))
    with torch.no_grad():
        eps = to_np(model(x_t, torch.full((len(x_t),), t)))
    x = (to_np(x_t) - b / np.sqrt(1 - ab) * eps) / np.sqrt(a)
    if t > 0:
        x = x + np.sqrt(b) * com_free_noise(x.shape, noise=noise, mask=mask)
    return torch.from_numpy(to_np(remove_mean(x, mask))).to(x_t.dtype)


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
    d = to_np(x)
    d = np.linalg.norm(d[:, None] - d[None], axis=-1)
    orders = np.array([[0 if i == j else bond_order(a, b, d[i, j]) for j, b in enumerate(types)]
                       for i, a in enumerate(types)])  # fmt: skip
    right = orders.sum(1) == np.array([VALENCE[s] for s in types])
    return right.mean(), right.all()


def kabsch(x, y):
    x, y = to_np(x), to_np(y)
    return Rotation.align_vectors(y - y.mean(0), x - x.mean(0))[0].as_matrix()


def align(x, y):
    x, y = to_np(x), to_np(y)
    xc, yc, best = x - x.mean(0), y - y.mean(0), None
    for start in Rotation.random(20, random_state=0).as_matrix().tolist() + [np.eye(3).tolist()]:
        z, p = xc @ np.array(start), None
        for _ in range(100):
            q = linear_sum_assignment(cdist(z, yc, "sqeuclidean"))[1]
            if p is not None and np.array_equal(p, q):
                break
            p, z = q, xc @ kabsch(xc, yc[q]).T
        cost = ((z - yc[p]) ** 2).sum()
        best = (cost, z + y.mean(0), p) if best is None or cost < best[0] else best
    return best[1], best[2]


