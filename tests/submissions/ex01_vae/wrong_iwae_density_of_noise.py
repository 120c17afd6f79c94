# wrong: log q(z given x) is the density of the noise | fails: iwae/given_noise, iwae/equal_samples, iwae/exact_posterior, iwae/tiny_weights | diagnosis: iwae_density_of_noise | cause: student
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(784, 64)
        self.head = nn.Linear(64, 4)

    def forward(self, x):
        mu, logvar = self.head(F.relu(self.body(x))).chunk(2, dim=1)
        return mu, logvar


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 64)
        self.fc2 = nn.Linear(64, 784)

    def forward(self, z):
        return self.fc2(F.relu(self.fc1(z)))


def reparameterize(mu, logvar, noise=None):
    std = torch.exp(0.5 * logvar)
    eps = torch.randn_like(std) if noise is None else noise
    return mu + std * eps


def kl_diag_gaussian(mu, logvar):
    return -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1)


def bernoulli_log_likelihood(logits, x):
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)


def elbo(x, encoder, decoder, noise=None):
    mu, logvar = encoder(x)
    z = reparameterize(mu, logvar, noise)
    return bernoulli_log_likelihood(decoder(z), x) - kl_diag_gaussian(mu, logvar)


def log_normal(z, mu, logvar):
    return (-0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp())).sum(-1)


def log_weights(x, encoder, decoder, K, noise):
    mu, logvar = encoder(x)
    rows = []
    for k in range(K):
        z = reparameterize(mu, logvar, None if noise is None else noise[k])
        log_prior = log_normal(z, torch.zeros_like(z), torch.zeros_like(z))
        eps = (z - mu) / torch.exp(logvar / 2)
        log_q = log_normal(eps, torch.zeros_like(z), torch.zeros_like(z))
        rows.append(bernoulli_log_likelihood(decoder(z), x) + log_prior - log_q)
    return torch.stack(rows)


def iwae_bound(x, encoder, decoder, K, noise=None):
    return torch.logsumexp(log_weights(x, encoder, decoder, K, noise), dim=0) - math.log(K)


def train(encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    opt = torch.optim.Adam(list(encoder.parameters()) + list(decoder.parameters()), lr=lr)
    for epoch in range(epochs):
        perm = torch.randperm(data.shape[0])
        for i in range(0, data.shape[0], batch_size):
            x = data[perm[i:i + batch_size]]
            loss = -elbo(x, encoder, decoder).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()


def latent_grid(decoder, n=15):
    u = (torch.arange(n, dtype=torch.get_default_dtype()) + 0.5) / n
    q = torch.distributions.Normal(0.0, 1.0).icdf(u)
    a, b = torch.meshgrid(q, q, indexing="ij")
    with torch.no_grad():
        return torch.sigmoid(decoder(torch.stack([a.flatten(), b.flatten()], dim=1)))


def interpolate(x_a, x_b, encoder, decoder, n=10):
    with torch.no_grad():
        mu_a = encoder(x_a[None])[0]
        mu_b = encoder(x_b[None])[0]
        t = torch.linspace(0, 1, n, dtype=mu_a.dtype).unsqueeze(1)
        return torch.sigmoid(decoder(mu_a + t * (mu_b - mu_a)))


def gaussian_log_likelihood(x_hat, x, sigma):
    d = x.shape[1]
    return -((x - x_hat) ** 2).sum(dim=1) / (2 * sigma**2) - d * math.log(sigma) - 0.5 * d * math.log(2 * math.pi)
