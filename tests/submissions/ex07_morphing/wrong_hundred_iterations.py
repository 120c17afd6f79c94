# wrong: 100 Sinkhorn iterations, not enough for two far groups | fails: velocity/slow_problem | diagnosis: none

import math

import torch


def sinkhorn_plan(x, y, eps, max_iter=100):
    n, m = x.shape[0], y.shape[0]
    cost = ((x[:, None] - y[None]) ** 2).sum(-1)
    log_a = torch.full((n, 1), -math.log(n), dtype=x.dtype)
    log_b = torch.full((1, m), -math.log(m), dtype=x.dtype)
    f, g = torch.zeros(n, 1, dtype=x.dtype), torch.zeros(1, m, dtype=x.dtype)
    for _ in range(max_iter):
        f = -eps * torch.logsumexp((g - cost) / eps + log_b, dim=1, keepdim=True)
        g = -eps * torch.logsumexp((f - cost) / eps + log_a, dim=0, keepdim=True)
        plan = torch.exp((f + g - cost) / eps + log_a + log_b)
        if (plan.sum(1) - 1 / n).abs().sum() < 1e-9:
            break
    return plan


def barycentric(x, y, eps):
    plan = sinkhorn_plan(x, y, eps)
    return plan @ y / plan.sum(dim=1, keepdim=True)


def ot_velocity(x, y, eps, debias=True):
    there = barycentric(x, y, eps)
    if debias:
        return there - barycentric(x, x, eps)
    return there - x


def score_ot_step(x, y, score_fn, eta, lam, eps, tau=1.0, noise=None):
    if noise is None:
        noise = torch.randn_like(x)
    out = x + 0.5 * eta * score_fn(x)
    out = out + eta * lam * ot_velocity(x, y, eps)
    return out + math.sqrt(eta) * tau * noise


def morph(x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    x = x0.clone()
    traj = [x.clone()]
    for i in range(n_steps):
        noise = torch.randn_like(x) if noises is None else noises[i]
        x = score_ot_step(x, y, score_fn, eta, lam, eps, tau=tau, noise=noise)
        traj.append(x.clone())
    if return_traj:
        return torch.stack(traj)
    return x


def displacement_interpolation(x, y, P, t):
    target = (P @ y) / P.sum(dim=1).unsqueeze(1)
    return (1 - t) * x + t * target


def exact_ot_map_1d(x, y):
    image = torch.empty_like(y)
    image[torch.argsort(x)] = torch.sort(y).values
    return image


def morph_metrics(traj, y):
    x = traj[-1]
    theta = torch.randn(200, x.shape[1], dtype=x.dtype)
    theta = theta / theta.norm(dim=1, keepdim=True)
    gaps = torch.sort(x @ theta.T, dim=0).values - torch.sort(y @ theta.T, dim=0).values
    dist = lambda a, b: ((a[:, None] - b[None]) ** 2).sum(-1).sqrt().mean()
    return {
        "sliced_w": gaps.abs().mean().item(),
        "path_length": (traj[1:] - traj[:-1]).norm(dim=-1).sum(0).mean().item(),
        "energy": (2 * dist(x, y) - dist(x, x) - dist(y, y)).item(),
    }


def noised_score(x, y, sigma):
    logits = -((x[:, None] - y[None]) ** 2).sum(-1) / (2 * sigma**2)
    weights = torch.softmax(logits, dim=1)
    return (weights @ y - x) / sigma**2
