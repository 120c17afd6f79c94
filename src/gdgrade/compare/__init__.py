"""Comparisons and statistics: pure functions on arrays that say whether an answer is right.

* values: :func:`compare`, :func:`tolerance_for`;
* exact averages: :func:`sign_vectors`;
* repetition: :func:`attempts`.

numpy arrays, torch tensors and nested lists are all welcome. Nothing here raises because of a student's
values: a wrong answer is a result (:class:`Difference`, :class:`TestResult`), an
exception means that the grader asked something impossible. Importing this package costs numpy; each part is
loaded when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdgrade.compare.arrays import as_array as as_array
    from gdgrade.compare.attempts import AttemptsResult as AttemptsResult
    from gdgrade.compare.attempts import attempts as attempts
    from gdgrade.compare.difference import Difference as Difference
    from gdgrade.compare.difference import compare as compare
    from gdgrade.compare.result import TestResult as TestResult
    from gdgrade.compare.sign_vectors import sign_vectors as sign_vectors
    from gdgrade.compare.tolerance import Tolerance as Tolerance
    from gdgrade.compare.tolerance import tolerance_for as tolerance_for

_HOME = {
    "Tolerance": "tolerance",
    "tolerance_for": "tolerance",
    "as_array": "arrays",
    "Difference": "difference",
    "compare": "difference",
    "TestResult": "result",
    "AttemptsResult": "attempts",
    "attempts": "attempts",
    "sign_vectors": "sign_vectors",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value  # next time without this function
    return value
