r"""Exercise 2: GAN and WGAN-GP. Statement: README.md beside this file.

Replace every `raise NotImplementedError` by your code; keep names and parameters. Work with the dtype and device of the
inputs, and leave the inputs unchanged. The three functions at the end are optional.

Letters of the papers used below: $x$ real data, $G(z)$ fake data made from noise $z \sim \mathcal N(0, I)$ of $d_z$
coordinates, $D$ a discriminator (its *logit*, before any sigmoid), $f$ a critic (any real number), $B$ the batch size.

All logarithms are natural, so losses with logarithms are in nats. Every loss is one number to be *minimised*: a mean
over the batch, never a sum.

Sources:
    [1] Goodfellow et al. (2014), Generative adversarial nets, NeurIPS.
    [2] Arjovsky, Chintala & Bottou (2017), Wasserstein generative adversarial networks, ICML.
    [3] Gulrajani, Ahmed, Arjovsky, Dumoulin & Courville (2017), Improved training of Wasserstein GANs, NeurIPS.
    [4] Lin, Khetan, Fanti & Oh (2018), PacGAN: the power of two samples in generative adversarial networks, NeurIPS.
    [5] Salimans et al. (2016), Improved techniques for training GANs, NeurIPS.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


def discriminator_loss(d_real: Tensor, d_fake: Tensor) -> Tensor:
    r"""Loss of the discriminator of a GAN: binary cross-entropy on logits, real is 1 and fake is 0.

    $-\frac1B \sum_b \log \sigma(l_b) \;-\; \frac1{B'} \sum_b \log (1 - \sigma(l'_b))$, with $\sigma$ the sigmoid: the
    *sum* of the mean over the real batch and the mean over the fake batch.

    A discriminator that always says "one half" has the loss $2 \log 2 = 1.3863$; the best possible one has
    $2 \log 2 - 2\,\mathrm{JSD}$, with the Jensen-Shannon divergence between real and fake data.

    Args:
        d_real: logits $l$ of real data, (B, 1).
        d_fake: logits $l'$ of fake data, (B', 1).

    Returns:
        A 0-d tensor, nats. Differentiable; finite for any finite logits.

    Example:
        >>> discriminator_loss(torch.tensor([[0.0]]), torch.tensor([[0.0]]))
        tensor(1.3863)

    Source: [1] Eq. (1), with the sign turned round so that the discriminator minimises.
    """
    # TODO 2.1: write -log sigmoid(l) so that it stays finite at l = -200; then think what changes for fake data.
    raise NotImplementedError("exercise 2.1: discriminator_loss is not written yet")


def generator_loss_ns(d_fake: Tensor) -> Tensor:
    r"""Non-saturating loss of the generator: $-\frac1B \sum_b \log \sigma(l'_b)$.

    Its slope in the logit is $-\sigma(-l')$: nearly $-1$ where the discriminator is sure that the sample is fake.

    Args:
        d_fake: logits $l'$ of fake data, (B, 1).

    Returns:
        A 0-d tensor, nats. Differentiable; finite for any finite logits.

    Example:
        >>> generator_loss_ns(torch.tensor([[-5.0]]))
        tensor(5.0067)

    Source: [1] section 3, last paragraph.
    """
    # TODO 2.1: decide which label the generator wishes its samples to get.
    raise NotImplementedError("exercise 2.1: generator_loss_ns is not written yet")


def generator_loss_saturating(d_fake: Tensor) -> Tensor:
    r"""Saturating loss of the generator, the min-max game as written: $\frac1B \sum_b \log (1 - \sigma(l'_b))$.

    To be minimised, hence negative. Its slope in the logit is $-\sigma(l')$: nearly 0 where the discriminator is sure
    that the sample is fake, which is where the generator would need it most.

    Args:
        d_fake: logits $l'$ of fake data, (B, 1).

    Returns:
        A 0-d tensor, nats. Differentiable; finite for any finite logits.

    Example:
        >>> generator_loss_saturating(torch.tensor([[0.0]]))
        tensor(-0.6931)

    Source: [1] Eq. (1).
    """
    # TODO 2.1: take the term of the min-max game in which the generator appears; which player minimises?
    raise NotImplementedError("exercise 2.1: generator_loss_saturating is not written yet")


def critic_loss(c_real: Tensor, c_fake: Tensor) -> Tensor:
    r"""Loss of a Wasserstein critic: $\frac1{B'} \sum_b f(G(z_b)) - \frac1B \sum_b f(x_b)$, minus the gap.

    For a 1-Lipschitz critic the gap is at most the Wasserstein distance $W_1$ between the two batches.

    Args:
        c_real: critic values $f(x)$, any real numbers, (B, 1).
        c_fake: critic values $f(G(z))$, (B', 1).

    Returns:
        A 0-d tensor, in units of the critic. Differentiable.

    Example:
        >>> critic_loss(torch.tensor([[3.0], [5.0]]), torch.tensor([[1.0]]))
        tensor(-3.)

    Source: [2] Eq. (2) and Algorithm 1; the sign of [3] Eq. (3).
    """
    # TODO 2.2: write the gap between the two means; should it grow or shrink in training, and what is minimised?
    raise NotImplementedError("exercise 2.2: critic_loss is not written yet")


def generator_loss_w(c_fake: Tensor) -> Tensor:
    r"""Loss of a Wasserstein generator: $-\frac1B \sum_b f(G(z_b))$.

    Args:
        c_fake: critic values of fake data, (B, 1).

    Returns:
        A 0-d tensor, in units of the critic. Differentiable.

    Example:
        >>> generator_loss_w(torch.tensor([[2.0], [4.0]]))
        tensor(-3.)

    Source: [2] Algorithm 1; [3] Algorithm 1.
    """
    # TODO 2.2: keep the term of the gap that depends on the generator.
    raise NotImplementedError("exercise 2.2: generator_loss_w is not written yet")


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    alpha: Tensor | None = None,
    lambda_: float = 10.0,
) -> Tensor:
    r"""Two-sided gradient penalty between pairs of real and fake points.

    $\frac{\lambda}{B} \sum_b \left( \lVert \nabla_{\hat x} f(\hat x_b) \rVert_2 - 1 \right)^2$ at
    $\hat x_b = \alpha_b x_b + (1 - \alpha_b) \tilde x_b$: one $\alpha_b$ per pair, and one norm per pair, over all
    coordinates of $x$.

    Args:
        critic: $f$, takes (B, ...), returns (B, 1), row by row (no row looks at another row).
        real: $x$, (B, ...).
        fake: $\tilde x$, (B, ...), as many.
        alpha: share of *real* in each pair, (B, 1, ..., 1), with as many axes as ``real``. None: drawn here, uniform
            in [0, 1), independent for every pair.
        lambda_: weight $\lambda$ of the penalty, part of the result.

    Returns:
        A 0-d tensor, $\ge 0$. Differentiable in the parameters of the critic.

    Example:
        >>> x = torch.zeros(2, 2)
        >>> gradient_penalty(lambda x: x @ torch.tensor([[3.0], [4.0]]), x, x)    # slope 5 everywhere: 10 (5 - 1)^2
        tensor(160.)

    Source: [3] Eq. (3) and Algorithm 1.
    """
    # TODO 2.3: draw alpha if none is given: one number per pair, in a shape that multiplies real.
    raise NotImplementedError("exercise 2.3: gradient_penalty is not written yet")


def critic_step(
    critic: nn.Module,
    generator: nn.Module,
    opt_critic: Optimizer,
    real: Tensor,
    z: Tensor,
    alpha: Tensor | None = None,
    lambda_: float = 10.0,
) -> Tensor:
    r"""One step of the critic, down the gradient of `critic_loss` plus `gradient_penalty`.

    The generator's parameters do not change, and no gradient that is left from an earlier step enters this one.

    Args:
        critic: $f$, takes (B, ...), returns (B, 1).
        generator: $G$, takes (B, dz), returns (B, ...).
        opt_critic: an optimiser of the critic's parameters. Called once.
        real: a batch of data, (B, ...).
        z: noise for the generator, (B, dz).
        alpha, lambda_: handed on to `gradient_penalty`.

    Returns:
        Anything; the loss before the step is useful for plots.

    Example:
        >>> critic, generator = nn.Linear(1, 1, bias=False), nn.Identity()
        >>> _ = nn.init.ones_(critic.weight)
        >>> optimiser = torch.optim.SGD(critic.parameters(), lr=0.5)
        >>> _ = critic_step(critic, generator, optimiser, real=torch.ones(4, 1), z=torch.zeros(4, 1))
        >>> critic.weight.item()              # slope 1, so no penalty; the gap is the slope: 1 + 0.5 * 1
        1.5

    Source: [3] Algorithm 1, lines 3 to 10.
    """
    # TODO 2.4: make the fake batch, so that no gradient reaches the generator.
    raise NotImplementedError("exercise 2.4: critic_step is not written yet")


def generator_step(critic: nn.Module, generator: nn.Module, opt_generator: Optimizer, z: Tensor) -> Tensor:
    r"""One step of the generator, down the gradient of `generator_loss_w`.

    The critic's parameters do not change, and no gradient that is left from an earlier step enters this one.

    Args:
        critic: $f$, takes (B, ...), returns (B, 1).
        generator: $G$, takes (B, dz), returns (B, ...).
        opt_generator: an optimiser of the generator's parameters. Called once.
        z: noise for the generator, (B, dz).

    Returns:
        Anything; the loss before the step is useful for plots.

    Example:
        >>> critic, generator = nn.Identity(), nn.Linear(1, 1, bias=False)
        >>> _ = nn.init.zeros_(generator.weight)
        >>> optimiser = torch.optim.SGD(generator.parameters(), lr=0.5)
        >>> _ = generator_step(critic, generator, optimiser, z=torch.ones(4, 1))
        >>> generator.weight.item()           # f(G(z)) is the weight itself: it climbs by 0.5 * 1
        0.5

    Source: [3] Algorithm 1, lines 11 and 12.
    """
    # TODO 2.4: follow the gradient from the critic's value back to the generator; which networks collect gradients?
    raise NotImplementedError("exercise 2.4: generator_step is not written yet")


def train_wgan_gp(
    critic: nn.Module,
    generator: nn.Module,
    data: Tensor | Callable[[int], Tensor],
    n_iterations: int = 1000,
    batch_size: int = 256,
    dz: int = 2,
    n_critic: int = 5,
    lambda_: float = 10.0,
    lr: float = 5e-4,
) -> list[float]:
    r"""Train critic and generator in place with the gradient penalty.

    Each iteration makes ``n_critic`` steps of the critic and then one step of the generator. Every step draws fresh
    noise $z \sim \mathcal N(0, I)$, every critic step a fresh batch of data. Both networks have an Adam optimiser with
    step size ``lr`` and $\beta = (0.5, 0.9)$.

    Args:
        critic, generator: trained in place, in the mode they are in.
        data: all data, (N, ...), from which batches are drawn at random; or a function: n -> a batch of n points.
        n_iterations: number of *generator* steps.
        batch_size: points per batch, of data and of noise.
        dz: coordinates of the noise.
        n_critic: critic steps per generator step.
        lambda_: weight of the penalty.
        lr: step size of both optimisers.

    Returns:
        Anything; the critic's loss in each iteration is useful for plots.

    Example:
        >>> critic, generator = nn.Linear(2, 1), nn.Linear(2, 2)
        >>> _ = train_wgan_gp(critic, generator, torch.randn(100, 2), n_iterations=3, batch_size=8)

    Source: [3] Algorithm 1.
    """
    # TODO 2.6: build the two optimisers; then the two nested loops.
    raise NotImplementedError("exercise 2.6: train_wgan_gp is not written yet")


def mode_statistics(x: Tensor, centres: Tensor, sigma: float, k: float = 3.0) -> dict[str, Tensor | float]:
    r"""How well samples cover the modes of an even mixture of round Gaussians.

    Every sample belongs to its nearest centre, however far away. With $p_j$ the share of samples at centre $j$ of $K$,

    $\mathrm{reverse\ KL} = \sum_j p_j \log \frac{p_j}{1/K}$, where $0 \log 0 = 0$:

    the divergence of the generated shares from the uniform ones; 0 for even shares, $\log K$ for one single mode.

    Args:
        x: samples, (N, d), N >= 1.
        centres: (K, d).
        sigma: standard deviation of every component.
        k: a sample is of high quality within ``k * sigma`` (Euclidean) of its nearest centre.

    Returns:
        ``counts``: samples at each centre, (K,), summing to N. ``high_quality``: the fraction of samples of high
        quality, in [0, 1]. ``reverse_kl``: nats.

    Example:
        >>> x = torch.tensor([[0.1, 0.0], [0.0, 0.2], [3.9, 0.0], [2.5, 0.0]])
        >>> stats = mode_statistics(x, torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]]), sigma=0.1)
        >>> stats["counts"], stats["high_quality"], round(stats["reverse_kl"], 4)
        (tensor([2, 2, 0]), 0.75, 0.4055)

    Source: [4] section 4.1, but for the counts: there a sample counts only if it is of high quality.
    """
    # TODO 2.5: find the distance of every sample to every centre, an (N, K) tensor.
    raise NotImplementedError("exercise 2.5: mode_statistics is not written yet")


def discriminator_loss_smooth(d_real: Tensor, d_fake: Tensor, real_label: float = 0.9) -> Tensor:
    r"""Optional: `discriminator_loss` with one-sided label smoothing.

    The label of real data is ``real_label`` instead of 1; the label of fake data stays 0. With $y$ the label,

    $-\frac1B \sum_b \left[ y \log \sigma(l_b) + (1 - y) \log (1 - \sigma(l_b)) \right]
    - \frac1{B'} \sum_b \log (1 - \sigma(l'_b))$.

    Args:
        d_real: logits of real data, (B, 1).
        d_fake: logits of fake data, (B', 1).
        real_label: $y$, in (0, 1].

    Returns:
        A 0-d tensor, nats. Differentiable; finite for any finite logits.

    Example:
        >>> discriminator_loss_smooth(torch.tensor([[10.0]]), torch.tensor([[-10.0]]), real_label=0.5)
        tensor(5.0001)

    Source: [5] section 3.4.
    """
    # TODO 2.8: (optional) write the cross-entropy between the labels (y, 1 - y) and the discriminator's answer.
    raise NotImplementedError("exercise 2.8: discriminator_loss_smooth is not written yet")


def clip_weights(critic: nn.Module, c: float = 0.01) -> None:
    r"""Optional: force every parameter of the critic into $[-c, c]$, in place, entry by entry.

    How the first WGAN kept its critic Lipschitz; it is called after every critic step, in place of the penalty.

    Args:
        critic: changed in place; parameters that lie inside stay as they are.
        c: bound, > 0.

    Example:
        >>> critic = nn.Linear(1, 1)
        >>> _ = nn.init.constant_(critic.weight, -3.0), nn.init.constant_(critic.bias, 0.004)
        >>> clip_weights(critic)
        >>> round(critic.weight.item(), 4), round(critic.bias.item(), 4)
        (-0.01, 0.004)

    Source: [2] Algorithm 1, line 7.
    """
    # TODO 2.9: (optional) loop over the parameters, outside autograd.
    raise NotImplementedError("exercise 2.9: clip_weights is not written yet")


def image_networks(dz: int = 32) -> tuple[nn.Module, nn.Module]:
    r"""Optional: a generator and a critic for pictures of 28 x 28 pixels; plain multilayer perceptrons will do.

    Args:
        dz: coordinates of the noise.

    Returns:
        (generator, critic). The generator takes (B, dz) and returns pixels in [0, 1], (B, 784). The critic takes
        (B, 784) and returns any real numbers, (B, 1), row by row: no batch norm, and no sigmoid at its end.

    Example:
        >>> generator, critic = image_networks(dz=8)
        >>> critic(generator(torch.randn(5, 8))).shape
        torch.Size([5, 1])

    Source: [3] section 4, "No critic batch normalization".
    """
    # TODO 2.10: (optional) build the generator; which last layer keeps pixels in [0, 1]?
    raise NotImplementedError("exercise 2.10: image_networks is not written yet")
