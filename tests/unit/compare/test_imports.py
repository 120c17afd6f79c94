"""The package is cheap to import and complete."""

import subprocess
import sys

import pytest

import gdgrade.compare


def test_importing_costs_numpy_only() -> None:
    """Neither the package nor all of its names pull in scipy or torch."""
    code = (
        "import sys, gdgrade.compare as c\n"
        "for name in c.__all__: getattr(c, name)\n"
        "heavy = [m for m in ('scipy', 'torch', 'ot', 'matplotlib') if m in sys.modules]\n"
        "raise SystemExit(' '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_tests_of_moments_and_permutations_do_without_scipy_stats() -> None:
    """The tests used while judging import at most scipy.special."""
    code = (
        "import sys, numpy as np, gdgrade.compare as c\n"
        "rng = np.random.default_rng(0); x = rng.normal(size=(40, 2))\n"
        "c.mean_z(x, 0, 1); c.variance_chi2(x, 1); c.covariance_test(x, np.eye(2)); c.mode_counts(x, x[:2])\n"
        "c.within_mode_variance(x, x[:2], 1.0); c.uniform_integers([0, 1], 2); c.energy_test(x, x, rng)\n"
        "c.mmd_test(x, x, rng); c.sliced_wasserstein_test(x, x, rng); c.clopper_pearson(1, 3)\n"
        "raise SystemExit('scipy.stats' if 'scipy.stats' in sys.modules else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_functions_keep_their_names_beside_their_modules() -> None:
    """Importing gdgrade.compare.attempts does not replace the function of that name."""
    import gdgrade.compare.attempts
    import gdgrade.compare.sign_vectors

    assert callable(gdgrade.compare.attempts)
    assert callable(gdgrade.compare.sign_vectors)


def test_unknown_names_raise_attribute_error() -> None:
    """As for any module."""
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        gdgrade.compare.nonsense  # noqa: B018
