r"""Exercise 5: Langevin dynamics and scores on 2D toys. Statement: README.md beside this file.

Replace every `raise NotImplementedError` by your code; keep names and parameters. Work with the dtype and
device of the inputs, and leave the inputs unchanged.

Letters of the papers used below: $B$ points (particles) in $d$ dimensions, $K$ components of a mixture,
$s(x) = \nabla_x \log p(x)$ the score, $\eta$ the step size, $n \sim \mathcal N(0, I)$ fresh noise.

All densities are in natural logs (nats). One convention holds everywhere: a step of size $\eta$ moves by
$\frac{\eta}{2} s(x)$ and adds noise of *variance* $\eta$.

Sources:
    [1] Hyvärinen (2005), Estimation of non-normalized statistical models by score matching, JMLR 6.
    [2] Vincent (2011), A connection between score matching and denoising autoencoders, Neural
        Computation 23(7).
    [3] Roberts & Tweedie (1996), Exponential convergence of Langevin distributions and their discrete
        approximations, Bernoulli 2(4).
    [4] Song & Ermon (2019), Generative modeling by estimating gradients of the data distribution, NeurIPS.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def gmm_log_prob(x: Tensor, means: Tensor, sigma: float, weights: Tensor) -> Tensor:
    r"""Log-density of a mixture of round Gaussians that share one standard deviation.

    $\log p(x) = \log \sum_k w_k \, \mathcal N(x;\, m_k,\, \sigma^2 I)$

    Args:
        x: points, (B, 2).
        means: centres $m_k$, (K, 2).
        sigma: standard deviation (not variance) of every component, > 0.
        weights: $w_k$, (K,), positive, summing to 1.

    Returns:
        $\log p(x)$ in nats, normalised, (B,). Finite at any finite x, also where every density underflows.

    Example:
        >>> gmm_log_prob(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 0.0]]), 1.0, torch.tensor([1.0]))
        tensor([-1.8379])

    Source: the definition; [4] section 3.2.2 uses such a mixture as its toy.
    """
    # TODO 5.1: build log(w_k) + log N(x; m_k, sigma^2 I), a (B, K) tensor; join its columns without exp().
    raise NotImplementedError("exercise 5.1: gmm_log_prob is not written yet")


def gmm_score(x: Tensor, means: Tensor, sigma: float, weights: Tensor) -> Tensor:
    r"""Score of the same mixture, in closed form.

    $s(x) = \sum_k r_k(x) \, \frac{m_k - x}{\sigma^2}$, with the responsibilities
    $r_k(x) = w_k \, \mathcal N(x; m_k, \sigma^2 I) \,/\, \sum_j w_j \, \mathcal N(x; m_j, \sigma^2 I)$.

    Args:
        x: points, (B, 2).
        means: centres $m_k$, (K, 2).
        sigma: standard deviation of every component, > 0.
        weights: $w_k$, (K,), positive, summing to 1.

    Returns:
        $\nabla_x \log p(x)$, one vector per point, (B, 2). Finite at any finite x.

    Example:
        >>> gmm_score(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 0.0]]), 2.0, torch.tensor([1.0]))
        tensor([[-0.2500, -0.5000]])

    Source: the gradient of `gmm_log_prob`.
    """
    # TODO 5.1: find the share of each component at each point, (B, K), so that it survives x = (1e4, 0).
    raise NotImplementedError("exercise 5.1: gmm_score is not written yet")


def langevin_step(x: Tensor, score_fn: Callable[[Tensor], Tensor], eta: float, noise: Tensor | None = None) -> Tensor:
    r"""One step of the unadjusted Langevin algorithm (ULA).

    $x' = x + \frac{\eta}{2} s(x) + \sqrt{\eta}\, n$

    Args:
        x: particles, (B, d).
        score_fn: takes (B, d), returns the score at each particle, (B, d).
        eta: step size $\eta$ > 0, which is also the variance of the noise of a step. Public code with a step
            "h" often writes $x + h s + \sqrt{2h}\, n$: that is $\eta = 2h$.
        noise: $n$, (B, d), standard normal. None: drawn here, independent for every particle and coordinate.

    Returns:
        $x'$, (B, d). With ``noise`` given the result is deterministic. ``x`` itself is not changed.

    Example:
        >>> langevin_step(torch.tensor([[2.0, 0.0]]), lambda x: -x, 0.25, torch.tensor([[1.0, -1.0]]))
        tensor([[ 2.2500, -0.5000]])

    Source: [4] Eq. (4) with $\epsilon = \eta$; the Euler-Maruyama scheme of the Langevin diffusion.
    """
    # TODO 5.2: draw the noise if none is given, with the shape and dtype of x.
    raise NotImplementedError("exercise 5.2: langevin_step is not written yet")


def langevin_sample(
    score_fn: Callable[[Tensor], Tensor],
    x0: Tensor,
    eta: float,
    n_steps: int,
    noises: Tensor | None = None,
    return_traj: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Run ``n_steps`` Langevin steps from ``x0``, all particles in parallel.

    At a fixed step the chain does not end at $p$: for $\mathcal N(m, \Sigma)$ its law is normal with mean $m$
    and covariance $\Sigma (I - \frac{\eta}{4} \Sigma^{-1})^{-1}$. The bias vanishes with $\eta$.

    Args:
        score_fn: takes (B, d), returns (B, d).
        x0: start of the particles, (B, d).
        eta: step size, as in `langevin_step`.
        n_steps: number of steps, >= 1.
        noises: (n_steps, B, d), ``noises[i]`` is the noise of step i. None: fresh noise in every step.
        return_traj: also return every state.

    Returns:
        The last state, (B, d); with ``return_traj`` the pair (last state, trajectory), the trajectory of
        shape (n_steps + 1, B, d) with ``x0`` first.

    Example:
        >>> x0, noises = torch.tensor([[8.0, 0.0]]), torch.zeros(2, 1, 2)
        >>> x, traj = langevin_sample(lambda x: -x, x0, 1.0, 2, noises, return_traj=True)
        >>> traj[:, 0, 0]
        tensor([8., 4., 2.])

    Source: [4] Eq. (4); [3] for the law at finite step size.
    """
    # TODO 5.3: loop over langevin_step; settle what noises[i] and the first frame are.
    raise NotImplementedError("exercise 5.3: langevin_sample is not written yet")


def annealed_langevin(
    score_fn: Callable[[Tensor, Tensor], Tensor],
    x0: Tensor,
    sigmas: Tensor,
    eta0: float,
    n_per_level: int,
    noises: Tensor | None = None,
) -> Tensor:
    r"""Langevin dynamics through a descending sequence of noise levels.

    At level $i$: ``n_per_level`` steps with the score of the data blurred by $\sigma_i$ and the step size
    $\eta_i = \eta_0 \, \sigma_i^2 / \sigma_{\mathrm{last}}^2$. Each level starts where the one before ended.

    Args:
        score_fn: ``score_fn(x, sigma)``: takes (B, d) and the noise level, returns (B, d).
        x0: start of the particles, (B, d).
        sigmas: noise levels, (L,), from the largest to the smallest.
        eta0: step size at the *last* (smallest) level.
        n_per_level: steps per level, >= 1.
        noises: (L, n_per_level, B, d). None: fresh noise in every step.

    Returns:
        The last state, (B, d).

    Example:
        >>> x0, sigmas = torch.tensor([[8.0, 0.0]]), torch.tensor([2.0, 1.0])
        >>> annealed_langevin(lambda x, sigma: -x / sigma**2, x0, sigmas, 1.0, 1, torch.zeros(2, 1, 1, 2))
        tensor([[2., 0.]])

    Source: [4] Algorithm 1, with $\epsilon = \eta_0$.
    """
    # TODO 5.4: write the loop over the levels and compute the step size of each.
    raise NotImplementedError("exercise 5.4: annealed_langevin is not written yet")


def dsm_loss(score_model: Callable[[Tensor], Tensor], x: Tensor, sigma: float, noise: Tensor | None = None) -> Tensor:
    r"""Denoising score matching loss at one noise level.

    $\frac{1}{B} \sum_b \frac{\sigma^2}{2} \left\| s_\theta(x_b + \sigma n_b) + \frac{n_b}{\sigma} \right\|^2$

    $-n/\sigma$ is the score of $\mathcal N(\tilde x; x, \sigma^2 I)$ at $\tilde x = x + \sigma n$. The weight
    $\sigma^2$ makes losses of different levels comparable. For data from $\mathcal N(m, v I)$ the best model
    is $-(\tilde x - m)/(v + \sigma^2)$, and its loss is $\frac{d}{2} \frac{v}{v + \sigma^2}$, not 0.

    Args:
        score_model: $s_\theta$, takes (B, d), returns (B, d). Called with one argument.
        x: clean data, (B, d).
        sigma: noise level (standard deviation), > 0.
        noise: $n$, (B, d), standard normal. None: drawn here.

    Returns:
        A 0-d tensor: *sum* over the coordinates, *mean* over the batch. Differentiable in the parameters of
        the model.

    Example:
        >>> dsm_loss(lambda x: -x, torch.zeros(1, 2), 0.5, torch.tensor([[1.0, 1.0]]))
        tensor(0.5625)

    Source: [2] section 4; [4] Eq. (5) and (6) with $\lambda(\sigma) = \sigma^2$.
    """
    # TODO 5.5: perturb the data with noise of standard deviation sigma.
    raise NotImplementedError("exercise 5.5: dsm_loss is not written yet")


def implicit_score_matching_loss(score_fn: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    r"""Implicit (Hyvärinen) score matching loss: no noise, no true score, but the trace of a Jacobian.

    $\frac{1}{B} \sum_b \left[ \frac12 \| s_\theta(x_b) \|^2 + \operatorname{tr} J_\theta(x_b) \right]$, where
    $J_\theta = \partial s_\theta / \partial x$ is the d x d Jacobian of the score at one point.

    Its mean over the data equals $\frac12 \mathbb E \|s_\theta - \nabla \log p\|^2$ up to a constant free of
    $\theta$.

    Args:
        score_fn: $s_\theta$, takes (B, d), returns (B, d), row by row (no row looks at another row).
        x: data, (B, d). The cost is d backward passes, so keep d small.

    Returns:
        A 0-d tensor. Differentiable in the parameters of ``score_fn``, through both terms.

    Example:
        >>> implicit_score_matching_loss(lambda x: -x, torch.tensor([[1.0, 2.0]])).detach()
        tensor(0.5000)

    Source: [1] theorem 1.
    """
    # TODO 5.6: make a copy of x that autograd can differentiate by, and score it.
    raise NotImplementedError("exercise 5.6: implicit_score_matching_loss is not written yet")


def mala_step(
    x: Tensor,
    log_prob_fn: Callable[[Tensor], Tensor],
    score_fn: Callable[[Tensor], Tensor],
    eta: float,
    noise: Tensor | None = None,
    u: Tensor | None = None,
) -> Tensor:
    r"""Optional: one Metropolis-adjusted Langevin step, which removes the bias of the step size.

    A Langevin step proposes $y$; each particle moves there with probability $\min(1, a)$, else it stays:

    $a = \frac{p(y)\, q(x \mid y)}{p(x)\, q(y \mid x)}, \qquad
    q(y \mid x) = \mathcal N\!\left(y;\, x + \tfrac{\eta}{2} s(x),\, \eta I\right)$.

    Args:
        x: particles, (B, d).
        log_prob_fn: log-density up to a constant, takes (B, d), returns (B,).
        score_fn: its gradient, takes (B, d), returns (B, d).
        eta: step size, as in `langevin_step`.
        noise: of the proposal, (B, d), standard normal. None: drawn here.
        u: uniform in (0, 1), (B,): particle b moves if ``u[b] < a[b]``. None: drawn here.

    Returns:
        The next state, (B, d).

    Example:
        >>> x, noise = torch.tensor([[1.0], [1.0]]), torch.tensor([[1.0], [1.0]])
        >>> mala_step(x, lambda x: -x[:, 0] ** 2 / 2, lambda x: -x, 1.0, noise, torch.tensor([0.8, 0.9]))
        tensor([[1.5000],
                [1.0000]])

    Source: [3], under the name MALA.
    """
    # TODO 5.7: (optional) propose with langevin_step, then write log q(y | x) as a small function.
    raise NotImplementedError("exercise 5.7: mala_step is not written yet")
