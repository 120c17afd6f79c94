# right: numpy inside, numpy arrays and numpy scalars returned

import numpy as np
import torch


def to_np(a):
    return a.detach().cpu().numpy() if isinstance(a, torch.Tensor) else np.asarray(a)


def lse(a, axis):
    top = a.max(axis=axis, keepdims=True)
    return top + np.log(np.exp(a - top).sum(axis=axis, keepdims=True))


def barycentric(x, y, eps):
    n, m = len(x), len(y)
    cost = ((x[:, None, :] - y[None, :, :]) ** 2).sum(2)
    g = np.zeros((1, m))
    for _ in range(1000):
        f = -eps * lse((g - cost) / eps - np.log(m), 1)
        g = -eps * lse((f - cost) / eps - np.log(n), 0)
        p = np.exp((f + g - cost) / eps) / (n * m)
        if np.abs(p.sum(1) - 1 / n).sum() < 1e-10:
            break
    return n * p @ y


def ot_velocity(x, y, eps, debias=True):
    x, y = to_np(x), to_np(y)
    return barycentric(x, y, eps) - (barycentric(x, x, eps) if debias else x)


def score_ot_step(x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    x, y = to_np(x), to_np(y)
    noise = np.random.randn(*x.shape) if noise is None else to_np(noise)
    score = to_np(score_fn(torch.from_numpy(x)))
    transport = 0 if lam == 0 else ot_velocity(x, y, eps)
    return x + eta * (score / 2 + lam * transport) + np.sqrt(eta) * tau * noise


def morph(x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    traj = np.empty((n_steps + 1, *x0.shape))
    traj[0] = to_np(x0)
    for i in range(n_steps):
        noise = None if noises is None else noises[i]
        traj[i + 1] = score_ot_step(traj[i], y, score_fn, eta, lam, eps, tau, noise)
    return traj if return_traj else traj[-1]


def displacement_interpolation(x, y, P, t):
    x, y, P = to_np(x), to_np(y), to_np(P)
    return x + t * (np.diag(1 / P.sum(1)) @ P @ y - x)


def exact_ot_map_1d(x, y):
    x, y = to_np(x), to_np(y)
    return np.sort(y)[np.searchsorted(np.sort(x), x)]


def morph_metrics(traj, y):
    traj, y = to_np(traj), to_np(y)
    d = traj.shape[2]
    values = []
    for _ in range(150):
        u = np.random.randn(d)
        u /= np.linalg.norm(u)
        values.append(np.abs(np.sort(traj[-1] @ u) - np.sort(y @ u)).mean())

    def mean_distance(a, b):
        return np.linalg.norm(a[:, None] - b[None], axis=-1).mean()

    x = traj[-1]
    return dict(
        sliced_w=np.mean(values),
        path_length=np.linalg.norm(np.diff(traj, axis=0), axis=2).sum() / traj.shape[1],
        energy=2 * mean_distance(x, y) - mean_distance(x, x) - mean_distance(y, y),
    )


def noised_score(x, y, sigma):
    x, y = to_np(x), to_np(y)
    logits = -((x[:, None] - y[None]) ** 2).sum(2) / (2 * sigma**2)
    share = np.exp(logits - lse(logits, 1))
    return (share[:, :, None] * (y[None] - x[:, None])).sum(1) / sigma**2
