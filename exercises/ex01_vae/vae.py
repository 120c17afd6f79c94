r"""Exercise 1: variational autoencoder on MNIST, 784-64-2. Statement: README.md beside this file.

Replace every `raise NotImplementedError` by your code; keep names and parameters. Work with the dtype and
device of the inputs, and leave the inputs unchanged.

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
        # TODO 1.4: one hidden layer of 64 units for both outputs; create layers here, use them in forward.
        raise NotImplementedError("exercise 1.4: Encoder is not written yet")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images x (B, 784) in [0, 1] -> mu (B, 2), logvar (B, 2)."""
        raise NotImplementedError("exercise 1.4: Encoder.forward is not written yet")


class Decoder(nn.Module):
    r"""Codes to the logits of $p_\theta(x|z)$: 2 -> 64 -> ReLU -> 784.

    No sigmoid at the end: the log-likelihood needs $\log \mathrm{sigmoid}(\pm \ell)$, exact from logits only.

    Source: [1] appendix C.1.
    """

    def __init__(self) -> None:
        super().__init__()
        # TODO 1.4: the mirror image; which layer has no activation after it?
        raise NotImplementedError("exercise 1.4: Decoder is not written yet")

    def forward(self, z: Tensor) -> Tensor:
        """Codes z (B, 2) -> logits (B, 784)."""
        raise NotImplementedError("exercise 1.4: Decoder.forward is not written yet")


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
    # TODO 1.1: draw the noise only if none is given; turn logvar into a standard deviation.
    raise NotImplementedError("exercise 1.1: reparameterize is not written yet")


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
    # TODO 1.2: one term per coordinate, then sum over the last axis.
    raise NotImplementedError("exercise 1.2: kl_diag_gaussian is not written yet")


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
    # TODO 1.3: look for a torch function that gives log(sigmoid(.)) without computing the sigmoid.
    raise NotImplementedError("exercise 1.3: bernoulli_log_likelihood is not written yet")


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
    # TODO 1.5: encode, sample, decode; combine what you wrote for 1.1, 1.2 and 1.3.
    raise NotImplementedError("exercise 1.5: elbo is not written yet")


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
    # TODO 1.6: get the log of every weight as a (K, B) tensor before you combine anything.
    raise NotImplementedError("exercise 1.6: iwae_bound is not written yet")


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
    # TODO 1.7: one optimiser for the parameters of both networks; shuffle in every epoch.
    raise NotImplementedError("exercise 1.7: train is not written yet")


def latent_grid(decoder: Callable[[Tensor], Tensor], n: int = 15) -> Tensor:
    r"""Decode n x n codes that cut the prior into cells of equal probability.

    Each coordinate takes the values $\Phi^{-1}(u_i)$, $\Phi$ the standard normal distribution function,
    at levels $u_i$ equally spaced strictly inside (0, 1), for instance $u_i = (i + \frac{1}{2}) / n$.

    Args:
        decoder: z (rows, 2) -> logits (rows, 784).
        n: codes per axis.

    Returns:
        Probabilities, (n * n, 784).

    Source: [1] appendix A, figure 4.
    """
    # TODO 1.8: find the levels, then their normal quantiles (torch.special), then all pairs.
    raise NotImplementedError("exercise 1.8: latent_grid is not written yet")


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
    # TODO 1.9: encode both images, walk between their codes.
    raise NotImplementedError("exercise 1.9: interpolate is not written yet")


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
    # TODO 1.10: the log of a product of D one-dimensional densities.
    raise NotImplementedError("exercise 1.10: gaussian_log_likelihood is not written yet")
