"""Tests for mixtures and integers: right level, and power against each departure of a ring of Gaussians."""

import numpy as np
import pytest
from scipy import stats

from gdgrade.compare import (
    mode_counts,
    multinomial_pvalue,
    outside_fraction,
    outside_probability,
    uniform_integers,
    within_mode_mean,
    within_mode_variance,
)


def test_pearson_agrees_with_scipy() -> None:
    """With large counts it is scipy.stats.chisquare."""
    counts, probs = np.array([30, 25, 45]), np.array([0.3, 0.3, 0.4])
    expected = stats.chisquare(counts, 100 * probs)
    statistic, pvalue, level = multinomial_pvalue(counts, probs)
    assert (statistic, pvalue) == pytest.approx((expected.statistic, expected.pvalue))
    assert level is None


def test_small_counts_are_judged_by_simulation_close_to_enumeration() -> None:
    """With few counts the p-value is within simulation error of the exact one, from all tables."""
    counts, probs = np.array([4, 1, 0]), np.array([0.2, 0.3, 0.5])
    tables = [(i, j, 5 - i - j) for i in range(6) for j in range(6 - i)]
    chi2 = [((np.array(t) - 5 * probs) ** 2 / (5 * probs)).sum() for t in tables]
    mass = stats.multinomial(5, probs).pmf(tables)
    exact = mass[np.array(chi2) >= chi2[tables.index((4, 1, 0))] - 1e-9].sum()
    pvalue = multinomial_pvalue(counts, probs)[1]
    assert pvalue == pytest.approx(exact, abs=6 * np.sqrt(exact / 9999))
    assert multinomial_pvalue(counts, probs)[1] == pvalue  # the default simulation is the same every time


@pytest.mark.parametrize("n", [24, 80])
def test_level_of_mode_counts(ring, n: int) -> None:
    """Below and at 10 expected counts per mode, level 0.05 is kept within five standard errors of 600 runs."""
    rejected = [
        mode_counts(ring.sample(rng, n), ring.centres).rejects(0.05) for rng in np.random.default_rng(2).spawn(600)
    ]
    assert np.mean(rejected) < 0.05 + 5 * np.sqrt(0.05 * 0.95 / 600)
    assert np.mean(rejected) > 0.01


def test_level_of_the_chi2_rule_at_0005() -> None:
    """At 10 expected counts per cell the error of the chi2 law at level 0.005 is below a fifth of the level."""
    tables = np.random.default_rng(0).multinomial(80, np.full(8, 1 / 8), size=400_000)
    chi2 = ((tables - 10) ** 2 / 10).sum(axis=1)
    assert np.mean(chi2 >= stats.chi2.isf(0.005, 7)) == pytest.approx(0.005, abs=0.001)


DEPARTURES = [
    ("half of the modes missing", {"probs": [1, 0, 1, 0, 1, 0, 1, 0]}, "counts"),
    ("one mode of eight missing", {"probs": [1, 1, 1, 1, 1, 1, 1, 0]}, "counts"),
    ("one mode doubled", {"probs": [2, 1, 1, 1, 1, 1, 1, 1]}, "counts"),
    ("noise variance doubled", {"sd": 0.2 * 2**0.5}, "width"),
    ("noise variance halved", {"sd": 0.2 / 2**0.5}, "width"),
]


@pytest.mark.parametrize(("what", "change", "finder"), DEPARTURES, ids=[d[0] for d in DEPARTURES])
def test_power_at_1000_samples(ring, what: str, change: dict, finder: str) -> None:
    """Each departure is found at 1e-6 by its own test in each of 20 runs, and the right law passes both."""
    for rng in np.random.default_rng(3).spawn(20):
        wrong, right = ring.sample(rng, **change), ring.sample(rng)
        if finder == "counts":
            assert mode_counts(wrong, ring.centres).rejects(1e-6)
        else:
            assert within_mode_variance(wrong, ring.centres, ring.sd**2).rejects(1e-6)
        assert not mode_counts(right, ring.centres).rejects(1e-4)
        assert not within_mode_variance(right, ring.centres, ring.sd**2).rejects(1e-4)


def test_a_doubled_variance_is_22_standard_errors(ring) -> None:
    """As the module says: the log of the ratio, ln 2, is 22 times its standard error sqrt(2 / 2000)."""
    result = within_mode_variance(ring.sample(np.random.default_rng(0), sd=0.2 * 2**0.5), ring.centres, 0.04)
    ratio = result.statistic / 2000
    assert np.log(ratio) / np.sqrt(2 / 2000) == pytest.approx(22, abs=2)


@pytest.mark.parametrize("change", [{"scale": 0.9}, {"shift": 0.1}])
def test_scale_and_shift_move_the_modes(ring, change: dict) -> None:
    """A ring scaled by 0.9 or shifted by 0.1 is found by the places of the modes."""
    for rng in np.random.default_rng(4).spawn(20):
        x = ring.sample(rng)
        assert not within_mode_mean(x, ring.centres, 0.04).rejects(1e-4)
        assert within_mode_mean(x * change.get("scale", 1.0) + change.get("shift", 0.0), ring.centres, 0.04).rejects(
            1e-6
        )


def test_width_and_place_are_exact_for_one_mode(gap_from_uniform) -> None:
    """With a single mode nothing changes sides, and the p-values are uniform."""
    centre = np.array([[1.0, -1.0]])

    def sample(rng: np.random.Generator) -> np.ndarray:
        return centre + 0.3 * rng.normal(size=(5, 2))

    assert gap_from_uniform(lambda rng: within_mode_variance(sample(rng), centre, 0.09).pvalue) < 0.06
    assert gap_from_uniform(lambda rng: within_mode_mean(sample(rng), centre, 0.09).pvalue) < 0.06


def test_widths_and_places_of_the_ring_keep_their_level(ring, gap_from_uniform) -> None:
    """On the ring with 200 samples the share that changes sides is too small to see."""
    width = lambda rng: within_mode_variance(ring.sample(rng, 200), ring.centres, 0.04).pvalue  # noqa: E731
    place = lambda rng: within_mode_mean(ring.sample(rng, 200), ring.centres, 0.04).pvalue  # noqa: E731
    assert gap_from_uniform(width) < 0.06
    assert gap_from_uniform(place) < 0.06


def test_two_dimensional_tails() -> None:
    """Within 3 sd in the plane lies 0.98889 of the mass, within 4 sd 0.99966."""
    assert 1 - outside_probability(3.0, 2) == pytest.approx(0.98889, abs=1e-5)
    assert 1 - outside_probability(4.0, 2) == pytest.approx(0.99966, abs=1e-5)
    assert outside_probability(2.5, 5) == pytest.approx(stats.chi2.sf(6.25, 5))


def test_outliers_both_ways(ring) -> None:
    """Too many samples far out are found, and so are too few (99.9 % within 3 sd is too narrow in the plane)."""
    rng = np.random.default_rng(0)
    right, narrow, wide = (ring.sample(rng, 4000, sd=sd) for sd in (0.2, 0.16, 0.24))
    assert not outside_fraction(right, ring.centres, 0.2, 3.0).rejects(1e-3)
    assert outside_fraction(narrow, ring.centres, 0.2, 3.0).rejects(1e-6)
    assert outside_fraction(wide, ring.centres, 0.2, 3.0).rejects(1e-6)


@pytest.mark.parametrize(("n", "size"), [(2, 50), (10, 200), (50, 512), (1000, 512)])
def test_level_of_uniform_integers(n: int, size: int) -> None:
    """Uniform integers are rejected at 0.05 in at most 5 % of the runs (plus five standard errors)."""
    rejected = [
        uniform_integers(rng.integers(0, n, size), n).rejects(0.05) for rng in np.random.default_rng(5).spawn(600)
    ]
    assert np.mean(rejected) < 0.05 + 5 * np.sqrt(0.05 * 0.95 / 600)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (1, 50, "The value 0 came 0 times"),
        (0, 49, "The value 49 came 0 times"),
        (0, 51, "A value 50 came"),
        (1, 51, "A value 50 came"),
    ],
)
def test_wrong_ends_of_a_range(low: int, high: int, words: str) -> None:
    """Drawing from 1, to T-2 or to T is found with 20 values per possible number."""
    values = np.random.default_rng(0).integers(low, high, 1000)
    result = uniform_integers(values, 50)
    assert result.rejects(1e-6)
    assert result.detail.startswith(words)


def test_uneven_and_constant_integers() -> None:
    """Not uniform within the range, one value for the whole batch, and fractions are found."""
    rng = np.random.default_rng(0)
    assert uniform_integers((50 * rng.random(1000) ** 2).astype(int), 50).rejects(1e-6)
    assert uniform_integers(np.full(1000, 17), 50).rejects(1e-6)
    assert uniform_integers(50 * rng.random(1000), 50).pvalue == 0.0


@pytest.mark.parametrize(
    "samples", [None, "x", [], np.full((9, 2), np.nan), np.zeros((9, 3)), np.zeros((2, 2, 2))], ids=repr
)
def test_unfit_samples_reject_without_raising(ring, samples: object) -> None:
    """What cannot be samples in the plane is rejected with a reason."""
    for result in (
        mode_counts(samples, ring.centres),
        within_mode_variance(samples, ring.centres, 0.04),
        within_mode_mean(samples, ring.centres, 0.04),
        outside_fraction(samples, ring.centres, 0.2),
    ):
        assert result.pvalue == 0.0
        assert result.detail.endswith(".")


def test_senseless_parameters_raise(ring) -> None:
    """Impossible widths, weights and ranges are the grader's mistake."""
    x = ring.sample(np.random.default_rng(0), 10)
    for call in (
        lambda: within_mode_variance(x, ring.centres, 0.0),
        lambda: within_mode_mean(x, ring.centres, -1.0),
        lambda: outside_fraction(x, ring.centres, 0.2, radius=0.0),
        lambda: mode_counts(x, ring.centres, probs=[1.0, -1.0, 0, 0, 0, 0, 0, 0]),
        lambda: mode_counts(x, ring.centres, probs=[1.0]),
        lambda: uniform_integers([0], 1),
    ):
        with pytest.raises(ValueError, match=r".+"):
            call()


def test_an_impossible_mode_must_stay_empty(ring) -> None:
    """A mode of weight 0 that got samples rejects at once."""
    x = ring.sample(np.random.default_rng(0), 1000)
    assert mode_counts(x, ring.centres, probs=[0, 1, 1, 1, 1, 1, 1, 1]).rejects(1e-6)
