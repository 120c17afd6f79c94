# right: the grid as one big picture, first axis to the right and second upwards; layers made in a loop
import math

import torch
import torch.nn.functional as F
from torch import nn


def mlp(*sizes):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Encoder(nn.Module):
    def __init__(self, d=2):
        super().__init__()
        self.d = d
        self.net = mlp(784, 64, 2 * d)

    def forward(self, x):
        y = self.net(x.reshape(x.shape[0], -1))
        return y[:, :self.d], y[:, self.d:]


class Decoder(nn.Module):
    def __init__(self, d=2):
        super().__init__()
        self.net = mlp(d, 64, 784)

    def forward(self, z):
        return self.net(z)


def reparameterize(mu, logvar, noise=None, generator=None):
    if noise is None:
        noise = torch.randn(mu.shape, generator=generator, dtype=mu.dtype, device=mu.device)
    return torch.addcmul(mu, torch.exp(logvar / 2), noise)


def kl_diag_gaussian(mu, logvar):
    return ((mu.square() - logvar + torch.expm1(logvar)) / 2).sum(dim=-1)


def bernoulli_log_likelihood(logits, x):
    return (x * logits).sum(dim=-1) - F.softplus(logits).sum(dim=-1)


def elbo(x, encoder, decoder, noise=None):
    mu, logvar = encoder(x)
    return -kl_diag_gaussian(mu, logvar) + bernoulli_log_likelihood(decoder(reparameterize(mu, logvar, noise)), x)


def iwae_bound(x, encoder, decoder, K, noise=None):
    # everything in one batch of B * K images, image after image
    B = len(x)
    many = x.repeat_interleave(K, dim=0)
    mu, logvar = encoder(many)
    eps = torch.randn_like(mu) if noise is None else noise.transpose(0, 1).reshape(B * K, -1)
    z = mu + torch.exp(logvar / 2) * eps
    log_w = bernoulli_log_likelihood(decoder(z), many) + 0.5 * (eps**2 + logvar - z**2).sum(1)
    return log_w.reshape(B, K).logsumexp(1) - math.log(K)


def train(encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    optimizer = torch.optim.AdamW([{"params": encoder.parameters()}, {"params": decoder.parameters()}], lr=lr,
                                  weight_decay=0.0)
    curve = {"elbo": [], "kl": []}
    encoder.train(), decoder.train()
    for _ in range(epochs):
        for x in data[torch.randperm(len(data))].split(batch_size):
            for parameter in [*encoder.parameters(), *decoder.parameters()]:
                parameter.grad = None
            loss = -torch.mean(elbo(x, encoder, decoder))
            loss.backward()
            optimizer.step()
            curve["elbo"].append(-loss.item())
    return curve


@torch.no_grad()
def latent_grid(decoder, n=15):
    q = torch.special.ndtri(torch.linspace(0.02, 0.98, n, dtype=torch.float64))
    picture = torch.zeros(28 * n, 28 * n)
    for row, z2 in enumerate(q.flip(0)):
        codes = torch.stack([q, z2.expand(n)], dim=1).to(torch.get_default_dtype())
        for column, p in enumerate(torch.sigmoid(decoder(codes))):
            picture[28 * row:28 * (row + 1), 28 * column:28 * (column + 1)] = p.reshape(28, 28)
    return picture


def interpolate(x_a, x_b, encoder, decoder, n=10):
    a, b = encoder(x_a.reshape(1, -1))[0], encoder(x_b.reshape(1, -1))[0]
    t = torch.arange(n, dtype=a.dtype).reshape(n, 1) / (n - 1)
    return torch.sigmoid(decoder(a + (b - a) * t)).reshape(n, 784)


def gaussian_log_likelihood(x_hat, x, sigma):
    return -F.gaussian_nll_loss(x_hat, x, torch.full_like(x, sigma**2), full=True, reduction="none").sum(1)
