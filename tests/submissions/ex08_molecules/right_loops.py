# right: Python loops over molecules, atoms and pairs; nothing is broadcast
import math

import torch
import torch.nn as nn


def linear_schedule(T, beta_min=1e-4, beta_max=0.02, scale=True):
    betas = torch.linspace(beta_min, beta_max, T)
    if scale:
        betas = betas * (1000 / T)
    alphas = 1.0 - betas
    abar = torch.cumprod(alphas, dim=0)
    return {"betas": betas, "alphas": alphas, "abar": abar}


def remove_mean(x, mask=None):
    out = torch.zeros_like(x)
    for b in range(len(x)):
        there = [i for i in range(x.shape[1]) if mask is None or mask[b, i] > 0]
        if not there:
            continue
        centre = sum(x[b, i] for i in there) / len(there)
        for i in there:
            out[b, i] = x[b, i] - centre
    return out


def com_free_noise(shape, generator=None, noise=None, mask=None):
    if noise is None:
        noise = torch.randn(*shape, generator=generator)
    return remove_mean(noise, mask)


def log_prob_com_gaussian(x):
    values = []
    for molecule in x:
        total = 0.0
        for atom in molecule:
            for number in atom:
                total -= 0.5 * float(number) ** 2
        for _ in range(3 * (len(molecule) - 1)):
            total -= 0.5 * math.log(2 * math.pi)
        values.append(total)
    return torch.tensor(values)


def q_sample_com(x0, t, schedule, noise=None, mask=None):
    if noise is None:
        noise = com_free_noise(x0.shape, mask=mask)
    out = []
    for b in range(len(x0)):
        ab = float(schedule["abar"][int(t[b])])
        out.append(ab**0.5 * x0[b] + (1 - ab) ** 0.5 * noise[b])
    return torch.stack(out)


def ddpm_loss_com(model, x0, schedule, t=None, noise=None, mask=None):
    B, M, _ = x0.shape
    if t is None:
        t = torch.tensor([int(torch.randint(0, len(schedule["betas"]), ())) for _ in range(B)])
    noise = com_free_noise(x0.shape, noise=noise, mask=mask)
    guess = model(q_sample_com(x0, t, schedule, noise, mask), t)
    total, count = 0.0, 0
    for b in range(B):
        for i in range(M):
            if mask is None or mask[b, i] > 0:
                total, count = total + ((guess[b, i] - noise[b, i]) ** 2).sum(), count + 3
    return total / count


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
        self.edge = nn.Sequential(nn.Linear(2 * hidden + 1, hidden), nn.Tanh(), nn.Linear(hidden, hidden))
        self.push = nn.Linear(hidden, 1)
        self.node = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.Tanh(), nn.Linear(hidden, hidden))

    def forward(self, h, x, mask=None):
        h_out, x_out = [], []
        for b in range(len(x)):
            there = [i for i in range(x.shape[1]) if mask is None or mask[b, i] > 0]
            h_rows, x_rows = [], []
            for i in range(x.shape[1]):
                total, move = torch.zeros_like(h[b, i]), torch.zeros_like(x[b, i])
                for j in there:
                    if j == i or i not in there:
                        continue
                    way = x[b, i] - x[b, j]
                    m = self.edge(torch.cat([h[b, i], h[b, j], (way @ way)[None]]))
                    total, move = total + m, move + way / (way.norm() + 1) * self.push(m)
                h_rows.append(h[b, i] + self.node(torch.cat([h[b, i], total])))
                x_rows.append(x[b, i] + move / max(len(there) - 1, 1))
            h_out.append(torch.stack(h_rows))
            x_out.append(torch.stack(x_rows))
        return torch.stack(h_out), torch.stack(x_out)


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
        noise = com_free_noise(x_t.shape).to(x_t.dtype)
    return mean + torch.sqrt(b) * remove_mean(noise, mask)


SINGLE = {
    "HH": 74, "HC": 109, "HN": 101, "HO": 96, "HF": 92, "CC": 154, "CN": 147, "CO": 143, "CF": 135,
    "NN": 145, "NO": 140, "NF": 136, "OO": 148, "OF": 142, "FF": 142,
}  # fmt: skip
DOUBLE = {"CC": 134, "CN": 129, "CO": 120, "NN": 125, "NO": 121, "OO": 121}
TRIPLE = {"CC": 120, "CN": 116, "CO": 113, "NN": 110}
VALENCE = {"H": 1, "C": 4, "N": 3, "O": 2, "F": 1}


def bond_order(a, b, d):
    found = 0
    for order, table, more in ((1, SINGLE, 10), (2, DOUBLE, 5), (3, TRIPLE, 3)):
        for pair, length in table.items():
            if pair in (a + b, b + a) and 100 * d < length + more:
                found = max(found, order)
    return found


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
