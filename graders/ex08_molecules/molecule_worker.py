"""Functions that run beside the student's code, and the proxy that gives a student's function schedules and masks.

A student's functions get the student's own schedule, in whatever kind of dict it is, if its numbers are right, else the
judge's plain dict. A mask is (B, M), or (B, M, 1) for an answer whose `remove_mean` works with that only.
"""

from __future__ import annotations

from typing import Any

from molecule_table import order_of


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


def own_mask(module: Any, mask: Any) -> Any:
    """The mask (B, M), or as (B, M, 1) if the student's `remove_mean` understands that form and not the other."""
    import torch

    x = torch.tensor([[[1.0, 2.0, 3.0], [3.0, 0.0, 1.0], [9.0, 9.0, 9.0], [5.0, 5.0, 5.0]]])
    trial = torch.tensor([[1.0, 1.0, 0.0, 0.0]])

    def works(form: Any) -> bool:
        try:
            got = torch.as_tensor(module.remove_mean(x.clone(), form)).detach()[0, :2].double()
        except Exception:
            return False
        due = torch.tensor([[-1.0, 1.0, 1.0], [1.0, -1.0, -1.0]], dtype=torch.float64)
        return got.shape == due.shape and bool(((got - due).abs() < 1e-5).all())

    return mask[..., None] if not works(trial) and works(trial[..., None]) else mask


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
        if kwargs.get("mask") is not None:
            kwargs = kwargs | {"mask": own_mask(module, kwargs["mask"])}
        before = [fingerprint(arg) for arg in args]
        extra = {key: fingerprint(value) for key, value in kwargs.items()}
        result = function(*args, **kwargs)
        changed = [str(i + 1) for i, arg in enumerate(args) if fingerprint(arg) != before[i]]
        changed += [key for key, value in kwargs.items() if fingerprint(value) != extra[key]]
        return result, changed

    call.__name__ = name
    return call


class Calls:
    """Stands for `student.<name>` in `agrees`: schedules and masks come in the student's own form.

    Args:
        recipe: arguments of `linear_schedule` from which a dict among the arguments was made.
    """

    def __init__(self, student: Any, name: str, recipe: Any = (100,)) -> None:
        self.student, self.label, self._recipe = student, name, tuple(recipe)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        answer = self.student.run(calling(self.label), self.student.module, self._recipe, list(args), kwargs)
        result, changed = answer
        self.student.mutated = [f"number {name}" if name.isdigit() else name for name in changed]
        return result


# ---- longer runs beside the student's code


def chain(module: Any, recipe: Any, right: Any, model: Any, start: Any, noises: Any) -> Any:
    """All steps of `p_sample_com` from `start` (B, M, 3), with `noises[t]` in step t (None: the student draws)."""
    import torch

    schedule, x = own_schedule(module, recipe, right), start.clone()
    with torch.no_grad():
        for t in reversed(range(len(right["betas"]))):
            noise = None if noises is None else noises[t].clone()
            x = torch.as_tensor(module.p_sample_com(model, x, t, schedule, noise)).detach()
    return x


def loss_and_gradient(module: Any, recipe: Any, right: Any, weights: Any, x0: Any, t: Any, noise: Any) -> Any:
    """ddpm_loss_com of a small network with these weights (3, 3), and its gradient in them or None."""
    import torch

    class Small(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = torch.nn.Parameter(weights.clone())

        def forward(self, x: Any, t: Any) -> Any:
            time = torch.as_tensor(t).to(x.dtype).reshape(-1, 1, 1)
            y = torch.tanh(torch.as_tensor(x) @ self.weights + 0.05 * time)
            return y - y.mean(dim=1, keepdim=True)

    network = Small()
    with torch.enable_grad():
        loss = module.ddpm_loss_com(network, x0, own_schedule(module, recipe, right), t, noise)
    if not (isinstance(loss, torch.Tensor) and loss.requires_grad):
        return loss, None
    return loss.detach(), torch.autograd.grad(loss.sum(), network.weights, allow_unused=True)[0]


def rotations(module: Any, count: int, seed: int) -> Any:
    """(count, 3, 3) rotations, drawn one after the other from one generator."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    found = [torch.as_tensor(module.random_rotation(generator)).detach() for _ in range(count)]
    return torch.stack(found)


def seeded_twice(module: Any, name: str, args: Any, seed: int) -> Any:
    """Four results of a function with a `generator`: two from equal generators, and the next one of each."""
    import torch

    found = []
    for number in (1, 2):
        torch.manual_seed(seed + number)  # the global generator must not matter
        generator = torch.Generator().manual_seed(seed)
        found += [torch.as_tensor(getattr(module, name)(*args, generator=generator)).detach() for _ in range(2)]
    return found


def drawn_means(module: Any) -> Any:
    """Whether drawn noise of three atoms has a mean; None if nothing usable is drawn."""
    import torch

    try:
        noise = torch.as_tensor(module.com_free_noise((20, 3, 3))).detach()
        return bool(noise.mean(dim=1).abs().max() > 1e-4)
    except Exception:
        return None


def stabilities(module: Any, molecules: Any) -> Any:
    """(share, all) of `stability` for every (x, types)."""
    found = []
    for x, types in molecules:
        share, stable = module.stability(x.clone(), list(types))
        found.append((float(share), bool(stable)))
    return found


def stabilities_by_right_orders(module: Any, molecules: Any) -> Any:
    """`stabilities` with the judge's `bond_order` in place of the student's."""
    own, module.bond_order = module.bond_order, lambda a, b, d: order_of(a, b, float(d))
    try:
        return stabilities(module, molecules)
    finally:
        module.bond_order = own


def orders(module: Any, pairs: Any) -> Any:
    """`bond_order` of every (a, b, d): a number, or None for what is none."""
    found: list[Any] = []
    for pair in pairs:
        order = module.bond_order(*pair)
        try:
            found.append(float(order))
        except (TypeError, ValueError):
            found.append(None)
    return found
