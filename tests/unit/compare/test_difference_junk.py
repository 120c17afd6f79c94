"""Whatever a student returns, compare answers, shortly and without raising."""

from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gdgrade.compare import compare

FLOATS = st.floats(width=64)
ARRAYS = hnp.arrays(
    dtype=st.sampled_from(["f8", "f4", "f2", "i8", "u1", "?", "c16", "c8"]),
    shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
ODD = st.sampled_from(
    [
        None,
        object(),
        object,
        len,
        10**400,
        -(10**30),
        b"bytes",
        {1, 2},
        range(3),
        np.array([None]),
        np.array(["a"]),
        np.datetime64("2026-01-01"),
        np.zeros(2, dtype=[("a", "f8")]),
        torch.eye(2).to_sparse(),
        np.zeros((0, 3)),
        np.full(3, 1e308),
        np.ma.masked_array([1.0, 2.0], [True, False]),
        np.zeros((1,) * 20),
        torch.tensor(1.0),
    ]
)
LEAVES = st.one_of(ODD, FLOATS, st.integers(), st.booleans(), st.complex_numbers(), st.text(), ARRAYS)
KEYS = st.one_of(st.text(max_size=60), st.integers())
JUNK = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=3),
    ),
    max_leaves=8,
)
EXPECTED = st.recursive(
    st.one_of(FLOATS, st.integers(-5, 5), st.booleans(), st.text(max_size=5), st.none(), ARRAYS),
    lambda inner: st.one_of(st.lists(inner, max_size=3).map(tuple), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=5,
)


@given(JUNK, EXPECTED, st.text(max_size=200))
def test_never_raises_and_stays_short(got: Any, expected: Any, name: str) -> None:
    """Any result against any expected value: an answer of bounded length, in one of the five kinds."""
    difference = compare(got, expected, name=name)
    if difference is not None:
        assert difference.kind in ("structure", "type", "shape", "finite", "value")
        assert len(difference.message) <= 600
        assert len(difference.expected) <= 300
        assert len(difference.got) <= 300


@given(EXPECTED)
def test_everything_agrees_with_itself(expected: Any) -> None:
    """No expected value differs from itself, NaN and infinities included."""
    assert compare(expected, expected) is None


@given(ARRAYS.filter(lambda a: a.dtype.kind == "f"), st.data())
def test_agreement_in_value_is_symmetric_at_equal_scale(array: np.ndarray, data: Any) -> None:
    """With an absolute tolerance only, a agrees with b exactly if b agrees with a."""
    a = np.nan_to_num(array.astype(np.float64), posinf=1.0, neginf=-1.0)
    b = a + data.draw(hnp.arrays("f8", a.shape, elements=st.floats(-2, 2)))
    forward, backward = (compare(p, q, rtol=0.0, atol=1.0) for p, q in ((a, b), (b, a)))
    assert (forward is None) == (backward is None)
    if forward is not None and backward is not None:
        assert (forward.kind, forward.largest, forward.index) == (
            backward.kind,
            backward.largest,
            backward.index,
        )


@given(ARRAYS, st.integers(0, 10**6), st.floats(1e-3, 1e3))
def test_a_change_beyond_the_tolerance_is_found_where_it_is(array: np.ndarray, place: int, by: float) -> None:
    """One entry moved by more than the tolerance is reported with its index and size."""
    expected = np.clip(np.nan_to_num(array.real.astype(np.float64)), -1e3, 1e3)
    if expected.size == 0:
        return
    i = place % expected.size
    got = np.array(expected, order="C")
    got.reshape(-1)[i] += by
    difference = compare(got, expected)
    assert difference is not None
    assert difference.index == tuple(int(k) for k in np.unravel_index(i, expected.shape))
    assert difference.largest is not None
    assert abs(difference.largest - by) < 1e-9


def test_arrays_of_a_million_numbers_are_quick_to_read() -> None:
    """The excerpt stays at six numbers."""
    expected = np.zeros((1000, 1000))
    difference = compare(expected + 1, expected)
    assert difference is not None
    assert difference.got == "[1, 1, 1, 1, 1, 1, ...]"
