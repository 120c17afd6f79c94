"""as_array: plain arrays out of anything, and nobody's own methods on the way."""

import enum
import re
from typing import Any

import numpy as np
import pytest
import torch

from gdgrade.compare import as_array


@pytest.mark.parametrize(
    "value",
    [
        np.array([1.0, 2.0]),
        torch.tensor([1.0, 2.0], dtype=torch.float64),
        torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True),
        torch.tensor([1.0, 2.0], dtype=torch.bfloat16),
        [1.0, 2.0],
        (1, 2.0),
        [torch.tensor(1.0), np.float64(2.0)],
    ],
)
def test_all_kinds_give_the_same_numbers(value: object) -> None:
    """numpy, torch with and without graph, bfloat16, lists and mixed lists are read alike."""
    array = as_array(value)
    assert type(array) is np.ndarray
    assert array.tolist() == [1.0, 2.0]


def test_lazy_conjugate_is_resolved() -> None:
    """A conjugated view of a complex tensor reads as the conjugate."""
    assert as_array(torch.tensor([1 + 2j]).conj()).tolist() == [1 - 2j]
    assert as_array(torch.tensor([1 + 2j]).conj().imag).tolist() == [-2.0]


class LyingArray(np.ndarray):
    """Claims in every way open to a numpy subclass to hold ones."""

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return np.ones(2)

    def __array_ufunc__(self, *args: Any, **kwargs: Any) -> Any:
        return np.ones(2)

    def tolist(self) -> Any:
        return [1.0, 1.0]


class LyingTensor(torch.Tensor):
    """Answers every torch function with ones."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return torch.ones(2)

    def detach(self) -> Any:
        return torch.ones(2)


class LyingFloat(float):
    """A float that converts to 1."""

    def __float__(self) -> float:
        return 1.0

    def __pos__(self) -> float:
        return 1.0


def test_subclasses_are_not_asked() -> None:
    """The numbers in memory count, not what a subclass says about them."""
    assert as_array(np.zeros(2).view(LyingArray)).tolist() == [0.0, 0.0]
    assert type(as_array(np.zeros(2).view(LyingArray))) is np.ndarray
    assert as_array(torch.zeros(2).as_subclass(LyingTensor)).tolist() == [0.0, 0.0]
    assert as_array([LyingFloat(0.0), LyingFloat(0.0)]).tolist() == [0.0, 0.0]
    assert as_array(enum.IntEnum("Colour", "RED").RED).tolist() == 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        "1",
        b"1",
        object(),
        {1.0},
        {"a": 1.0},
        np.array(["a"]),
        np.array([None]),
        np.array([1], dtype="M8[s]"),
        [1.0, [2.0]],
        [[1.0], [2.0, 3.0]],
        ["a"],
        10**400,
        [10**400, 1.0],
        torch.eye(2).to_sparse(),
        torch.empty(2, device="meta"),
        float,
        range(3),
    ],
    ids=lambda value: re.sub(r" at 0x\w+", "", repr(value)),
)
def test_what_is_no_array_raises_type_error(value: object) -> None:
    """Text, objects, ragged lists and tensors without plain data raise TypeError and nothing else."""
    with pytest.raises(TypeError):
        as_array(value)


def test_a_list_that_contains_itself_is_refused() -> None:
    """Depth is bounded."""
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(TypeError, match="too deeply"):
        as_array(loop)


def test_the_value_is_not_changed() -> None:
    """Reading a tensor leaves its graph and its numbers as they were."""
    tensor = torch.tensor([1.0, 2.0], requires_grad=True)
    as_array(tensor)
    assert tensor.requires_grad
    assert tensor.tolist() == [1.0, 2.0]
