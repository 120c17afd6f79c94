"""The reference as somebody's right answer who works in single precision throughout.

The text below goes to the end of a copy of the reference and wraps its public functions and classes: arrays come in as
float32, results are float32, whatever type the caller works in. What a function changes in place is written back into
the caller's own array. It is a submission like any other.
"""

from __future__ import annotations

import textwrap

TORCH = """
import contextlib
import torch

ARRAYS = (torch.Tensor,)
LEFT_ALONE = (torch.autograd.Function,)


@contextlib.contextmanager
def precision():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def cast(value, double):
    before, after = (torch.float32, torch.float64) if double else (torch.float64, torch.float32)
    return value.to(after) if value.dtype == before else value


def is_network(value):
    return isinstance(value, torch.nn.Module)


def stays(value):
    return value.is_leaf and value.requires_grad


def snapshot(value):
    return value.detach().clone()


def changed(value, before):
    try:
        return not torch.allclose(value.detach(), before, rtol=0, atol=0, equal_nan=True)
    except RuntimeError:  # a tensor that has no values here, such as under vmap
        return False


def write(value, low):
    leaf = value.is_leaf and value.requires_grad
    with torch.no_grad() if leaf else contextlib.nullcontext():
        value.copy_(low)
"""

NUMPY = """
import contextlib
import numpy as np

ARRAYS = (np.ndarray, np.generic)
LEFT_ALONE = ()
precision = contextlib.nullcontext


def cast(value, double):
    before, after = (np.float32, np.float64) if double else (np.float64, np.float32)
    return value.astype(after) if value.dtype == before else value


def is_network(value):
    return False


def stays(value):
    return False


def snapshot(value):
    return value.copy()


def changed(value, before):
    return isinstance(value, np.ndarray) and not np.array_equal(value, before, equal_nan=True)


def write(value, low):
    value[...] = low
"""

SHARED = '''
import copy
import enum
import functools
import types
import weakref

KEPT = {}  # id of an object -> what its __init__ was given and may have kept


def down(value, given=None, making=False):
    """`value` in single precision; `given` collects (the caller's, the copy, the copy as it was). None: a result."""
    if isinstance(value, ARRAYS):
        low = value if making and stays(value) else cast(value, False)
        if given is not None and low is not value:
            given.append((value, low, snapshot(low)))
        return low
    if is_network(value):
        return value.float()
    if isinstance(value, tuple):
        items = [down(item, given, making) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, (list, dict)):
        made = copy.copy(value)
        for key in range(len(value)) if isinstance(value, list) else list(value):
            made[key] = down(value[key], given, making)
        if given is not None:
            given.append((value, made, copy.copy(made)))
        return made
    if given is not None and callable(value) and not isinstance(value, type) and type(value).__module__ != here:
        return Given(value)
    return value


def up(value):
    if isinstance(value, ARRAYS):
        return cast(value, True)
    if type(value) in (list, tuple):
        return type(value)(map(up, value))
    return value


class Given:
    """A function of the caller's, which expects the caller's type."""

    def __init__(self, function):
        self._function = function

    def __call__(self, *args, **kwargs):
        kwargs = {name: up(value) for name, value in kwargs.items()}
        return down(self._function(*map(up, args), **kwargs))

    def __getattr__(self, name):
        value = getattr(self._function, name)
        return Given(value) if isinstance(value, types.MethodType) else value


def give_back(given):
    """Write into the caller's arrays, lists and dicts what was changed in their copies."""
    own = {id(low): value for value, low, _ in given}
    for place, (value, low, before) in enumerate(given):
        if isinstance(value, ARRAYS):
            if changed(low, before):
                write(value, low)
                given[place] = (value, low, snapshot(low))
        elif isinstance(value, list):
            if [*map(id, low)] != [*map(id, before)]:
                value[:] = [own.get(id(item), item) for item in low]
        elif {key: id(item) for key, item in low.items()} != {key: id(item) for key, item in before.items()}:
            value.clear()
            value.update((key, own.get(id(item), item)) for key, item in low.items())


def single(function, given=None, making=False):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        mine = [] if given is None else given
        with precision():
            args = [down(value, mine, making) for value in args]
            kwargs = {name: down(value, mine, making) for name, value in kwargs.items()}
            try:
                return down(function(*args, **kwargs))
            finally:
                give_back(mine)

    return inner


def single_method(function, making=False):
    """A method: the object stays itself. What `__init__` was given may be changed by any later method."""

    @functools.wraps(function)
    def inner(self, *args, **kwargs):
        given = []
        try:
            return single(functools.partial(function, self), given, making)(*args, **kwargs)
        finally:
            if making and given:
                KEPT[id(self)] = given
                try:
                    weakref.finalize(self, KEPT.pop, id(self), None)
                except TypeError:  # an object of a class with __slots__ may have no weak reference
                    pass
            elif id(self) in KEPT:
                give_back(KEPT[id(self)])

    return inner


def single_class(cls):
    """Its public methods, `__init__` and `__call__`; properties and attributes stay as they are."""
    for name, value in list(vars(cls).items()):
        if name.startswith("_") and name not in ("__init__", "__call__"):
            continue
        if isinstance(value, staticmethod):
            setattr(cls, name, staticmethod(single(value.__func__)))
        elif isinstance(value, classmethod):
            setattr(cls, name, classmethod(single_method(value.__func__)))
        elif isinstance(value, types.FunctionType):
            keeps = not any(base.__module__.startswith("torch.nn") for base in cls.__mro__)  # networks copy
            setattr(cls, name, single_method(value, name == "__init__" and keeps))


def single_module():
    done = set()
    for name, value in list(names.items()):
        if name.startswith("_") or getattr(value, "__module__", None) != here:
            continue
        if isinstance(value, type):
            for base in value.__mro__:
                special = issubclass(base, (enum.Enum, BaseException, *LEFT_ALONE))
                if base.__module__ == here and base not in done and not special:
                    done.add(base)
                    single_class(base)
        elif callable(value) and type(value).__module__ != here:
            names[name] = single(value)


single_module()
'''


def in_single_precision(source: str, library: str) -> str:
    """The reference `source`, computing in float32; `library` is "torch" or "numpy"."""
    text = textwrap.indent((TORCH if library == "torch" else NUMPY) + SHARED, "    ")
    # A function of its own, so that no helper's name is taken from the reference.
    return f"{source}\n\ndef _in_single_precision(names, here):\n{text}\n\n_in_single_precision(globals(), __name__)\n"
