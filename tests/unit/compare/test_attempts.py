"""The three-attempt rule, test results and sign vectors."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from gdgrade.compare import TestResult, attempts, mean_z, sign_vectors


@dataclass
class Draw:
    """A draw that remembers what was forked from it."""

    label: str = ""
    forks: list[str] = field(default_factory=list)

    def fork(self, label: str) -> "Draw":
        self.forks.append(label)
        return Draw(label)


def result(pvalue: float, level: float | None = None) -> TestResult:
    """A result with this p-value."""
    return TestResult("mean", 1.0, pvalue, "The mean is off.", level)


def test_first_attempt_that_does_not_reject_ends_it() -> None:
    """A right answer pays for one attempt."""
    draw = Draw()
    outcome = attempts(draw, lambda d: result(0.4))
    assert outcome.passed
    assert outcome.made == 1
    assert draw.forks == ["attempt 1"]
    assert outcome.detail == "Attempt 1: passed."


def test_fails_only_if_all_attempts_reject() -> None:
    """Two bad draws and a good one pass; three bad ones fail, with a sentence for each."""
    bad = {"attempt 1": 0.001, "attempt 2": 0.004}
    outcome = attempts(Draw(), lambda d: result(bad.get(d.label, 0.5)))
    assert outcome.passed
    assert outcome.made == 3
    draw = Draw()
    outcome = attempts(draw, lambda d: result(0.001))
    assert not outcome.passed
    assert draw.forks == ["attempt 1", "attempt 2", "attempt 3"]
    assert outcome.detail == " ".join(f"Attempt {k}: mean: The mean is off (p = 0.001)." for k in (1, 2, 3))
    assert outcome.alpha == pytest.approx(1.25e-7)


def test_several_tests_share_the_level() -> None:
    """Of m tests one must reject at alpha / m."""
    assert attempts(Draw(), lambda d: [result(0.004), result(0.9)]).passed
    assert not attempts(Draw(), lambda d: [result(0.002), result(0.9)]).passed


def test_a_coarse_test_that_could_never_reject_raises() -> None:
    """Two permutation tests with B = 199 cannot reject at 0.0025 each."""
    with pytest.raises(ValueError, match="can never reject"):
        attempts(Draw(), lambda d: [result(0.005, 0.005), result(0.9, 0.005)])
    assert not attempts(Draw(), lambda d: result(0.005, 1 / 200)).passed


def test_a_trial_without_tests_raises() -> None:
    """A check that cannot fail is refused, as are zero attempts."""
    with pytest.raises(ValueError, match="could never fail"):
        attempts(Draw(), lambda d: [])
    with pytest.raises(ValueError, match="n >= 1"):
        attempts(Draw(), lambda d: result(0.5), n=0)


def test_false_fails_come_at_alpha_to_the_n() -> None:
    """At alpha = 0.2 and two attempts, 4 % of right answers fail (2000 runs, five standard errors)."""

    @dataclass
    class Seeded:
        rng: np.random.Generator

        def fork(self, label: str) -> "Seeded":
            return Seeded(self.rng.spawn(1)[0])

    failed = [
        not attempts(Seeded(rng), lambda d: mean_z(d.rng.normal(size=5), 0, 1), alpha=0.2, n=2).passed
        for rng in np.random.default_rng(9).spawn(2000)
    ]
    assert np.mean(failed) == pytest.approx(0.04, abs=5 * np.sqrt(0.04 * 0.96 / 2000))


@pytest.mark.parametrize("pvalue", [-0.1, 1.1, float("nan")])
def test_pvalues_are_probabilities(pvalue: float) -> None:
    """A result with an impossible p-value cannot be made, NaN included."""
    with pytest.raises(ValueError, match="p-value"):
        result(pvalue)


@pytest.mark.parametrize("alpha", [0.0, 1.0, float("nan")])
def test_levels_are_probabilities(alpha: float) -> None:
    """An impossible level is refused."""
    with pytest.raises(ValueError, match="alpha"):
        result(0.5).rejects(alpha)


def test_a_pvalue_equal_to_the_level_rejects() -> None:
    """1/200 rejects at 0.005, also where the two differ in the last bit."""
    assert result(1 / 200, 1 / 200).rejects(0.005)
    assert result(3 * 0.1).rejects(0.3)
    assert not result(0.0051).rejects(0.005)


@pytest.mark.parametrize("d", [0, 1, 2, 5, 10])
def test_sign_vectors_have_gaussian_moments_up_to_the_third(d: int) -> None:
    """All 2^d different vectors; mean 0, covariance I and third moments 0, exactly."""
    s = sign_vectors(d)
    assert s.shape == (2**d, d)
    assert len({tuple(row) for row in s}) == 2**d
    if d:
        assert np.array_equal(s.mean(axis=0), np.zeros(d))
        assert np.array_equal(s.T @ s / 2**d, np.eye(d))
        assert np.array_equal(np.einsum("ni,nj,nk->ijk", s, s, s), np.zeros((d, d, d)))


def test_sign_vectors_average_a_quadratic_loss_exactly() -> None:
    """The mean of |A (a + L s) + b|^2 over all s is its Gaussian expectation, tr(L' A'A L) + |A a + b|^2."""
    rng = np.random.default_rng(0)
    A, L, a, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=3)
    values = (((a + sign_vectors(4) @ L.T) @ A.T + b) ** 2).sum(axis=1)
    assert values.mean() == pytest.approx(np.trace(L.T @ A.T @ A @ L) + ((A @ a + b) ** 2).sum(), rel=1e-12)


@pytest.mark.parametrize("d", [-1, 21])
def test_sign_vectors_refuse_senseless_dimensions(d: int) -> None:
    """Negative or huge dimensions raise."""
    with pytest.raises(ValueError, match=r"0\.\.20"):
        sign_vectors(d)
