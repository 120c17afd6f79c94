# right: no state but parameters, composition of functions; float64 constants; the sample through its Cholesky factor
import functools
import math

import torch
from torch import nn
from torch.nn import functional as F


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        shapes = {"w1": (784, 64), "b1": (64,), "w2": (64, 2), "b2": (2,), "w3": (64, 2), "b3": (2,)}
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(torch.randn(shape) * (shape[0] ** -0.5 if len(shape) > 1 else 0)))

    def forward(self, x):
        h = F.relu(torch.addmm(self.b1, x, self.w1))
        return torch.addmm(self.b2, h, self.w2), torch.addmm(self.b3, h, self.w3)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.ModuleList([nn.Linear(2, 64), nn.Linear(64, 784)])

    def forward(self, z):
        return functools.reduce(lambda h, layer: layer(F.relu(h)), self.net[1:], self.net[0](z))


def reparameterize(mu, logvar, noise=None):
    cholesky = torch.diag_embed(torch.exp(logvar / 2))  # (B, d, d)
    noise = torch.randn(mu.shape, dtype=mu.dtype) if noise is None else noise
    return mu + torch.einsum("bij,bj->bi", cholesky, noise)


def kl_diag_gaussian(mu, logvar):
    # trace, quadratic form and log-determinant of the general formula
    cov = torch.diag_embed(logvar.exp())
    trace = torch.diagonal(cov, dim1=-2, dim2=-1).sum(-1)
    return 0.5 * (trace + torch.einsum("bi,bi->b", mu, mu) - mu.shape[-1] - torch.logdet(cov))


def bernoulli_log_likelihood(logits, x):
    pair = torch.stack([F.logsigmoid(logits), F.logsigmoid(logits) - logits])  # log p, log(1 - p)
    return torch.einsum("sbi,sbi->b", torch.stack([x, 1 - x]), pair)


def elbo(x, encoder, decoder, noise=None):
    mu, logvar = encoder(x)
    return bernoulli_log_likelihood(decoder(reparameterize(mu, logvar, noise)), x) - kl_diag_gaussian(mu, logvar)


def iwae_bound(x, encoder, decoder, K, noise=None):
    mu, logvar = encoder(x)
    noises = [None] * K if noise is None else list(noise)

    def log_weight(eps):
        z = reparameterize(mu, logvar, eps)
        log_ratio = 0.5 * ((z - mu) ** 2 * torch.exp(-logvar) + logvar - z**2).sum(-1)
        return bernoulli_log_likelihood(decoder(z), x) + log_ratio

    stacked = torch.stack([log_weight(eps) for eps in noises], dim=1)  # (B, K)
    shift = stacked.max(dim=1, keepdim=True).values
    return shift.squeeze(1) + torch.log(torch.exp(stacked - shift).mean(dim=1))


def train(encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    optimizer = torch.optim.NAdam([*encoder.parameters(), *decoder.parameters()], lr=lr)

    def closure(x):
        optimizer.zero_grad()
        loss = -elbo(x, encoder, decoder).mean()
        loss.backward()
        return loss

    for x in (data[rows] for _ in range(epochs) for rows in torch.randperm(len(data)).split(batch_size)):
        optimizer.step(functools.partial(closure, x))


def latent_grid(decoder, n=15):
    inverse_cdf = lambda u: -math.sqrt(2) * torch.erfinv(1 - 2 * u)  # noqa: E731
    axis = inverse_cdf((torch.arange(n).to(torch.get_default_dtype()) + 0.5) / n)
    codes = torch.stack([axis.repeat(n), axis.repeat_interleave(n)], dim=1)
    return torch.sigmoid(decoder(codes)).detach().reshape(n, n, 28, 28)


def interpolate(x_a, x_b, encoder, decoder, n=10):
    (mu_a, mu_b), _ = encoder(torch.stack([x_a, x_b]))
    return torch.stack([torch.sigmoid(decoder(((n - 1 - i) * mu_a + i * mu_b)[None] / (n - 1)))[0] for i in range(n)])


def gaussian_log_likelihood(x_hat, x, sigma):
    scaled = (x - x_hat) / sigma
    return -0.5 * torch.einsum("bi,bi->b", scaled, scaled) - x.shape[1] * math.log(math.sqrt(2 * math.pi) * sigma)
