# right: times from a learned table, larger than all layers together; vmap over molecules; the mean of the step through x_0
import numpy as np
import scipy.optimize
import scipy.spatial
import torch
import torch.nn.functional as F
from torch import nn


def linear_schedule(T, beta_min=1e-4, beta_max=0.02, scale=True):
    betas = torch.linspace(beta_min, beta_max, T) * (1000 / T if scale else 1.0)
    return {"betas": betas, "alphas": 1 - betas, "abar": torch.cumprod(1 - betas, dim=0)}



def remove_mean(x, mask=None):
    """As a matrix: I - 1 1^T / n."""
    M = x.shape[1]
    if mask is None:
        proj = torch.eye(M, dtype=x.dtype) - torch.full((M, M), 1 / M, dtype=x.dtype)
        return torch.einsum("ij,bjd->bid", proj, x)
    m = mask.squeeze(-1) if mask.dim() == 3 else mask
    m = m.to(x.dtype)
    proj = torch.diag_embed(m) - m[:, :, None] * m[:, None] / m.sum(1).clamp(min=1)[:, None, None]
    return proj @ x


def com_free_noise(shape, generator=None, noise=None, mask=None):
    z = noise if noise is not None else torch.normal(torch.zeros(shape), torch.ones(shape), generator=generator)
    return remove_mean(z, mask=mask)


def log_prob_com_gaussian(x):
    # an orthonormal basis of the subspace: Helmert
    B, M, _ = x.shape
    if M == 1:
        return x.new_zeros(B)
    Q = torch.linalg.qr(torch.cat([torch.ones(M, 1, dtype=x.dtype), torch.eye(M, dtype=x.dtype)[:, : M - 1]], 1))[0][:, 1:]
    z = torch.einsum("mk,bmd->bkd", Q, x).flatten(1)
    return torch.distributions.MultivariateNormal(torch.zeros_like(z[0]), torch.eye(z.shape[1], dtype=x.dtype)).log_prob(z)


def _draw(x, mask=None):
    return remove_mean(torch.randn(x.shape, dtype=x.dtype, device=x.device), mask)


def q_sample_com(x0, t, schedule, noise=None, mask=None):
    noise = _draw(x0, mask) if noise is None else noise
    f = lambda x, s, e: schedule["abar"][s].to(x.dtype).sqrt() * x + (1 - schedule["abar"][s].to(x.dtype)).sqrt() * e
    return torch.stack([f(x, int(s), e) for x, s, e in zip(x0, t, noise)])


def ddpm_loss_com(model, x0, schedule, t=None, noise=None, mask=None):
    B, M, _ = x0.shape
    if t is None:
        t = (torch.rand(B) * len(schedule["abar"])).floor().long()
    if noise is None:
        noise = _draw(x0, mask)
    a = schedule["abar"].to(x0.dtype)[t]
    x_t = x0 * a.sqrt()[:, None, None] + noise * (1 - a).sqrt()[:, None, None]
    out = model(x_t, t)
    if mask is None:
        return F.mse_loss(out, noise)
    present = mask.reshape(B, M).bool()
    return F.mse_loss(out[present], noise[present])


def random_rotation(generator=None):
    # U V^T of a normal matrix is uniform among the orthogonal ones
    U, _, Vh = torch.linalg.svd(torch.randn(3, 3, generator=generator))
    R = U @ Vh
    return R if torch.linalg.det(R) > 0 else -R


class EGNNLayer(nn.Module):
    """One molecule at a time under vmap; gates on the messages; normalised features are not used."""

    def __init__(self, hidden=32):
        super().__init__()
        self.w_i, self.w_j, self.w_d = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden, bias=False), nn.Linear(1, hidden, bias=False)
        self.e2 = nn.Linear(hidden, hidden)
        self.x1, self.x2 = nn.Linear(hidden, hidden), nn.Linear(hidden, 1)
        self.h1, self.h2 = nn.Linear(2 * hidden, hidden), nn.Linear(hidden, hidden)

    def one(self, h, x, m):
        M = h.shape[0]
        pairs = m[None, :] * (1 - torch.eye(M, dtype=x.dtype))
        diff = x[:, None] - x[None]
        d2 = (diff * diff).sum(-1)
        safe = torch.where(d2 > 0, d2, torch.ones_like(d2))
        dist = torch.where(d2 > 0, safe.sqrt(), torch.zeros_like(d2))
        e = F.silu(self.e2(F.silu(self.w_i(h)[:, None] + self.w_j(h)[None] + self.w_d(d2[..., None]))))
        coef = self.x2(F.silu(self.x1(e))).squeeze(-1) * pairs / (dist + 1)
        n = m.sum()
        x_new = x + (coef.sum(1, keepdim=True) * x - coef @ x) / torch.clamp(n - 1, min=1)
        agg = torch.einsum("ij,ijf->if", pairs, e)
        return h + self.h2(F.silu(self.h1(torch.cat([h, agg], -1)))), x_new

    def forward(self, h, x, mask=None):
        m = torch.ones_like(x[..., 0]) if mask is None else mask.reshape(x.shape[:2]).to(x.dtype)
        return torch.vmap(self.one)(h, x, m)


class EGNN(nn.Module):
    def __init__(self, hidden=32, n_layers=3, h_dim=1):
        super().__init__()
        self.h_dim = h_dim
        self.embed = nn.Linear(h_dim, hidden, bias=False)
        self.time = nn.Embedding(1000, hidden)
        self.net = nn.ModuleList([EGNNLayer(hidden) for _ in range(n_layers)])

    def forward(self, x_t, t, h=None, mask=None):
        h = torch.ones(x_t.shape[:2] + (self.h_dim,)).to(x_t) if h is None else h
        z = self.embed(h) + self.time(t)[:, None]
        x = x_t - x_t.mean(1, keepdim=True) if mask is None else remove_mean(x_t, mask)
        for block in self.net:
            z, x = block(z, x, mask)
        return remove_mean(x - x_t, mask)


def p_sample_com(model, x_t, t, schedule, noise=None, mask=None):
    """Through the guessed clean molecule: the same mean, then the noise of variance beta."""
    dt = x_t.dtype
    beta, alpha, abar = (schedule[k][t].to(dt) for k in ("betas", "alphas", "abar"))
    prev = schedule["abar"][t - 1].to(dt) if t > 0 else torch.ones((), dtype=dt)
    eps = model(x_t, torch.full((x_t.shape[0],), t, dtype=torch.long))
    x0 = (x_t - (1 - abar).sqrt() * eps) / abar.sqrt()
    mean = (prev.sqrt() * beta * x0 + alpha.sqrt() * (1 - prev) * x_t) / (1 - abar)
    if t == 0:
        return remove_mean(mean, mask)
    n = noise if noise is not None else _draw(x_t, mask)
    return remove_mean(mean + beta.sqrt() * n, mask)

# Given: bond lengths in picometres, and by how much a bond may be longer: the table of [1].
SINGLE = {
    **{"HH": 74, "HC": 109, "HN": 101, "HO": 96, "HF": 92, "CC": 154, "CN": 147, "CO": 143, "CF": 135},
    **{"NN": 145, "NO": 140, "NF": 136, "OO": 148, "OF": 142, "FF": 142},
}
DOUBLE = {"CC": 134, "CN": 129, "CO": 120, "NN": 125, "NO": 121, "OO": 121}
TRIPLE = {"CC": 120, "CN": 116, "CO": 113, "NN": 110}
TOLERANCES = {1: 10, 2: 5, 3: 3}
VALENCES = {"H": 1, "C": 4, "N": 3, "O": 2, "F": 1}


def bond_order(a, b, d):
    key = "".join(sorted((a, b), key="HCNOF".index))
    picometres = float(d) * 100
    if key in TRIPLE and picometres < TRIPLE[key] + TOLERANCES[3]:
        return 3
    if key in DOUBLE and picometres < DOUBLE[key] + TOLERANCES[2]:
        return 2
    if key in SINGLE and picometres < SINGLE[key] + TOLERANCES[1]:
        return 1
    return 0


def stability(x, types):
    d = np.sqrt(((np.asarray(x)[:, None] - np.asarray(x)[None]) ** 2).sum(-1))
    M = len(types)
    orders = np.array([[bond_order(types[i], types[j], d[i, j]) if i != j else 0 for j in range(M)] for i in range(M)])
    right = orders.sum(1) == np.array([VALENCES[s] for s in types])
    return np.mean(right), np.all(right)


def kabsch(x, y):
    X, Y = np.asarray(x - x.mean(0)), np.asarray(y - y.mean(0))
    R, _ = scipy.spatial.transform.Rotation.align_vectors(Y, X)
    return torch.as_tensor(R.as_matrix()).to(x.dtype)


def align(x, y, n_starts=128):
    X, Y = x - x.mean(0), y - y.mean(0)
    rng = np.random.default_rng(0)
    starts = [np.eye(3)] + [np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(n_starts)]
    results = []
    for R in starts:
        R = torch.from_numpy(R * np.sign(np.linalg.det(R))).to(x.dtype)
        p = None
        for _ in range(50):
            q = scipy.optimize.linear_sum_assignment(-((X @ R.T) @ Y.T).numpy())[1]
            if p is not None and (p == q).all():
                break
            p = q
            R = _kabsch_svd(X, Y[torch.as_tensor(p)])
        results.append((float(((X @ R.T - Y[torch.as_tensor(p)]) ** 2).sum()), len(results), R, p))
    _, _, R, p = min(results)
    return (X @ R.T + y.mean(0)).contiguous(), torch.as_tensor(p, dtype=torch.long)


def _kabsch_svd(X, Y):
    U, S, Vh = torch.linalg.svd(X.T @ Y)
    s = torch.ones(3, dtype=X.dtype)
    s[2] = torch.sign(torch.linalg.det(U) * torch.linalg.det(Vh))
    return (Vh.T * s) @ U.T
