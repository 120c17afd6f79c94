"""Sources made from a reference: junk answers and single precision."""

import numpy as np
import pytest
import torch

from gdgrade.author.junk import junk, kinds, public_names
from gdgrade.author.single import in_single_precision
from gdgrade.worker.loading import load_source

REFERENCE = """
import {module}

class Pair:
    pass

def double(x):
    return 2 * x

def both(x, function=None):
    return double(x), (function or double)(x)

def _hidden(x):
    return x
"""


@pytest.mark.parametrize("library", ["torch", "numpy"])
def test_junk_is_never_the_answer(library: str) -> None:
    """Every kind of junk runs (endless recursion apart) and is another shape, type or value than the true answer."""
    source = REFERENCE.format(module=library)
    x = torch.ones(3, 2) if library == "torch" else np.ones((3, 2))
    for kind in kinds(library):
        module = load_source(junk(source, "double", kind, library), f"junk_{library}", "junk.py")
        if kind == "recursion":
            with pytest.raises(RecursionError):
                module.double(x)
            continue
        answer = module.double(x)
        if answer is None or not hasattr(answer, "dtype"):
            continue
        same = type(answer) is type(x) and str(answer.dtype) == str(x.dtype) and answer.shape == x.shape
        if same and not (library == "torch" and (answer.is_sparse or answer.is_meta)):
            assert not (answer == 2 * x).any(), kind


def test_other_functions_stay() -> None:
    """Only the named function gives junk; who calls it gets the junk as well."""
    module = load_source(junk(REFERENCE.format(module="numpy"), "both", "None", "numpy"), "junk_both", "junk.py")
    assert module.double(2) == 4
    assert module.both(2) is None


def test_public_names() -> None:
    """Functions and classes, private ones left out."""
    assert public_names(REFERENCE.format(module="numpy")) == ["Pair", "double", "both"]


def test_single_precision() -> None:
    """Arrays come in and go out as float32, and the caller's functions still see their own type."""
    module = load_source(in_single_precision(REFERENCE.format(module="torch"), "torch"), "single", "single.py")
    seen = []

    def function(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.dtype)
        return x

    first, second = module.both(torch.ones(2, dtype=torch.float64), function)
    assert first.dtype == second.dtype == torch.float32
    assert seen == [torch.float64]
    assert torch.get_default_dtype() == torch.float32
    plain = load_source(in_single_precision(REFERENCE.format(module="numpy"), "numpy"), "single_np", "single.py")
    assert plain.double(np.ones(2)).dtype == np.float32


OBJECTS = """
import dataclasses
import {module} as xp


def clip(x, low, log):
    x[x < low] = low
    log.append(x)


def apply(scale, x):
    return scale(x)


class Scale:
    unit = 1.0

    def __init__(self, by):
        self.by = by

    @property
    def twice(self):
        return 2 * self.by

    @staticmethod
    def one(x):
        return x

    @classmethod
    def of(cls, by):
        return cls(by)

    def __call__(self, x):
        return x * self.by


class Steeper(Scale):
    def __init__(self, by):
        super().__init__(by)

    def grow(self):
        self.by *= 2


@dataclasses.dataclass(frozen=True)
class Point:
    x: object

    def moved(self, by):
        return dataclasses.replace(self, x=self.x + by)
"""


def _single(library: str, source: str):
    return load_source(in_single_precision(source, library), f"single_{library}", "single.py")


@pytest.mark.parametrize("library", ["torch", "numpy"])
def test_single_precision_writes_back(library: str) -> None:
    """A function that changes its argument changes the caller's array, list and kept array, in float32 values."""
    xp = torch if library == "torch" else np
    module = _single(library, OBJECTS.format(module=library))
    x, log = xp.asarray([-1.0, 1 / 3], dtype=xp.float64), []
    module.clip(x, 0.1, log)
    assert x.dtype == xp.float64
    assert abs(float(x[0]) - 0.1) < 1e-7
    assert log[0] is x
    kept = xp.asarray([1.0, 3.0], dtype=xp.float64)
    module.Steeper(kept).grow()
    assert kept.tolist() == [2.0, 6.0]
    assert kept.dtype == xp.float64


@pytest.mark.parametrize("library", ["torch", "numpy"])
def test_single_precision_of_objects(library: str) -> None:
    """Plain classes take and give float32 too, and stay classes: attributes, inheritance, static and class methods."""
    xp = torch if library == "torch" else np
    module = _single(library, OBJECTS.format(module=library))
    x = xp.asarray([1.0, 2.0], dtype=xp.float64)
    scale = module.Steeper.of(x)
    assert isinstance(scale, module.Steeper)
    assert isinstance(scale, module.Scale)
    answers = [scale(x), module.Scale.one(x), scale.twice, module.apply(scale, x), module.Point(x).moved(x).x]
    assert [answer.dtype for answer in answers] == [xp.float32] * 5
    assert module.Scale.unit == 1.0
    seen = []
    module.apply(lambda x: seen.append(x.dtype) or x, x)
    assert seen == [xp.float64]


def test_single_precision_keeps_names_of_the_reference() -> None:
    """A private helper of the reference that is called as one of ours is still the reference's."""
    module = _single("numpy", "def _down(x):\n    return x + 1\n\n\ndef up(x):\n    return _down(x)\n")
    assert module.up(1) == 2


def test_single_precision_of_an_optimiser() -> None:
    """Parameters that an object is made with stay the caller's, so that a step reaches them and finds their slopes."""
    source = "class Descent:\n    def __init__(self, values):\n        self.values = list(values)\n\n"
    source += "    def step(self):\n        for value in self.values:\n            value.data -= value.grad\n"
    module = _single("torch", source)
    value = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
    optimiser = module.Descent([value])
    (3 * value).sum().backward()
    optimiser.step()
    assert value.tolist() == [-2.0, -2.0]
