# right: a class keeps the potentials from step to step; the self-transport is averaged, not alternated

import math

import torch


class Transport:
    """Entropic transport whose potentials start where they ended the last time."""

    def __init__(self, eps, tol=1e-11):
        self.eps, self.tol = eps, tol
        self.f = self.g = self.h = None

    def soft_min(self, C, potential):
        return -self.eps * (torch.logsumexp((potential - C) / self.eps, 1) - math.log(C.shape[1]))

    def towards(self, x, y):
        C = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist") ** 2
        self.g = C.new_zeros(len(y)) if self.g is None else self.g
        for _ in range(2000):
            self.f = self.soft_min(C, self.g)
            new = self.soft_min(C.T, self.f)
            change, self.g = (new - self.g).abs().max(), new
            if change < self.tol:
                break
        return torch.softmax((self.g - C) / self.eps, 1) @ y

    def own(self, x):
        C = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist") ** 2
        self.h = C.new_zeros(len(x)) if self.h is None else self.h
        for _ in range(2000):
            new = (self.h + self.soft_min(C, self.h)) / 2
            change, self.h = (new - self.h).abs().max(), new
            if change < self.tol:
                break
        return torch.softmax((self.h - C) / self.eps, 1) @ x

    def velocity(self, x, y):
        return self.towards(x, y) - self.own(x)


def ot_velocity(x, y, eps, debias=True):
    transport = Transport(eps)
    return transport.velocity(x, y) if debias else transport.towards(x, y) - x


def score_ot_step(x, y, score_fn, eta, lam, eps, tau=1.0, noise=None, transport=None):
    transport = Transport(eps) if transport is None else transport
    noise = torch.empty_like(x).normal_() if noise is None else noise
    pull = lam * transport.velocity(x, y) if lam else torch.zeros_like(x)
    return x + eta * (score_fn(x) / 2 + pull) + (eta**0.5 * tau) * noise


def morph(x0, y, score_fn, eta, lam, eps, n_steps, tau=1.0, noises=None, return_traj=True):
    transport = Transport(eps)
    states = [x0]
    noises = torch.randn(n_steps, *x0.shape, dtype=x0.dtype) if noises is None else noises
    for noise in noises:
        states.append(score_ot_step(states[-1], y, score_fn, eta, lam, eps, tau, noise, transport))
    return torch.stack(states) if return_traj else states[-1]


def displacement_interpolation(x, y, P, t):
    target = (P @ y) / P.sum(dim=1).unsqueeze(1)
    return (1 - t) * x + t * target


def exact_ot_map_1d(x, y):
    ranks = (x[:, None] > x[None, :]).sum(1)
    return torch.sort(y)[0].index_select(0, ranks)


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
