# right: casts everything to float32, so it works with float32 networks only

import math

import torch


def gmm_log_prob(x, means, sigma, weights):
    x, means, weights = x.float(), means.float(), weights.float()
    sq = torch.zeros(len(x), len(means), dtype=torch.float32)
    for k in range(len(means)):
        sq[:, k] = ((x - means[k]) ** 2).sum(1)
    return torch.logsumexp(torch.log(weights) - sq / (2 * sigma**2) - math.log(2 * math.pi * sigma**2), 1)


def gmm_score(x, means, sigma, weights):
    x, means, weights = x.float(), means.float(), weights.float()
    logits = torch.log(weights) - torch.cdist(x, means) ** 2 / (2 * sigma**2)
    return (torch.softmax(logits, 1) @ means - x) / sigma**2


def langevin_step(x, score_fn, eta, noise=None):
    noise = torch.randn(x.shape, dtype=torch.float32) if noise is None else noise.float()
    x = x.float()
    return x + eta / 2 * score_fn(x).float() + torch.sqrt(torch.tensor(eta, dtype=torch.float32)) * noise


def dsm_loss(score_model, x, sigma, noise=None):
    x = x.to(torch.float32)
    noise = torch.randn_like(x) if noise is None else noise.to(torch.float32)
    return (sigma**2 / 2 * ((score_model(x + sigma * noise) + noise / sigma) ** 2).sum(1)).mean()


def implicit_score_matching_loss(score_fn, x):
    x = x.to(torch.float32).detach().requires_grad_(True)
    s = score_fn(x)
    trace = sum(torch.autograd.grad(s[:, i].sum(), x, create_graph=True)[0][:, i] for i in range(x.shape[1]))
    return (0.5 * s.pow(2).sum(1) + trace).mean()


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
