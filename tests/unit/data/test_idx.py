"""The idx parser, on well-formed and malformed input."""

import contextlib
import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gdgrade.data import DataError, read_idx

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, CODES[array.dtype.str[1:]], array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


arrays = st.sampled_from(sorted(CODES)).flatmap(
    lambda code: hnp.arrays(np.dtype(code), hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
)


@given(arrays, st.booleans())
def test_round_trip(array, gzipped):
    """Every type and shape comes back as it was, plain or gzipped."""
    raw = idx_bytes(array)
    back = read_idx(gzip.compress(raw) if gzipped else raw)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)
    back[...] = 0  # writable: it does not look into the bytes


@given(st.binary(max_size=60))
def test_any_bytes_give_an_array_or_a_data_error(raw):
    """Nothing else can come out."""
    with contextlib.suppress(DataError):
        assert isinstance(read_idx(raw), np.ndarray)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "starts with nothing"),
        (b"<htm", "not in idx format"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 5, 1, 2]), r"has 10 bytes, but its header announces 13"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 1, 1, 2]), r"has 10 bytes, but its header announces 9"),
        (bytes([0, 0, 8, 3, 255, 255, 255, 255]), "header announces"),
        (b"\x1f\x8b\x08\x00 not gzip", "cannot be read"),
    ],
    ids=["empty", "text", "too short", "too long", "absurd shape", "broken gzip"],
)
def test_malformed_input_is_explained(raw, words):
    """The message says what does not fit."""
    with pytest.raises(DataError, match=words):
        read_idx(raw)


def test_path_is_named(tmp_path):
    """An error about a file names it."""
    with pytest.raises(DataError, match="missing.idx"):
        read_idx(tmp_path / "missing.idx")
