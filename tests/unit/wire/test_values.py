"""Values on the wire: plain data survives the trip, and nothing else is ever built from bytes."""

import contextlib
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdgrade.wire.frames import WireError
from gdgrade.wire.values import ArrayData, Decoder, Encoder, Opaque, Unsendable, to_library


def refuse(encoder: Encoder, value: Any) -> Any:
    raise Unsendable(type(value).__name__)


def plain_array(data: ArrayData) -> Any:
    return to_library(data, data.lib)


def trip(value: Any) -> Any:
    encoder = Encoder(refuse)
    tree = encoder.encode(value)
    return Decoder([bytes(blob) for blob in encoder.blobs], plain_array).decode(tree)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -7,
        2**70,
        -(2**70),
        1.5,
        "text",
        "é\n\x1b",
        "",
        [1, [2, (3,)]],
        (),
        [],
        {"a": [1]},
        {},
        {(1, 2): "tuple key", 3: None},
        complex(1, -2),
        math.inf,
        -math.inf,
    ],
)
def test_plain_data_survives(value: object) -> None:
    """Python's plain data comes back equal and of the same type."""
    back = trip(value)
    assert back == value
    assert type(back) is type(value)


def test_nan_survives() -> None:
    """NaN is sent as a word, since JSON has none."""
    assert math.isnan(trip(math.nan))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
def test_arrays_survive(dtype: str, shape: tuple[int, ...]) -> None:
    """numpy arrays come back with dtype, shape and values, also 0-d and empty ones."""
    array = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    back = trip(array)
    assert isinstance(back, np.ndarray)
    assert back.dtype == array.dtype
    assert back.shape == shape
    assert (back == array).all()


def test_torch_tensors_survive() -> None:
    """Tensors come back as tensors: strided views, conjugates, gradients' flag dropped, bfloat16 widened."""
    torch = pytest.importorskip("torch")
    base = torch.arange(12.0).reshape(3, 4)
    for tensor in (base.T, base[::2], base[:, 1], torch.tensor(2.0), base.bool(), base.to(torch.complex64).conj()):
        back = trip(tensor)
        assert isinstance(back, torch.Tensor)
        assert torch.equal(back, tensor.resolve_conj())
    assert trip(base.bfloat16()).dtype == torch.float32
    assert trip(base.clone().requires_grad_()).requires_grad is False


def test_tensors_without_bytes_are_named() -> None:
    """Sparse and meta tensors cannot be sent; they arrive as what they are, with the reason."""
    torch = pytest.importorskip("torch")
    for tensor, word in ((torch.eye(2).to_sparse(), "layout"), (torch.empty(2, device="meta"), "meta")):
        back = trip(tensor)
        assert isinstance(back, Opaque)
        assert word in back.why
    assert isinstance(trip(np.array(["a"], dtype=object)), Opaque)


def test_depth_and_size_are_bounded() -> None:
    """A list that contains itself, or a million items, is refused by the encoder."""
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(Unsendable, match="levels"):
        trip(loop)
    with pytest.raises(Unsendable, match="items"):
        trip(list(range(300_000)))


@pytest.mark.parametrize(
    "tree",
    [
        {"!": "array", "lib": "numpy", "dtype": "object", "shape": [1], "blob": 0},
        {"!": "array", "lib": "numpy", "dtype": "V8", "shape": [1], "blob": 0},
        {"!": "array", "lib": "numpy", "dtype": "float64", "shape": [2], "blob": 0},
        {"!": "array", "lib": "numpy", "dtype": "float64", "shape": [-1], "blob": 0},
        {"!": "array", "lib": "numpy", "dtype": "float64", "shape": [2**40, 2**40], "blob": 0},
        {"!": "array", "lib": "numpy", "dtype": "float64", "shape": [1] * 40, "blob": 0},
        {"!": "array", "lib": "numpy", "dtype": "float64", "shape": [True], "blob": 0},
        {"!": "array", "lib": "numpy", "dtype": "float64", "shape": [1], "blob": 1},
        {"!": "array", "lib": "numpy", "dtype": "float64", "shape": [1], "blob": -1},
        {"!": "array", "lib": "numpy", "dtype": "float64", "shape": "1", "blob": 0},
        {"!": "array", "lib": "jax", "dtype": "float64", "shape": [1], "blob": 0},
        {"!": "array", "lib": "numpy", "dtype": "bool", "shape": [8], "blob": 0},
        {"!": "array"},
        {"!": "code", "blob": 0},
        {"!": "module"},
        {"!": "generator", "blob": 0},
        {"!": "float", "v": "1e400; import os"},
        {"!": "float", "v": ["nan"]},
        {"!": "int", "v": "0x10"},
        {"!": "int", "v": "9" * 5000},
        {"!": "int", "v": "٣"},
        {"!": "complex", "v": [1]},
        {"!": "complex", "v": ["1", 2]},
        {"!": "dict", "v": [[1]]},
        {"!": "dict", "v": [[[1], 2]]},
        {"!": "dict", "v": [[{"!": "tuple", "v": [[1]]}, 2]]},
        {"!": "tuple"},
        {"!": "opaque", "type": 3},
        {"!": "opaque", "type": "x" * 300},
        {"!": None},
        {"!": ["array"]},
        {"no kind": 1},
        {},
    ],
)
def test_malformed_trees_are_refused(tree: object) -> None:
    """Whatever is not documented is a WireError: wrong types, sizes, references, and kinds of the other direction."""
    with pytest.raises(WireError):
        Decoder([bytes([9] * 8)], plain_array).decode(tree)


def test_deep_trees_are_refused() -> None:
    """Nesting is bounded on the way in as well."""
    tree: Any = 1
    for _ in range(100):
        tree = [tree]
    with pytest.raises(WireError, match="nested"):
        Decoder([], plain_array).decode(tree)


def test_decoded_arrays_are_private_and_writable() -> None:
    """An array does not share memory with the frame it came in."""
    encoder = Encoder(refuse)
    tree = encoder.encode(np.ones(3))
    blobs = [bytes(blob) for blob in encoder.blobs]
    first, second = (Decoder(blobs, plain_array).decode(tree) for _ in range(2))
    first[:] = 7
    assert (second == 1).all()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["!", "v", "blob", "dtype", "shape", "lib", "type"]), inner, max_size=5)
    ),
    max_leaves=20,
)
KINDS = st.sampled_from(["array", "tuple", "dict", "float", "complex", "int", "opaque", "handle", "code", "zzz"])


@given(JSON, KINDS, st.lists(st.binary(max_size=16), max_size=2))
def test_any_json_is_decoded_or_refused(tree: Any, kind: str, blobs: list[bytes]) -> None:
    """The decoder answers any JSON with a value or a WireError, nothing else."""
    if isinstance(tree, dict):
        tree = {**tree, "!": kind}
    with contextlib.suppress(WireError):
        Decoder(blobs, plain_array).decode(tree)
