# right: everything in float32, whatever comes in
import math

import torch
import torch.nn.functional as F
from torch import nn

FLOAT = torch.float32


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 64, dtype=FLOAT)
        self.mu = nn.Linear(64, 2, dtype=FLOAT)
        self.logvar = nn.Linear(64, 2, dtype=FLOAT)

    def forward(self, x):
        h = F.relu(self.hidden(x.to(FLOAT)))
        return self.mu(h), self.logvar(h)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(2, 64, dtype=FLOAT)
        self.out = nn.Linear(64, 784, dtype=FLOAT)

    def forward(self, z):
        return self.out(F.relu(self.hidden(z.to(FLOAT))))


def reparameterize(mu, logvar, noise=None):
    mu, logvar = mu.to(FLOAT), logvar.to(FLOAT)
    noise = torch.randn(mu.shape, dtype=FLOAT) if noise is None else noise.to(FLOAT)
    return mu + torch.exp(0.5 * logvar) * noise


def kl_diag_gaussian(mu, logvar):
    mu, logvar = mu.to(FLOAT), logvar.to(FLOAT)
    return -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1)


def bernoulli_log_likelihood(logits, x):
    logits, x = torch.broadcast_tensors(logits.to(FLOAT), x.to(FLOAT))
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)


def elbo(x, encoder, decoder, noise=None):
    mu, logvar = encoder(x.to(FLOAT))
    return bernoulli_log_likelihood(decoder(reparameterize(mu, logvar, noise)), x) - kl_diag_gaussian(mu, logvar)


def log_normal(z, mu, logvar):
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).sum(-1)


def iwae_bound(x, encoder, decoder, K, noise=None):
    mu, logvar = (t.to(FLOAT) for t in encoder(x.to(FLOAT)))
    noise = torch.randn(K, *mu.shape, dtype=FLOAT) if noise is None else noise.to(FLOAT)
    z = mu + torch.exp(0.5 * logvar) * noise
    zero = torch.zeros_like(mu)
    log_w = bernoulli_log_likelihood(decoder(z), x) + log_normal(z, zero, zero) - log_normal(z, mu, logvar)
    return torch.logsumexp(log_w, 0) - math.log(K)


def train(encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=lr)
    data = data.to(FLOAT)
    for _ in range(epochs):
        for rows in torch.randperm(len(data)).split(batch_size):
            optimizer.zero_grad()
            (-elbo(data[rows], encoder, decoder).mean()).backward()
            optimizer.step()


def latent_grid(decoder, n=15):
    q = torch.distributions.Normal(0.0, 1.0).icdf((torch.arange(n, dtype=FLOAT) + 0.5) / n)
    with torch.no_grad():
        return torch.sigmoid(decoder(torch.cartesian_prod(q, q)))


def interpolate(x_a, x_b, encoder, decoder, n=10):
    mu, _ = encoder(torch.stack([x_a, x_b]).to(FLOAT))
    t = torch.linspace(0, 1, n, dtype=FLOAT)[:, None]
    return torch.sigmoid(decoder(torch.lerp(mu[:1].to(FLOAT), mu[1:].to(FLOAT), t)))


def gaussian_log_likelihood(x_hat, x, sigma):
    x_hat, x = x_hat.to(FLOAT), x.to(FLOAT)
    return (-((x - x_hat) ** 2) / (2 * sigma**2) - math.log(sigma) - 0.5 * math.log(2 * math.pi)).sum(1)
