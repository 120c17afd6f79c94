"""Score of a Gaussian mixture, one Langevin step, and a sampler made of both."""

import math

import torch


def score(x, means, stds, weights):
    difference = means[None] - x[:, None]  # (n, K, 2)
    variance = stds**2
    log_part = torch.log(weights) - torch.log(2 * math.pi * variance) - (difference**2).sum(-1) / (2 * variance)
    share = torch.softmax(log_part, dim=1)
    return (share[..., None] * difference / variance[None, :, None]).sum(1)


def langevin_step(x, score_fn, eta, noise):
    return x + eta / 2 * score_fn(x) + math.sqrt(eta) * noise


def sample(score_fn, n, steps, eta, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 2, generator=generator)
    for _ in range(steps):
        x = langevin_step(x, score_fn, eta, torch.randn(n, 2, generator=generator))
    return x
