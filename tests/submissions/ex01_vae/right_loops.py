# right: plain loops, logsumexp by hand, the decoder asked for one code at a time, and twice for each
import math
import random

import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.W1 = nn.Parameter(torch.empty(64, 784).uniform_(-1, 1) / 28)
        self.b1 = nn.Parameter(torch.zeros(64))
        self.W2 = nn.Parameter(torch.empty(4, 64).uniform_(-1, 1) / 8)
        self.b2 = nn.Parameter(torch.zeros(4))

    def forward(self, x):
        h = torch.maximum(x @ self.W1.T + self.b1, torch.zeros(()))
        y = h @ self.W2.T + self.b2
        return [y[:, 0:2], y[:, 2:4]]


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.W1 = nn.Parameter(torch.randn(64, 2) / 2)
        self.b1 = nn.Parameter(torch.zeros(64))
        self.W2 = nn.Parameter(torch.randn(784, 64) / 16)
        self.b2 = nn.Parameter(torch.zeros(784))

    def forward(self, z):
        return torch.relu(z @ self.W1.T + self.b1) @ self.W2.T + self.b2


def reparameterize(mu, logvar, noise=None):
    if noise is None:
        noise = torch.stack([torch.randn(mu.shape[1], dtype=mu.dtype) for _ in range(len(mu))])
    columns = [mu[:, j] + (logvar[:, j] / 2).exp() * noise[:, j] for j in range(mu.shape[1])]
    return torch.stack(columns, dim=1)


def kl_diag_gaussian(mu, logvar):
    total = 0
    for j in range(mu.shape[1]):
        total = total + (mu[:, j] ** 2 + logvar[:, j].exp() - logvar[:, j] - 1) / 2
    return total


def bernoulli_log_likelihood(logits, x):
    # max(l, 0) - l x + log(1 + exp(-|l|)), written out
    positive = (logits + logits.abs()) / 2
    return (logits * x - positive - torch.log1p(torch.exp(-logits.abs()))).sum(-1)


def elbo(x, encoder, decoder, noise=None):
    mu, logvar = encoder(x)
    z = reparameterize(mu, logvar, noise)
    bright, dark = nn.functional.logsigmoid(decoder(z)), nn.functional.logsigmoid(-decoder(z))
    return (x * bright + (1 - x) * dark).sum(1) - kl_diag_gaussian(mu, logvar)


def iwae_bound(x, encoder, decoder, K, noise=None):
    result = []
    for b in range(len(x)):  # image by image
        mu, logvar = encoder(x[b:b + 1])
        log_w = []
        for k in range(K):
            eps = torch.randn_like(mu) if noise is None else noise[k, b:b + 1]
            z = mu + (logvar / 2).exp() * eps
            # log p(z) - log q(z|x): the constants cancel
            ratio = (-(z**2) / 2 + eps**2 / 2 + logvar / 2).sum()
            bright, dark = nn.functional.logsigmoid(decoder(z)), nn.functional.logsigmoid(-decoder(z))
            log_w.append((x[b] * bright + (1 - x[b]) * dark).sum() + ratio)
        top = max(log_w)
        result.append(top + torch.log(sum((w - top).exp() for w in log_w) / K))
    return torch.stack(result)


def train(encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    """Adam written out by hand; returns nothing."""
    parameters = [p for net in (encoder, decoder) for p in net.parameters()]
    m = [torch.zeros_like(p) for p in parameters]
    v = [torch.zeros_like(p) for p in parameters]
    step = 0
    for _ in range(epochs):
        rows = list(range(len(data)))
        random.shuffle(rows)
        while rows:
            batch, rows = data[rows[:batch_size]], rows[batch_size:]
            gradients = torch.autograd.grad(-elbo(batch, encoder, decoder).sum() / len(batch), parameters)
            step += 1
            with torch.no_grad():
                for i, (p, g) in enumerate(zip(parameters, gradients)):
                    m[i] = 0.9 * m[i] + 0.1 * g
                    v[i] = 0.999 * v[i] + 0.001 * g * g
                    p -= lr * (m[i] / (1 - 0.9**step)) / ((v[i] / (1 - 0.999**step)).sqrt() + 1e-8)


def latent_grid(decoder, n=15):
    pictures = []
    for i in range(n):
        for j in range(n):
            u = torch.tensor([(j + 0.5) / n, (i + 0.5) / n])
            z = math.sqrt(2) * torch.erfinv(2 * u - 1)
            pictures.append(torch.sigmoid(decoder(z[None]))[0].detach())
    return torch.stack(pictures)


def interpolate(x_a, x_b, encoder, decoder, n=10):
    mu_a, mu_b = encoder(x_a[None])[0], encoder(x_b[None])[0]
    pictures = []
    for i in range(n):
        t = i / (n - 1)
        pictures.append(1 / (1 + torch.exp(-decoder((1 - t) * mu_a + t * mu_b)[0])))
    return torch.stack(pictures)


def gaussian_log_likelihood(x_hat, x, sigma):
    total = 0
    for j in range(x.shape[1]):
        total = total - (x[:, j] - x_hat[:, j]) ** 2 / (2 * sigma**2) - math.log(sigma) - math.log(2 * math.pi) / 2
    return total
