"""Critics whose slopes are known, small networks for the steps, and ways to read what comes back.

Every critic takes points in any number, (..., d) or (..., *event), and answers (..., 1); all are differentiable.
"""

import torch

from gdgrade.checks import StudentError, require


def linear_critic(slope, offset=0.0):
    """f(x) = <slope, x> + offset: the gradient is `slope` everywhere; `slope` (d,)."""

    def critic(x):
        x = torch.as_tensor(x)
        return (x * slope.to(x)).sum(-1, keepdim=True) + offset

    return critic


def quadratic_critic(curvature):
    """f(x) = curvature |x|^2 / 2: the gradient has the norm curvature * |x|."""

    def critic(x):
        return curvature / 2 * torch.as_tensor(x).square().sum(-1, keepdim=True)

    return critic


def bent_critic(axes=1):
    """A smooth critic that treats every coordinate differently; the last `axes` axes are one sample."""

    def critic(x):
        x = torch.as_tensor(x).flatten(-axes) if axes > 1 else torch.as_tensor(x)
        place = torch.arange(1, x.shape[-1] + 1).to(x)
        return (torch.sin(2 * x + place) + 0.3 * x.square() / place + 0.5 * x).sum(-1, keepdim=True)

    return critic


def bent_slopes(x):
    """Gradient of `bent_critic` by hand, for samples (B, ...), flattened to (B, d)."""
    x = x.flatten(1)
    place = torch.arange(1, x.shape[1] + 1).to(x)
    return 2 * torch.cos(2 * x + place) + 0.6 * x / place + 0.5


# ---- reading answers


def array_of(value, shape, name):
    """A result as a float64 tensor, once it is known to have this shape and to be finite."""
    try:
        numbers = torch.as_tensor(value, dtype=torch.float64).detach()
    except (TypeError, ValueError, RuntimeError):
        numbers = None
    due = tuple(shape)
    require(numbers is not None, f"{name}: got a {type(value).__name__}, expected an array of shape {due}")
    got = tuple(numbers.shape)
    require(got == due, f"{name}: got shape {got}, expected {due}")
    require(numbers.isfinite().all(), f"{name}: some entries are not finite")
    return numbers


def run_either(student, uses, function, *args):
    """student.run(function, module, *args), in float32 if the student's code cannot do float64.

    `uses`: names of the student's functions that `function` calls; a missing one is reported as such.
    """
    for name in uses:
        student.value(name)
    try:
        return student.run(function, student.module, *args)
    except StudentError as error:
        if error.kind != "exception":
            raise
        try:
            with student.dtype("float32"):
                return student.run(function, student.module, *(single(arg) for arg in args))
        except StudentError:
            raise error from None


def single(value):
    """Nested lists of tensors with their floating numbers in float32."""
    if isinstance(value, list | tuple):
        return type(value)(single(item) for item in value)
    return value.float() if isinstance(value, torch.Tensor) and value.is_floating_point() else value


def rows_seen(spy):
    """All points at which a recorded critic was evaluated, (N, d); None if they could not be seen.

    They cannot inside a transform such as vmap; then the values of the result must speak.
    """
    rows = []
    for call in spy.calls:
        first = (*call.args, *call.kwargs.values())[0]
        if isinstance(first, str):
            return None
        rows.append(torch.as_tensor(first, dtype=torch.float64))
    return rows
