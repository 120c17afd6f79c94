# wrong: the stub as it is handed out | fails: velocity/shifted_cloud, velocity/equal_clouds, velocity/two_by_two, velocity/unequal_sizes, velocity/without_debiasing, velocity/far_away, velocity/slow_problem, step/without_transport, step/given_noise, step/fresh_noise, morph/given_noises, morph/start, morph/last_frame_alone, maps/cheapest_matching, maps/increasing, maps/given_plan, maps/constant_speed, metrics/path_length, metrics/energy, metrics/sliced_on_a_line, metrics/sliced_of_rings, noised/gradient_of_blurred_density, noised/scales, noised/far_away | diagnosis: none | cause: not_attempted
r"""Exercise 7: score + optimal transport, morphing a cloud A into a distribution B.

Statement: README.md beside this file.

Replace every `raise NotImplementedError` by your code; keep names and parameters. Work with the dtype and device of the
inputs, and leave the inputs unchanged.

One set of letters for the whole file:

    x (n, d), y (m, d)   the particles, and a sample of the target B; every point weighs 1/n or 1/m
    C (n, m)             squared Euclidean distances
    P (n, m)             a transport plan: P_ij is the mass that goes from x_i to y_j
    eps                  strength of the entropic regularisation, in squared units of length
    T (n, d)             barycentric map: where the plan sends each x_i on average
    s(x)                 score of B, the gradient of its log-density (natural log)
    eta, lam, tau        step size, weight of the transport, temperature of the noise

The update that this exercise is about, with the plan computed between the *current* particles and y:

    x  <-  x + eta/2 s(x) + eta lam v(x) + sqrt(eta) tau n,      v(x) = T_{x->y}(x) - T_{x->x}(x).

Sources:
    [1] Peyre & Cuturi (2019), Computational Optimal Transport, arXiv:1803.00567.
    [2] Feydy et al. (2019), Interpolating between Optimal Transport and MMD using Sinkhorn Divergences,
        arXiv:1810.08278.
    [3] Song & Ermon (2019), Generative modeling by estimating gradients of the data distribution,
        arXiv:1907.05600.
    [4] McCann (1997), A convexity principle for interacting gases, Advances in Mathematics 128.
    [5] Szekely & Rizzo (2013), Energy statistics, J. Stat. Planning and Inference 143.
    [6] Bonneel et al. (2015), Sliced and Radon Wasserstein barycenters of measures, JMIV 51.
    [7] Vincent (2011), A connection between score matching and denoising autoencoders, Neural
        Computation 23(7).
"""

from collections.abc import Callable

import torch
from torch import Tensor

# Write your own Sinkhorn helper here, or copy the one of your exercise 6 into this file: the file is handed in alone,
# so it cannot import from your other exercises, nor use POT or geomloss. Name and parameters are up to you. It must
# work in the log domain (clouds may be far apart), for weights 1/n and 1/m, and iterate until the row sums of the plan
# are right to 1e-9 (sum of absolute errors) or for 1,000 iterations.


def ot_velocity(x: Tensor, y: Tensor, eps: float, debias: bool = True) -> Tensor:
    r"""Return where the entropic transport pulls each particle, seen from the particle.

    $v(x_i) = T_{x \to y}(x_i) - T_{x \to x}(x_i)$, with the barycentric map
    $T_{x \to y}(x_i) = n \sum_j P_{ij}\, y_j$ of the entropic plan P for $C_{ij} = \lVert x_i - y_j \rVert^2$ and
    weights 1/n, 1/m (and $T_{x \to x}$ the same from the cloud to itself).

    The entropic map shrinks a cloud towards its mean, even the cloud's map to itself; subtracting $T_{x \to x}(x)$
    instead of $x$ takes that shrinkage out. The result is $-\frac n2$ times the gradient of the Sinkhorn divergence.

    Args:
        x: particles, (n, d).
        y: target sample, (m, d); m may differ from n.
        eps: regularisation $\varepsilon$ > 0, in squared units of length.
        debias: subtract $T_{x \to x}(x)$; if False, subtract $x$.

    Returns:
        (n, d), a displacement per unit of time: a full step $x + v$ moves a shifted copy exactly onto y.

    Example:
        >>> x, y = torch.tensor([[1.0], [-1.0]]), torch.tensor([[-2.0], [2.0]])
        >>> ot_velocity(x, y, 2.0)                  # 2 tanh(2) - tanh(1) for the particle at 1
        tensor([[ 1.1665],
                [-1.1665]])

    Source: [1] chapter 4 for the plan; [2] Eq. (3) and section 3 for the debiasing and its gradient flow.
    """
    # TODO 7.1: solve the transport from x to y with your Sinkhorn helper, and project its plan.
    raise NotImplementedError("exercise 7.1: ot_velocity is not written yet")


def score_ot_step(
    x: Tensor,
    y: Tensor,
    score_fn: Callable[[Tensor], Tensor],
    eta: float,
    lam: float,
    eps: float,
    tau: float = 1.0,
    noise: Tensor | None = None,
) -> Tensor:
    r"""One step along the score, the transport, and the noise, all taken at the current particles.

    $x' = x + \frac{\eta}{2} s(x) + \eta \lambda\, v(x) + \sqrt{\eta}\, \tau\, n$

    ``lam=0, tau=1`` is the Langevin step; a zero score with ``tau=0`` is a step down the Sinkhorn divergence.

    Args:
        x: particles, (n, d).
        y: target sample, (m, d).
        score_fn: takes (n, d), returns the score of the target at each particle, (n, d).
        eta: step size $\eta$ > 0; $\eta\tau^2$ is the variance of the noise of a step.
        lam: weight $\lambda$ >= 0 of the transport. Beyond $\eta\lambda = 1$ a step overshoots.
        eps: regularisation of the transport, in squared units of length.
        tau: temperature $\tau$ >= 0.
        noise: $n$, (n, d), standard normal. None: drawn here, independent for every particle and coordinate.

    Returns:
        $x'$, (n, d). With ``noise`` given the result is deterministic. ``x`` itself is not changed.

    Example:
        >>> x, y = torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[3.0, 4.0], [4.0, 4.0]])   # y = x + (3, 4)
        >>> score_ot_step(x, y, lambda x: -x, 0.5, 1.0, 10.0, 0.0)       # 0.75 x + 0.5 (3, 4)
        tensor([[2.2500, 2.0000],
                [1.5000, 2.0000]])

    Source: [3] Eq. (4) for the Langevin part; [2] for the transport part; their sum is this course's definition.
    """
    # TODO 7.2: write the three moves one by one, all of them at x, and print their lengths.
    raise NotImplementedError("exercise 7.2: score_ot_step is not written yet")


def morph(
    x0: Tensor,
    y: Tensor,
    score_fn: Callable[[Tensor], Tensor],
    eta: float,
    lam: float,
    eps: float,
    n_steps: int,
    tau: float = 1.0,
    noises: Tensor | None = None,
    return_traj: bool = True,
) -> Tensor:
    r"""Run ``n_steps`` score + transport steps from ``x0``; the plan is recomputed in every step.

    Args:
        x0: start A of the particles, (n, d).
        y: target sample, (m, d).
        score_fn: score of the target, takes (n, d), returns (n, d).
        eta, lam, eps, tau: as in `score_ot_step`.
        n_steps: number of steps, >= 1.
        noises: (n_steps, n, d), ``noises[i]`` is the noise of step i. None: fresh noise in every step.
        return_traj: return every frame, or only the last.

    Returns:
        The trajectory, (n_steps + 1, n, d) with ``x0`` first; with ``return_traj=False`` its last frame, (n, d).

    Example:
        >>> x0, y = torch.tensor([[0.0, 0.0]]), torch.tensor([[8.0, 4.0]])
        >>> traj = morph(x0, y, torch.zeros_like, eta=0.5, lam=1.0, eps=1.0, n_steps=3, tau=0.0)
        >>> traj[:, 0, 0]                                  # half of what is left, every time
        tensor([0., 4., 6., 7.])

    Source: as `score_ot_step`.
    """
    # TODO 7.3: start a list of frames with x0; what does step i need from the one before?
    raise NotImplementedError("exercise 7.3: morph is not written yet")


def displacement_interpolation(x: Tensor, y: Tensor, P: Tensor, t: float) -> Tensor:
    r"""Where the particles are at time t if each walks straight to where the plan sends it.

    $x_t = (1 - t)\, x + t\, T(x)$ with $T(x_i) = \sum_j P_{ij}\, y_j \big/ \sum_j P_{ij}$. For the optimal plan between
    two clouds of equal size this is McCann's geodesic: $W_2(x, x_t) = t\, W_2(x, y)$.

    Args:
        x: particles, (n, d).
        y: target points, (m, d).
        P: plan, (n, m), not negative; its row sums are the weights of x, which need not be equal.
        t: time in [0, 1].

    Returns:
        $x_t$, (n, d).

    Example:
        >>> x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[2.0], [6.0]])
        >>> P = torch.tensor([[0.2, 0.2], [0.0, 0.6]])     # row sums 0.4 and 0.6; T(x) = 4, 6
        >>> displacement_interpolation(x, y, P, 0.25)
        tensor([[1.0000],
                [2.2500]])

    Source: [4]; [1] chapter 7 and chapter 4 (barycentric projection).
    """
    # TODO 7.4: compute T(x) from P and y; what do its rows have to be divided by?
    raise NotImplementedError("exercise 7.4: displacement_interpolation is not written yet")


def exact_ot_map_1d(x: Tensor, y: Tensor) -> Tensor:
    r"""The optimal map between two samples on the line: the k-th smallest x goes to the k-th smallest y.

    It is optimal for every convex cost of the distance, the squared one included.

    Args:
        x: (n,) numbers, in any order, all different.
        y: (n,) numbers, in any order.

    Returns:
        (n,), the image of each entry of x, in the order of x.

    Example:
        >>> exact_ot_map_1d(torch.tensor([5.0, 1.0, 3.0]), torch.tensor([20.0, 30.0, 10.0]))
        tensor([30., 10., 20.])

    Source: [1] Remark 2.28 (one-dimensional case).
    """
    # TODO 7.4: find the rank of every x.
    raise NotImplementedError("exercise 7.4: exact_ot_map_1d is not written yet")


def morph_metrics(
    traj: Tensor, y: Tensor, n_directions: int = 128, generator: torch.Generator | None = None
) -> dict[str, float]:
    r"""How near the last frame is to the target sample, and how far the particles walked.

    Args:
        traj: frames, (n_steps + 1, n, d).
        y: target sample, (m, d).
        n_directions: number of random directions of the sliced distance (not graded).
        generator: for the directions (not graded).

    Returns:
        A dictionary of three numbers, all in units of length and not negative:

        ``"sliced_w"``: sliced $W_1$ between the last frame and y: project both on random directions of length 1, take
        $W_1$ on the line, average over directions.

        ``"path_length"``: mean over particles of the length of the path, $\sum_t \lVert x_{t+1} - x_t \rVert$.

        ``"energy"``: energy distance between the last frame and y,
        $2\,\mathrm{mean}\lVert x - y \rVert - \mathrm{mean}\lVert x - x' \rVert - \mathrm{mean}\lVert y - y' \rVert$,
        means over all pairs, a point with itself included; no root, no factor 1/2.

    Example:
        >>> metrics = morph_metrics(torch.tensor([[[0.0], [2.0]], [[1.0], [4.0]]]), torch.tensor([[1.0], [5.0]]))
        >>> [metrics[name] for name in ("sliced_w", "path_length", "energy")]    # all directions are +1 or -1 here
        [0.5, 1.5, 0.5]

    Source: [6] for the sliced distance, [5] Eq. (2.5) for the energy distance.
    """
    # TODO 7.5: begin with the lengths of all moves, a (n_steps, n) tensor.
    raise NotImplementedError("exercise 7.5: morph_metrics is not written yet")


def noised_score(x: Tensor, y: Tensor, sigma: float) -> Tensor:
    r"""Optional: the score of a target that is known by a sample only, blurred by noise.

    Adding $\mathcal N(0, \sigma^2 I)$ to a point drawn from y gives the density
    $p_\sigma(x) = \frac1m \sum_j \mathcal N(x;\, y_j,\, \sigma^2 I)$, and this is its score,
    $\nabla_x \log p_\sigma(x) = \sum_j r_j(x)\, \frac{y_j - x}{\sigma^2}$ with shares $r_j \propto
    \mathcal N(x; y_j, \sigma^2 I)$ that add up to 1.

    Args:
        x: where to evaluate it, (n, d).
        y: target sample, (m, d).
        sigma: standard deviation of the noise, > 0.

    Returns:
        (n, d). Finite at any finite x, also where every Gaussian underflows.

    Example:
        >>> noised_score(torch.tensor([[1.0]]), torch.tensor([[0.0], [3.0]]), 1.0)    # 3 / (1 + e^1.5) - 1
        tensor([[-0.4527]])

    Source: [7] section 4 (the Parzen density estimate and its score); [3] section 3 for why noise helps.
    """
    # TODO 7.7: (optional) the shares are a softmax; of what?
    raise NotImplementedError("exercise 7.7: noised_score is not written yet")
