# right: squares multiplied out, logsumexp by hand, h = eta / 2, weights inside the squares

import functools
import itertools
import math

import torch


def shares_and_top(x, means, sigma, weights):
    squares = (x * x).sum(1, keepdim=True) - 2 * x @ means.T + (means * means).sum(1)
    logits = weights.log() - squares / (2 * sigma * sigma)
    top = logits.max(dim=1, keepdim=True).values
    return (logits - top).exp(), top.squeeze(1)


def gmm_log_prob(x, means, sigma, weights):
    shares, top = shares_and_top(x, means, sigma, weights)
    return shares.sum(1).log() + top - x.size(1) * (math.log(sigma) + 0.5 * math.log(2 * math.pi))


def gmm_score(x, means, sigma, weights):
    shares, _ = shares_and_top(x, means, sigma, weights)
    pull = torch.einsum("bk,kd->bd", shares, means) / shares.sum(1, keepdim=True)
    return (pull - x).div(sigma).div(sigma)


def langevin_step(x, score_fn, eta, noise=None):
    h = eta / 2
    n = torch.empty_like(x).normal_() if noise is None else noise
    return x + h * score_fn(x) + math.sqrt(2 * h) * n


def langevin_sample(score_fn, x0, eta, n_steps, noises=None, return_traj=False):
    noises = torch.randn((n_steps, *x0.shape), dtype=x0.dtype) if noises is None else noises
    states = list(itertools.accumulate(noises, lambda x, n: langevin_step(x, score_fn, eta, n), initial=x0))
    return (states[-1], torch.stack(states)) if return_traj else states[-1]


def annealed_langevin(score_fn, x0, sigmas, eta0, n_per_level, noises=None):
    base = eta0 / sigmas[-1] ** 2
    x = x0
    for i, sigma in enumerate(sigmas):
        column = sigma * torch.ones(len(x), 1, dtype=x.dtype)
        given = None if noises is None else noises[i]
        x = langevin_sample(functools.partial(score_fn, sigma=column), x, float(base * sigma**2), n_per_level, given)
    return x


def dsm_loss(score_model, x, sigma, noise=None):
    n = torch.randn_like(x) if noise is None else noise
    return (sigma * score_model(x + sigma * n) + n).square().sum() / (2 * len(x))


def implicit_score_matching_loss(score_fn, x):
    x = x.detach().clone().requires_grad_(True)
    s = score_fn(x)
    basis = torch.eye(x.size(1), dtype=x.dtype)
    columns = [torch.autograd.grad(s, x, e.expand_as(s), create_graph=True)[0] @ e for e in basis]
    return 0.5 * s.pow(2).mean(0).sum() + torch.stack(columns).sum(0).mean()


def mala_step(x, log_prob_fn, score_fn, eta, noise=None, u=None):
    if noise is None:
        noise = torch.randn_like(x)
    if u is None:
        u = torch.rand(x.shape[0], dtype=x.dtype)
    y = langevin_step(x, score_fn, eta, noise)
    forward = -((y - x - 0.5 * eta * score_fn(x)) ** 2).sum(dim=1) / (2 * eta)
    backward = -((x - y - 0.5 * eta * score_fn(y)) ** 2).sum(dim=1) / (2 * eta)
    log_a = log_prob_fn(y) - log_prob_fn(x) + backward - forward
    accept = torch.log(u) < log_a
    return torch.where(accept.unsqueeze(1), y, x)
