"""Functions that run inside the worker: randomise, differentiate, inspect and train what the student built.

They are shipped by value, import what they need themselves and know no right answer. Nothing here asks how a layer
names its parameters or how many networks it has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def told_as(name: str) -> Callable[[Any], Any]:
    """Gives a function that is shipped to the student the name of what it asks of the student's code.

    Messages about errors begin with that name, and a student has never heard of the functions of this file.
    """

    def renamed(function: Any) -> Any:
        function.__name__ = name
        return function

    return renamed


def listed(answer: Any) -> list[Any]:
    """The items of a tuple, list or dataclass."""
    if hasattr(answer, "__dataclass_fields__"):
        return [getattr(answer, name) for name in answer.__dataclass_fields__]
    if not isinstance(answer, tuple | list):
        raise TypeError(f"two things are due, points and log-determinants; a {type(answer).__name__} came")
    return list(answer)


def every_parameter(root: Any) -> list[Any]:
    """All tensors with requires_grad inside a module, also those hidden in lists and dicts, each once."""
    import torch

    found: list[Any] = []
    seen: set[int] = set()

    def visit(thing: Any, depth: int) -> None:
        if id(thing) in seen or depth > 12:
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
            for value in list(vars(thing).values()):
                visit(value, depth + 1)

    visit(root, 0)
    return found


def randomise(module: Any, seed: int, size: float = 1.0) -> None:
    """Add noise to every parameter, in place: N(0, size^2 / n) to matrices, N(0, (0.2 size)^2) to the rest.

    n is the larger side: the fan-in of an output layer, which may start at zero, in whichever layout it is stored.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in every_parameter(module):
            spread = size * (max(parameter.shape) ** -0.5 if parameter.ndim > 1 else 0.2)
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.data = parameter.data + (spread * noise).to(parameter.dtype)


def batch_jacobian(function: Any, points: Any) -> Any:
    """Jacobians (B, 2, 2) of a map (B, 2) -> (B, 2) that treats each row by itself, by autograd.

    None if the map's points come back without a graph.
    """
    import torch

    def positions(p: Any) -> Any:
        return listed(function(p))[0]

    if not positions(points.clone().requires_grad_(True)).requires_grad:
        return None
    full = torch.autograd.functional.jacobian(positions, points)  # (B, 2, B, 2)
    rows = torch.arange(points.shape[0])
    return full[rows, :, rows, :].detach()


@told_as("forward")
def jacobian_forward(layer: Any, points: Any) -> Any:
    """d forward / d z at the points, (B, 2, 2), or None."""
    return batch_jacobian(layer, points)


@told_as("inverse")
def jacobian_inverse(layer: Any, points: Any) -> Any:
    """d inverse / d x at the points, (B, 2, 2), or None."""
    return batch_jacobian(layer.inverse, points)


@told_as("AffineCoupling")
def positions(layer: Any, direction: str, points: Any) -> Any:
    """The points that a direction, "forward" or "inverse", returns, without a graph."""
    return listed(getattr(layer, direction)(points))[0].detach()


@told_as("inverse")
def parameter_report(module: Any, points: Any, loss_names: list[str]) -> dict[str, Any]:
    """What an optimiser would see.

    Args:
        module: a layer or a flow with random weights.
        points: (B, 2).
        loss_names: quantities whose gradients are asked for: "points" and "log_det" of ``inverse``.

    Returns:
        visible: how many tensors ``parameters()`` yields; hidden: how many tensors change the result of ``inverse`` but
        are not among them; idle: how many change the result but get no gradient from the losses together; reached:
        for each loss, whether any parameter gets a gradient.
    """
    import torch

    def evaluate() -> dict[str, Any]:
        answer = listed(module.inverse(points))
        return {"points": answer[0].sin().sum() + answer[0].sum(), "log_det": answer[1].sum()}

    visible = {id(parameter) for parameter in module.parameters() if parameter.requires_grad}
    everything = every_parameter(module)
    touched: set[int] = set()
    reached = {}
    for name in loss_names:
        loss = evaluate()[name]
        reached[name] = False
        if loss.requires_grad:
            gradients = torch.autograd.grad(loss, everything, allow_unused=True)
            for parameter, gradient in zip(everything, gradients, strict=True):
                if gradient is not None and bool((gradient != 0).any()):
                    reached[name] = True
                    touched.add(id(parameter))
    hidden = idle = 0
    with torch.no_grad():
        before = {name: float(value) for name, value in evaluate().items()}
        for parameter in everything:
            kept = parameter.data.clone()
            parameter.data = kept + 0.3
            after = {name: float(value) for name, value in evaluate().items()}
            parameter.data = kept
            if any(abs(after[name] - before[name]) > 1e-6 * (1 + abs(before[name])) for name in before):
                hidden += id(parameter) not in visible
                idle += id(parameter) not in touched
    return {"visible": len(visible), "hidden": hidden, "idle": idle, "reached": reached}


def trainable_masks(module: Any) -> int:
    """How many trainable tensors of a fresh layer are a mask: a 0-1 vector of two different numbers."""
    masks = 0
    for parameter in every_parameter(module):
        values = sorted(parameter.detach().flatten().tolist())
        masks += values == [0.0, 1.0]
    return masks


@told_as("inverse")
def fresh_gradient(module: Any, points: Any) -> int:
    """How many weight matrices (not biases) get a gradient in a fresh layer."""
    import torch

    answer = listed(module.inverse(points))
    loss = (answer[0] ** 2).sum() - answer[1].sum() + answer[0].sum()
    matrices = [parameter for parameter in every_parameter(module) if parameter.ndim > 1]
    if not matrices or not loss.requires_grad:
        return 0
    gradients = torch.autograd.grad(loss, matrices, allow_unused=True)
    return sum(gradient is not None and bool((gradient != 0).any()) for gradient in gradients)


def count_parameters(module: Any) -> int:
    """Trainable numbers, wherever they are kept."""
    return sum(parameter.numel() for parameter in every_parameter(module))


def judged_layers(count: list[int], log: list[Any]) -> Any:
    """A stand-in for the student's coupling layer, so that a flow can be judged apart from its layers.

    No coupling at all, but an invertible layer with the same two methods: a linear map that differs from layer to
    layer, then a bend of each coordinate. The linear maps do not commute, so their order matters.
    """
    import torch

    class JudgedLayer(torch.nn.Module):
        def __init__(self, mask: Any = None, *args: Any, **kwargs: Any) -> None:
            super().__init__()
            k = count[0]
            count[0] += 1
            angle = torch.tensor(0.5 + 0.37 * k)
            turn = torch.stack([torch.cos(angle), -torch.sin(angle), torch.sin(angle), torch.cos(angle)]).reshape(2, 2)
            stretch = torch.tensor([1.25, 0.7 + 0.06 * k])
            self.matrix = torch.nn.Parameter(turn * stretch)
            self.bend = 0.35

        def forward(self, z: Any) -> Any:
            linear = z @ self.matrix.to(z.dtype).T
            angle = torch.asinh(linear) + self.bend
            rates = torch.log(torch.cosh(angle)) - 0.5 * torch.log1p(linear**2)
            log_det = torch.slogdet(self.matrix)[1].to(z.dtype) + rates.sum(-1)
            log.append(("forward", log_det.detach()))
            return torch.sinh(angle), log_det

        def inverse(self, x: Any) -> Any:
            angle = torch.asinh(x) - self.bend
            linear = torch.sinh(angle)
            z = linear @ torch.linalg.inv(self.matrix).to(x.dtype).T
            rates = torch.log(torch.cosh(angle)) - 0.5 * torch.log1p(x**2)
            log_det = rates.sum(-1) - torch.slogdet(self.matrix)[1].to(x.dtype)
            log.append(("inverse", log_det.detach()))
            return z, log_det

    return JudgedLayer


def build_flow(module: Any, n_layers: int, seed: int, points: Any) -> Any:
    """A flow of the student on the judge's layers, and the log in which these write; on its own layers, randomised,
    if its constructor cannot do with others or does not use the name AffineCoupling."""
    import torch

    count, log = [0], []
    own = getattr(module, "AffineCoupling", None)
    flow = None
    try:
        module.AffineCoupling = judged_layers(count, log)
        flow = module.RealNVP(n_layers)
        if count[0]:
            flow.inverse(points)
    except NotImplementedError:
        raise
    except Exception:
        count[0] = 0
    finally:
        if own is None:
            vars(module).pop("AffineCoupling", None)
        else:
            module.AffineCoupling = own
    if flow is None or not count[0]:
        torch.manual_seed(seed)
        flow = module.RealNVP(n_layers)
        randomise(flow, seed, 1.0)
    return flow, log


@told_as("RealNVP")
def both_directions(module: Any, points: Any) -> Any:
    """What a flow of two layers, as its constructor makes it, says of points in both directions."""
    flow = module.RealNVP(2)
    return flow(points), flow.inverse(points)


@told_as("RealNVP")
def flow_report(module: Any, n_layers: int, seed: int, x: Any, z: Any, noise: Any) -> dict[str, Any]:
    """Everything that a flow says about given points; the judge decides what it means.

    Args:
        x, z: (B, 2), points to send backwards and forwards; noise: (n, 2), for ``sample``.

    Returns:
        answers of forward(z), inverse(x), forward(x), log_prob(x), sample(n, noise), there-and-back points,
        autograd's Jacobians, and the log-determinants of the last layer asked, where the judge's layers were used.
    """

    flow, log = build_flow(module, n_layers, seed, x)

    def asked(function: Any, points: Any) -> Any:
        log.clear()
        answer = listed(function(points.clone()))
        return answer, [entry[1] for entry in log]

    report: dict[str, Any] = {}
    before = x.clone(), z.clone(), noise.clone()
    report["forward"], report["forward_layers"] = asked(flow, z)
    report["inverse"], report["inverse_layers"] = asked(flow.inverse, x)
    report["forward_of_x"], _ = asked(flow, x)
    report["log_prob"] = flow.log_prob(x)
    report["sample"] = flow.sample(len(noise), noise)
    report["sample_again"] = flow.sample(len(noise), noise=noise)
    report["forward_of_noise"], _ = asked(flow, noise)
    report["inverse_of_noise"], _ = asked(flow.inverse, noise)
    report["x_back"], _ = asked(flow, report["inverse"][0].detach())
    report["z_back"], _ = asked(flow.inverse, report["forward"][0].detach())
    report["changed"] = [bool((a != b).any()) for a, b in zip(before, (x, z, noise), strict=True)]
    return report


@told_as("RealNVP")
def flow_jacobians(module: Any, n_layers: int, seed: int, x: Any, z: Any) -> Any:
    """Autograd's Jacobians of forward at z and inverse at x, for the flow of `flow_report` with the same arguments."""
    flow, _ = build_flow(module, n_layers, seed, x)
    return batch_jacobian(flow, z), batch_jacobian(flow.inverse, x)


@told_as("RealNVP")
def sample_and_return(module: Any, n_layers: int, seed: int, n: int) -> Any:
    """Two batches of samples without given noise, and the noise that ``inverse`` finds in the first."""
    import torch

    flow, _ = build_flow(module, n_layers, seed, torch.zeros(3, 2))
    torch.manual_seed(seed)  # after the construction, which draws as many numbers as it likes
    with torch.no_grad():
        first, second = flow.sample(n), flow.sample(n)
        back = listed(flow.inverse(first))
    return first, second, back[0]


@told_as("log_prob")
def log_prob_reaches(module: Any, n_layers: int, seed: int, x: Any) -> bool:
    """Whether the gradient of log_prob reaches a parameter, for the flow of `flow_report` with the same arguments."""
    import torch

    flow, _ = build_flow(module, n_layers, seed, x)
    with torch.enable_grad():
        total = torch.as_tensor(flow.log_prob(x)).sum()
    if not total.requires_grad:
        return False
    gradients = torch.autograd.grad(total, every_parameter(flow), allow_unused=True)
    return any(gradient is not None and bool((gradient != 0).any()) for gradient in gradients)


def random_flow(module: Any, n_layers: int | None, seed: int, size: float) -> Any:
    """The student's flow on its own layers, with random weights; the same for the same arguments."""
    import torch

    torch.manual_seed(seed)
    flow = module.RealNVP() if n_layers is None else module.RealNVP(n_layers)
    randomise(flow, seed, size)
    return flow


@told_as("RealNVP")
def whole_flow_report(module: Any, seed: int, x: Any, z: Any) -> Any:
    """forward(z), inverse(x), there and back from x and from z, and both Jacobians, of RealNVP() on random weights."""
    flow = random_flow(module, None, seed, 1.0)
    there, back = listed(flow(z)), listed(flow.inverse(x))
    x_back, z_back = listed(flow(back[0].detach()))[0], listed(flow.inverse(there[0].detach()))[0]
    return there, back, x_back, z_back, batch_jacobian(flow, z), batch_jacobian(flow.inverse, x)


@told_as("RealNVP")
def density_along_image(module: Any, seed: int, nodes: Any) -> Any:
    """log_prob at the images x of some noise under a random flow of three layers, and |det dx/dz| there by autograd.

    Each row is taken to depend on itself only, so two backward passes give all Jacobians; without a graph, None for
    the determinants.
    """
    import torch

    flow = random_flow(module, 3, seed, 1.0)
    noise = nodes.clone().requires_grad_(True)
    x = listed(flow(noise))[0]
    if not x.requires_grad:
        return flow.log_prob(x), None
    rows = [torch.autograd.grad(x[:, i].sum(), noise, retain_graph=True)[0] for i in range(2)]
    stretch = torch.linalg.det(torch.stack(rows, 1)).abs()
    with torch.no_grad():
        return flow.log_prob(x.detach()), stretch


@told_as("RealNVP")
def depth_report(module: Any, n_layers: int | None, seed: int, z: Any) -> Any:
    """Trainable numbers of a flow, and its Jacobian at z for random weights."""
    flow = random_flow(module, n_layers, seed, 2.0)
    return count_parameters(flow), batch_jacobian(flow, z)


@told_as("RealNVP")
def saved_and_loaded(module: Any, seed: int, x: Any) -> Any:
    """log_prob of a random flow, and of a new one that loaded its state_dict."""
    import torch

    old = random_flow(module, 3, seed, 1.0)
    new = module.RealNVP(3)
    new.load_state_dict(old.state_dict())
    with torch.no_grad():
        return old.log_prob(x), new.log_prob(x)


@told_as("nll_loss")
def loss_gradients(module: Any, flow: Any, x: Any) -> Any:
    """Gradients of nll_loss in the parameters of the flow that it is given."""
    import torch

    return torch.autograd.grad(module.nll_loss(flow, x), list(flow.parameters()))


def slanted_gaussian() -> Any:
    """A Gaussian with the methods of a flow, for functions that are given one."""
    import torch

    class Slanted(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.matrix = torch.nn.Parameter(torch.tensor([[1.4, 0.5], [-0.3, 0.6]], dtype=torch.float64))
            self.centre = torch.nn.Parameter(torch.tensor([0.4, -0.2], dtype=torch.float64))

        def forward(self, z: Any) -> Any:
            log_det = torch.slogdet(self.matrix)[1].to(z.dtype)
            return z @ self.matrix.to(z.dtype).T + self.centre.to(z.dtype), log_det.expand(z.shape[0])

        def inverse(self, x: Any) -> Any:
            z = (x - self.centre.to(x.dtype)) @ torch.linalg.inv(self.matrix).to(x.dtype).T
            return z, -torch.slogdet(self.matrix)[1].to(x.dtype).expand(x.shape[0])

        def log_prob(self, x: Any) -> Any:
            noise, volume = self.inverse(x)
            return -0.5 * (noise * noise).sum(-1) - 1.8378770664093453 + volume

        def sample(self, n: int, noise: Any = None) -> Any:
            return self.forward(torch.randn(n, 2) if noise is None else noise)[0]

    return Slanted()


def trained_flow(module: Any, data: Any, seed: int, steps: int, batch: int, rate: float) -> Any:
    """The judge's training loop: Adam with a cosine rate on the student's ``nll_loss``, in float32.

    Args:
        data: (N, 2), float32.
        steps, batch, rate: number of steps, batch size, first learning rate.

    Returns:
        the flow, the loss of each step, and the step at which the loss stopped being finite, or -1.
    """
    import math

    import torch

    torch.manual_seed(seed)
    flow = module.RealNVP()
    flow.train()
    optimiser = torch.optim.Adam(flow.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    order = torch.Generator().manual_seed(seed)
    losses, broken = [], -1
    for step in range(steps):
        rows = torch.randint(len(data), (batch,), generator=order)
        loss = module.nll_loss(flow, data[rows])
        losses.append(float(loss.detach()))
        if not math.isfinite(losses[-1]):
            broken = step
            break
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(flow.parameters(), 5.0)
        optimiser.step()
        schedule.step()
    flow.eval()
    return flow, torch.tensor(losses), broken


@told_as("RealNVP")
def train_flow(module: Any, data: Any, test: Any, seed: int, steps: int, batch: int, rate: float) -> dict[str, Any]:
    """Train a flow on data (N, 2), and show it test points (M, 2); for the rest see `trained_flow`.

    Returns:
        log_prob of the test points (M,), their noise (M, 2), and the step at which the loss broke down, or -1.
    """
    import torch

    torch.set_default_dtype(torch.float32)
    flow, _, broken = trained_flow(module, data.float(), seed, steps, batch, rate)
    with torch.no_grad():
        back = listed(flow.inverse(test.float()))
        return {"log_prob": flow.log_prob(test.float()), "noise": back[0], "broken": broken}
