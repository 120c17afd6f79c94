"""The tolerance rule."""

import numpy as np
import pytest
import torch

from gdgrade.compare import Tolerance, compare, tolerance_for


@pytest.mark.parametrize(
    ("dtype", "rtol"),
    [
        ("float64", 1e-8),
        (np.float64, 1e-8),
        (np.dtype("float64"), 1e-8),
        (torch.float64, 1e-8),
        ("float32", 2e-5),
        (np.float32, 2e-5),
        (torch.float32, 2e-5),
        ("float16", 1e-2),
        (torch.bfloat16, 1e-2),
        (torch.complex64, 2e-5),
        (np.longdouble, 1e-8),
        (torch.int64, 0.0),
        (bool, 0.0),
        (np.uint8, 0.0),
    ],
)
def test_dtype_chooses_rtol(dtype: object, rtol: float) -> None:
    """numpy dtypes, torch dtypes and names give the same tolerance; whole numbers are exact."""
    assert tolerance_for(dtype).rtol == rtol


@pytest.mark.parametrize("dtype", ["str", "object", "datetime64", "no such", None])
def test_other_dtypes_are_refused(dtype: object) -> None:
    """A dtype that is not one of numbers has no tolerance."""
    with pytest.raises(ValueError, match="no tolerance for dtype"):
        tolerance_for(dtype)


@pytest.mark.parametrize(("rtol", "atol"), [(-1e-9, 0.0), (0.0, -1.0), (np.nan, 0.0), (0.0, np.inf)])
def test_senseless_tolerances_are_refused(rtol: float, atol: float) -> None:
    """Tolerances are finite and not negative, also when given to compare."""
    with pytest.raises(ValueError, match="finite and >= 0"):
        Tolerance(rtol, atol)
    with pytest.raises(ValueError, match="finite and >= 0"):
        compare(1.0, 1.0, rtol=rtol, atol=atol)


def test_cancelled_entry_is_not_punished() -> None:
    """An entry that cancels to 0 among entries of size 1e3 may be off by 1e-8 of the largest, not more."""
    expected = np.array([1000.0, 0.0])
    assert compare([1000.0, 0.9e-5], expected) is None
    assert compare([1000.0, 1.1e-5], expected) is not None


def test_order_of_summation_passes_and_small_mistake_fails() -> None:
    """A sum in another order passes at 1e-8; a term forgotten that is 1e-6 of the sum does not."""
    terms = np.random.default_rng(0).normal(size=(50, 20_000))
    expected = terms.sum(axis=1)
    backwards = np.array([sum(row[::-1].tolist()) for row in terms])
    assert compare(backwards, expected) is None
    assert compare(expected * (1 + 1e-6), expected) is not None


def test_float32_arithmetic_passes_at_float32_only() -> None:
    """The same formula in float32 agrees under float32's tolerance and not under float64's."""
    x = np.random.default_rng(1).normal(size=(40, 30))
    expected = np.log(np.exp(x).sum(axis=1))
    single = np.log(np.exp(x.astype(np.float32)).sum(axis=1))
    assert compare(single, expected.astype(np.float32)) is None
    difference = compare(single, expected)
    assert difference is not None
    assert difference.pattern == "precision"
    assert "float32, not float64" in difference.message
