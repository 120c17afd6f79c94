# wrong: the untouched stub | fails: coupling/shapes, coupling/kept_coordinate, coupling/triangular, coupling/affine, coupling/log_det_forward, coupling/log_det_inverse, coupling/round_trip, module/learns, module/saves_and_loads, flow/shapes, flow/order_of_layers, flow/log_dets_add_up, flow/log_prob, flow/sample_uses_given_noise, flow/sample_without_noise, flow/nll_loss, robust/starts_as_identity, robust/rows_are_independent, robust/far_points_of_layer, robust/far_points_of_flow, units/standardise_points, units/standardise_log_det, units/grid_points, units/grid_density, actnorm/first_batch, actnorm/maths, actnorm/later_batches, actnorm/saved_and_loaded | diagnosis: none | cause: not_attempted
r"""Exercise 3: a RealNVP flow in the plane. Statement: README.md beside this file.

Replace every `raise NotImplementedError` by your code; keep names and parameters. Work with the dtype and
device of the inputs, and leave the inputs unchanged. Logarithms are natural: densities and log-determinants
are in nats, one number per sample.

One convention holds everywhere: ``forward`` goes from noise z to data x, ``inverse`` from data x to noise z,
and each returns the log-determinant of the direction it went.

Sources:
    [1] Dinh, Sohl-Dickstein & Bengio (2017), Density estimation using Real NVP, arXiv:1605.08803.
    [2] Kingma & Dhariwal (2018), Glow: generative flow with invertible 1x1 convolutions, arXiv:1807.03039.
"""

import math

import torch
from torch import Tensor, nn


class AffineCoupling(nn.Module):
    r"""One affine coupling layer: it keeps the coordinates of ``mask`` and stretches and shifts the others.

    With a = kept coordinates (mask 1) and b = free coordinates (mask 0),

    $x_a = z_a, \qquad x_b = z_b \odot e^{s(z_a)} + t(z_a).$

    s and t come from one small network or from two; they see the kept coordinates only. $s = \alpha
    \tanh(\cdot)$ keeps the exponential harmless; $\alpha$ may be a constant (1 works well) or learnt. The
    last layer of the network starts at zero, weights and bias, so that a fresh coupling layer is the
    identity; the other layers keep torch's usual random start.

    Args:
        mask: (2,), ones and zeros; 1 = the coordinate passes unchanged.
        hidden: width of the network's hidden layers.

    Source: [1], sections 3.2 and 3.4; a zero start as in [2], section 3.3.
    """

    def __init__(self, mask: Tensor, hidden: int = 64) -> None:
        super().__init__()
        # TODO 3.1: store the mask (it is not learnt) and build the network, its last layer set to zero.
        raise NotImplementedError("exercise 3.1: AffineCoupling is not written yet")

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """From noise to data.

        Args:
            z: (B, 2).

        Returns:
            x (B, 2) and log |det dx/dz| (B,), in nats.

        Source: [1], section 3.2.
        """
        # TODO 3.1: compute s and t from the kept coordinates first; both directions need them.
        raise NotImplementedError("exercise 3.1: AffineCoupling.forward is not written yet")

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """From data to noise: undoes ``forward`` to rounding error.

        Args:
            x: (B, 2).

        Returns:
            z (B, 2) and log |det dz/dx| (B,), in nats.

        Source: [1], section 3.3.
        """
        # TODO 3.1: solve the formula of the class for z_b; which coordinates do s and t need?
        raise NotImplementedError("exercise 3.1: AffineCoupling.inverse is not written yet")


class RealNVP(nn.Module):
    r"""Coupling layers whose masks alternate, on the base N(0, I): $x = f_K \circ \dots \circ f_1(z)$.

    Args:
        n_layers: K, number of coupling layers. Layers with mask (1, 0) and (0, 1) take turns, either first.

    Source: [1], section 3.5.
    """

    def __init__(self, n_layers: int = 8) -> None:
        super().__init__()
        # TODO 3.3: make n_layers coupling layers, in a container that torch looks into.
        raise NotImplementedError("exercise 3.3: RealNVP is not written yet")

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """From noise to data.

        Args:
            z: (B, 2).

        Returns:
            x (B, 2) and log |det dx/dz| (B,), in nats, of the whole flow.
        """
        # TODO 3.3: send z through the layers, and think about what to do with their log-determinants.
        raise NotImplementedError("exercise 3.3: RealNVP.forward is not written yet")

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """From data to noise.

        Args:
            x: (B, 2).

        Returns:
            z (B, 2) and log |det dz/dx| (B,), in nats, of the whole flow.
        """
        # TODO 3.3: the layers again, each run backwards.
        raise NotImplementedError("exercise 3.3: RealNVP.inverse is not written yet")

    def log_prob(self, x: Tensor) -> Tensor:
        r"""The flow's exact log-density, $\log p(x) = \log \mathcal N(z; 0, I) + \log\lvert\det dz/dx\rvert$.

        Args:
            x: (B, 2).

        Returns:
            log p(x), (B,), in nats, normalised: the density integrates to one over the plane.

        Example:
            A fresh flow is the identity, so its density is that of N(0, I):

            >>> RealNVP().log_prob(torch.tensor([[0.0, 0.0], [1.0, 2.0]])).detach()
            tensor([-1.8379, -4.3379])

        Source: [1], section 3.1.
        """
        # TODO 3.3: one call of inverse gives both terms' ingredients.
        raise NotImplementedError("exercise 3.3: RealNVP.log_prob is not written yet")

    def sample(self, n: int, noise: Tensor | None = None) -> Tensor:
        """Draw points from the flow.

        Args:
            n: number of points.
            noise: (n, 2), standard normal; used as given. Fresh standard normal noise if None.

        Returns:
            (n, 2).
        """
        # TODO 3.3: which direction turns noise into data?
        raise NotImplementedError("exercise 3.3: RealNVP.sample is not written yet")


def nll_loss(flow: nn.Module, x: Tensor) -> Tensor:
    """Negative log-likelihood, to be minimised.

    Args:
        flow: anything with a method ``log_prob(x)`` (B, 2) -> (B,).
        x: (B, 2).

    Returns:
        One number, differentiable in the flow's parameters: nats per point, mean over the batch.
    """
    # TODO 3.3: one line.
    raise NotImplementedError("exercise 3.3: nll_loss is not written yet")


def standardise(x: Tensor) -> tuple[Tensor, Tensor]:
    r"""Give each coordinate mean 0 and standard deviation 1, and say what that does to densities.

    Args:
        x: (B, 2).

    Returns:
        x' (B, 2) and the one number $\log\lvert\det dx'/dx\rvert$ in nats: of the map of one point, not of
        the batch. With it log p(x) = log p'(x') + log |det dx'/dx|.

    Example:
        >>> standardise(torch.tensor([[0.0, -5.0], [20.0, 5.0]]))[1]  # sd 14.142 and 7.071: -log(100)
        tensor(-4.6052)
    """
    # TODO 3.5: mean and standard deviation of each coordinate; the map is linear with a diagonal matrix.
    raise NotImplementedError("exercise 3.5: standardise is not written yet")


def density_grid(flow: nn.Module, lim: float, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """The flow's density (not its logarithm) on a grid, for a picture.

    Args:
        flow: anything with a method ``log_prob(x)`` (B, 2) -> (B,).
        lim: the grid covers the square [-lim, lim]^2, edges included.
        n: points per side.

    Returns:
        X, Y, density, each (n, n), with X and Y as ``torch.meshgrid(axis, axis, indexing="xy")`` makes them.
    """
    # TODO 3.5: log_prob wants a list of points (B, 2), the picture wants a square.
    raise NotImplementedError("exercise 3.5: density_grid is not written yet")


def fit(flow: nn.Module, data: Tensor, n_steps: int = 1000, batch_size: int = 256, lr: float = 5e-3) -> list[float]:
    """Given, not graded: trains the flow in place, Adam with a cosine rate on ``nll_loss`` of rows of data
    (N, 2).

    Returns:
        The loss of every step (nats per point), for the curve.
    """
    optimiser = torch.optim.Adam(flow.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, n_steps)
    losses = []
    for _ in range(n_steps):
        batch = data[torch.randint(len(data), (batch_size,))]
        loss = nll_loss(flow, batch)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(flow.parameters(), 5.0)  # one bad batch must not throw the flow away
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
    return losses


class ActNorm(nn.Module):
    r"""Bonus: one learnt shift b and log-scale l per coordinate, initialised by the first batch of data.

    On the way from data to noise $z = (x + b)\,e^{\ell}$. The first call of ``inverse`` sets b and l so that
    this batch leaves with mean 0 and standard deviation 1 in every coordinate; from then on they are ordinary
    parameters, and other batches are mapped with the same numbers. A layer that was initialised, saved and
    loaded with ``load_state_dict`` is not initialised again.

    Args:
        dim: number of coordinates.

    Source: [2], section 3.1.
    """

    def __init__(self, dim: int = 2) -> None:
        super().__init__()
        # TODO 3.7: two parameters, and a memory of whether they are initialised that state_dict() contains.
        raise NotImplementedError("exercise 3.7: ActNorm is not written yet")

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """From noise to data: z (B, dim) -> x (B, dim) and log |det dx/dz| (B,), in nats."""
        # TODO 3.7: solve the formula of the class for x.
        raise NotImplementedError("exercise 3.7: ActNorm.forward is not written yet")

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """From data to noise: x (B, dim) -> z (B, dim) and log |det dz/dx| (B,), in nats; may initialise."""
        # TODO 3.7: initialise if this is the first batch, then apply the formula.
        raise NotImplementedError("exercise 3.7: ActNorm.inverse is not written yet")
