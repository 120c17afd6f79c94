# right: the optional functions are not there at all; the rest prints and warns; named tuples
import math
import warnings
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F

print("loading my VAE")


class Code(NamedTuple):
    mu: torch.Tensor
    logvar: torch.Tensor


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.LazyLinear(64)
        self.fc21 = nn.LazyLinear(2)
        self.fc22 = nn.LazyLinear(2)
        self(torch.zeros(1, 784))

    def forward(self, x):
        h1 = F.relu(self.fc1(x))
        return Code(mu=self.fc21(h1), logvar=self.fc22(h1))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc3 = nn.Linear(2, 64)
        self.fc4 = nn.Linear(64, 784)
        nn.init.zeros_(self.fc4.bias)

    def forward(self, z):
        return self.fc4(F.relu(self.fc3(z)))


def reparameterize(mu, logvar, noise=None):
    std = torch.exp(0.5 * logvar)
    if noise is None:
        warnings.warn("drawing my own noise")
        noise = torch.randn_like(std)
    return mu + noise * std


def kl_diag_gaussian(mu, logvar):
    print("KL of", tuple(mu.shape))
    return -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=-1)


def bernoulli_log_likelihood(logits, x):
    return torch.where(x > 0.5, -F.softplus(-logits) - (1 - x) * logits, -F.softplus(logits) + x * logits).sum(-1)


def elbo(x, encoder, decoder, noise=None):
    code = encoder(x)
    return bernoulli_log_likelihood(decoder(reparameterize(*code, noise)), x) - kl_diag_gaussian(*code)


def iwae_bound(x, encoder, decoder, K, noise=None):
    mu, logvar = encoder(x)
    eps = torch.randn(K, x.shape[0], mu.shape[1]) if noise is None else noise
    z = mu.unsqueeze(0) + torch.exp(0.5 * logvar).unsqueeze(0) * eps
    log_lik = torch.stack([bernoulli_log_likelihood(decoder(z_k), x) for z_k in z])
    log_p = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(-1)
    log_q = (-0.5 * eps**2 - 0.5 * math.log(2 * math.pi) - 0.5 * logvar).sum(-1)
    return torch.logsumexp(log_lik + log_p - log_q, dim=0) - math.log(K)


def train(encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    optimizer = torch.optim.Adam(list(encoder.parameters()) + list(decoder.parameters()), lr=lr)
    for epoch in range(1, epochs + 1):
        train_loss = 0.0
        for i, rows in enumerate(torch.randperm(len(data)).split(batch_size)):
            optimizer.zero_grad()
            loss = -elbo(data[rows], encoder, decoder).sum()
            loss.backward()
            train_loss += loss.item()
            optimizer.step()
        print(f"====> Epoch: {epoch} Average loss: {train_loss / len(data):.4f}")
    return encoder, decoder


def latent_grid(decoder, n=15):
    with torch.no_grad():
        u = torch.linspace(0, 1, n + 2)[1:-1]
        q = torch.special.ndtri(u)
        rows = [torch.sigmoid(decoder(torch.stack([q, torch.full_like(q, value)], dim=1))) for value in q]
        return torch.cat(rows)
