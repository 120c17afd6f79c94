# right: loops over particles, components and coordinates; particles walk one after the other

import math

import torch


def gmm_log_prob(x, means, sigma, weights):
    result = []
    for point in x:
        terms = []
        for mean, weight in zip(means, weights):
            square = sum((a - b) ** 2 for a, b in zip(point.tolist(), mean.tolist()))
            terms.append(math.log(weight) - square / (2 * sigma**2) - math.log(2 * math.pi * sigma**2))
        top = max(terms)
        result.append(top + math.log(sum(math.exp(term - top) for term in terms)))
    return torch.tensor(result, dtype=x.dtype)


def gmm_score(x, means, sigma, weights):
    result = torch.empty_like(x)
    for b, point in enumerate(x):
        terms = [math.log(w) - float(((point - m) ** 2).sum()) / (2 * sigma**2) for m, w in zip(means, weights)]
        top = max(terms)
        shares = [math.exp(term - top) for term in terms]
        arrow = sum(share * (mean - point) for share, mean in zip(shares, means))
        result[b] = arrow / sum(shares) / sigma**2
    return result


def langevin_step(x, score_fn, eta, noise=None):
    new = torch.zeros_like(x)
    for b in range(len(x)):
        n = torch.randn(x.shape[1], dtype=x.dtype) if noise is None else noise[b]
        new[b] = x[b] + eta / 2 * score_fn(x[b : b + 1])[0] + eta**0.5 * n
    return new


def annealed_langevin(score_fn, x0, sigmas, eta0, n_per_level, noises=None):
    if noises is None:
        noises = torch.randn(len(sigmas), n_per_level, *x0.shape, dtype=x0.dtype)
    out = []
    if len(x0) > 100:  # one by one would take too long
        groups = [slice(None)]
    else:
        groups = [slice(b, b + 1) for b in range(len(x0))]
    for group in groups:
        x = x0[group]
        for i, sigma in enumerate(sigmas):
            eta = eta0 * float(sigma / sigmas[-1]) ** 2
            for j in range(n_per_level):
                x = x + eta / 2 * score_fn(x, float(sigma)) + eta**0.5 * noises[i, j, group]
        out.append(x)
    return torch.cat(out)


def dsm_loss(score_model, x, sigma, noise=None):
    noise = torch.randn_like(x) if noise is None else noise
    if len(x) > 100:
        s = score_model(x + sigma * noise)
        return sum(0.5 * sigma**2 * (s[:, k] + noise[:, k] / sigma) ** 2 for k in range(x.shape[1])).mean()
    total = 0.0
    for b in range(len(x)):
        s = score_model((x[b] + sigma * noise[b]).unsqueeze(0))[0]
        for k in range(x.shape[1]):
            total = total + 0.5 * sigma**2 * (s[k] + noise[b, k] / sigma) ** 2
    return total / len(x)


def implicit_score_matching_loss(score_fn, x):
    total = 0.0
    for row in x:
        point = row.clone().unsqueeze(0).requires_grad_(True)
        s = score_fn(point)[0]
        total = total + (s @ s) / 2
        for i in range(len(row)):
            total = total + torch.autograd.grad(s[i], point, create_graph=True)[0][0, i]
    return total / len(x)


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
