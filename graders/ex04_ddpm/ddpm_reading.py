"""Ways to read what came back and what a network was asked."""

from __future__ import annotations

import torch

from gdgrade.checks import CheckFailed, StudentError, require


def last(result):
    """The generated data: alone, or first of the pair (data, trajectory)."""
    return result[0] if isinstance(result, tuple) and len(result) == 2 else result


def generated(result, shape):
    """Generated data as float64, once they have this shape and are finite."""
    try:
        x = torch.as_tensor(last(result), dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        raise CheckFailed(f"generated data: got a {type(result).__name__}") from None
    require(tuple(x.shape) == shape, f"generated data: got shape {tuple(x.shape)}, expected {shape}")
    require(x.isfinite().all(), "generated data: some entries are not finite")
    return x


def seen_by(spy):
    """(x (n, d), t (n,)) of every recorded call, with one t for each row."""
    require(spy.count > 0, "the network was never called")
    rows = []
    for call in spy.calls:
        inputs = [*call.args, *call.kwargs.values()]
        require(len(inputs) == 2, "the network must be called as model(x, t)")
        x, t = (torch.as_tensor(value, dtype=torch.float64) for value in inputs)
        x, t = x.reshape(-1, x.shape[-1]), t.reshape(-1)
        require(len(t) in (1, len(x)), f"the network got {len(t)} steps t for {len(x)} samples")
        rows.append((x, t.expand(len(x))))
    return rows


def run_either(student, function, *args):
    """student.run(function, module, *args), in float32 if the student's code cannot do float64."""
    try:
        return student.run(function, student.module, *args)
    except StudentError as error:
        if error.kind != "exception":
            raise
        try:
            with student.dtype("float32"):
                return student.run(function, student.module, *[single(arg) for arg in args])
        except StudentError:
            raise error from None


def single(value):
    """Floating arrays in float32."""
    if isinstance(value, dict):
        return {key: single(item) for key, item in value.items()}
    return value.float() if isinstance(value, torch.Tensor) and value.is_floating_point() else value
