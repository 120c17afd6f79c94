# right: makes its own arrays in float32, so float64 inputs end in an error about types

import torch


def _plan(x, y, eps):
    n, m = x.shape[0], y.shape[0]
    C = ((x[:, None] - y[None]) ** 2).sum(-1)
    f = torch.zeros(n, dtype=torch.float32)
    g = torch.zeros(m, dtype=torch.float32)
    a = torch.full((n,), 1.0 / n, dtype=torch.float32)
    b = torch.full((m,), 1.0 / m, dtype=torch.float32)
    for _ in range(1000):
        f = -eps * torch.logsumexp((g[None] - C) / eps + b.log()[None], 1)
        g = -eps * torch.logsumexp((f[:, None] - C) / eps + a.log()[:, None], 0)
        P = a[:, None] * b[None] * torch.exp((f[:, None] + g[None] - C) / eps)
        if (P.sum(1) - a).abs().sum() < 1e-9:
            break
    return P


def ot_velocity(x, y, eps, debias=True):
    P = _plan(x, y, eps)
    T = (P @ y) / P.sum(1, keepdim=True)
    if not debias:
        return T - x
    Q = _plan(x, x, eps)
    return T - (Q @ x) / Q.sum(1, keepdim=True)


def score_ot_step(x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    if noise is None:
        noise = torch.randn(x.shape, dtype=torch.float32)
    s = score_fn(x)
    v = ot_velocity(x, y, eps) if lam > 0 else torch.zeros_like(x)
    return x + 0.5 * eta * s + eta * lam * v + (eta**0.5) * tau * noise


def morph(x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    traj = torch.zeros(n_steps + 1, *x0.shape, dtype=torch.float32)
    traj[0] = x0
    for i in range(n_steps):
        noise = None if noises is None else noises[i]
        traj[i + 1] = score_ot_step(traj[i], y, score_fn, eta, lam, eps, tau, noise)
    return traj if return_traj else traj[-1]


def displacement_interpolation(x, y, P, t):
    return (1 - t) * x + t * (P @ y) / P.sum(1, keepdim=True)


def exact_ot_map_1d(x, y):
    res = torch.zeros(len(x), dtype=torch.float32)
    res[x.argsort()] = y.sort()[0]
    return res


def morph_metrics(traj, y, n_directions=256, generator=None):
    e = traj[-1]
    u = torch.randn(n_directions, e.shape[1], generator=generator, dtype=torch.float32)
    u /= u.norm(dim=1, keepdim=True)
    a, b = (e @ u.T).sort(0)[0], (y @ u.T).sort(0)[0]
    a, b = a.repeat_interleave(len(y), 0), b.repeat_interleave(len(e), 0)
    dist = lambda p, q: (p[:, None] - q[None]).norm(dim=-1).mean()
    return {
        "sliced_w": float((a - b).abs().mean()),
        "path_length": float((traj[1:] - traj[:-1]).norm(dim=-1).sum(0).mean()),
        "energy": float(2 * dist(e, y) - dist(e, e) - dist(y, y)),
    }


def noised_score(x, y, sigma):
    w = torch.softmax(-torch.cdist(x, y) ** 2 / (2 * sigma**2), 1)
    return (w @ y - x) / sigma**2
