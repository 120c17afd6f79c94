"""Comparisons and statistics: pure functions on arrays that say whether an answer is right.

* values: ``compare``, ``tolerance_for``; bounds: ``at_most``, ``at_least``, ``within``;
* exact averages over noise: ``sign_vectors``;
* exact tests: moments (``mean_z``, ``variance_chi2``, ``covariance_test``, ``correlation_test``), known
  mixtures (``mode_counts``, ``within_mode_variance``, ``within_mode_mean``, ``outside_fraction``),
  ``uniform_integers``;
* two samples of one law: ``energy_test``, ``mmd_test``, ``sliced_wasserstein_test``; ranks: ``ks_test``,
  ``mann_whitney``;
* distances as numbers: ``energy_distance``, ``mmd_squared``, ``wasserstein_1d``, ``sliced_wasserstein``;
* repetition: ``attempts``; limits of training checks: ``load_calibrations``, ``limit_from``.

numpy arrays, torch tensors and nested lists are all welcome. A student's values never raise: a wrong answer
is a result (``Difference``, ``TestResult``, ``BoundResult``); an exception means that the grader asked for
something impossible. Importing this package costs numpy; each part is loaded when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# Modules called like the function they hold are loaded at once: loaded later, they would take its name here.
from gdgrade.compare.attempts import AttemptsResult as AttemptsResult
from gdgrade.compare.attempts import attempts as attempts
from gdgrade.compare.sign_vectors import sign_vectors as sign_vectors

if TYPE_CHECKING:
    from gdgrade.compare.arrays import as_array as as_array
    from gdgrade.compare.bounds import BoundResult as BoundResult
    from gdgrade.compare.bounds import at_least as at_least
    from gdgrade.compare.bounds import at_most as at_most
    from gdgrade.compare.bounds import within as within
    from gdgrade.compare.calibration import Calibration as Calibration
    from gdgrade.compare.calibration import clopper_pearson as clopper_pearson
    from gdgrade.compare.calibration import dump_calibrations as dump_calibrations
    from gdgrade.compare.calibration import limit_from as limit_from
    from gdgrade.compare.calibration import load_calibrations as load_calibrations
    from gdgrade.compare.counts import mode_counts as mode_counts
    from gdgrade.compare.counts import multinomial_pvalue as multinomial_pvalue
    from gdgrade.compare.counts import outside_fraction as outside_fraction
    from gdgrade.compare.counts import outside_probability as outside_probability
    from gdgrade.compare.counts import uniform_integers as uniform_integers
    from gdgrade.compare.counts import within_mode_mean as within_mode_mean
    from gdgrade.compare.counts import within_mode_variance as within_mode_variance
    from gdgrade.compare.difference import Difference as Difference
    from gdgrade.compare.difference import compare as compare
    from gdgrade.compare.distances import energy_distance as energy_distance
    from gdgrade.compare.distances import mmd_squared as mmd_squared
    from gdgrade.compare.distances import pairwise_distances as pairwise_distances
    from gdgrade.compare.distances import sliced_wasserstein as sliced_wasserstein
    from gdgrade.compare.distances import unit_directions as unit_directions
    from gdgrade.compare.distances import wasserstein_1d as wasserstein_1d
    from gdgrade.compare.moments import correlation_test as correlation_test
    from gdgrade.compare.moments import covariance_test as covariance_test
    from gdgrade.compare.moments import mean_z as mean_z
    from gdgrade.compare.moments import variance_chi2 as variance_chi2
    from gdgrade.compare.ranks import ks_test as ks_test
    from gdgrade.compare.ranks import mann_whitney as mann_whitney
    from gdgrade.compare.result import TestResult as TestResult
    from gdgrade.compare.tolerance import Tolerance as Tolerance
    from gdgrade.compare.tolerance import tolerance_for as tolerance_for
    from gdgrade.compare.two_sample import energy_test as energy_test
    from gdgrade.compare.two_sample import mmd_test as mmd_test
    from gdgrade.compare.two_sample import sliced_wasserstein_test as sliced_wasserstein_test

_PARTS = {
    "arrays": ("as_array",),
    "bounds": ("BoundResult", "at_least", "at_most", "within"),
    "calibration": ("Calibration", "clopper_pearson", "dump_calibrations", "limit_from", "load_calibrations"),
    "counts": (
        "mode_counts",
        "multinomial_pvalue",
        "outside_fraction",
        "outside_probability",
        "uniform_integers",
        "within_mode_mean",
        "within_mode_variance",
    ),
    "difference": ("Difference", "compare"),
    "distances": (
        "energy_distance",
        "mmd_squared",
        "pairwise_distances",
        "sliced_wasserstein",
        "unit_directions",
        "wasserstein_1d",
    ),
    "moments": ("correlation_test", "covariance_test", "mean_z", "variance_chi2"),
    "ranks": ("ks_test", "mann_whitney"),
    "result": ("TestResult",),
    "tolerance": ("Tolerance", "tolerance_for"),
    "two_sample": ("energy_test", "mmd_test", "sliced_wasserstein_test"),
}
_HOME = {name: part for part, names in _PARTS.items() for name in names}

__all__ = sorted(["AttemptsResult", "attempts", "sign_vectors", *_HOME])


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value  # next time without this function
    return value
