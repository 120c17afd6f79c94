# right: numpy and scipy wherever no gradient is asked for; the ELBO has its own formulas in torch
import numpy as np
import torch
from scipy import special, stats
from torch import nn


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.head = nn.Linear(784, 64), nn.Linear(64, 4)

    def forward(self, x):
        out = self.head(self.hidden(x).clamp(min=0))
        return out[..., :2], out[..., 2:]


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.head = nn.Linear(2, 64), nn.Linear(64, 784)

    def forward(self, z):
        return self.head(self.hidden(z).clamp(min=0))


def array(t):
    return t.detach().numpy() if torch.is_tensor(t) else np.asarray(t)


def reparameterize(mu, logvar, noise=None):
    if noise is None:
        noise = torch.from_numpy(np.random.standard_normal(mu.shape)).to(mu)
    return mu + logvar.mul(0.5).exp() * noise


def kl_diag_gaussian(mu, logvar):
    mu, logvar = array(mu), array(logvar)
    return 0.5 * np.sum(np.exp(logvar) + mu**2 - 1 - logvar, axis=1)


def bernoulli_log_likelihood(logits, x):
    logits, x = array(logits), array(x)
    return np.sum(x * logits - np.logaddexp(0, logits), axis=-1)


def elbo(x, encoder, decoder, noise=None):
    mu, logvar = encoder(x)
    logits = decoder(reparameterize(mu, logvar, noise))
    likelihood = x * logits - torch.logaddexp(torch.zeros_like(logits), logits)
    return likelihood.sum(1) - 0.5 * (logvar.exp() + mu * mu - 1 - logvar).sum(1)


def iwae_bound(x, encoder, decoder, K, noise=None):
    mu, logvar = encoder(x)
    if noise is None:
        noise = np.random.standard_normal((K, *mu.shape))
    rows = []
    for eps in array(noise):
        z = array(mu) + np.exp(array(logvar) / 2) * eps
        likelihood = bernoulli_log_likelihood(decoder(torch.from_numpy(z).to(mu)), x)
        ratio = stats.norm.logpdf(z) - stats.norm.logpdf(z, array(mu), np.exp(array(logvar) / 2))
        rows.append(likelihood + ratio.sum(1))
    return special.logsumexp(rows, axis=0, b=1 / K)


def train(encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr)
    for _ in range(epochs):
        order = np.random.permutation(len(data))
        for rows in np.array_split(order, max(1, len(data) // batch_size)):
            optimizer.zero_grad()
            (-elbo(data[torch.from_numpy(rows)], encoder, decoder).mean()).backward()
            optimizer.step()
    return np.float64(0.0)


def latent_grid(decoder, n=15):
    q = stats.norm.ppf(np.arange(1, n + 1) / (n + 1))
    z = torch.as_tensor(np.stack(np.meshgrid(q, q), axis=-1).reshape(-1, 2))
    z = z.to(torch.get_default_dtype())
    return special.expit(array(decoder(z))).reshape(n, n, 784)


def interpolate(x_a, x_b, encoder, decoder, n=10):
    ends = array(encoder(torch.stack([x_a, x_b]))[0])
    z = np.linspace(ends[0], ends[1], n)
    return special.expit(array(decoder(torch.from_numpy(z).to(x_a))))


def gaussian_log_likelihood(x_hat, x, sigma):
    return stats.norm.logpdf(array(x), array(x_hat), sigma).sum(axis=1)
