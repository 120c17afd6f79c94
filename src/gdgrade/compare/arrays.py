"""Plain float arrays out of whatever a check holds: numpy arrays, torch tensors, numbers, nested lists.

The judge compares with its own arithmetic (DESIGN.md, rule 2). So nothing here calls a method that a subclass
could have overridden: types are looked up with ``type(value)``, a numpy subclass is stripped to its base
class, and a torch tensor is read with torch's own functions.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Array = NDArray[Any]

_NUMBER_KINDS = "biufc"  # bool, signed, unsigned, float, complex: what a comparison can handle
_MAX_DEPTH = 16  # nested lists deeper than this are no array that anybody meant


def as_array(value: object) -> Array:
    """A plain ``numpy.ndarray`` of numbers with the values of ``value``, which is left unchanged.

    Torch tensors are detached, moved to the CPU and cleared of lazy conjugation; bfloat16, which numpy lacks,
    becomes float32 (exactly). Lists and tuples are stacked when all their entries have one shape.

    Args:
        value: numpy array or scalar, torch tensor, Python number, or nested lists and tuples of these.

    Returns:
        Array of booleans, integers, floats or complex numbers, any shape. It may share memory with ``value``:
        read it, do not write to it.

    Raises:
        TypeError: if ``value`` is none of these (None, text, objects, ragged lists, sparse tensors).

    Example:
        >>> as_array([[1, 2], [3, 4.5]])
        array([[1. , 2. ],
               [3. , 4.5]])
    """
    return _as_array(value, 0)


def as_floats(value: object) -> FloatArray:
    """Like :func:`as_array`, in float64; booleans and integers are converted, complex numbers refused.

    Raises:
        TypeError: if ``value`` holds no real numbers.
    """
    array = as_array(value)
    if array.dtype.kind == "c":
        raise TypeError("complex numbers where real ones are due")
    return array.astype(np.float64, copy=False)


def as_points(samples: object) -> FloatArray:
    """Samples as an array ``(N, d)`` of float64: a vector of N numbers counts as N points in one dimension.

    Raises:
        TypeError: if ``samples`` holds no real numbers.
        ValueError: if it has no or more than two axes.
    """
    points = as_floats(samples)
    if points.ndim == 1:
        return points[:, None]
    if points.ndim != 2:
        raise ValueError(f"samples must have shape (N,) or (N, d), got {points.shape}")
    return points


def is_array(value: object) -> bool:
    """Whether ``value`` is a numpy array, a numpy scalar or a torch tensor (subclasses included)."""
    return issubclass(type(value), (np.ndarray, np.generic)) or _is_tensor(value)


def is_number(value: object) -> bool:
    """Whether ``value`` is a Python number (bool, int, float, complex), not an array or a numpy scalar."""
    kind = type(value)
    return issubclass(kind, (bool, int, float, complex)) and not issubclass(kind, np.generic)


def _as_array(value: object, depth: int) -> Array:
    kind = type(value)
    if _is_tensor(value):
        return _from_tensor(value)
    if issubclass(kind, (np.ndarray, np.generic)):
        return _checked(np.array(value, subok=False, copy=None))
    if is_number(value):
        return _from_number(value)
    if issubclass(kind, (list, tuple)):
        return _from_sequence(value, depth)
    raise TypeError(f"not a number or an array: {type_name(value)}")


def _from_number(value: Any) -> Array:
    # The base class reads the number, so a subclass of int or float has no say in it.
    kind = type(value)
    for base in (int, float, complex):
        if kind is not bool and issubclass(kind, base):
            return _checked(np.array(base.__pos__(value)))
    return np.array(value)  # a bool, which cannot be subclassed


def _from_sequence(value: Any, depth: int) -> Array:
    if depth >= _MAX_DEPTH:
        raise TypeError("lists nested too deeply to be an array")
    items = list(tuple.__iter__(value) if issubclass(type(value), tuple) else list.__iter__(value))
    if not items:
        return np.zeros(0)
    if all(type(item) in (bool, int, float) for item in items):
        try:
            return _checked(np.array(items))  # the common case, many times faster than one by one
        except OverflowError:
            raise TypeError("whole numbers too large for an array") from None
    arrays = [_as_array(item, depth + 1) for item in items]
    if any(array.shape != arrays[0].shape for array in arrays):
        raise TypeError("a list whose entries have different shapes is not an array")
    return np.stack(arrays)


def _is_tensor(value: object) -> bool:
    torch = sys.modules.get("torch")  # no tensor can exist before torch is imported
    tensor = getattr(torch, "Tensor", None)
    return tensor is not None and issubclass(type(value), tensor)


def _from_tensor(value: Any) -> Array:
    torch: Any = sys.modules["torch"]
    try:
        with torch._C.DisableTorchFunctionSubclass():  # otherwise a subclass could answer in torch's place
            plain = torch.Tensor.detach(value)
            plain = torch.Tensor.resolve_neg(torch.Tensor.resolve_conj(torch.Tensor.cpu(plain)))
            if plain.dtype == torch.bfloat16:
                plain = torch.Tensor.to(plain, torch.float32)
            return _checked(np.array(torch.Tensor.numpy(plain), subok=False, copy=None))
    except TypeError:
        raise
    except Exception as error:  # sparse, meta and quantised tensors: torch raises a different error for each
        raise TypeError("a tensor that cannot be read as a plain array") from error


def _checked(array: Array) -> Array:
    if array.dtype.kind not in _NUMBER_KINDS:
        raise TypeError(f"an array of {array.dtype.name} where numbers are due")
    return array


def type_name(value: object, limit: int = 40) -> str:
    """Name of a value's type for a message: ASCII, at most ``limit`` characters."""
    return ascii(type(value).__name__)[1:-1][:limit]
