# right: numpy inside, numpy arrays returned wherever no training needs a graph

import math

import numpy as np
import torch


def gmm_log_prob(x, means, sigma, weights):
    x, means, weights = np.asarray(x), np.asarray(means), np.asarray(weights)
    squares = ((x[:, None] - means[None]) ** 2).sum(-1)
    logits = np.log(weights) - squares / (2 * sigma**2) - np.log(2 * np.pi * sigma**2)
    return np.logaddexp.reduce(logits, axis=1)


def gmm_score(x, means, sigma, weights):
    x, means, weights = np.asarray(x), np.asarray(means), np.asarray(weights)
    logits = np.log(weights) - ((x[:, None] - means[None]) ** 2).sum(-1) / (2 * sigma**2)
    share = np.exp(logits - logits.max(1, keepdims=True))
    share /= share.sum(1, keepdims=True)
    return (share @ means - x) / sigma**2


def langevin_step(x, score_fn, eta, noise=None):
    x = np.asarray(x)
    noise = np.random.randn(*x.shape) if noise is None else np.asarray(noise)
    score = np.asarray(score_fn(torch.from_numpy(x)))
    return x + eta / 2 * score + np.sqrt(eta) * noise


def langevin_sample(score_fn, x0, eta, n_steps, noises=None, return_traj=False):
    states = [np.asarray(x0)]
    for i in range(n_steps):
        states.append(langevin_step(states[-1], score_fn, eta, None if noises is None else noises[i]))
    return (states[-1], np.stack(states)) if return_traj else states[-1]


def annealed_langevin(score_fn, x0, sigmas, eta0, n_per_level, noises=None):
    x, sigmas = np.asarray(x0), np.asarray(sigmas)
    for i, sigma in enumerate(sigmas):
        for j in range(n_per_level):
            noise = None if noises is None else noises[i][j]
            x = langevin_step(x, lambda y: score_fn(y, float(sigma)), eta0 * (sigma / sigmas[-1]) ** 2, noise)
    return x


def mala_step(x, log_prob_fn, score_fn, eta, noise=None, u=None):
    old = np.asarray(x)
    new = langevin_step(x, score_fn, eta, noise)

    def log_q(to, origin):
        drift = eta / 2 * np.asarray(score_fn(torch.from_numpy(origin)))
        return -((to - origin - drift) ** 2).sum(1) / (2 * eta)

    def log_p(points):
        return np.asarray(log_prob_fn(torch.from_numpy(points)))

    u = np.random.rand(len(old)) if u is None else np.asarray(u)
    log_a = log_p(new) - log_p(old) + log_q(old, new) - log_q(new, old)
    return np.where((np.log(u) < log_a)[:, None], new, old)


def dsm_loss(score_model, x, sigma, noise=None):
    if noise is None:
        noise = torch.randn_like(x)
    noisy = x + sigma * noise
    target = -noise / sigma
    sq = ((score_model(noisy) - target) ** 2).sum(dim=1)
    return 0.5 * sigma**2 * sq.mean()


def implicit_score_matching_loss(score_fn, x):
    x = x.detach().clone().requires_grad_(True)
    s = score_fn(x)
    norm = 0.5 * (s**2).sum(dim=1)
    trace = torch.zeros_like(norm)
    for i in range(x.shape[1]):
        g = torch.autograd.grad(s[:, i].sum(), x, create_graph=True)[0]
        trace = trace + g[:, i]
    return (norm + trace).mean()
