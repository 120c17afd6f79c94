"""Functions that run beside the student's code, and the proxy that gives a student's function a schedule.

A student's functions always get the student's own schedule, in whatever kind of dict it is, if its numbers are right;
else the judge's plain dict, so that a wrong `linear_schedule` costs its own points only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def told_as(name: str) -> Callable[[Any], Any]:
    """Gives a function that is shipped to the student the name of what it asks of the student's code.

    Messages about errors begin with that name, and a student has never heard of the functions of the grader.
    """

    def renamed(function: Any) -> Any:
        function.__name__ = name
        return function

    return renamed


def own_schedule(module: Any, recipe: Any, right: Any) -> Any:
    """The student's schedule if it holds the right betas and abar under any name, else `right`."""
    import torch

    def holds(values: list[Any], wanted: Any) -> bool:
        for value in values:
            try:
                numbers = torch.as_tensor(value).detach().to(torch.float64)
            except (TypeError, ValueError, RuntimeError):
                continue
            if numbers.shape == wanted.shape and bool(((numbers - wanted.to(torch.float64)).abs() < 1e-5).all()):
                return True
        return False

    try:
        own = module.linear_schedule(*recipe)
        values = list(own.values())
    except Exception:
        return right
    return own if holds(values, right["betas"]) and holds(values, right["abar"]) else right


def fingerprint(value: Any) -> Any:
    """Bytes of the arrays in an argument, to notice changes in place."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.detach().clone().numpy().tobytes()
    if hasattr(value, "items"):
        return {key: fingerprint(item) for key, item in value.items()}
    return None


def calling(name: str) -> Any:
    """A function for `student.run` that calls the student's `name`, and has that name, for messages and diagnosis."""

    def call(module: Any, recipe: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        function = getattr(module, name)
        args = [own_schedule(module, recipe, arg) if isinstance(arg, dict) else arg for arg in args]
        before = [fingerprint(arg) for arg in args]
        extra = {key: fingerprint(value) for key, value in kwargs.items()}
        result = function(*args, **kwargs)
        changed = [str(i + 1) for i, arg in enumerate(args) if fingerprint(arg) != before[i]]
        changed += [key for key, value in kwargs.items() if fingerprint(value) != extra[key]]
        return result, changed

    call.__name__ = name
    return call


class WithSchedule:
    """Stands for `student.<name>` in `agrees`: the dict among the arguments becomes the student's own schedule.

    Args:
        recipe: arguments of `linear_schedule` from which the dict was made.
    """

    def __init__(self, student: Any, name: str, recipe: Any) -> None:
        self.student, self.label, self._recipe = student, name, tuple(recipe)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        answer = self.student.run(calling(self.label), self.student.module, self._recipe, list(args), kwargs)
        result, changed = answer
        self.student.mutated = [f"number {name}" if name.isdigit() else name for name in changed]
        return result


# ---- longer runs beside the student's code


@told_as("p_sample")
def step_maps(module: Any, recipe: Any, right: Any, model: Any) -> Any:
    """Mean at 0, mean at 1 and effect of unit noise of `p_sample` at every t: three (T,) tensors."""
    import torch

    schedule = own_schedule(module, recipe, right)
    rows = []
    x = torch.tensor([[0.0], [1.0], [0.0]], dtype=right["betas"].dtype)
    noise = torch.tensor([[0.0], [0.0], [1.0]], dtype=x.dtype)
    with torch.no_grad():
        for t in range(len(right["betas"])):
            out = torch.as_tensor(module.p_sample(model, x.clone(), t, schedule, noise.clone())).detach()
            rows.append(out.reshape(3))
    return torch.stack(rows)


@told_as("ddpm_loss")
def loss_and_gradient(module: Any, recipe: Any, right: Any, weights: Any, x0: Any, t: Any, noise: Any) -> Any:
    """ddpm_loss of a small network with these weights (d, d), and its gradient in them or None."""
    import torch

    class Small(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = torch.nn.Parameter(weights.clone())

        def forward(self, x: Any, t: Any) -> Any:
            time = torch.as_tensor(t).to(x.dtype).reshape(-1, 1)
            return torch.tanh(torch.as_tensor(x) @ self.weights + 0.05 * time)

    network = Small()
    with torch.enable_grad():
        loss = module.ddpm_loss(network, x0, own_schedule(module, recipe, right), t, noise)
    if not (isinstance(loss, torch.Tensor) and loss.requires_grad):
        return loss, None
    return loss.detach(), torch.autograd.grad(loss.sum(), network.weights, allow_unused=True)[0]


@told_as("sample")
def graph_of_sample(module: Any, recipe: Any, right: Any, shape: Any) -> Any:
    """Whether what `sample` returns carries a graph, for a network with a trainable parameter."""
    import torch

    class Linear(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.slope = torch.nn.Parameter(torch.tensor(0.5))

        def forward(self, x: Any, t: Any) -> Any:
            return self.slope * torch.as_tensor(x)

    with torch.enable_grad():
        result = module.sample(Linear(), tuple(shape), own_schedule(module, recipe, right))
    result = result[0] if isinstance(result, tuple | list) else result
    return bool(getattr(result, "requires_grad", False))
