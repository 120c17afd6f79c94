# right: further parameters with defaults; NamedTuples and a dataclass where a state is due

import math
from dataclasses import dataclass
from typing import NamedTuple, Optional

import torch


class Run(NamedTuple):
    x: torch.Tensor
    traj: Optional[torch.Tensor]


@dataclass
class Move:
    x: torch.Tensor
    accepted: torch.Tensor


def langevin_step(x, score_fn, eta, noise=None, generator=None):
    if noise is None:
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
    return torch.add(x, score_fn(x), alpha=eta / 2) + eta**0.5 * noise


def langevin_sample(score_fn, x0, eta, n_steps, noises=None, return_traj=False, generator=None, verbose=False):
    x, traj = x0, [x0]
    for i in range(n_steps):
        x = langevin_step(x, score_fn, eta, noises[i] if noises is not None else None, generator)
        traj.append(x)
    return Run(x, torch.stack(traj) if return_traj else None)


def annealed_langevin(score_fn, x0, sigmas, eta0, n_per_level, noises=None, generator=None):
    x, traj = x0, [x0]
    for i, sigma in enumerate(sigmas.tolist()):
        eta = eta0 * (sigma / float(sigmas[-1])) ** 2
        for j in range(n_per_level):
            noise = None if noises is None else noises[i, j]
            x = langevin_step(x, lambda y, sigma=sigma: score_fn(y, sigma=sigma), eta, noise, generator)
            traj.append(x)
    return Run(x, torch.stack(traj))


def dsm_loss(score_model, x, sigma, noise=None, reduction="mean"):
    noise = torch.randn_like(x) if noise is None else noise
    per_point = 0.5 * (sigma * score_model(x + sigma * noise) + noise).square().sum(-1)
    return per_point.mean() if reduction == "mean" else per_point


def mala_step(x, log_prob_fn, score_fn, eta, noise=None, u=None, generator=None):
    y = langevin_step(x, score_fn, eta, noise, generator)
    sx, sy = score_fn(x), score_fn(y)
    # log q(x|y) - log q(y|x), multiplied out
    q = -((y - x) * (sx + sy)).sum(1) / 2 + eta / 8 * (sx.square().sum(1) - sy.square().sum(1))
    u = torch.rand(len(x), generator=generator, dtype=x.dtype) if u is None else u
    accepted = u.log() <= torch.clamp(log_prob_fn(y) - log_prob_fn(x) + q, max=0.0)
    return Move(torch.where(accepted[:, None], y, x), accepted)


def gmm_log_prob(x, means, sigma, weights):
    d = x.shape[1]
    diff = x.unsqueeze(1) - means.unsqueeze(0)
    sq = (diff**2).sum(dim=2)
    comp = torch.log(weights) - 0.5 * sq / sigma**2 - 0.5 * d * math.log(2 * math.pi * sigma**2)
    return torch.logsumexp(comp, dim=1)


def gmm_score(x, means, sigma, weights):
    diff = means.unsqueeze(0) - x.unsqueeze(1)
    sq = (diff**2).sum(dim=2)
    resp = torch.softmax(torch.log(weights) - 0.5 * sq / sigma**2, dim=1)
    return (resp.unsqueeze(2) * diff).sum(dim=1) / sigma**2


def implicit_score_matching_loss(score_fn, x):
    x = x.detach().clone().requires_grad_(True)
    s = score_fn(x)
    norm = 0.5 * (s**2).sum(dim=1)
    trace = torch.zeros_like(norm)
    for i in range(x.shape[1]):
        g = torch.autograd.grad(s[:, i].sum(), x, create_graph=True)[0]
        trace = trace + g[:, i]
    return (norm + trace).mean()
