"""The second chance in float32 of `agrees`."""

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gdgrade.agreement import agrees
from gdgrade.failures import CheckFailed, StudentError
from gdgrade.judge.context import CheckContext, running


class OnlyFloat32:
    """A student's function that raises for float64 and answers {"sum": ...} for float32."""

    label = "total"

    def __init__(self, factor: float = 1.0) -> None:
        self.student = SimpleNamespace(mutated=[], dtype=self.dtype)
        self.factor = factor

    @contextlib.contextmanager
    def dtype(self, name: str) -> Iterator[None]:
        yield

    def __call__(self, values: Any) -> dict[str, float]:
        if values.dtype != np.float32:
            raise StudentError("exception", "RuntimeError", "expected scalar type Float but found Double")
        return {"sum": self.factor * float(values.sum())}


def total(values: Any) -> dict[str, float]:
    return {"sum": float(values.sum())}


def test_code_that_raises_for_float64_is_picked_from_its_answer_in_float32() -> None:
    """What `pick` takes is the answer of the second call: the first one gave none."""
    with running(CheckContext()) as context:
        got = agrees(OnlyFloat32(), total, np.array([1.5, 2.0]), pick=lambda result: result["sum"])  # type: ignore[arg-type]
    assert got == 3.5
    assert context.notebook.remarks == ["total works only in float32"]


def test_a_wrong_answer_in_float32_is_told_as_the_first_error() -> None:
    """The second chance is none for wrong numbers."""
    with pytest.raises((StudentError, CheckFailed), match="Double"):
        agrees(OnlyFloat32(2.0), total, np.array([1.5, 2.0]), pick=lambda result: result["sum"])  # type: ignore[arg-type]
