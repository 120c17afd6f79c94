r"""Exercise 03, solved: a RealNVP flow for points of the plane.

A flow is an invertible map x = f(z) of standard normal noise z to data x, so the density of x is exact:

    log p(x) = log N(z; 0, I) + log |det dz/dx|,   z = f^-1(x).

Convention of the whole file: ``forward`` goes from noise z to data x, ``inverse`` from data x to noise z, and
each returns the log-determinant **of the direction it went**, in nats, one number per sample.

Sources: Dinh, Sohl-Dickstein & Bengio (2017), Density estimation using Real NVP, arXiv:1605.08803, sections
3.1-3.4; Kingma & Dhariwal (2018), Glow, arXiv:1807.03039, section 3.1 (ActNorm).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LARGEST_LOG_SCALE = 1.0  # alpha: one layer stretches by at most e, so no input can overflow exp


class AffineCoupling(nn.Module):
    r"""One affine coupling layer: it keeps the coordinates of ``mask`` and stretches and shifts the others.

    With a = kept coordinates (mask 1) and b = free coordinates (mask 0),

    $x_a = z_a, \qquad x_b = z_b \odot e^{s(z_a)} + t(z_a).$

    The Jacobian is triangular with diagonal $(1, e^{s})$, so $\log\lvert\det dx/dz\rvert = \sum_b s_b$.

    Args:
        mask: (2,), ones and zeros; 1 = the coordinate passes unchanged.
        hidden: width of the network that computes s and t.

    Source: Dinh et al. (2017), sections 3.2-3.4 (masked form); Kingma & Dhariwal (2018), section 3.3 (zero start).
    """

    mask: Tensor

    def __init__(self, mask: Tensor, hidden: int = 64) -> None:
        super().__init__()
        self.register_buffer("mask", torch.as_tensor(mask, dtype=torch.get_default_dtype()).clone())
        dim = self.mask.shape[0]
        self.net = nn.Sequential(
            nn.Linear(dim, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 2 * dim),
        )
        # s = t = 0 at the start: the layer is the identity, and a deep flow starts as N(0, I).
        last = self.net[-1]
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Noise to data: z (B, 2) -> x (B, 2) and log |det dx/dz| (B,), nats."""
        log_scale, shift = self._log_scale_and_shift(z)
        x = z * log_scale.exp() + shift  # kept coordinates: z * 1 + 0
        return x, log_scale.sum(dim=-1)  # (B, 2), (B,)

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Data to noise: x (B, 2) -> z (B, 2) and log |det dz/dx| (B,), nats. No network is inverted."""
        log_scale, shift = self._log_scale_and_shift(x)  # sees the kept coordinates only, and x_a = z_a
        z = (x - shift) * (-log_scale).exp()
        return z, -log_scale.sum(dim=-1)

    def _log_scale_and_shift(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """s and t, both (B, 2) and zero on the kept coordinates, computed from the kept coordinates alone."""
        raw_scale, shift = self.net(self.mask * point).chunk(2, dim=-1)
        free = 1 - self.mask
        return LARGEST_LOG_SCALE * torch.tanh(raw_scale) * free, shift * free


class RealNVP(nn.Module):
    r"""Coupling layers whose masks alternate, on the base N(0, I): $x = f_K \circ \dots \circ f_1(z)$.

    Args:
        n_layers: K, number of coupling layers.
        hidden: width of each layer's network.

    Source: Dinh et al. (2017), section 3.5 (combining coupling layers).
    """

    def __init__(self, n_layers: int = 8, hidden: int = 64) -> None:
        super().__init__()
        masks = torch.eye(2)  # layer 0 keeps the first coordinate, layer 1 the second, ...
        self.layers = nn.ModuleList(AffineCoupling(masks[k % 2], hidden) for k in range(n_layers))

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Noise to data: z (B, 2) -> x (B, 2) and log |det dx/dz| (B,), nats."""
        log_det = z.new_zeros(z.shape[0])
        for layer in self.layers:
            z, change = layer(z)
            log_det = log_det + change  # chain rule: determinants multiply, logarithms add
        return z, log_det

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Data to noise: x (B, 2) -> z (B, 2) and log |det dz/dx| (B,), nats. Last layer first."""
        log_det = x.new_zeros(x.shape[0])
        for layer in reversed(self.layers):
            x, change = layer.inverse(x)
            log_det = log_det + change
        return x, log_det

    def log_prob(self, x: Tensor) -> Tensor:
        r"""Exact log-density of the points x (B, 2), in nats, (B,).

        $\log p(x) = -\tfrac12\lVert z\rVert^2 - \tfrac d2\log 2\pi + \log\lvert\det dz/dx\rvert$, with d = 2.

        Source: Dinh et al. (2017), section 3.1.
        """
        z, log_det = self.inverse(x)
        dim = z.shape[-1]
        log_base = -0.5 * z.square().sum(dim=-1) - 0.5 * dim * math.log(2 * math.pi)
        return log_base + log_det

    def sample(self, n: int, noise: Tensor | None = None) -> Tensor:
        """Draw n points, (n, 2): base noise sent through ``forward``.

        Args:
            n: number of points.
            noise: (n, 2), standard normal, used as given; drawn here if None.
        """
        if noise is None:
            like = next(self.parameters())
            noise = torch.randn(n, 2, dtype=like.dtype, device=like.device)
        return self.forward(noise)[0]


def nll_loss(flow: nn.Module, x: Tensor) -> Tensor:
    """Negative log-likelihood of x (B, 2), a scalar to minimise: nats per point, mean over the batch.

    Its expectation is the entropy of the data plus KL(data || flow), so no flow gets below the entropy.
    """
    return -flow.log_prob(x).mean()


def standardise(x: Tensor) -> tuple[Tensor, Tensor]:
    r"""Shift and scale each coordinate of x (B, 2) to mean 0 and standard deviation 1.

    Returns:
        x' (B, 2) and the one number $\log\lvert\det dx'/dx\rvert = -\sum_j \log \mathrm{sd}_j$, in nats. A
        density fitted to x' is one of x after adding it: log p(x) = log p'(x') + log |det dx'/dx|.
    """
    sd = x.std(dim=0)
    return (x - x.mean(dim=0)) / sd, -sd.log().sum()


def density_grid(flow: nn.Module, lim: float, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """The flow's density (not its logarithm) on an n x n grid of the square [-lim, lim]^2.

    Returns:
        X, Y, density, each (n, n), indexed [row, column] = [y, x] ("xy" of ``torch.meshgrid``).
    """
    axis = torch.linspace(-lim, lim, n)
    grid_x, grid_y = torch.meshgrid(axis, axis, indexing="xy")
    points = torch.stack([grid_x, grid_y], dim=-1).reshape(-1, 2)  # (n*n, 2)
    with torch.no_grad():
        density = flow.log_prob(points).exp()
    return grid_x, grid_y, density.reshape(n, n)


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

    $z = (x + b)\,e^{\ell}$ on the way from data to noise; the first call of ``inverse`` sets b and l so that
    this batch leaves with mean 0 and standard deviation 1 in every coordinate. Afterwards b and l are
    ordinary parameters; ``initialised`` is a buffer, so a loaded layer is not initialised again.

    Args:
        dim: number of coordinates.

    Source: Kingma & Dhariwal (2018), section 3.1.
    """

    initialised: Tensor

    def __init__(self, dim: int = 2) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(dim))
        self.log_scale = nn.Parameter(torch.zeros(dim))
        self.register_buffer("initialised", torch.tensor(False))

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Noise to data: z (B, dim) -> x (B, dim) and log |det dx/dz| (B,), nats."""
        x = z * (-self.log_scale).exp() - self.shift
        return x, -self.log_scale.sum().expand(z.shape[0])

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Data to noise: x (B, dim) -> z (B, dim) and log |det dz/dx| (B,), nats. The first initialises."""
        if not self.initialised:
            self._initialise(x)
        z = (x + self.shift) * self.log_scale.exp()
        return z, self.log_scale.sum().expand(x.shape[0])

    @torch.no_grad()
    def _initialise(self, x: Tensor) -> None:
        self.shift.copy_(-x.mean(dim=0))
        self.log_scale.copy_(-x.std(dim=0).log())
        self.initialised.fill_(True)
