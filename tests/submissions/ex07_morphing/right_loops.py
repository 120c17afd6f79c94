# right: loops over particles, rows and coordinates

import math

import torch


def cost_rows(x, y):
    rows = []
    for p in x:
        rows.append(torch.stack([torch.dot(p - q, p - q) for q in y]))
    return torch.stack(rows)


def barycentric(x, y, eps):
    n, m = len(x), len(y)
    C = cost_rows(x, y)
    g = torch.zeros(m, dtype=x.dtype)
    f = torch.zeros(n, dtype=x.dtype)
    for _ in range(1000):
        old = f.clone()
        f = torch.stack([-eps * (torch.logsumexp((g - C[i]) / eps, 0) - math.log(m)) for i in range(n)])
        g = torch.stack([-eps * (torch.logsumexp((f - C[:, j]) / eps, 0) - math.log(n)) for j in range(m)])
        if (f - old).abs().max() < 1e-9 * eps:
            break
    images = []
    for i in range(n):
        row = torch.exp((f[i] + g - C[i]) / eps) / (n * m)
        images.append((row[:, None] * y).sum(0) / row.sum())
    return torch.stack(images)


def ot_velocity(x, y, eps, debias=True):
    there = barycentric(x, y, eps)
    if debias:
        return there - barycentric(x, x, eps)
    return there - x


def score_ot_step(x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    v = ot_velocity(x, y, eps)
    new = torch.zeros_like(x)
    for i in range(x.shape[0]):
        s = score_fn(x[i : i + 1])[0]
        for k in range(x.shape[1]):
            z = torch.randn((), dtype=x.dtype) if noise is None else noise[i, k]
            new[i, k] = x[i, k] + eta / 2 * s[k] + eta * lam * v[i, k] + eta**0.5 * tau * z
    return new


def morph(x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    traj = torch.zeros(n_steps + 1, *x0.shape, dtype=x0.dtype)
    traj[0] = x0
    for i in range(n_steps):
        traj[i + 1] = score_ot_step(traj[i], y, score_fn, eta, lam, eps, tau, None if noises is None else noises[i])
    return traj if return_traj else traj[n_steps]


def displacement_interpolation(x, y, P, t):
    out = []
    for i in range(len(x)):
        mean = sum(P[i, j] * y[j] for j in range(len(y))) / sum(P[i])
        out.append((1 - t) * x[i] + t * mean)
    return torch.stack(out)


def exact_ot_map_1d(x, y):
    xs, ys = x.tolist(), sorted(y.tolist())
    return torch.tensor([ys[sum(other < value for other in xs)] for value in xs], dtype=y.dtype)


def distance(p, q):
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(p, q)))


def mean_distance(a, b):
    return sum(distance(p, q) for p in a for q in b) / (len(a) * len(b))


def morph_metrics(traj, y):
    steps, n, d = traj.shape
    last, target = traj[-1].tolist(), y.tolist()
    path = sum(distance(traj[t, i].tolist(), traj[t + 1, i].tolist()) for t in range(steps - 1) for i in range(n)) / n
    total, count = 0.0, 60
    for _ in range(count):
        u = torch.randn(d).tolist()
        length = math.sqrt(sum(c * c for c in u))
        a = sorted(sum(c * e for c, e in zip(p, u)) / length for p in last)
        b = sorted(sum(c * e for c, e in zip(p, u)) / length for p in target)
        total += sum(abs(p - q) for p, q in zip(a, b)) / n
    energy = 2 * mean_distance(last, target) - mean_distance(last, last) - mean_distance(target, target)
    return {"sliced_w": total / count, "path_length": path, "energy": energy}


def noised_score(x, y, sigma):
    logits = -((x[:, None] - y[None]) ** 2).sum(-1) / (2 * sigma**2)
    weights = torch.softmax(logits, dim=1)
    return (weights @ y - x) / sigma**2
