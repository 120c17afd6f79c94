"""Functions that run inside the worker and look at the student's U-Net: they build it, shake its weights, and report.

Nothing here asks how layers are named, how many there are, or how the student joins features.
"""

from __future__ import annotations

from typing import Any

from ddpm_worker import told_as


def every_parameter(root: Any) -> list[Any]:
    """All trainable leaves inside a module, also those hidden in plain lists and dicts, each once."""
    import torch

    found: list[Any] = []
    seen: set[int] = set()

    def visit(thing: Any, depth: int) -> None:
        if id(thing) in seen or depth > 16:
            return
        seen.add(id(thing))
        if isinstance(thing, torch.Tensor):
            if thing.requires_grad and thing.is_leaf:
                found.append(thing)
        elif isinstance(thing, dict):
            for value in list(thing.values()):
                visit(value, depth + 1)
        elif isinstance(thing, list | tuple):
            for value in thing:
                visit(value, depth + 1)
        elif isinstance(thing, torch.nn.Module):
            visit(vars(thing), depth + 1)

    visit(root, 0)
    return found


def shaken(module: Any, seed: int) -> Any:
    """A fresh U-Net in the default dtype, every parameter moved at random: layers that start at zero speak as well."""
    import torch

    torch.manual_seed(seed)
    net = module.UNet()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in every_parameter(net):
            fan_in = parameter[0].numel() if parameter.ndim > 1 else 4
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.data = parameter.data + (noise / fan_in**0.5).to(parameter.dtype)
    return net


def images(*shape: int, seed: int) -> Any:
    import torch

    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.get_default_dtype())


@told_as("UNet")
def answers(module: Any, seed: int) -> Any:
    """Answers of a U-Net as the student initialises it, and of a shaken one, to 28x28, 32x32 and 16x16 images."""
    import torch

    torch.manual_seed(seed)
    results = []
    for net in (module.UNet(), shaken(module, seed), module.UNet(c=8)):
        for side, count in ((28, 3), (32, 1), (16, 2)):
            with torch.no_grad():
                results.append(net(images(count, 1, side, side, seed=seed), torch.arange(count) * 50))
    return results


@told_as("UNet")
def mixing(module: Any, seed: int) -> Any:
    """By how much the answer to an image changes with the others of its batch: in training mode, then in eval mode.

    None for a mode in which the answer is random anyway (dropout).
    """
    import torch

    net = shaken(module, seed)
    x, t = images(4, 1, 28, 28, seed=seed), torch.tensor([3, 50, 120, 199])
    others = torch.cat([x[:1], 3 * images(2, 1, 28, 28, seed=seed + 1) + 1])
    times = torch.tensor([3, 180, 70])
    report = []
    with torch.no_grad():
        for training in (True, False):
            net.train(training)
            first, again = net(x, t), net(x, t)
            if bool((first - again).abs().max() > 1e-6 * first.abs().max()):
                report.append(None)
                continue
            apart, elsewhere = net(x[:1], t[:1]), net(others, times)
            size = float(first[:1].std()) + 1e-12
            report.append(max(float((y[:1] - first[:1]).abs().max()) for y in (apart, elsewhere)) / size)
    return report


@told_as("UNet")
def use_of_time(module: Any, seed: int) -> Any:
    """Relative change of the answers when t changes: the least for an image's own t, the most for another image's."""
    import torch

    net = shaken(module, seed)
    net.eval()
    x = images(1, 1, 28, 28, seed=seed).repeat(3, 1, 1, 1)
    with torch.no_grad():
        base = net(x, torch.tensor([5, 5, 5]))
        size = float(base.std()) + 1e-12
        first, others = (net(x, torch.tensor(t)) - base for t in ([150, 5, 5], [5, 150, 30]))
        changes = [[float(y.abs().max()) / size for y in answer] for answer in (first, others)]
    own = [changes[0][0], *changes[1][1:]]
    return min(own), max(own), max(changes[1][0], *changes[0][1:])


@told_as("UNet")
def gradients(module: Any, seed: int) -> Any:
    """What an optimiser would see.

    Returns:
        visible: trainable numbers among `parameters()`; hidden: tensors that matter but are not among them; idle:
        tensors that matter but get no gradient from the loss; useless: tensors that do not matter; names of the idle.
    """
    import torch

    net = shaken(module, seed)
    net.eval()
    x, t = images(2, 1, 16, 16, seed=seed), torch.tensor([10, 150])
    target = images(2, 1, 16, 16, seed=seed + 1)
    visible = {id(parameter): name for name, parameter in net.named_parameters() if parameter.requires_grad}
    everything = every_parameter(net)
    with torch.enable_grad():
        loss = (net(x, t) - target).square().mean()
        if loss.requires_grad:
            found = torch.autograd.grad(loss, everything, allow_unused=True)
        else:
            found = [None] * len(everything)
    hidden, idle, useless = 0, [], 0
    with torch.no_grad():
        before = net(x, t)
        for parameter, gradient in zip(everything, found, strict=True):
            reached = gradient is not None and bool((gradient != 0).any())
            if reached and id(parameter) in visible:
                continue
            kept = parameter.data.clone()
            parameter.data = kept + 0.3 * images(*kept.shape, seed=seed + 2).to(kept.dtype)
            matters = bool((net(x, t) - before).abs().max() > 1e-9 * before.abs().max())
            parameter.data = kept
            hidden += matters and id(parameter) not in visible
            useless += not matters
            if matters and not reached:
                idle.append(visible.get(id(parameter), "a hidden one"))
    count = sum(parameter.numel() for parameter in net.parameters() if parameter.requires_grad)
    return {"visible": count, "hidden": hidden, "idle": len(idle), "useless": useless, "names": idle[:5]}


@told_as("UNet")
def paths(module: Any, seed: int) -> Any:
    """Through which sizes the information about a 32x32 image travels.

    All intermediate results of a size are replaced by zeros, whichever operation makes them.

    Returns:
        quarter: whether 8x8 features occur, and whether the answer depends on them; half: whether features of 16x16
        made after the last 8x8 ones still know the image when everything 8x8 is zero (a skip at half size); full:
        whether the answer still does when everything 8x8 and 16x16 is zero (a skip at full size).
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Blank(TorchDispatchMode):
        """Zeros for 4-D results of the given sides; keeps the 16x16 results made after the last 8x8 one."""

        def __init__(self, sides: tuple[int, ...]) -> None:
            super().__init__()
            self.sides, self.seen, self.after = sides, 0, []

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            if not (isinstance(out, torch.Tensor) and out.ndim == 4 and out.is_floating_point()):
                return out
            side = tuple(out.shape[-2:])
            if side == (8, 8):
                self.seen += 1
                self.after = []
            if side == (16, 16):
                self.after.append(out.detach().clone())
            if side in {(s, s) for s in self.sides}:
                # in place where the operation itself works in place, else a new tensor: views must not leak upwards
                return out.zero_() if func.__name__.split(".")[0].endswith("_") else torch.zeros_like(out)
            return out

    net = shaken(module, seed)
    net.eval()
    x, t = images(2, 1, 32, 32, seed=seed), torch.tensor([20, 20])

    def run(sides: tuple[int, ...]) -> Any:
        with torch.no_grad(), Blank(sides) as mode:
            y = net(x, t)
        return y, mode

    def differ(y: Any) -> bool:
        return bool((y[0] - y[1]).abs().max() > 1e-9 * (1 + y.abs().max()))

    plain, mode = run(())
    without, blank = run((8,))
    bare, _ = run((8, 16))
    return {
        "quarter": mode.seen > 0,
        "quarter used": bool((plain - without).abs().max() > 1e-9 * plain.abs().max()),
        "half": any(differ(y) for y in blank.after if len(y) == 2),
        "full": differ(bare),
    }
