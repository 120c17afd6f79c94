# right: the encoder returns a dataclass, the training another one; two trunks in the encoder; a guard on the log variance
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass
class Gaussian:
    mu: Tensor
    logvar: Tensor


@dataclass
class History:
    elbo: list = field(default_factory=list)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.mean = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 2))
        self.spread = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, x):
        return Gaussian(self.mean(x), self.spread(x).clamp(-10, 10))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleDict({"hidden": nn.Linear(2, 64), "out": nn.Linear(64, 784)})

    def forward(self, z):
        return self.layers["out"](F.relu(self.layers["hidden"](z)))


def reparameterize(mu, logvar, noise=None):
    noise = torch.empty_like(mu).normal_() if noise is None else noise
    return mu + noise * logvar.exp().sqrt()


def kl_diag_gaussian(mu, logvar):
    var = logvar.exp()
    return 0.5 * (var.sum(1) + mu.pow(2).sum(1) - mu.shape[1] - var.log().sum(1))


def bernoulli_log_likelihood(logits, x):
    loss = nn.BCEWithLogitsLoss(reduction="none")
    return -loss(logits, x).sum(-1)


def elbo(x, encoder, decoder, noise=None):
    q = encoder(x)
    z = reparameterize(q.mu, q.logvar, noise)
    return bernoulli_log_likelihood(decoder(z), x) - kl_diag_gaussian(q.mu, q.logvar)


def iwae_bound(x, encoder, decoder, K, noise=None):
    q = encoder(x)
    log_mean = None
    for k in range(K):  # running logaddexp
        eps = torch.randn_like(q.mu) if noise is None else noise[k]
        z = reparameterize(q.mu, q.logvar, eps)
        log_prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
        log_q = torch.distributions.Normal(0.0, 1.0).log_prob(eps).sum(-1) - q.logvar.sum(-1) / 2
        log_w = bernoulli_log_likelihood(decoder(z), x) + log_prior - log_q - torch.log(torch.tensor(1.0 * K))
        log_mean = log_w if log_mean is None else torch.logaddexp(log_mean, log_w)
    return log_mean


def train(encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    history = History()
    optimizers = [torch.optim.Adam(net.parameters(), lr=lr) for net in (encoder, decoder)]
    for _ in range(epochs):
        for rows in torch.utils.data.BatchSampler(torch.utils.data.RandomSampler(data), batch_size, False):
            loss = -elbo(data[rows], encoder, decoder).mean()
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
            history.elbo.append(-float(loss))
    return history


def latent_grid(decoder, n=15):
    weight = next(decoder.parameters())
    u = torch.arange(1, 2 * n, 2, dtype=weight.dtype) / (2 * n)
    q = torch.special.ndtri(u)
    z = torch.stack(torch.meshgrid(q, q, indexing="xy"), dim=-1)
    return torch.sigmoid(decoder(z)).detach().unflatten(-1, (28, 28))


def interpolate(x_a, x_b, encoder, decoder, n=10):
    q = encoder(torch.stack((x_a, x_b)))
    weights = torch.linspace(1, 0, n).to(q.mu)
    z = torch.einsum("n,d->nd", weights, q.mu[0]) + torch.einsum("n,d->nd", 1 - weights, q.mu[1])
    return torch.sigmoid(decoder(z)).detach()


def gaussian_log_likelihood(x_hat, x, sigma):
    covariance = sigma**2 * torch.eye(x.shape[1])
    return torch.distributions.MultivariateNormal(x_hat, covariance).log_prob(x)
