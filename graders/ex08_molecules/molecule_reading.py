"""Ways to read what came back and what a network was asked."""

from __future__ import annotations

import numpy as np
import torch

from gdgrade.checks import CheckFailed, StudentError, ks_test, require


def positions(result, shape, name):
    """Positions as float64, once they have this shape and are finite."""
    try:
        x = torch.as_tensor(result).double()
    except (TypeError, ValueError, RuntimeError):
        raise CheckFailed(f"{name}: got a {type(result).__name__}") from None
    require(tuple(x.shape) == tuple(shape), f"{name}: got shape {tuple(x.shape)}, expected {tuple(shape)}")
    require(x.isfinite().all(), f"{name}: some entries are not finite")
    return x


def mean_free(x, name):
    """Require that every molecule (B, M, 3) has its centre of mass at zero, up to rounding in float32."""
    off = float(x.double().mean(dim=1).abs().max()) / max(float(x.double().abs().max()), 1e-12)
    require(off < 1e-5, f"{name}: the centre of mass is not at zero")


def normal_shape(free):
    """Test the shape of noise of three atoms: mean and covariance do not tell normal from uniform noise, or from signs.

    Args:
        free: (B, 6 k), k draws of standard normal noise in the basis. In each direction of space it has two
            coordinates, and half the sum of their squares is exponential.
    """
    halves = free.reshape(-1, 2, 3).square().sum(dim=1).flatten() / 2
    return ks_test(halves, lambda values: -np.expm1(-values))


def seen_by(spy, shape, each=False):
    """(x (n, M, 3), t (n,)) of all recorded calls together, with one t for each molecule.

    Args:
        shape: (M, 3), of a molecule.
        each: require one t for each molecule; else one for all is enough.
    """
    require(spy.count > 0, "the network was never called")
    points, times = [], []
    for call in spy.calls:
        inputs = [*call.args, *call.kwargs.values()]
        require(len(inputs) == 2, "the network must be called as model(x, t)")
        t, x = sorted((torch.as_tensor(value, dtype=torch.float64) for value in inputs), key=lambda value: value.ndim)
        require(tuple(x.shape[-2:]) == tuple(shape), f"the network got positions of shape {tuple(x.shape)}")
        x, t = x.reshape(-1, *shape), t.reshape(-1)
        require(
            len(t) == len(x) or (len(t) == 1 and not each), f"the network got {len(t)} steps t for {len(x)} molecules"
        )
        points.append(x)
        times.append(t.expand(len(x)))
    return torch.cat(points), torch.cat(times)


def run_either(student, function, *args):
    """student.run(function, module, *args), in float32 if the student's code cannot do float64."""
    return run_with_type(student, function, *args)[0]


def run_with_type(student, function, *args):
    """(result, whether it took float32) of student.run(function, module, *args)."""
    return call_with_type(student, lambda *given: student.run(function, student.module, *given), *args)


def call_either(student, function, *args):
    """function(*args), one of the student's, in float32 if it cannot do float64."""
    return call_with_type(student, function, *args)[0]


def call_with_type(student, function, *args):
    """(result, whether it took float32) of function(*args), which runs the student's code."""
    try:
        return function(*args), False
    except StudentError as error:
        if error.kind != "exception":
            raise
        try:
            with student.dtype("float32"):
                return function(*[single(arg) for arg in args]), True
        except StudentError:
            raise error from None


def single(value):
    """Floating arrays in float32."""
    if isinstance(value, dict):
        return {key: single(item) for key, item in value.items()}
    return value.float() if isinstance(value, torch.Tensor) and value.is_floating_point() else value
