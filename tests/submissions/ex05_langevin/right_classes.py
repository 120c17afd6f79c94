# right: helper classes that keep the parameters, methods behind the functions

import math

import torch


class Mixture:
    def __init__(self, means, sigma, weights):
        self.means, self.variance, self.weights = means, sigma**2, weights

    def log_joint(self, x):
        squares = torch.cdist(x, self.means, compute_mode="donot_use_mm_for_euclid_dist") ** 2
        return self.weights.log() - squares / (2 * self.variance) - math.log(2 * math.pi * self.variance)

    def log_prob(self, x):
        return self.log_joint(x).logsumexp(1)

    def score(self, x):
        joint = self.log_joint(x)
        shares = (joint - joint.logsumexp(1, keepdim=True)).exp()
        return (shares[..., None] * (self.means - x[:, None])).sum(1) / self.variance


class Langevin:
    def __init__(self, score_fn, eta):
        self.score_fn, self.eta, self.history = score_fn, eta, []

    def step(self, x, noise=None):
        self.history.append(x)
        drift = self.eta * self.score_fn(x) / 2
        return x + drift + math.sqrt(self.eta) * (torch.randn_like(x) if noise is None else noise)


def gmm_log_prob(x, means, sigma, weights):
    return Mixture(means, sigma, weights).log_prob(x)


def gmm_score(x, means, sigma, weights):
    return Mixture(means, sigma, weights).score(x)


def langevin_step(x, score_fn, eta, noise=None):
    return Langevin(score_fn, eta).step(x, noise)


def langevin_sample(score_fn, x0, eta, n_steps, noises=None, return_traj=False):
    sampler, x = Langevin(score_fn, eta), x0
    for i in range(n_steps):
        x = sampler.step(x, None if noises is None else noises[i])
    return (x, torch.stack([*sampler.history, x])) if return_traj else x


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
