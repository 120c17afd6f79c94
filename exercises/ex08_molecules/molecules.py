r"""Exercise 8: diffusion of molecules. Statement: README.md beside this file.

Replace every `raise NotImplementedError` by your code; keep names and parameters. Helpers of your own
are welcome. Work with the dtype and device of the inputs, and leave the inputs unchanged.

One set of letters for the whole file:

    x (B, M, 3)     positions of M atoms in each of B molecules, of zero centre of mass; every atom weighs the same
    h (B, M, F)     what is known of each atom apart from its position (its element, say)
    mask (B, M)     1 where there is an atom, 0 where a row only fills up a smaller molecule; None: all are there
    t (B,)          indices 0..T-1, long, one per molecule
    T, betas, abar  as in exercise 4: variances of the steps, and share of the signal's variance left

Positions are told apart only up to shifts, so everything lives in the subspace of zero centre of mass, which has
3 (M - 1) dimensions, not 3 M. "Standard normal" means: standard normal within that subspace.

A network is passed in and called as ``model(x, t)``; it returns its guess of the noise, (B, M, 3). Bind what else it
needs: ``functools.partial(egnn, h=h)``.

Sources:
    [1] Hoogeboom, Satorras, Vignac & Welling (2022), Equivariant diffusion for molecule generation in 3D, ICML,
        arXiv:2203.17003.
    [2] Satorras, Hoogeboom & Welling (2021), E(n) equivariant graph neural networks, ICML, arXiv:2102.09844.
    [3] Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, NeurIPS.
    [4] Mezzadri (2007), How to generate random matrices from the classical compact groups, Notices of the AMS 54,
        arXiv:math-ph/0609050.
    [5] Kabsch (1976), A solution for the best rotation to relate two sets of vectors, Acta Crystallographica A 32.
    [6] Koehler, Klein & Noe (2020), Equivariant flows, ICML, arXiv:2006.02425.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

Model = Callable[[Tensor, Tensor], Tensor]
Schedule = dict[str, Tensor]


def linear_schedule(T: int, beta_min: float = 1e-4, beta_max: float = 0.02, scale: bool = True) -> Schedule:
    r"""Given: the schedule of exercise 4, betas growing linearly, multiplied by 1000/T if ``scale``.

    Args:
        T: number of steps, > 20 with the defaults.
        beta_min: $\beta_0$ of a schedule of 1000 steps.
        beta_max: $\beta_{T-1}$ of a schedule of 1000 steps.
        scale: whether to multiply by 1000/T.

    Returns:
        {"betas": $\beta$, "alphas": $1 - \beta$, "abar": $\prod_{s \le t} \alpha_s$}, each (T,), torch's default dtype.
    """
    betas = torch.linspace(beta_min, beta_max, T) * (1000 / T if scale else 1.0)
    return {"betas": betas, "alphas": 1 - betas, "abar": torch.cumprod(1 - betas, dim=0)}


# ---- 8.1 the subspace of zero centre of mass


def remove_mean(x: Tensor, mask: Tensor | None = None) -> Tensor:
    r"""Move every molecule so that its centre of mass is at zero: the projection onto the subspace.

    $x_i - \frac1n \sum_{j \text{ present}} x_j$, with n the number of atoms present.

    Args:
        x: positions, (B, M, 3).
        mask: (B, M), 1 = atom present. None: all are.

    Returns:
        (B, M, 3); rows without an atom may hold anything.

    Example:
        >>> remove_mean(torch.tensor([[[0.0, 0.0, 1.0], [2.0, 0.0, 3.0]]]))
        tensor([[[-1.,  0., -1.],
                 [ 1.,  0.,  1.]]])

    Source: [1] section 3.1; [6] section 5.1.
    """
    # TODO 8.1: count the atoms present in each molecule, and average over the axis of the atoms.
    raise NotImplementedError("exercise 8.1: remove_mean is not written yet")


def com_free_noise(
    shape: tuple[int, int, int],
    generator: torch.Generator | None = None,
    noise: Tensor | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    r"""Standard normal noise in the subspace: draw in all 3 M dimensions, then project.

    The projection of a standard normal vector is standard normal within the subspace; the covariance of one coordinate
    over the atoms is $I - \frac1M 1 1^\top$, so a single number has the variance 1 - 1/M.

    Args:
        shape: (B, M, 3).
        generator: from which to draw. None: torch's global one.
        noise: (B, M, 3), to be projected in place of a draw.
        mask: (B, M), 1 = atom present.

    Returns:
        (B, M, 3), in the dtype of ``noise``, or torch's default dtype.

    Example:
        >>> com_free_noise((1, 2, 3), noise=torch.tensor([[[0.0, 0.0, 1.0], [2.0, 0.0, 3.0]]]))
        tensor([[[-1.,  0., -1.],
                 [ 1.,  0.,  1.]]])

    Source: [1] section 3.1.
    """
    # TODO 8.1: draw in all 3 M dimensions (or take the given noise), then project.
    raise NotImplementedError("exercise 8.1: com_free_noise is not written yet")


# ---- 8.2 density in the subspace


def log_prob_com_gaussian(x: Tensor) -> Tensor:
    r"""Log-density of the standard normal law of the subspace, per molecule, in nats.

    $-\frac12 \lVert x \rVert^2 - \frac{3 (M - 1)}{2} \log 2 \pi$, a density per unit of volume in 3 (M - 1) dimensions.

    Args:
        x: positions of zero centre of mass, (B, M, 3).

    Returns:
        (B,).

    Example:
        >>> log_prob_com_gaussian(torch.tensor([[[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]]))   # -1 - 1.5 log(2 pi)
        tensor([-3.7568])

    Source: [1] appendix A.
    """
    # TODO 8.2: count the free directions first.
    raise NotImplementedError("exercise 8.2: log_prob_com_gaussian is not written yet")


# ---- 8.3 noising and loss


def q_sample_com(
    x0: Tensor, t: Tensor, schedule: Schedule, noise: Tensor | None = None, mask: Tensor | None = None
) -> Tensor:
    r"""Noise clean positions to the level of step t, within the subspace.

    $x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \varepsilon$, $\varepsilon$ of `com_free_noise`.

    Args:
        x0: clean positions of zero centre of mass, (B, M, 3).
        t: indices 0..T-1, long, (B,).
        schedule: of `linear_schedule`.
        noise: $\varepsilon$, (B, M, 3), of zero centre of mass. None: drawn here.
        mask: (B, M), 1 = atom present (optional part 8.10).

    Returns:
        $x_t$, (B, M, 3), of zero centre of mass, in the dtype of ``x0``.

    Example:
        >>> one = {"betas": torch.tensor([0.36]), "alphas": torch.tensor([0.64]), "abar": torch.tensor([0.64])}
        >>> x0 = torch.tensor([[[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]])
        >>> q_sample_com(x0, torch.tensor([0]), one, noise=x0.roll(1, dims=2))
        tensor([[[ 0.8000,  0.6000,  0.0000],
                 [-0.8000, -0.6000,  0.0000]]])

    Source: [1] section 3.1; [3] Eq. (4).
    """
    # TODO 8.3: as in exercise 4, with noise of the subspace; abar belongs to the molecule.
    raise NotImplementedError("exercise 8.3: q_sample_com is not written yet")


def ddpm_loss_com(
    model: Model,
    x0: Tensor,
    schedule: Schedule,
    t: Tensor | None = None,
    noise: Tensor | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    r"""How well the network finds the noise: the mean square of the error over molecules, atoms and coordinates.

    $\frac{1}{3 B M} \sum_b \lVert \varepsilon_b - \varepsilon_\theta(x_{t_b}, t_b) \rVert^2$. A network that answers 0
    has the loss 1 - 1/M on average, not 1.

    Args:
        model: $\varepsilon_\theta$, called once as ``model(x_t, t)`` with t long (B,).
        x0: clean positions of zero centre of mass, (B, M, 3).
        schedule: of `linear_schedule`.
        t: indices, long, (B,). None: drawn here, uniform on 0..T-1, one for each molecule.
        noise: $\varepsilon$, (B, M, 3), of zero centre of mass. None: drawn here.
        mask: (B, M), 1 = atom present (optional part 8.10): the mean goes over the atoms present.

    Returns:
        A 0-d tensor, differentiable in the parameters of ``model``.

    Example:
        >>> one = {"betas": torch.tensor([0.36]), "alphas": torch.tensor([0.64]), "abar": torch.tensor([0.64])}
        >>> x0 = torch.tensor([[[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]])
        >>> ddpm_loss_com(lambda x, t: 0 * x, x0, one, torch.tensor([0]), noise=x0.roll(1, dims=2))   # 2 / 6
        tensor(0.3333)

    Source: [1] Algorithm 1; [3] Eq. (14).
    """
    # TODO 8.3: draw what is not given, noise the positions once, ask the network once.
    raise NotImplementedError("exercise 8.3: ddpm_loss_com is not written yet")


# ---- 8.4 rotations, and a network that turns with its molecule


def random_rotation(generator: torch.Generator | None = None) -> Tensor:
    r"""A rotation matrix drawn from the uniform (Haar) law.

    The Q of a normal matrix A = Q R is uniform among the orthogonal matrices once the signs are chosen so that R has
    a positive diagonal; half of those are reflections, which a change of sign turns into rotations (in 3-D, -1 has the
    determinant -1).

    Args:
        generator: from which to draw. None: torch's global one.

    Returns:
        (3, 3), orthogonal, determinant +1, in torch's default dtype.

    Example:
        >>> R = random_rotation(torch.Generator().manual_seed(0))
        >>> torch.linalg.det(R)
        tensor(1.)

    Source: [4] section 5.
    """
    # TODO 8.4: a QR decomposition is a good start; then think of the signs it chooses, and of reflections.
    raise NotImplementedError("exercise 8.4: random_rotation is not written yet")


class EGNNLayer(nn.Module):
    r"""One round of messages between all pairs of atoms of a molecule.

    $m_{ij} = \phi_e(h_i, h_j, \lVert x_i - x_j \rVert^2)$, then
    $x_i' = x_i + \frac{1}{M - 1} \sum_{j \ne i} \frac{x_i - x_j}{\lVert x_i - x_j \rVert + 1}\, \phi_x(m_{ij})$ and
    $h_i' = h_i + \phi_h(h_i, \sum_{j \ne i} m_{ij})$

    Distances do not change when the molecule is turned, mirrored or moved, and differences of positions turn with it:
    hence h' is invariant and x' equivariant, whatever the weights.

    Args:
        hidden: F, the length of h, of the messages and of the hidden layers.

    Source: [2] Eq. (3) to (6), with the scaled differences of [1].
    """

    def __init__(self, hidden: int = 32) -> None:
        super().__init__()
        # TODO 8.4: three small networks: phi_e, phi_x, phi_h.
        raise NotImplementedError("exercise 8.4: EGNNLayer is not written yet")

    def forward(self, h: Tensor, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """One round.

        Args:
            h: (B, M, F).
            x: (B, M, 3).
            mask: (B, M), 1 = atom present: the others send no messages and do not count in M - 1. None: all are there.

        Returns:
            (h' (B, M, F), x' (B, M, 3)); rows without an atom may hold anything.
        """
        # TODO 8.4: all pairs at once, (B, M, M, ...); no atom sends to itself, absent ones send nothing.
        raise NotImplementedError("exercise 8.4: EGNNLayer.forward is not written yet")


class EGNN(nn.Module):
    r"""Guess the noise in positions: a few layers, and the way the atoms moved.

    $\hat\varepsilon = \mathrm{remove\_mean}(x_{\mathrm{out}} - x_t)$

    Args:
        hidden: length of the features of an atom.
        n_layers: rounds of messages.
        h_dim: length of h.

    Source: [1] section 3.2.
    """

    def __init__(self, hidden: int = 32, n_layers: int = 3, h_dim: int = 1) -> None:
        super().__init__()
        # TODO 8.4: an embedding of h and of the time, then the layers.
        raise NotImplementedError("exercise 8.4: EGNN is not written yet")

    def forward(self, x_t: Tensor, t: Tensor, h: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Guess the noise.

        Args:
            x_t: noised positions, (B, M, 3).
            t: indices, long, (B,).
            h: (B, M, h_dim). None: ones.
            mask: (B, M), 1 = atom present (optional part 8.10).

        Returns:
            (B, M, 3), of zero centre of mass.
        """
        # TODO 8.4: where do the atoms go when all layers have moved them?
        raise NotImplementedError("exercise 8.4: EGNN.forward is not written yet")


# ---- 8.5 the way back


def p_sample_com(
    model: Model,
    x_t: Tensor,
    t: int,
    schedule: Schedule,
    noise: Tensor | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    r"""One ancestral step back within the subspace.

    $x_{t-1} = \frac{1}{\sqrt{\alpha_t}} \left( x_t - \frac{\beta_t}{\sqrt{1 - \bar\alpha_t}}\,
    \varepsilon_\theta(x_t, t) \right) + \sqrt{\beta_t}\, n$, n of `com_free_noise`, and no noise at t = 0.

    Args:
        model: $\varepsilon_\theta$, called as ``model(x_t, t)`` with t long (B,).
        x_t: (B, M, 3), of zero centre of mass.
        t: one index for the whole batch, an int.
        schedule: of `linear_schedule`.
        noise: n, (B, M, 3), of zero centre of mass. None: drawn here. Not used at t = 0.
        mask: (B, M), 1 = atom present (optional part 8.10).

    Returns:
        $x_{t-1}$, (B, M, 3), of zero centre of mass even if the network's answer is not.

    Example:
        >>> betas = torch.tensor([0.36, 0.75])
        >>> schedule = {"betas": betas, "alphas": 1 - betas, "abar": torch.tensor([0.64, 0.16])}
        >>> x = torch.tensor([[[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]])
        >>> p_sample_com(lambda x, t: 0 * x, x, 1, schedule, noise=2 * x)   # 1 / 0.5 + sqrt(0.75) * 2
        tensor([[[ 3.7321,  0.0000,  0.0000],
                 [-3.7321,  0.0000,  0.0000]]])

    Source: [1] Algorithm 2; [3] Eq. (11) with $\sigma_t^2 = \beta_t$.
    """
    # TODO 8.5: the step of exercise 4; then see which of its terms may have a mean.
    raise NotImplementedError("exercise 8.5: p_sample_com is not written yet")


# ---- 8.6 bonds and stability

# Given: bond lengths in picometres, and by how much a bond may be longer: the table of [1].
SINGLE = {
    **{"HH": 74, "HC": 109, "HN": 101, "HO": 96, "HF": 92, "CC": 154, "CN": 147, "CO": 143, "CF": 135},
    **{"NN": 145, "NO": 140, "NF": 136, "OO": 148, "OF": 142, "FF": 142},
}
DOUBLE = {"CC": 134, "CN": 129, "CO": 120, "NN": 125, "NO": 121, "OO": 121}
TRIPLE = {"CC": 120, "CN": 116, "CO": 113, "NN": 110}
TOLERANCES = {1: 10, 2: 5, 3: 3}
VALENCES = {"H": 1, "C": 4, "N": 3, "O": 2, "F": 1}


def bond_order(a: str, b: str, d: float) -> int:
    """Which bond two atoms at this distance have, by the table of lengths.

    Args:
        a, b: symbols of the elements, of H, C, N, O, F, in either order.
        d: distance, in angstrom (the table is in picometres).

    Returns:
        3, 2 or 1 for a triple, double or single bond; 0 for none. The highest order whose length plus tolerance is
        larger than the distance.

    Example:
        >>> [bond_order("C", "C", d) for d in (2.0, 1.54, 1.34, 1.20)]
        [0, 1, 2, 3]

    Source: [1], its authors' qm9/bond_analyze.py.
    """
    # TODO 8.6: which order has to be looked at first?
    raise NotImplementedError("exercise 8.6: bond_order is not written yet")


def stability(x: Tensor, types: list[str]) -> tuple[float, bool]:
    """Whether every atom of a molecule has as many bonds as its element should.

    Args:
        x: positions in angstrom, (M, 3).
        types: symbols of the M elements, of H, C, N, O, F.

    Returns:
        (share of the atoms whose orders of bonds add up to the valence H 1, C 4, N 3, O 2, F 1; whether all do).

    Example:
        >>> stability(torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 0.74]]), ["H", "H"])
        (1.0, True)

    Source: [1] section 5, which calls it stability.
    """
    # TODO 8.6: every pair of atoms once.
    raise NotImplementedError("exercise 8.6: stability is not written yet")


# ---- 8.8 optional: lay one cloud over another


def kabsch(x: Tensor, y: Tensor) -> Tensor:
    r"""Optional: the rotation that brings a cloud nearest to another whose points are matched to it.

    R minimises $\sum_i \lVert R (x_i - \bar x) - (y_i - \bar y) \rVert^2$ among the rotations.

    Args:
        x, y: (M, 3), x_i belongs to y_i.

    Returns:
        R (3, 3), determinant +1 (mirror images stay apart); a cloud of rows is turned by ``x @ R.T``.

    Example:
        >>> x = torch.tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]])
        >>> y = torch.tensor([[0.0, 1.0, 0.0], [-2.0, 0.0, 0.0], [0.0, 0.0, 3.0]])   # a quarter turn
        >>> kabsch(x, y).round().long()
        tensor([[ 0, -1,  0],
                [ 1,  0,  0],
                [ 0,  0,  1]])

    Source: [5], by singular values: H = x^T y = U S V^T, R = V diag(1, 1, det(V U^T)) U^T.
    """
    # TODO 8.8: the singular vectors of x^T y give R up to a reflection.
    raise NotImplementedError("exercise 8.8: kabsch is not written yet")


def align(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    r"""Optional: turn, move and match a cloud to another, atoms in any order.

    Optimal transport between two clouds of equal size and weights is a matching. Rotation and matching take turns until
    nothing changes: the matching of least $\sum_i \lVert x_i' - y_{\pi(i)} \rVert^2$ for the rotated cloud, then the
    rotation of `kabsch` for that matching. Each start ends in a local minimum; the best of several starts is returned.

    Args:
        x: cloud to be laid over the other, (M, 3).
        y: target, (M, 3).

    Returns:
        (x' (M, 3), permutation (M,) long): x turned and moved, in its own order, and $\pi$: atom i of x belongs to atom
        $\pi(i)$ of y.

    Example:
        >>> y = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]])
        >>> moved, match = align(y[[2, 0, 1, 3]] + 5, y)
        >>> match
        tensor([2, 0, 1, 3])

    Source: the assignment is the discrete optimal transport of exercise 6; [5] for the rotation.
    """
    # TODO 8.8: matching and rotation in turns; scipy.optimize.linear_sum_assignment finds the best matching.
    raise NotImplementedError("exercise 8.8: align is not written yet")
