# wrong: signs for normal noise, of the right mean and variance | fails: step/particles_part, step/fresh_noise | diagnosis: none

import math

import torch





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


def langevin_step(x, score_fn, eta, noise=None):
    if noise is None:
        noise = torch.randn_like(x).sign()
    return x + 0.5 * eta * score_fn(x) + math.sqrt(eta) * noise


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
