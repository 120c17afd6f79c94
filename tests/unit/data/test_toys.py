"""Toy densities: they integrate to one, their entropies and samplers agree with them, in numpy and torch."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from gdgrade.data import toys

# name: (toy, half side of a square that holds its mass, grid step)
TOYS = {
    "gaussian": (toys.Gaussian((0.5, -1), ((1.0, 0.6), (0.6, 0.8))), 10, 0.05),
    "mixture": (toys.GaussianMixture([[0, 0], [0.3, 0.1], [1, 0]], 0.3, [2, 3, 5]), 4, 0.05),
    "ring": (toys.ring(8, 2.0, 0.2), 4, 0.04),
    "grid": (toys.grid(5, 2.0, 0.15), 6, 0.04),
    "moons": (toys.TwoMoons(0.1), 3, 0.025),
    "circles": (toys.Circles((1.0, 0.5), 0.1), 2, 0.025),
    "checkerboard": (toys.Checkerboard(), 5, 0.05),
}
each_toy = pytest.mark.parametrize("name", TOYS)


def on_grid(name):
    """log p at the midpoints of a grid, and the area of a cell."""
    toy, half, step = TOYS[name]
    line = np.arange(-half + step / 2, half, step)
    rows = [toy.log_prob(np.stack([line, np.full_like(line, y)], -1)) for y in line]
    return np.concatenate(rows), step**2


@each_toy
def test_density_integrates_to_one(name):
    """The rule converges exponentially for the smooth toys; the board's edges lie on cell borders."""
    log_p, area = on_grid(name)
    assert np.exp(log_p).sum() * area == pytest.approx(1, abs=1e-9)


@each_toy
def test_entropy_equals_that_of_the_density(name):
    """entropy() agrees with -sum p log p on an independent grid."""
    log_p, area = on_grid(name)
    p = np.exp(log_p)
    expected = -np.sum(np.where(p > 0, p * np.where(p > 0, log_p, 0), 0)) * area
    assert TOYS[name][0].entropy() == pytest.approx(expected, abs=1e-6)


def test_entropies_known_in_closed_form():
    """Board, one Gaussian, Gaussians too far apart to overlap; overlap lowers the entropy."""
    assert toys.Checkerboard().entropy() == pytest.approx(3.4657359, abs=1e-7)
    assert toys.Gaussian().entropy() == pytest.approx(math.log(2 * math.pi * math.e), abs=1e-12)
    assert toys.GaussianMixture([[3, 4]], 0.5).entropy() == pytest.approx(
        math.log(2 * math.pi * math.e * 0.25), abs=1e-12
    )
    separate = math.log(25) + math.log(2 * math.pi * math.e * 0.05**2)
    assert toys.grid().entropy() == pytest.approx(separate, abs=1e-9)
    assert toys.ring(8, 2.0, 0.2).entropy() < math.log(8) + math.log(2 * math.pi * math.e * 0.04) - 1e-4


@pytest.mark.parametrize("weights", [None, [1, 2, 3]])
def test_far_means_are_left_out_without_harm(weights):
    """One close pair and one mean just inside or just outside the cut give the same as a fine grid."""
    for distance in (0.5, 17.9, 18.1):
        mixture = toys.GaussianMixture([[0, 0], [0.1, 0], [0.1 * distance, 0]], 0.1, weights)
        line_x, line_y = np.arange(-1, 3, 0.01), np.arange(-1, 1, 0.01)
        log_p = mixture.log_prob(np.stack(np.meshgrid(line_x, line_y), -1))
        assert mixture.entropy() == pytest.approx(-np.sum(np.exp(log_p) * log_p) * 1e-4, abs=1e-6)


@pytest.mark.parametrize("library", ["numpy", "torch"])
@each_toy
def test_sampler_follows_the_density(name, library):
    """Counts on a coarse board fit the integrals of the density (chi-square, false alarm 1e-6), and the mean
    of -log p fits the entropy within six standard errors."""
    toy, half, _ = TOYS[name]
    n = 40_000
    if library == "numpy":
        x = toy.sample(n, np.random.default_rng(11))
    else:
        sample = toy.sample(n, torch.Generator().manual_seed(11))
        assert sample.dtype == torch.get_default_dtype()
        x = sample.double().numpy()
    assert x.shape == (n, 2)

    # 12 x 12 cells, each integrated on 32 x 32 midpoints
    line = -half + (np.arange(12 * 32) + 0.5) * half / 192
    density = np.exp(np.stack([toy.log_prob(np.stack([np.full_like(line, u), line], -1)) for u in line]))
    share = density.reshape(12, 32, 12, 32).sum((1, 3)).ravel() * (half / 192) ** 2
    cells = np.floor((x + half) * 6 / half).astype(int).clip(0, 11)
    counts = np.bincount(cells[:, 0] * 12 + cells[:, 1], minlength=144)
    kept = share * n > 5
    expected = np.append(share[kept], 1 - share[kept].sum()) * n
    observed = np.append(counts[kept], n - counts[kept].sum())
    full = expected > 1
    statistic = np.sum((observed[full] - expected[full]) ** 2 / expected[full])
    assert stats.chi2.sf(statistic, full.sum() - 1) > 1e-6

    surprise = -toy.log_prob(x)
    error = surprise.std() / math.sqrt(n)
    assert abs(surprise.mean() - toy.entropy()) <= 6 * error + 1e-9


@each_toy
def test_numpy_and_torch_agree(name):
    """The same numbers in both libraries, for any leading shape, with the dtype of the input."""
    toy = TOYS[name][0]
    x = toy.sample(12, np.random.default_rng(5)).reshape(3, 4, 2)
    expected = toy.log_prob(x)
    assert expected.shape == (3, 4)
    got = toy.log_prob(torch.tensor(x))
    assert got.dtype == torch.float64
    assert got.numpy() == pytest.approx(expected, rel=1e-12)
    assert toy.log_prob(torch.tensor(x).float()).dtype == torch.float32
    assert toy.log_prob(x.astype(np.float32)).dtype == np.float32
    assert toy.log_prob(x[0, 0].tolist()) == pytest.approx(expected[0, 0], rel=1e-12)


@each_toy
def test_torch_gradient_is_the_slope(name):
    """Autograd equals central differences of the numpy log-density, also at the centre of the plane."""
    toy = TOYS[name][0]
    points = np.concatenate([toy.sample(6, np.random.default_rng(6)), [[0.0, 0.0]]])
    x = torch.tensor(points, requires_grad=True)
    total = toy.log_prob(x).sum()
    (gradient,) = torch.autograd.grad(total, x)
    step = 1e-6
    slopes = [(toy.log_prob(points + e) - toy.log_prob(points - e)) / (2 * step) for e in step * np.eye(2)]
    inside = np.isfinite(slopes).all(0)  # a difference across an edge of the board is no slope
    assert inside.sum() >= 5
    assert gradient.numpy()[inside] == pytest.approx(np.stack(slopes, -1)[inside], abs=2e-4)


@each_toy
def test_samples_repeat_with_the_seed_alone(name):
    """Equal seeds give equal samples, other seeds others; the global generators are not touched."""
    toy = TOYS[name][0]
    before = torch.get_rng_state()
    for make in (np.random.default_rng, lambda seed: torch.Generator().manual_seed(seed)):
        first, again, other = (np.asarray(toy.sample(7, make(seed))) for seed in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_far_away_the_density_is_finite():
    """No overflow and no -infinity where the toys are smooth: a bad model's samples still get a number."""
    far = np.array([[1e3, -1e3], [-50.0, 0.0]])
    for name, (toy, _, _) in TOYS.items():
        if name != "checkerboard":
            assert np.isfinite(toy.log_prob(far)).all(), name
            assert torch.isfinite(toy.log_prob(torch.tensor(far))).all(), name
    assert (toys.Checkerboard().log_prob(far) == -np.inf).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: toys.TwoMoons(0.0), "sigma"),
        (lambda: toys.Circles(()), "radii"),
        (lambda: toys.Circles((1.0,), -1), "sigma"),
        (lambda: toys.GaussianMixture([1, 2], 1.0), r"\(k, 2\)"),
        (lambda: toys.GaussianMixture([[1, 2]], 0.0), "positive"),
        (lambda: toys.GaussianMixture([[1, 2]], 1.0, [1, 1]), r"\(1,\)"),
        (lambda: toys.GaussianMixture([[1, 2], [0, 0]], 1.0, [1, 0]), "positive"),
        (lambda: toys.Gaussian((0, 0), ((1, 2), (2, 1))), "positive definite"),
        (lambda: toys.Gaussian((0, 0), ((1, 0.5), (0, 1))), "symmetric"),
        (lambda: toys.Gaussian((0, 0, 0)), "mean"),
        (lambda: toys.ring().log_prob(np.zeros((4, 3))), r"\(\.\.\., 2\), got \(4, 3\)"),
    ],
)
def test_wrong_arguments_are_named(make, words):
    """A ValueError that says what was expected."""
    with pytest.raises(ValueError, match=words):
        make()


def test_only_generators_draw():
    """A seed in place of a generator is refused, with the type it has."""
    with pytest.raises(TypeError, match="got int"):
        toys.ring().sample(3, 42)
