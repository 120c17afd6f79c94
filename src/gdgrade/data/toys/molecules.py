"""Toy molecules in space whose bond lengths and angles follow exactly known laws.

    toy = water_like()                      # or chain(7), or Ring(6)
    x = toy.sample(1000, generator)         # (1000, 3, 3), angstrom, centred, turned at random
    toy.lengths(x), toy.angles(x)           # normal with toy.length, toy.length_sd and toy.angle, toy.angle_sd

A molecule is built from its lengths and angles, so measuring them gives back the numbers that were drawn. It is then
turned by a uniformly random rotation and centred: the mean over its atoms, all of the same weight, is zero.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gdgrade.data.toys._backend import Array, Generator, library, like, normal, uniform

_MARGIN = 8
"""Standard deviations between the mean of a law and the end of what is possible: 1e-15 of the mass lies beyond."""


class Chain:
    r"""Atoms in a row: lengths $N(l, \sigma_l^2)$, angles $N(\theta, \sigma_\theta^2)$, torsions uniform, independent.

    Args:
        symbols: of the M >= 3 atoms, in order.
        length, length_sd: of each of the M - 1 bonds, in angstrom.
        angle, angle_sd: of each of the M - 2 bond angles, in degrees.

    Raises:
        ValueError: for fewer atoms, or if a length below 0 or an angle outside of (0, 180) is within 8 standard
            deviations of the mean.
    """

    def __init__(
        self, symbols: Sequence[str], length: float = 1.53, length_sd: float = 0.03, angle: float = 111.0,
        angle_sd: float = 3.0,
    ) -> None:  # fmt: skip
        if len(symbols) < 3:
            raise ValueError(f"a chain needs at least 3 atoms, got {len(symbols)}")
        _demand_room(length, length_sd, angle, angle_sd, 180.0)
        self.symbols = tuple(symbols)
        self.length, self.length_sd = float(length), float(length_sd)
        self.angle, self.angle_sd = float(angle), float(angle_sd)

    @property
    def bonds(self) -> tuple[tuple[int, int], ...]:
        """Pairs of neighbours, in the order of ``lengths``."""
        return tuple((i, i + 1) for i in range(len(self.symbols) - 1))

    def sample(self, n: int, generator: Generator) -> Array:
        """(n, M, 3) independent molecules, in angstrom."""
        atoms = len(self.symbols)
        lengths = self.length + self.length_sd * normal(generator, n, atoms - 1)
        angles = math.radians(self.angle) + math.radians(self.angle_sd) * normal(generator, n, atoms - 2)
        torsions = math.pi * (2 * uniform(generator, n, atoms - 3) - 1)
        return _centred(_turned(_built(lengths, angles, torsions), generator))

    def lengths(self, x: Array) -> Array:
        """Bond lengths in angstrom, (..., M, 3) -> (..., M - 1)."""
        return _norm(_molecules(x, len(self.symbols))[1])

    def angles(self, x: Array) -> Array:
        """Bond angles in degrees, (..., M, 3) -> (..., M - 2)."""
        return _angles(_molecules(x, len(self.symbols))[1])

    def torsions(self, x: Array) -> Array:
        """Torsion angles in degrees, (..., M, 3) -> (..., M - 3): 0 for cis; positive if, seen along the middle bond,
        the far end is turned clockwise."""
        steps = _molecules(x, len(self.symbols))[1]
        before, middle, after = steps[..., :-2, :], steps[..., 1:-1, :], steps[..., 2:, :]
        left, right = _cross(before, middle), _cross(middle, after)
        sine = (_cross(left, right) * middle).sum(-1) / _norm(middle)
        return _degrees(library(steps).arctan2(sine, (left * right).sum(-1)))

    def log_prob(self, x: Array) -> Array:
        r"""Log-density in nats with respect to volume in the zero-mean subspace, (..., M, 3) -> (...).

        The subspace has 3 (M - 1) dimensions and the volume that it has as a part of the space of all 3 M coordinates.
        Steps between neighbours $s_i$ are coordinates of it, with $ds = M^{3/2} dx$, and
        $ds = \prod_i l_i^2 \prod_j \sin\theta_j \; dl \, d\theta \, d\phi \, dR$ with $\int dR = 8\pi^2$.
        """
        atoms = len(self.symbols)
        _, steps = _molecules(x, atoms)
        xp = library(steps)
        lengths, angles = _norm(steps), _radians(_angles(steps))
        log_volume = (2 * xp.log(lengths)).sum(-1) + xp.log(xp.sin(angles)).sum(-1)
        log_law = _log_normal(lengths, self.length, self.length_sd).sum(-1)
        log_law = log_law + _log_normal(angles, math.radians(self.angle), math.radians(self.angle_sd)).sum(-1)
        free = math.log(8 * math.pi**2) + (atoms - 3) * math.log(2 * math.pi)
        return log_law - log_volume - free + 1.5 * math.log(atoms)

    def entropy(self) -> float:
        """-E log_prob in nats, by Gauss-Hermite quadrature. Error below 1e-9."""
        atoms = len(self.symbols)
        node, weight = np.polynomial.hermite_e.hermegauss(60)
        weight = weight / weight.sum()
        angle, angle_sd = math.radians(self.angle), math.radians(self.angle_sd)
        log_length = float(weight @ np.log(np.abs(self.length + self.length_sd * node)))
        log_sine = float(weight @ np.log(np.abs(np.sin(angle + angle_sd * node))))
        per_bond = 0.5 * math.log(2 * math.pi * math.e * self.length_sd**2) + 2 * log_length
        per_angle = 0.5 * math.log(2 * math.pi * math.e * angle_sd**2) + log_sine
        free = math.log(8 * math.pi**2) + (atoms - 3) * math.log(2 * math.pi)
        return (atoms - 1) * per_bond + (atoms - 2) * per_angle + free - 1.5 * math.log(atoms)


class Ring:
    r"""A crown of n atoms, alternately above and below a plane, like the chair of cyclohexane.

    Within one molecule all bonds have the same length $N(l, \sigma_l^2)$ and all angles are the same
    $N(\theta, \sigma_\theta^2)$: n molecules are n independent lengths and n angles.

    Args:
        n: number of atoms, even and at least 4.
        length, length_sd: in angstrom.
        angle, angle_sd: in degrees; the flat ring has 180 (n - 2) / n, and no crown has more.
        symbol: of all atoms.

    Raises:
        ValueError: for other n, or if an impossible length or angle is within 8 standard deviations of the mean.
    """

    def __init__(
        self, n: int = 6, length: float = 1.53, length_sd: float = 0.03, angle: float = 111.0, angle_sd: float = 1.0,
        symbol: str = "C",
    ) -> None:  # fmt: skip
        if n < 4 or n % 2:
            raise ValueError(f"a crown has an even number of atoms, at least 4, got {n}")
        _demand_room(length, length_sd, angle, angle_sd, 180 * (n - 2) / n)
        self.symbols = (symbol,) * n
        self.length, self.length_sd = float(length), float(length_sd)
        self.angle, self.angle_sd = float(angle), float(angle_sd)

    @property
    def bonds(self) -> tuple[tuple[int, int], ...]:
        """Pairs of neighbours, in the order of ``lengths``."""
        n = len(self.symbols)
        return tuple((i, (i + 1) % n) for i in range(n))

    def sample(self, n: int, generator: Generator) -> Array:
        """(n, M, 3) independent molecules, in angstrom."""
        atoms = len(self.symbols)
        length = self.length + self.length_sd * normal(generator, n)
        half = math.radians(self.angle / 2) + math.radians(self.angle_sd / 2) * normal(generator, n)
        xp = library(length)
        # Atoms two apart are 2 l sin(theta / 2) from each other, and 2 r sin(2 pi / M) in a crown of radius r.
        radius = length * xp.sin(half) / math.sin(2 * math.pi / atoms)
        flat = 2 * radius * math.sin(math.pi / atoms)
        height = xp.sqrt(length**2 - flat**2) / 2
        turn = 2 * np.pi * np.arange(atoms) / atoms
        side = np.where(np.arange(atoms) % 2, -1.0, 1.0)
        columns = (
            radius[:, None] * like(np.cos(turn), length),
            radius[:, None] * like(np.sin(turn), length),
            height[:, None] * like(side, length),
        )
        return _centred(_turned(xp.stack(columns, -1), generator))

    def lengths(self, x: Array) -> Array:
        """Bond lengths in angstrom, (..., M, 3) -> (..., M)."""
        return _norm(self._steps(x)[..., 1:, :])

    def angles(self, x: Array) -> Array:
        """Bond angles in degrees, (..., M, 3) -> (..., M); the first is at the first atom."""
        return _angles(self._steps(x))

    def _steps(self, x: Array) -> Array:
        """From the last atom round to the first: M + 1 steps, the first one equal to the last."""
        x, steps = _molecules(x, len(self.symbols))
        closing = x[..., :1, :] - x[..., -1:, :]
        return library(x).concatenate([closing, steps, closing], -2)


def water_like() -> Chain:
    """H, O, H with the lengths and the angle of water, blurred: 0.96 (0.03) angstrom, 104.5 (4) degrees.

    >>> water_like().sample(2, np.random.default_rng(0)).shape
    (2, 3, 3)
    """
    return Chain(("H", "O", "H"), 0.96, 0.03, 104.5, 4.0)


def chain(atoms: int = 5) -> Chain:
    """A chain of carbon atoms with the lengths and angles of an alkane's backbone, blurred.

    >>> chain(7).bonds[-1]
    (5, 6)
    """
    return Chain(("C",) * atoms)


# --- geometry ------------------------------------------------------------------------------------


def random_rotations(n: int, generator: Generator) -> Array:
    """(n, 3, 3) rotations, uniformly distributed (Haar), determinant 1: those of uniform unit quaternions."""
    q = normal(generator, n, 4)
    xp = library(q)
    w, x, y, z = (q / _norm(q)[:, None]).T
    entries = (
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    )  # fmt: skip
    return xp.stack(entries, -1).reshape(n, 3, 3)


def _built(lengths: Array, angles: Array, torsions: Array) -> Array:
    """Positions (n, M, 3) from lengths (n, M - 1), angles (n, M - 2) and torsions (n, M - 3), angles in radians."""
    xp = library(lengths)
    # The frame travels along the chain: `ahead` is the last bond's direction, `side` lies in the plane of the last
    # two bonds, on the side that a cis neighbour would take.
    ahead = like(np.array([[1.0, 0.0, 0.0]]), lengths) + 0 * lengths[:, :1]
    side = like(np.array([[0.0, 1.0, 0.0]]), lengths) + 0 * lengths[:, :1]
    places = [0 * ahead, lengths[:, :1] * ahead]
    for i in range(angles.shape[1]):
        bend, turn = angles[:, i, None], (torsions[:, i - 1, None] if i else 0 * lengths[:, :1])
        across = xp.cos(turn) * side + xp.sin(turn) * _cross(ahead, side)
        # the angle at the middle atom is measured between the way back and the way on
        ahead, back = -xp.cos(bend) * ahead + xp.sin(bend) * across, ahead
        inward = -back - (-back * ahead).sum(-1)[:, None] * ahead
        side = inward / _norm(inward)[:, None]
        places.append(places[-1] + lengths[:, i + 1, None] * ahead)
    return xp.stack(places, 1)


def _turned(x: Array, generator: Generator) -> Array:
    return x @ library(x).swapaxes(random_rotations(len(x), generator), 1, 2)


def _centred(x: Array) -> Array:
    return x - x.sum(-2)[..., None, :] / x.shape[-2]


def _molecules(x: Array, atoms: int) -> tuple[Array, Array]:
    """Positions as floats, and the steps between neighbours."""
    if library(x) is np:
        x = np.asarray(x)
        x = x if x.dtype.kind == "f" else x.astype(float)
    if x.ndim < 2 or tuple(x.shape[-2:]) != (atoms, 3):
        raise ValueError(f"positions have shape (..., {atoms}, 3), got {tuple(x.shape)}")
    return x, x[..., 1:, :] - x[..., :-1, :]


def _angles(steps: Array) -> Array:
    """Degrees between each way back and the next way on; by arctan2, which is exact near 0 and 180 too."""
    back, on = -steps[..., :-1, :], steps[..., 1:, :]
    return _degrees(library(steps).arctan2(_norm(_cross(back, on)), (back * on).sum(-1)))


def _cross(a: Array, b: Array) -> Array:
    return library(a).linalg.cross(a, b)


def _norm(x: Array) -> Array:
    return library(x).sqrt((x * x).sum(-1))


def _degrees(radians: Array) -> Array:
    return radians * (180 / math.pi)


def _radians(degrees: Array) -> Array:
    return degrees * (math.pi / 180)


def _log_normal(x: Array, mean: float, sd: float) -> Any:
    return -(((x - mean) / sd) ** 2) / 2 - math.log(sd * math.sqrt(2 * math.pi))


def _demand_room(length: float, length_sd: float, angle: float, angle_sd: float, widest: float) -> None:
    if not (length_sd > 0 and length > _MARGIN * length_sd):
        raise ValueError(f"length must be more than {_MARGIN} length_sd, both positive, got {length} and {length_sd}")
    if not (angle_sd > 0 and _MARGIN * angle_sd < angle < widest - _MARGIN * angle_sd):
        raise ValueError(
            f"angle must be more than {_MARGIN} angle_sd above 0 and below {widest:g} degrees, "
            f"got {angle} and {angle_sd}"
        )
