"""Toy molecules: lengths, angles and torsions follow the laws they state, and the density is that of the samples."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from gdgrade.data.toys.molecules import Chain, Ring, chain, random_rotations, water_like

TOYS = {"water": water_like(), "chain": chain(7), "ring": Ring(6), "crown": Ring(8, angle=117.0, angle_sd=2.0)}
each_toy = pytest.mark.parametrize("name", TOYS)
N = 4000


def drawn(name, library="numpy"):
    """N molecules in double precision."""
    if library == "numpy":
        return TOYS[name].sample(N, np.random.default_rng(3))
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return TOYS[name].sample(N, torch.Generator().manual_seed(3))
    finally:
        torch.set_default_dtype(default)


def independent(toy, values):
    """One value per independent draw: a ring draws one for all its bonds."""
    return values[:, 0] if isinstance(toy, Ring) else values.ravel()


@pytest.mark.parametrize("library", ["numpy", "torch"])
@each_toy
def test_lengths_and_angles_follow_their_normal_laws(name, library):
    """Kolmogorov-Smirnov against the stated law, false alarm 1e-6 each; measured on the positions."""
    toy, x = TOYS[name], drawn(name, library)
    for values, mean, sd in ((toy.lengths(x), toy.length, toy.length_sd), (toy.angles(x), toy.angle, toy.angle_sd)):
        values = independent(toy, np.asarray(values))
        assert stats.kstest(values, stats.norm(mean, sd).cdf).pvalue > 1e-6


def test_measuring_gives_back_what_was_drawn():
    """Lengths, angles and torsions of a chain are the drawn numbers, to rounding."""
    toy, source, again = chain(6), np.random.default_rng(8), np.random.default_rng(8)
    x = toy.sample(50, source)
    assert toy.lengths(x) == pytest.approx(toy.length + toy.length_sd * again.standard_normal((50, 5)), abs=1e-12)
    assert toy.angles(x) == pytest.approx(toy.angle + toy.angle_sd * again.standard_normal((50, 4)), abs=1e-9)
    assert toy.torsions(x) == pytest.approx(180 * (2 * again.random((50, 3)) - 1), abs=1e-9)


def test_torsions_are_uniform_and_both_hands_equal():
    """Kolmogorov-Smirnov against (-180, 180), false alarm 1e-6; the mirror image has the opposite torsions."""
    x = drawn("chain")
    torsions = TOYS["chain"].torsions(x)
    assert stats.kstest(torsions.ravel(), stats.uniform(-180, 360).cdf).pvalue > 1e-6
    assert TOYS["chain"].torsions(x * [1, 1, -1]) == pytest.approx(-torsions, abs=1e-9)


def test_sign_and_zero_of_a_torsion():
    """Cis is 0, trans 180; looking along the middle bond, a clockwise turn is positive (IUPAC)."""
    toy = chain(4)
    bend = np.array([[1.0, 1, 0], [1, 0, 0], [0, 0, 0]])
    for last, expected in (([0, 1.0, 0], 0), ([0, 0, -1.0], 90), ([0, 0, 1.0], -90)):
        # the middle bond runs along -x: for the eye at +x, with y upwards, -z is to the right
        assert toy.torsions(np.vstack([bend, [last]]))[0] == pytest.approx(expected, abs=1e-12)
    assert abs(toy.torsions(np.vstack([bend, [[0, -1.0, 0]]]))[0]) == pytest.approx(180)


@each_toy
def test_all_bonds_and_angles_of_a_ring_are_equal_and_chains_differ(name):
    """A crown is regular to rounding; the bonds of a chain are independent (correlation within 6 / sqrt N)."""
    toy, x = TOYS[name], drawn(name)
    lengths, angles = toy.lengths(x), toy.angles(x)
    assert len(toy.bonds) == lengths.shape[1]
    for column, (i, j) in enumerate(toy.bonds):
        assert lengths[:, column] == pytest.approx(np.linalg.norm(x[:, i] - x[:, j], axis=1), abs=1e-12)
    if isinstance(toy, Ring):
        assert np.ptp(lengths, axis=1).max() < 1e-12
        assert np.ptp(angles, axis=1).max() < 1e-9
    else:
        assert abs(np.corrcoef(lengths[:, 0], lengths[:, 1])[0, 1]) < 6 / math.sqrt(N)
        assert abs(np.corrcoef(lengths[:, 0], angles[:, 0])[0, 1]) < 6 / math.sqrt(N)


@each_toy
def test_molecules_are_centred_and_turned_at_random(name):
    """The mean over atoms is zero; the direction of the first bond is uniform on the sphere (false alarm 1e-6)."""
    x = drawn(name)
    assert np.abs(x.mean(1)).max() < 1e-12
    first = x[:, 1] - x[:, 0]
    for axis in range(3):
        share = first[:, axis] / np.linalg.norm(first, axis=1)
        assert stats.kstest(share, stats.uniform(-1, 2).cdf).pvalue > 1e-6


def test_rotations_are_proper_and_uniform():
    """Orthogonal, determinant 1; the trace has the law of Haar rotations: angle density (1 - cos a) / pi."""
    rotations = random_rotations(N, np.random.default_rng(1))
    assert rotations @ rotations.transpose(0, 2, 1) == pytest.approx(np.broadcast_to(np.eye(3), (N, 3, 3)), abs=1e-12)
    assert np.linalg.det(rotations) == pytest.approx(np.ones(N))
    angle = np.arccos(np.clip((np.trace(rotations, axis1=1, axis2=2) - 1) / 2, -1, 1))
    assert stats.kstest(angle, lambda a: (a - np.sin(a)) / np.pi).pvalue > 1e-6


@pytest.mark.parametrize("toy", [water_like(), chain(5)], ids=["water", "chain"])
def test_entropy_is_the_mean_surprise(toy):
    """Mean of -log p over samples within six standard errors of entropy()."""
    surprise = -toy.log_prob(toy.sample(20_000, np.random.default_rng(4)))
    assert abs(surprise.mean() - toy.entropy()) < 6 * surprise.std() / math.sqrt(20_000)


@pytest.mark.parametrize("toy", [water_like(), chain(4)], ids=["water", "chain"])
def test_density_integrates_to_one(toy):
    """Importance sampling of 1 = E_g[p / g] from another law of the same family, with thrice the widths; g's density is
    that of its own class, so this alone tests ratios; the scale is tested below."""
    wide = Chain(toy.symbols, toy.length, 3 * toy.length_sd, toy.angle, 1.5 * toy.angle_sd)
    x = wide.sample(40_000, np.random.default_rng(6))
    ratio = np.exp(toy.log_prob(x) - wide.log_prob(x))
    assert abs(ratio.mean() - 1) < 6 * ratio.std() / 200


def test_scale_of_the_density_by_a_gaussian_integral():
    """E_p[g / p; A] = P_g(A) for a Gaussian g in the subspace, whose normalisation is known: so are the constants of
    log_prob right. A holds the lengths and angles within two standard deviations, where g / p is bounded."""
    toy = Chain(("H", "O", "H"), 1.7, 0.2, 90.0, 11.0)
    rng, n, scale = np.random.default_rng(12), 100_000, 1.0

    def inside(x):
        return (np.abs(toy.lengths(x) - 1.7) < 0.4).all(-1) & (np.abs(toy.angles(x) - 90) < 22).all(-1)

    def log_gaussian(x):
        return -(x**2).sum((-1, -2)) / (2 * scale**2) - 3 * math.log(2 * math.pi * scale**2)

    g = scale * rng.standard_normal((n, 3, 3))
    mass = inside(g - g.mean(1, keepdims=True))
    x = toy.sample(n, rng)
    ratio = np.where(inside(x), np.exp(log_gaussian(x) - toy.log_prob(x)), 0)
    error = math.hypot(ratio.std(), mass.std()) / math.sqrt(n)
    assert error < 0.03 * mass.mean()
    assert abs(ratio.mean() - mass.mean()) < 6 * error


@each_toy
def test_numpy_and_torch_measure_alike(name):
    """The same numbers in both libraries; torch keeps its dtype and its graph."""
    toy, x = TOYS[name], drawn(name)[:5]
    tensor = torch.tensor(x, requires_grad=True)
    assert toy.lengths(tensor).detach().numpy() == pytest.approx(toy.lengths(x), abs=1e-12)
    assert toy.angles(tensor).detach().numpy() == pytest.approx(toy.angles(x), abs=1e-9)
    (gradient,) = torch.autograd.grad(toy.angles(tensor).sum(), tensor)
    assert torch.isfinite(gradient).all()
    assert toy.sample(2, torch.Generator().manual_seed(0)).dtype == torch.get_default_dtype()
    if isinstance(toy, Chain):
        assert toy.log_prob(tensor).detach().numpy() == pytest.approx(toy.log_prob(x), abs=1e-9)


@each_toy
def test_samples_repeat_with_the_seed_alone(name):
    """Equal seeds give equal molecules, other seeds others; the global generators are not touched."""
    before = torch.get_rng_state()
    for make in (np.random.default_rng, lambda seed: torch.Generator().manual_seed(seed)):
        first, again, other = (np.asarray(TOYS[name].sample(3, make(seed))) for seed in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Chain(("H", "H")), "at least 3 atoms"),
        (lambda: Chain(("H", "O", "H"), 0.9, 0.2), "length_sd"),
        (lambda: Chain(("H", "O", "H"), angle=170.0), "180 degrees"),
        (lambda: Ring(5), "even number"),
        (lambda: Ring(6, angle=119.0), "120 degrees"),
        (lambda: Ring(6).lengths(np.zeros((2, 5, 3))), r"\(\.\.\., 6, 3\)"),
    ],
)
def test_impossible_molecules_are_refused(make, word):
    """The message names what is wrong."""
    with pytest.raises(ValueError, match=word):
        make()
