r"""Variational autoencoder on MNIST, 784-64-2: the reference solution.

Letters of the papers used below: $B$ images in the batch, $D = 784$ pixels, $d = 2$ latent coordinates,
$K$ importance samples. The encoder gives $q_\phi(z|x) = \mathcal N(\mu(x), \mathrm{diag}\, \sigma^2(x))$, the
decoder $p_\theta(x|z) = \prod_i \mathrm{Bernoulli}(x_i;\, \mathrm{sigmoid}(\ell_i(z)))$, the prior is
$p(z) = \mathcal N(0, I)$.

Three conventions hold everywhere. Networks give the *log variance* `logvar` $= \log \sigma^2$ and *logits*
$\ell$, never $\sigma$ or probabilities. All bounds are in natural logs (nats), one number per image, summed
over pixels and over latent coordinates. A bound is something to *maximise*; the loss is `-elbo(...).mean()`.

Sources:
    [1] Kingma & Welling (2014), Auto-Encoding Variational Bayes (AEVB), ICLR, arXiv 1312.6114.
    [2] Burda, Grosse & Salakhutdinov (2016), Importance Weighted Autoencoders (IWAE), ICLR, arXiv 1509.00519.
    [3] Rezende, Mohamed & Wierstra (2014), Stochastic backpropagation and approximate inference in deep
        generative models, ICML, arXiv 1401.4082.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Encoder(nn.Module):
    r"""Images to the mean and log variance of $q_\phi(z|x)$: 784 -> 64 -> ReLU -> (2, 2).

    Neither output passes through an activation: a mean may be any number, a log variance may be negative.

    Source: [1] appendix C.2 (there with tanh and one head each for $\mu$ and $\log \sigma^2$).
    """

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(784, 64)
        self.mu = nn.Linear(64, 2)
        self.logvar = nn.Linear(64, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images x (B, 784) in [0, 1] -> mu (B, 2), logvar (B, 2)."""
        h = torch.relu(self.hidden(x))  # (B, 64)
        return self.mu(h), self.logvar(h)


class Decoder(nn.Module):
    r"""Codes to the logits of $p_\theta(x|z)$: 2 -> 64 -> ReLU -> 784.

    No sigmoid at the end: the log-likelihood needs $\log \mathrm{sigmoid}(\pm \ell)$, exact from logits only.

    Source: [1] appendix C.1.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(2, 64)
        self.logits = nn.Linear(64, 784)

    def forward(self, z: Tensor) -> Tensor:
        """Codes z (B, 2) -> logits (B, 784)."""
        return self.logits(torch.relu(self.hidden(z)))


def reparameterize(mu: Tensor, logvar: Tensor, noise: Tensor | None = None) -> Tensor:
    r"""One draw from $\mathcal N(\mu, \mathrm{diag}\, \sigma^2)$ that lets gradients through to both.

    $z = \mu + \sigma \odot \epsilon, \quad \epsilon \sim \mathcal N(0, I)$

    Args:
        mu: means, (B, d), any d.
        logvar: log variances $\log \sigma^2$ in nats, (B, d).
        noise: $\epsilon$, (B, d). None: drawn afresh, one independent number per entry of `mu`.

    Returns:
        $z$, (B, d), with the dtype of `mu`.

    Example:
        >>> reparameterize(torch.tensor([[1.0]]), torch.tensor([[math.log(4.0)]]), torch.tensor([[0.5]]))
        tensor([[2.]])

    Source: [1] section 2.4; [3] section 3.
    """
    if noise is None:
        noise = torch.randn_like(mu)
    return mu + torch.exp(logvar / 2) * noise


def kl_diag_gaussian(mu: Tensor, logvar: Tensor) -> Tensor:
    r"""Divergence of a diagonal Gaussian from the standard one, $\mathrm{KL}(q \,\|\, \mathcal N(0, I))$.

    $\mathrm{KL} = \frac{1}{2} \sum_j \left( \sigma_j^2 + \mu_j^2 - 1 - \log \sigma_j^2 \right)$

    Args:
        mu: means, (B, d), any d.
        logvar: log variances, (B, d).

    Returns:
        The divergence in nats, one per row, (B,); never negative, 0 at the prior only.

    Example:
        >>> kl_diag_gaussian(torch.tensor([[1.0], [0.0]]), torch.zeros(2, 1))
        tensor([0.5000, 0.0000])

    Source: [1] appendix B.
    """
    # expm1(v) - v and not exp(v) - 1 - v: near v = 0 the difference loses all digits
    return 0.5 * (torch.expm1(logvar) - logvar + mu.square()).sum(dim=-1)


def bernoulli_log_likelihood(logits: Tensor, x: Tensor) -> Tensor:
    r"""Log-probability of images under independent Bernoulli pixels, $\log p(x|\ell)$.

    $\log p = \sum_i x_i \log \mathrm{sigmoid}(\ell_i) + (1 - x_i) \log \mathrm{sigmoid}(-\ell_i)$

    Args:
        logits: $\ell$, (B, D), any finite numbers.
        x: pixels in [0, 1], (B, D); grey values enter linearly.

    Returns:
        Nats, summed over the pixels, (B,). Exact for large logits of either sign.

    Example:
        >>> bernoulli_log_likelihood(torch.zeros(1, 2), torch.tensor([[1.0, 0.25]]))
        tensor([-1.3863])

    Source: [1] appendix C.1.
    """
    # logsigmoid and not log(sigmoid): in float32, 1 - sigmoid(20) is 0 and its log -inf
    return (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum(dim=-1)


def elbo(
    x: Tensor,
    encoder: Callable[[Tensor], tuple[Tensor, Tensor]],
    decoder: Callable[[Tensor], Tensor],
    noise: Tensor | None = None,
) -> Tensor:
    r"""Evidence lower bound with one sample of $z$ and the analytic divergence.

    $\mathcal L(x) = \log p_\theta(x|z) - \mathrm{KL}(q_\phi(z|x) \,\|\, p(z)), \quad
    z = \mu + \sigma \odot \epsilon$

    Args:
        x: images in [0, 1], (B, D).
        encoder: x -> (mu (B, d), logvar (B, d)).
        decoder: z -> logits (B, D).
        noise: $\epsilon$, (B, d). None: drawn afresh.

    Returns:
        The bound in nats, to be maximised, one per image, (B,). On average over the noise at most
        $\log p_\theta(x)$.

    Source: [1] eq. (10), which is estimator B of section 2.3.
    """
    mu, logvar = encoder(x)  # (B, d) each
    z = reparameterize(mu, logvar, noise)
    return bernoulli_log_likelihood(decoder(z), x) - kl_diag_gaussian(mu, logvar)


def _log_normal(z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """log N(z; mu, diag exp(logvar)) in nats, summed over the last axis."""
    constant = math.log(2 * math.pi)
    return -0.5 * (constant + logvar + (z - mu).square() * torch.exp(-logvar)).sum(dim=-1)


def iwae_bound(
    x: Tensor,
    encoder: Callable[[Tensor], tuple[Tensor, Tensor]],
    decoder: Callable[[Tensor], Tensor],
    K: int,
    noise: Tensor | None = None,
) -> Tensor:
    r"""Importance-weighted bound with K samples of $z$ per image.

    $\mathcal L_K(x) = \log \frac{1}{K} \sum_{k=1}^{K} w_k, \quad
    w_k = \frac{p_\theta(x|z_k)\, p(z_k)}{q_\phi(z_k|x)}, \quad z_k = \mu + \sigma \odot \epsilon_k$

    Args:
        x: images in [0, 1], (B, D).
        encoder: x -> (mu (B, d), logvar (B, d)).
        decoder: z -> logits (B, D).
        K: number of samples, >= 1.
        noise: $\epsilon$, (K, B, d). None: drawn afresh, K * B independent rows.

    Returns:
        The bound in nats, to be maximised, one per image, (B,). Grows with K on average, towards
        $\log p_\theta(x)$. Finite also where every $w_k$ underflows.

    Source: [2] section 3, the definition of $\mathcal L_k$; K = 1 is estimator A of [1] section 2.3.
    """
    mu, logvar = encoder(x)
    mu, logvar = mu.expand(K, *mu.shape), logvar.expand(K, *logvar.shape)  # (K, B, d)
    z = reparameterize(mu, logvar, noise)
    log_lik = bernoulli_log_likelihood(decoder(z.flatten(0, 1)).unflatten(0, z.shape[:2]), x)  # (K, B)
    log_prior = _log_normal(z, torch.zeros_like(mu), torch.zeros_like(logvar))
    log_weights = log_lik + log_prior - _log_normal(z, mu, logvar)
    # logsumexp and not log(sum(exp)): a weight of -150 nats is already 0 in float32
    return torch.logsumexp(log_weights, dim=0) - math.log(K)  # (B,)


def train(
    encoder: nn.Module,
    decoder: nn.Module,
    data: Tensor,
    epochs: int = 20,
    batch_size: int = 128,
    lr: float = 1e-3,
) -> list[float]:
    r"""Maximise the ELBO over both networks by Adam, in place.

    Args:
        encoder: changed in place.
        decoder: changed in place.
        data: images in [0, 1], (N, 784).
        epochs: passes over the data, each in a new random order.
        batch_size: images per step; the last batch of a pass may be smaller.
        lr: step size of Adam.

    Returns:
        Anything; here the mean ELBO in nats during each pass.

    Source: [1] algorithm 1.
    """
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=lr)
    history = []
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(data)).split(batch_size):  # the shipped images come class after class
            bounds = elbo(data[rows], encoder, decoder)  # (batch,)
            loss = -bounds.mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += bounds.sum().item()
        history.append(total / len(data))
    return history


@torch.no_grad()
def latent_grid(decoder: Callable[[Tensor], Tensor], n: int = 15) -> Tensor:
    r"""Decode n x n codes that cut the prior into cells of equal probability.

    Each coordinate takes the values $\Phi^{-1}(u_i)$, $\Phi$ the standard normal distribution function,
    at levels $u_i$ equally spaced strictly inside (0, 1); here $u_i = (i + \frac{1}{2}) / n$.

    Args:
        decoder: z (rows, 2) -> logits (rows, 784).
        n: codes per axis.

    Returns:
        Probabilities, (n * n, 784).

    Source: [1] appendix A, figure 4.
    """
    weight = next(iter(decoder.parameters()), None) if isinstance(decoder, nn.Module) else None
    dtype = torch.get_default_dtype() if weight is None else weight.dtype
    levels = (torch.arange(n, dtype=dtype) + 0.5) / n
    quantiles = torch.special.ndtri(levels)
    return torch.sigmoid(decoder(torch.cartesian_prod(quantiles, quantiles)))  # (n * n, 784)


@torch.no_grad()
def interpolate(
    x_a: Tensor,
    x_b: Tensor,
    encoder: Callable[[Tensor], tuple[Tensor, Tensor]],
    decoder: Callable[[Tensor], Tensor],
    n: int = 10,
) -> Tensor:
    r"""Walk straight from the code of one image to the code of another and decode on the way. (Optional.)

    $z_i = (1 - t_i)\, \mu(x_a) + t_i\, \mu(x_b), \quad t_i = i / (n - 1), \quad i = 0, \dots, n - 1$

    Args:
        x_a: the image to start from, (784,).
        x_b: the image to end at, (784,).
        encoder: x (rows, 784) -> (mu (rows, 2), logvar (rows, 2)); only the means are used.
        decoder: z (rows, 2) -> logits (rows, 784).
        n: number of images, >= 2, both ends included.

    Returns:
        Probabilities, (n, 784).

    Source: the slide "Visualisation espace latent".
    """
    mu, _ = encoder(torch.stack([x_a, x_b]))  # (2, 2)
    t = torch.linspace(0, 1, n, dtype=mu.dtype)[:, None]  # (n, 1)
    return torch.sigmoid(decoder((1 - t) * mu[0] + t * mu[1]))  # (n, 784)


def gaussian_log_likelihood(x_hat: Tensor, x: Tensor, sigma: float) -> Tensor:
    r"""Log-density of x under a round Gaussian around x_hat. (Optional: for data that are not in [0, 1].)

    $\log p(x|\hat x) = -\frac{D}{2} \log(2 \pi \sigma^2) - \frac{\|x - \hat x\|^2}{2 \sigma^2}$

    Args:
        x_hat: the decoder's output, here read as the mean, (B, D).
        x: data, (B, D), any numbers.
        sigma: standard deviation of every coordinate, > 0.

    Returns:
        Nats, summed over the coordinates, (B,).

    Example:
        >>> gaussian_log_likelihood(torch.zeros(1, 2), torch.zeros(1, 2), 1.0)
        tensor([-1.8379])

    Source: [1] appendix C.2.
    """
    log_constant = -x.shape[-1] / 2 * math.log(2 * math.pi * sigma**2)
    return log_constant - (x - x_hat).square().sum(dim=-1) / (2 * sigma**2)
