# right: Sequential networks, torch.distributions for every formula
import torch
from torch import distributions as D
from torch import nn


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 4))

    def forward(self, x):
        return self.net(x).chunk(2, dim=-1)


class Decoder(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 784))


def posterior(mu, logvar):
    return D.Independent(D.Normal(mu, torch.exp(0.5 * logvar)), 1)


def prior(mu):
    return D.Independent(D.Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)


def reparameterize(mu, logvar, noise=None):
    q = D.Normal(mu, torch.exp(0.5 * logvar))
    return q.rsample() if noise is None else q.loc + q.scale * noise


def kl_diag_gaussian(mu, logvar):
    return D.kl_divergence(posterior(mu, logvar), prior(mu))


def bernoulli_log_likelihood(logits, x):
    # grey pixels are outside the support that torch checks for
    return D.Independent(D.Bernoulli(logits=logits, validate_args=False), 1).log_prob(x)


def elbo(x, encoder, decoder, noise=None):
    mu, logvar = encoder(x)
    z = reparameterize(mu, logvar, noise)
    return bernoulli_log_likelihood(decoder(z), x) - kl_diag_gaussian(mu, logvar)


def iwae_bound(x, encoder, decoder, K, noise=None):
    mu, logvar = encoder(x)
    q = posterior(mu, logvar)
    z = q.rsample((K,)) if noise is None else q.mean + q.stddev * noise
    log_w = bernoulli_log_likelihood(decoder(z), x) + prior(mu).log_prob(z) - q.log_prob(z)
    return log_w.logsumexp(0) - torch.tensor(float(K)).log()


def train(encoder, decoder, data, epochs=20, batch_size=128, lr=1e-3):
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(data), batch_size, shuffle=True)
    optimizer = torch.optim.Adam(nn.ModuleList([encoder, decoder]).parameters(), lr=lr)
    for _ in range(epochs):
        for (x,) in loader:
            optimizer.zero_grad()
            elbo(x, encoder, decoder).mean().neg().backward()
            optimizer.step()


def latent_grid(decoder, n=15):
    levels = torch.linspace(0.05, 0.95, n)
    q = D.Normal(0.0, 1.0).icdf(levels)
    with torch.no_grad():
        return decoder(torch.cartesian_prod(q, q)).sigmoid()


def interpolate(x_a, x_b, encoder, decoder, n=10):
    with torch.no_grad():
        a, b = encoder(x_a), encoder(x_b)
        return torch.stack([decoder(torch.lerp(a[0], b[0], i / (n - 1))) for i in range(n)]).sigmoid()


def gaussian_log_likelihood(x_hat, x, sigma):
    return D.Independent(D.Normal(x_hat, sigma), 1).log_prob(x)
