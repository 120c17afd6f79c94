"""Values on the wire: plain data as a JSON tree whose arrays are raw bytes.

A tree is JSON: null, booleans, finite numbers and strings stand for themselves, a JSON list for a list, and a JSON
object always carries its kind under ``"!"``::

    {"!": "array", "lib": "torch", "dtype": "float64", "shape": [3, 2], "blob": 0, "grad": true}
    {"!": "tuple", "v": [...]}   {"!": "dict", "v": [[key, value], ...]}   {"!": "float", "v": "nan"}
    {"!": "complex", "v": [re, im]}   {"!": "int", "v": "12345678901234567890"}
    {"!": "handle", "id": 7, "type": "AffineCoupling"}   an object that stays in the worker
    {"!": "opaque", "type": "Tensor", "why": "..."}      something that cannot be sent at all
    {"!": "code", "blob": 1, "spy": 3}                   judge -> worker only: a function by value
    {"!": "generator", "blob": 2}                        judge -> worker only: the state of a torch.Generator
    {"!": "module"}                                      judge -> worker only: the student's module

The decoder accepts only what it lists, with bounded depth and bounded number of nodes, and builds arrays from an
allow-list of types.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gdgrade.wire.frames import WireError

MAX_DEPTH = 24
MAX_NODES = 200_000
MAX_DIMS = 16
MAX_TEXT = 100_000
MAX_DIGITS = 400
# Types that travel as raw bytes. bfloat16 has no numpy twin and travels as float32.
DTYPES = frozenset(
    {
        "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
        "float16", "float32", "float64", "complex64", "complex128",
    }
)  # fmt: skip
Tree = Any
Blobs = Sequence[bytes]


@dataclasses.dataclass(frozen=True)
class Opaque:
    """Something the worker holds that cannot be sent: its type's name and the reason."""

    type: str
    why: str = ""

    stays_remote = True  # see gdgrade.compare.excerpts
    remote_kind = "unreadable"

    @property
    def remote_type(self) -> str:
        return self.type

    @property
    def remote_why(self) -> str:
        return self.why or self.type


@dataclasses.dataclass(frozen=True)
class ArrayData:
    """An array as it came over the wire: a plain numpy array plus what it was on the other side."""

    array: np.ndarray[Any, Any]
    lib: str
    grad: bool = False
    was: str | None = None


class Unsendable(Exception):
    """Raised by an encoder's hook for a value that may not or cannot be sent."""


class Encoder:
    """Turns a value into a tree and a list of blobs.

    Args:
        special: called with each value that is not plain data; returns a tree node or raises `Unsendable`.
    """

    def __init__(self, special: Callable[[Encoder, Any], Tree]) -> None:
        self.blobs: list[bytes | memoryview] = []
        self._special = special
        self._nodes = 0

    def add_blob(self, data: bytes | memoryview) -> int:
        self.blobs.append(data)
        return len(self.blobs) - 1

    def encode(self, value: Any, depth: int = 0) -> Tree:
        """The tree of `value`.

        Raises:
            Unsendable: nested too deeply, too many items, or refused by the hook.
        """
        self._nodes += 1
        if depth > MAX_DEPTH:
            raise Unsendable(f"nested more than {MAX_DEPTH} levels deep")
        if self._nodes > MAX_NODES:
            raise Unsendable(f"more than {MAX_NODES} items")
        if value is None or value is True or value is False:
            return value
        kind = type(value)
        if kind is str:
            if len(value) > MAX_TEXT:
                raise Unsendable(f"a text of {len(value)} characters; at most {MAX_TEXT} are sent")
            return value.encode("utf-8", "replace").decode()
        if kind is int:
            return _encode_int(value)
        if kind is float:
            return value if math.isfinite(value) else {"!": "float", "v": repr(value)}
        if kind is complex:
            return {"!": "complex", "v": [self.encode(value.real), self.encode(value.imag)]}
        if kind is list:
            return [self.encode(item, depth + 1) for item in value]
        if kind is tuple:
            return {"!": "tuple", "v": [self.encode(item, depth + 1) for item in value]}
        if kind is dict:
            pairs = [[self.encode(key, depth + 1), self.encode(item, depth + 1)] for key, item in value.items()]
            return {"!": "dict", "v": pairs}
        if isinstance(value, np.ndarray | np.generic):
            return self._numpy(np.asarray(value))
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            return self._torch(torch, value)
        return self._special(self, value)

    def _numpy(self, array: np.ndarray[Any, Any], lib: str = "numpy", grad: bool = False) -> Tree:
        dtype = array.dtype.name
        if dtype not in DTYPES:
            return {"!": "opaque", "type": "ndarray", "why": f"an array of type {dtype}"[:200]}
        plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
        node = {"!": "array", "lib": lib, "dtype": dtype, "shape": list(array.shape)}
        node["blob"] = self.add_blob(plain.tobytes())
        if grad:
            node["grad"] = True
        return node

    def _torch(self, torch: Any, tensor: Any) -> Tree:
        if tensor.layout != torch.strided:
            return {"!": "opaque", "type": "Tensor", "why": f"a tensor of layout {tensor.layout}"}
        if tensor.device.type == "meta":
            return {"!": "opaque", "type": "Tensor", "why": "a tensor on the meta device (it has no values)"}
        if tensor.is_quantized:
            return {"!": "opaque", "type": "Tensor", "why": "a quantised tensor"}
        grad = bool(tensor.requires_grad)
        plain = tensor.detach().cpu().resolve_conj().resolve_neg()
        was = None
        if plain.dtype == torch.bfloat16:
            plain, was = plain.float(), "bfloat16"
        node = self._numpy(plain.numpy(), "torch", grad)
        if was is not None and node["!"] == "array":
            node["was"] = was
        return node


class Decoder:
    """Rebuilds a value from a tree and its blobs.

    Args:
        blobs: the frame's blobs.
        array: makes the receiving side's array of an `ArrayData`.
        special: kind -> function of the node, for the kinds this direction allows beyond plain data.
    """

    def __init__(
        self,
        blobs: Blobs,
        array: Callable[[ArrayData], Any],
        special: Mapping[str, Callable[[dict[str, Any]], Any]] | None = None,
    ) -> None:
        self._blobs = blobs
        self._array = array
        self._special = dict(special or {})
        self._nodes = 0

    def blob(self, index: Any) -> bytes:
        """The blob a node refers to; a wrong index is a WireError."""
        if type(index) is not int or not 0 <= index < len(self._blobs):
            raise WireError("a reference to a blob that did not come")
        return self._blobs[index]

    def decode(self, tree: Tree, depth: int = 0) -> Any:
        """The value of `tree`.

        Raises:
            WireError: the tree is not of the documented form or too large.
        """
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise WireError("a value that is nested too deeply or has too many items")
        if tree is None or isinstance(tree, bool | int | float | str):
            return tree
        if isinstance(tree, list):
            return [self.decode(item, depth + 1) for item in tree]
        if not isinstance(tree, dict):
            raise WireError("a node that is no node")
        kind = tree.get("!")
        if kind == "array":
            return self._array(self._array_data(tree))
        if kind == "tuple":
            return tuple(self.decode(item, depth + 1) for item in _list(tree.get("v")))
        if kind == "dict":
            return self._dict(tree, depth)
        if kind == "float":
            return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[_one_of(tree, ("nan", "inf", "-inf"))]
        if kind == "complex":
            real, imaginary = (self.decode(part) for part in _list(tree.get("v"), 2))
            if not (isinstance(real, int | float) and isinstance(imaginary, int | float)):
                raise WireError("a complex number that is none")
            return complex(real, imaginary)
        if kind == "int":
            return _decode_int(tree.get("v"))
        if kind == "opaque":
            return Opaque(_text(tree.get("type"), 200), _text(tree.get("why", ""), 500))
        if isinstance(kind, str) and kind in self._special:
            return self._special[kind](tree)
        raise WireError("a value of a kind that is not allowed here")

    def _dict(self, tree: dict[str, Any], depth: int) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for pair in _list(tree.get("v")):
            key_tree, value_tree = _list(pair, 2)
            key = self.decode(key_tree, depth + 1)
            if not isinstance(key, str | int | float | bool | tuple | type(None)):
                raise WireError("a dictionary key that cannot be one")
            try:
                result[key] = self.decode(value_tree, depth + 1)
            except TypeError as error:
                raise WireError("a dictionary key that cannot be one") from error
        return result

    def _array_data(self, tree: dict[str, Any]) -> ArrayData:
        dtype, shape, lib = tree.get("dtype"), _list(tree.get("shape")), tree.get("lib")
        if not isinstance(dtype, str) or dtype not in DTYPES:
            raise WireError("an array of a type that is not allowed")
        if len(shape) > MAX_DIMS or not all(type(n) is int and 0 <= n < 1 << 48 for n in shape):
            raise WireError("an array of an impossible shape")
        if lib not in ("torch", "numpy"):
            raise WireError("an array of an unknown library")
        data, item = self.blob(tree.get("blob")), np.dtype(dtype)
        if math.prod(shape) * item.itemsize != len(data):
            raise WireError("an array whose bytes do not fit its shape")
        if dtype == "bool" and data.strip(b"\x00\x01"):
            raise WireError("a boolean that is neither true nor false")
        array = np.frombuffer(data, item).reshape(shape).copy()
        was = tree.get("was")
        return ArrayData(array, str(lib), tree.get("grad") is True, was if was == "bfloat16" else None)


def to_library(data: ArrayData, library: str) -> Any:
    """The array as a torch tensor or a numpy array of `library`."""
    if library == "numpy":
        return data.array
    import torch

    try:
        return torch.from_numpy(data.array)
    except TypeError as error:
        raise WireError(f"torch has no type {data.array.dtype.name}") from error


def _encode_int(value: int) -> Tree:
    if -(2**53) <= value <= 2**53:
        return value
    if value.bit_length() > 3 * MAX_DIGITS:
        return {"!": "opaque", "type": "int", "why": f"an integer of {value.bit_length()} bits"}
    return {"!": "int", "v": str(value)}


def _decode_int(text: Any) -> int:
    text = _text(text, MAX_DIGITS)
    digits = text[1:] if text[:1] == "-" else text
    if not (digits.isascii() and digits.isdigit()):
        raise WireError("an integer that is none")
    return int(text)


def _one_of(tree: dict[str, Any], allowed: tuple[str, ...]) -> str:
    value = tree.get("v")
    if not isinstance(value, str) or value not in allowed:
        raise WireError("a number that is none")
    return value


def _list(value: Any, length: int | None = None) -> list[Any]:
    if not isinstance(value, list) or (length is not None and len(value) != length):
        raise WireError("a list was due")
    return value


def _text(value: Any, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise WireError("a text that is none or too long")
    return value
