"""What the checks of this exercise share on the judge's side: shapes, precision, and names for what went wrong.

A student's numbers depend on the student's own random weights, so they cannot be compared with a mistake's numbers.
What can be compared is a *label*: which of several candidates the answer equals. `label` names it, and an answer
that equals none of them is observed as its raw numbers, which no mistake shares.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from flow_probes import both_directions, positions, randomise

from gdgrade.checks import CheckFailed, StudentError, observe, remark, require

LOG_2PI = math.log(2 * math.pi)
MASKS = {"keeps the first": (1.0, 0.0), "keeps the second": (0.0, 1.0)}


class Work(NamedTuple):
    """The precision in which a student's code is judged.

    Attributes:
        dtype: of the inputs; exact: tolerance of one operation; chained: of a whole flow, relative to size 1 and up.
    """

    dtype: torch.dtype
    exact: float
    chained: float

    def cast(self, *tensors: Any) -> Any:
        """The tensors in this precision."""
        cast = tuple(torch.as_tensor(tensor).to(self.dtype) for tensor in tensors)
        return cast[0] if len(cast) == 1 else cast


DOUBLE = Work(torch.float64, 1e-10, 1e-8)
SINGLE = Work(torch.float32, 2e-5, 2e-3)


@contextlib.contextmanager
def precision(student: Any, what: str = "AffineCoupling") -> Iterator[Work]:
    """float64; or float32, with a remark, for code that answers float64 inputs in float32 or not at all.

    Both directions are asked: either may be the one with a cast to float32.
    """
    points = torch.tensor([[0.3, -0.7], [0.1, 0.2]])
    try:
        if what == "AffineCoupling":
            layer = student.AffineCoupling(torch.tensor(MASKS["keeps the first"]))
            answers = [layer(points), layer.inverse(points)]
        else:
            answers = student.run(both_directions, student.module, points)
        single = any(getattr(item, "dtype", None) == torch.float32 for answer in answers for item in _items(answer))
    except StudentError as error:
        single = error.kind == "exception" and any(w in error.message for w in ("dtype", "Float", "Double"))
    if not single:
        yield DOUBLE
        return
    remark(f"{what} works only in float32; it was judged with the wider tolerances of float32")
    with student.dtype("float32"):
        yield SINGLE


def _items(answer: Any) -> Any:
    return answer if isinstance(answer, list | tuple) else [answer]


def pair(answer: Any, batch: int, what: str, dim: int = 2) -> tuple[Any, Any]:
    """Points (B, dim) and log-determinants (B,) of an answer, in float64, after a look at their form."""
    if not (isinstance(answer, list | tuple) and len(answer) == 2):
        observe("form", "no pair")
        raise CheckFailed(f"{what} must return two things: the points, and their log-determinants")
    shapes = [list(getattr(item, "shape", ())) for item in answer]
    if shapes != [[batch, dim], [batch]]:
        observe("form", shapes)
        raise CheckFailed(
            f"{what} got {batch} points and returned points of shape {tuple(shapes[0])} and log-determinants of "
            f"shape {tuple(shapes[1])}; due are ({batch}, {dim}), and one number per point, ({batch},)"
        )
    points, log_det = (torch.as_tensor(item).detach().to(torch.float64) for item in answer)
    return points, log_det


class Layer:
    """A coupling layer of the student with its weights randomised, which answers in float64."""

    def __init__(self, student: Any, work: Work, mask: Any, seed: int | None, size: float = 2.0) -> None:
        self.student, self.work, self.mask = student, work, mask
        self.handle = student.AffineCoupling(work.cast(torch.tensor(mask)), hidden=16)
        if seed is not None:
            student.run(randomise, self.handle, seed, size)

    def forward(self, z: Any) -> tuple[Any, Any]:
        return pair(self.handle(self.work.cast(z)), len(z), "forward")

    def inverse(self, x: Any) -> tuple[Any, Any]:
        return pair(self.handle.inverse(self.work.cast(x)), len(x), "inverse")

    def jacobian(self, function: Any, points: Any) -> Any:
        """(B, 2, 2) of `jacobian_forward` or `jacobian_inverse`, float64."""
        return with_graph(self.student.run(function, self.handle, self.work.cast(points)), function.__name__)

    def positions(self, direction: str, points: Any) -> Any:
        """The points alone that a direction returns, float64, in whatever form its log-determinants are."""
        answer = self.student.run(positions, self.handle, direction, self.work.cast(points))
        return torch.as_tensor(answer).to(torch.float64)

    def fresh(self) -> Any:
        """Another layer of the same kind as its constructor makes it, as a handle."""
        return self.student.AffineCoupling(self.work.cast(torch.tensor(self.mask)), hidden=16)


def with_graph(jacobian: Any, direction: str) -> Any:
    """A Jacobian that autograd measured, float64, or the requirement that it could be."""
    observe("graph", jacobian is not None)
    if jacobian is None:
        raise CheckFailed(
            f"the points that {direction} returns carry no graph: it must be differentiable, so nothing on the way may "
            "be under torch.no_grad(), detached, or sent through numpy"
        )
    return torch.as_tensor(jacobian).to(torch.float64)


def random_layers(student: Any, draw: Any, work: Work) -> Iterator[tuple[str, int, Layer]]:
    """For each of the two masks: its name, the coordinate it keeps, and a layer with random weights."""
    for kept, (name, mask) in enumerate(MASKS.items()):
        yield name, kept, Layer(student, work, mask, draw.integers(0, 2**31))


def near(got: Any, expected: Any, tolerance: float) -> bool:
    """Whether all entries agree to `tolerance` relative to the largest expected magnitude, or absolutely below 1."""
    got, expected = torch.as_tensor(got, dtype=torch.float64), torch.as_tensor(expected, dtype=torch.float64)
    if got.shape != expected.shape or not bool(torch.isfinite(got).all() and torch.isfinite(expected).all()):
        return False
    scale = max(1.0, float(expected.abs().max())) if expected.numel() else 1.0
    return bool((got - expected).abs().max() <= tolerance * scale)


def label(got: Any, tolerance: float, **candidates: Any) -> Any:
    """The name of the first candidate that `got` is near, with blanks for underscores; else its numbers."""
    for name, value in candidates.items():
        if value is not None and near(got, value, tolerance):
            return name.replace("_", " ")
    return torch.as_tensor(got, dtype=torch.float64)


def log_det_label(got: Any, right: Any, tolerance: float, **others: Any) -> Any:
    """What a log-determinant is, compared with the right one."""
    return label(
        got,
        tolerance,
        right=right,
        negated=-right,
        zero=torch.zeros_like(right),
        half=right / 2,
        double=2 * right,
        exponential=right.exp(),
        exponential_of_both_coordinates=right.exp() + 1,
        negative_exponential=-right.exp(),
        exponential_of_minus=(-right).exp(),
        **others,
    )


def log_abs_det(jacobian: Any, work: Work) -> tuple[Any, float]:
    """log |det| of Jacobians (B, 2, 2), and the room that rounding needs where large entries cancel."""
    value = torch.linalg.slogdet(jacobian.to(torch.float64))[1]
    entries = jacobian.to(torch.float64).abs().amax(dim=(1, 2))
    loss = torch.finfo(work.dtype).eps * entries**2 / value.exp()
    return value, max(work.chained, 50 * float(loss.max()))


def verdict(names: Any) -> bool:
    """Whether all labels say "right"."""
    return all(isinstance(name, str) and name == "right" for name in names)


def largest(got: Any, expected: Any) -> str:
    """The largest difference, for a message."""
    gap = (torch.as_tensor(got, dtype=torch.float64) - torch.as_tensor(expected, dtype=torch.float64)).abs()
    return f"largest difference {float(gap.max()):.3g}"


def log_normal(z: Any) -> Any:
    """log N(z; 0, I) in two dimensions, (B, 2) -> (B,)."""
    return -0.5 * z.square().sum(-1) - LOG_2PI


def finite(values: Any, what: str) -> None:
    """Fail unless all numbers are finite."""
    require(torch.isfinite(torch.as_tensor(values)).all(), f"{what} contains NaN or infinity")
