# right: densities from torch.distributions, the score by autograd

import math

import torch
import torch.distributions as D


def mixture(means, sigma, weights):
    components = D.Independent(D.Normal(means, sigma * torch.ones_like(means)), 1)
    return D.MixtureSameFamily(D.Categorical(weights), components)


def gmm_log_prob(x, means, sigma, weights):
    return mixture(means, sigma, weights).log_prob(x)


def gmm_score(x, means, sigma, weights):
    x = x.clone().requires_grad_(True)
    return torch.autograd.grad(gmm_log_prob(x, means, sigma, weights).sum(), x)[0]


def proposal(x, score_fn, eta):
    return D.Independent(D.Normal(x + eta / 2 * score_fn(x), math.sqrt(eta)), 1)


def langevin_step(x, score_fn, eta, noise=None):
    q = proposal(x, score_fn, eta)
    return q.sample() if noise is None else q.mean + q.stddev * noise


def mala_step(x, log_prob_fn, score_fn, eta, noise=None, u=None):
    y = langevin_step(x, score_fn, eta, noise)
    back, forth = proposal(y, score_fn, eta).log_prob(x), proposal(x, score_fn, eta).log_prob(y)
    a = torch.exp(log_prob_fn(y) - log_prob_fn(x) + back - forth)
    u = torch.rand_like(a) if u is None else u
    moved = (u < a.clamp(max=1.0)).to(x.dtype).unsqueeze(1)
    return moved * y + (1 - moved) * x


def langevin_sample(score_fn, x0, eta, n_steps, noises=None, return_traj=False):
    x = x0.clone()
    traj = [x]
    for i in range(n_steps):
        noise = torch.randn_like(x) if noises is None else noises[i]
        x = langevin_step(x, score_fn, eta, noise)
        traj.append(x)
    if return_traj:
        return x, torch.stack(traj)
    return x


def annealed_langevin(score_fn, x0, sigmas, eta0, n_per_level, noises=None):
    x = x0.clone()
    for i in range(len(sigmas)):
        eta = eta0 * sigmas[i] ** 2 / sigmas[-1] ** 2
        for j in range(n_per_level):
            noise = torch.randn_like(x) if noises is None else noises[i, j]
            x = langevin_step(x, lambda y: score_fn(y, sigmas[i]), eta, noise)
    return x


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
