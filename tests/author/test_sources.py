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
