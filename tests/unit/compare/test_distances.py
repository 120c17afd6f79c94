"""Distances as numbers, against scipy, POT and brute force."""

import numpy as np
import ot
import pytest
import torch
from scipy import stats
from scipy.spatial.distance import cdist

from gdgrade.compare import (
    energy_distance,
    mmd_squared,
    pairwise_distances,
    sliced_wasserstein,
    unit_directions,
    wasserstein_1d,
)

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(31, 3)), RNG.normal(size=(20, 3)) + 0.5


@pytest.mark.parametrize("d", [1, 3, 40])
def test_pairwise_distances(d: int) -> None:
    """Few and many dimensions agree with scipy's cdist."""
    x, y = RNG.normal(size=(7, d)) + 100, RNG.normal(size=(5, d)) + 100
    assert pairwise_distances(x, y) == pytest.approx(cdist(x, y), rel=1e-9)
    assert pairwise_distances(x, y, squared=True) == pytest.approx(cdist(x, y) ** 2, rel=1e-9)


def test_energy_distance() -> None:
    """In one dimension it is the square of scipy's; in three it is the plain double sum."""
    line = energy_distance(X[:, 0], Y[:, 0])
    assert line == pytest.approx(stats.energy_distance(X[:, 0], Y[:, 0]) ** 2, rel=1e-9)
    direct = 2 * cdist(X, Y).mean() - cdist(X, X).mean() - cdist(Y, Y).mean()
    assert energy_distance(X, Y) == pytest.approx(direct, rel=1e-9)
    assert energy_distance(X, X[::-1]) == pytest.approx(0.0, abs=1e-12)


def test_energy_distance_in_blocks() -> None:
    """More rows than are held at once make no difference."""
    x = RNG.normal(size=(2500, 2))
    direct = 2 * cdist(x, Y[:, :2]).mean() - cdist(x, x).mean() - cdist(Y[:, :2], Y[:, :2]).mean()
    assert energy_distance(x, Y[:, :2]) == pytest.approx(direct, rel=1e-9)


def test_mmd_squared() -> None:
    """The plain double sum, zero for equal clouds."""
    k = [np.exp(-cdist(a, b, "sqeuclidean") / (2 * 0.7**2)).mean() for a, b in ((X, X), (Y, Y), (X, Y))]
    assert mmd_squared(X, Y, 0.7) == pytest.approx(k[0] + k[1] - 2 * k[2], rel=1e-9)
    assert mmd_squared(X, X, 0.7) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("sizes", [(10, 10), (31, 20), (12, 18), (1, 7)])
@pytest.mark.parametrize("p", [1, 2, 3])
def test_wasserstein_1d(sizes: tuple[int, int], p: int) -> None:
    """Equal, coprime and commensurable sizes agree with POT's solver."""
    x, y = RNG.normal(size=sizes[0]), RNG.normal(size=sizes[1]) * 2
    expected = ot.wasserstein_1d(x, y, p=p) ** (1 / p)
    assert wasserstein_1d(x, y, p) == pytest.approx(float(expected), rel=1e-7)


def test_wasserstein_1_agrees_with_scipy() -> None:
    """W_1 of unequal samples is scipy's wasserstein_distance."""
    assert wasserstein_1d(X[:, 0], Y[:, 0]) == pytest.approx(stats.wasserstein_distance(X[:, 0], Y[:, 0]), rel=1e-9)


@pytest.mark.parametrize("p", [1, 2])
def test_sliced_wasserstein(p: int) -> None:
    """For given directions it agrees with POT."""
    directions = unit_directions(25, 3, np.random.default_rng(1))
    assert np.linalg.norm(directions, axis=1) == pytest.approx(np.ones(25))
    expected = ot.sliced_wasserstein_distance(X, Y, projections=directions.T, p=p)
    assert sliced_wasserstein(X, Y, directions, p) == pytest.approx(float(expected), rel=1e-7)


def test_a_shift_costs_its_length() -> None:
    """Moving a cloud by v costs |v . direction| in W_p along every direction."""
    shift = np.array([0.0, 2.0, 0.0])
    assert sliced_wasserstein(X, X + shift, np.eye(3), 1) == pytest.approx(2 / 3)
    assert wasserstein_1d(X[:, 0], X[:, 0] + 1.5, 2) == pytest.approx(1.5)


def test_torch_is_welcome() -> None:
    """Tensors give the same value."""
    assert energy_distance(torch.tensor(X), Y) == energy_distance(X, Y)


def test_senseless_arguments_raise() -> None:
    """Different dimensions, empty clouds, orders below 1, bandwidths of 0."""
    for call in (
        lambda: energy_distance(X, Y[:, :2]),
        lambda: energy_distance(X, Y[:0]),
        lambda: wasserstein_1d(X, Y),
        lambda: wasserstein_1d(X[:, 0], Y[:, 0], 0.5),
        lambda: mmd_squared(X, Y, 0.0),
        lambda: sliced_wasserstein(X, Y, np.eye(2)),
        lambda: sliced_wasserstein(X, Y, np.zeros((0, 3))),
        lambda: energy_distance(np.zeros((2, 2, 2)), Y),
    ):
        with pytest.raises(ValueError, match=r".+"):
            call()
