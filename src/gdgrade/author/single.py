"""The reference as somebody's right answer who works in single precision throughout.

The text below goes to the end of a copy of the reference and wraps its public functions and classes: arrays come in as
float32, results are float32, whatever type the caller works in. It is a submission like any other.
"""

from __future__ import annotations

TORCH = '''

import functools as _functools
import torch as _torch


def _down(value, wrapped=True):
    if isinstance(value, _torch.nn.Module):
        return value.float()
    if isinstance(value, _torch.Tensor):
        return value.float() if value.dtype == _torch.float64 else value
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_down(item, wrapped) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(_down(item, wrapped) for item in value)
    if isinstance(value, dict):
        return {key: _down(item, wrapped) for key, item in value.items()}
    if wrapped and callable(value) and not isinstance(value, type):
        return _Given(value)
    return value


def _up(value):
    return value.double() if isinstance(value, _torch.Tensor) and value.dtype == _torch.float32 else value


class _Given:
    """A function of the caller's, which expects the caller's type."""

    def __init__(self, function):
        self._function = function

    def __call__(self, *args, **kwargs):
        kwargs = {name: _up(value) for name, value in kwargs.items()}
        return _down(self._function(*map(_up, args), **kwargs), False)

    def __getattr__(self, name):
        return getattr(self._function, name)


def _single(function):
    @_functools.wraps(function)
    def inner(*args, **kwargs):
        before = _torch.get_default_dtype()
        _torch.set_default_dtype(_torch.float32)
        try:
            kwargs = {name: _down(value) for name, value in kwargs.items()}
            return _down(function(*(_down(value) for value in args), **kwargs), False)
        finally:
            _torch.set_default_dtype(before)

    return inner


def _single_method(function):
    @_functools.wraps(function)
    def inner(self, *args, **kwargs):
        return _single(_functools.partial(function, self))(*args, **kwargs)

    return inner


for _name, _value in list(globals().items()):
    if _name.startswith("_") or getattr(_value, "__module__", None) != __name__:
        continue
    if isinstance(_value, type) and issubclass(_value, _torch.nn.Module):
        for _method, _function in list(vars(_value).items()):
            if callable(_function) and (_method == "__init__" or not _method.startswith("_")):
                setattr(_value, _method, _single_method(_function))
    elif callable(_value) and not isinstance(_value, type):
        globals()[_name] = _single(_value)
'''

NUMPY = """

import functools as _functools
import numpy as _np


def _down(value):
    if isinstance(value, (_np.ndarray, _np.generic)) and value.dtype == _np.float64:
        return value.astype(_np.float32)
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(_down(item) for item in value)
    return value


def _single(function):
    @_functools.wraps(function)
    def inner(*args, **kwargs):
        kwargs = {name: _down(value) for name, value in kwargs.items()}
        return _down(function(*(_down(value) for value in args), **kwargs))

    return inner


for _name, _value in list(globals().items()):
    if not _name.startswith("_") and getattr(_value, "__module__", None) == __name__ and not isinstance(_value, type):
        if callable(_value):
            globals()[_name] = _single(_value)
"""


def in_single_precision(source: str, library: str) -> str:
    """The reference `source`, computing in float32; `library` is "torch" or "numpy"."""
    return source + (TORCH if library == "torch" else NUMPY)
