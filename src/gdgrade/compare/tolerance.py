"""How close is close enough: the one rule by which numbers are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gdgrade.compare.arrays import Array


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The rule, for one array with entries ``expected`` and ``got``:

        ``|got - expected| <= atol + rtol * max |expected|``   for every entry,

    where the maximum runs over the finite entries of the *whole* array.

    Why the largest entry and not each entry's own size: a right formula in another order of operations has
    rounding errors in proportion to the numbers it adds up, not to what is left after they cancel. An entry
    that cancels to 1e-12 among entries of size 1 would fail a right answer under an entrywise rule.

    Why the whole array and not each leading row: most results here are ``(B,)``, one number per sample; there
    a row is one entry, and rowwise would be entrywise again. The price is that entries smaller than the
    largest by the factor r are held to rtol * r only. With float64's 1e-8 a formula wrong by 1 % hides only
    in entries below a millionth of the largest, so give a check inputs whose results are of similar size, or
    compare rows in separate calls. Results of different kind (the items of a tuple, the values of a dict)
    each have their own maximum.

    ``atol`` is for arrays that are zero but for rounding. It is meant for numbers of order one; give
    ``atol=0`` where all results are tiny (densities far out in a tail).

    Attributes:
        rtol: relative to the largest expected magnitude; no unit.
        atol: in the unit of the numbers compared.
    """

    rtol: float
    atol: float

    def __post_init__(self) -> None:
        if not (0 <= self.rtol < np.inf and 0 <= self.atol < np.inf):
            raise ValueError(f"tolerances must be finite and >= 0, got rtol={self.rtol}, atol={self.atol}")

    def allowed(self, scale: float) -> float:
        """Largest difference that passes when the largest expected magnitude is ``scale``.

        Example:
            >>> Tolerance(rtol=0.01, atol=0.5).allowed(100.0)
            1.5
        """
        return self.atol + self.rtol * scale


EXACT = Tolerance(rtol=0.0, atol=0.0)
"""For integers and booleans."""

FLOAT32_CONSTANTS = Tolerance(rtol=2e-4, atol=1e-5)
"""Differences within this look like float32 constants (a schedule, say) in float64 code, whose 6e-8 grows to
1e-4 and more near cancellations. It marks a difference as one of precision; it never accepts an answer."""

_BY_DTYPE = {
    "float64": Tolerance(rtol=1e-8, atol=1e-12),
    "float32": Tolerance(rtol=2e-5, atol=1e-6),
    "float16": Tolerance(rtol=1e-2, atol=1e-3),
    "bfloat16": Tolerance(rtol=1e-2, atol=1e-3),
    "complex128": Tolerance(rtol=1e-8, atol=1e-12),
    "complex64": Tolerance(rtol=2e-5, atol=1e-6),
}


def tolerance_for(dtype: object) -> Tolerance:
    """Tolerance for results computed in ``dtype``.

    ========================  =====  =====  =================================================================
    dtype                     rtol   atol   room over one rounding error
    ========================  =====  =====  =================================================================
    float64, longdouble       1e-8   1e-12  9e7: long sums, solves, iterations stopped at 1e-9
    float32                   2e-5   1e-6   300
    float16, bfloat16         1e-2   1e-3   10 and 2.6
    integers, booleans        0      0      exact
    ========================  =====  =====  =================================================================

    Args:
        dtype: numpy dtype, torch dtype, or its name.

    Raises:
        ValueError: if the dtype is not one of numbers.

    Example:
        >>> tolerance_for("float32").rtol
        2e-05
    """
    if isinstance(dtype, (str, np.dtype)):
        name = str(dtype)
    elif isinstance(dtype, type):
        name = np.dtype(dtype).name
    else:
        name = str(dtype)
    name = name.removeprefix("torch.")
    if name in _BY_DTYPE:
        return _BY_DTYPE[name]
    try:
        kind = np.dtype(name).kind
    except TypeError:
        raise ValueError(f"no tolerance for dtype {name!r}: it is no dtype of numbers") from None
    if kind in "biu":
        return EXACT
    if kind in "fc":  # longdouble and its complex: never held to more than float64
        return _BY_DTYPE["float64"]
    raise ValueError(f"no tolerance for dtype {name!r}: it is no dtype of numbers")


def largest_magnitude(expected: Array) -> float:
    """Largest finite ``|expected|`` over an array of any shape; 0 if there is none."""
    if expected.size == 0:
        return 0.0
    with np.errstate(over="ignore"):
        magnitude = np.abs(expected.astype(np.complex128 if expected.dtype.kind == "c" else np.float64))
    finite = magnitude[np.isfinite(magnitude)]
    return float(finite.max()) if finite.size else 0.0
