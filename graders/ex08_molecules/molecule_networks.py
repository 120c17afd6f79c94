"""What the checks of EGNNLayer and EGNN run in the worker: on the student's own initial weights, and on shaken ones.

All errors are relative to the size of what is compared.
"""

from __future__ import annotations

from typing import Any

from molecule_worker import own_mask

HIDDEN, H_DIM = 16, 3


def every_parameter(root: Any) -> list[Any]:
    """Every leaf tensor that wants a gradient, in modules, lists, tuples and dicts, registered or not."""
    import torch

    found: list[Any] = []
    seen: set[int] = set()

    def visit(thing: Any, depth: int) -> None:
        if id(thing) in seen or depth > 30:  # a Linear of a Sequential of a layer of a ModuleList is 13 deep
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


def made(module: Any, name: str, seed: int, shake: bool, **sizes: int) -> Any:
    """A fresh EGNNLayer or EGNN in eval mode; shaken: every parameter moved at random, so that none is near zero."""
    import torch

    torch.manual_seed(seed)
    net = getattr(module, name)(**sizes)
    net.eval()
    net.register_forward_hook(in_own_type)
    if not shake:
        return net
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in every_parameter(net):
            fan_in = parameter[0].numel() if parameter.ndim > 1 else 4
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.data = parameter.data + (noise / fan_in**0.5).to(parameter.dtype)
    return net


def in_own_type(net: Any, args: Any, answer: Any) -> None:
    """Refuse float32 answers where float64 is the default: `run_with_type` then looks at everything in float32."""
    import torch

    values = answer if isinstance(answer, tuple | list) else [answer]
    if torch.get_default_dtype() == torch.float64 and any(getattr(v, "dtype", None) == torch.float32 for v in values):
        raise TypeError("float32 came back for float64")


def normal(*shape: int, seed: int) -> Any:
    import torch

    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.get_default_dtype())


def apart(got: Any, due: Any) -> float:
    """Largest difference over the largest size; infinite if shapes differ or numbers are not finite."""
    if tuple(got.shape) != tuple(due.shape) or not bool(got.isfinite().all() & due.isfinite().all()):
        return float("inf")
    return float((got - due).abs().max()) / (float(due.abs().max()) + 1e-12)


# ---- the layer


def layer_inputs(seed: int, B: int = 2, M: int = 5) -> Any:
    """h (B, M, HIDDEN), x (B, M, 3), a mask of ones."""
    import torch

    return normal(B, M, HIDDEN, seed=seed), 1.5 * normal(B, M, 3, seed=seed + 1), torch.ones(B, M)


def layer_answers(module: Any, seed: int) -> Any:
    """Answers of a layer with its own weights and of a shaken one, for several sizes, with and without a mask."""
    import torch

    found = []
    for shake in (False, True):
        layer = made(module, "EGNNLayer", seed, shake, hidden=HIDDEN)
        for B, M in ((2, 5), (3, 1), (1, 2)):
            h, x, mask = layer_inputs(seed, B, M)
            with torch.no_grad():
                found += [layer(h, x), layer(h, x, own_mask(module, mask))]
    big = made(module, "EGNNLayer", seed, False)
    with torch.no_grad():
        found.append(big(normal(2, 4, 32, seed=seed), normal(2, 4, 3, seed=seed)))
    return found


def layer_symmetries(module: Any, seed: int, turn: Any, order: Any) -> Any:
    """By how much a layer breaks each symmetry, the worse of its own weights and shaken ones ("features": only h').

    Args:
        turn: an orthogonal matrix; its negative is tried as well.
        order: a permutation of 5 atoms.
    """
    import torch

    h, x, mask = layer_inputs(seed)
    mask, shift = own_mask(module, mask), torch.tensor([3.0, -2.0, 5.0], dtype=x.dtype)
    turn = turn.to(x.dtype)
    found = {
        "turned": 0.0,
        "mirrored": 0.0,
        "flipped": 0.0,
        "shifted": 0.0,
        "reordered": 0.0,
        "features": 0.0,
        "still": 1.0,
    }
    flip = torch.tensor([-1.0, 1.0, 1.0], dtype=x.dtype)
    for shake in (False, True):
        layer = made(module, "EGNNLayer", seed, shake, hidden=HIDDEN)
        with torch.no_grad():
            h1, x1 = layer(h, x, mask)
            cases = {
                "turned": (layer(h, x @ turn.T, mask), h1, x1 @ turn.T),
                "mirrored": (layer(h, -x @ turn.T, mask), h1, -x1 @ turn.T),
                "flipped": (layer(h, x * flip, mask), h1, x1 * flip),
                "shifted": (layer(h, x + shift, mask), h1, x1 + shift),
                "reordered": (layer(h[:, order], x[:, order], mask), h1[:, order], x1[:, order]),
            }
        for name, ((h2, x2), h_due, x_due) in cases.items():
            found[name] = max(found[name], apart(h2, h_due), apart(x2, x_due))
        found["features"] = max(found["features"], apart(cases["turned"][0][0], h1))
        if shake:
            found["still"] = min(apart(h1, h), apart(x1, x))
    return found


def layer_padding(module: Any, seed: int) -> Any:
    """By how much h' and x' of each molecule differ from those without the rows that its mask leaves out."""
    import torch

    layer = made(module, "EGNNLayer", seed, True, hidden=HIDDEN)
    h, x, _ = layer_inputs(seed, 3, 5)
    mask = torch.tensor([[1.0, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]])
    found = []
    with torch.no_grad():
        h1, x1 = layer(h, x, own_mask(module, mask))
        for b, n in enumerate((3, 5, 1)):
            h2, x2 = layer(h[b : b + 1, :n], x[b : b + 1, :n], own_mask(module, mask[b : b + 1, :n]))
            found.append((apart(h1[b : b + 1, :n], h2), apart(x1[b : b + 1, :n], x2)))
    return found


def layer_messages(module: Any, seed: int) -> Any:
    """Facts about the messages of a shaken layer.

    Returns:
        alone: how far a single atom moves; off the line: the part of two atoms' moves that is not along the line
        between them; unequal: the sum of the moves of two alike atoms, over one; doubled, ratio: change, and ratio, of
        the move of an atom when its only neighbour is there twice; distance, features, third: effect on h', on x', and
        on x' of one atom, of another distance, of other features, and of another place of any single other atom (the
        least); changed: how far h' is from h; mask of ones: what a mask of ones changes; neighbour, summed: effect on
        h' of an atom of its only neighbour's features, and of a second neighbour like the first; only with a neighbour,
        without weights: see there.
    """
    import torch

    layer = made(module, "EGNNLayer", seed, True, hidden=HIDDEN)

    def run(h: Any, x: Any) -> Any:
        with torch.no_grad():
            return layer(h, x, own_mask(module, torch.ones(*x.shape[:2])))

    h, x, _ = layer_inputs(seed, 1, 4)
    found = {"alone": apart(run(h[:, :1], x[:, :1])[1], x[:, :1])}
    alike, two = h[:, :1].expand(1, 2, HIDDEN), x[:, :2]
    moves = run(alike, two)[1] - two
    line = (two[0, 0] - two[0, 1]) / (two[0, 0] - two[0, 1]).norm()
    size = float(moves.norm()) + 1e-12
    found["off the line"] = float((moves[0] - (moves[0] @ line)[:, None] * line).norm()) / size
    found["unequal"] = float(moves.sum(dim=1).norm()) / size
    pair_move = run(h[:, :2], two)[1][0, 0] - x[0, 0]
    thrice = run(h[:, [0, 1, 1]], x[:, [0, 1, 1]])[1][0, 0] - x[0, 0]
    found["doubled"] = float((thrice - pair_move).norm()) / (float(pair_move.norm()) + 1e-12)
    found["ratio"] = float(thrice.norm()) / (float(pair_move.norm()) + 1e-12)
    stretched = two * torch.tensor([[[1.0], [1.7]]], dtype=x.dtype)
    found["distance"] = apart(run(h[:, :2], stretched)[0], run(h[:, :2], two)[0])
    found["changed"] = apart(run(h, x)[0], h)
    base = run(h, x)[1][0, 0] - x[0, 0]
    found["features"] = float((run(h.flip(1) + 1, x)[1][0, 0] - x[0, 0] - base).norm()) / (float(base.norm()) + 1e-12)
    changes = []
    for j in (1, 2, 3):
        moved = x.clone()
        moved[0, j] += 0.8
        changes.append(float((run(h, moved)[1][0, 0] - x[0, 0] - base).norm()) / (float(base.norm()) + 1e-12))
    found["third"] = min(changes)
    with torch.no_grad():
        plain, masked = layer(h, x), run(h, x)
    found["mask of ones"] = max(apart(plain[0], masked[0]), apart(plain[1], masked[1]))
    other = torch.cat([h[:, :1], h[:, 1:2] + 1 + h[:, 2:3]], dim=1)
    alone = run(h[:, :2], two)[0][:, :1]
    found["neighbour"] = apart(run(other, two)[0][:, :1], alone)
    found["summed"] = apart(run(h[:, [0, 1, 1]], x[:, [0, 1, 1]])[0][:, :1], alone)
    found["only with a neighbour"] = only_with_a_neighbour(layer, h[:, :2], two)
    found["without weights"] = without_weights(module, seed, h, x)
    return found


def only_with_a_neighbour(layer: Any, h: Any, x: Any) -> float:
    """The share of the numbers that decide h' of an atom in a pair, and do not where that atom is alone.

    Without neighbours nothing is sent, so that the network of the messages decides nothing. 1 where that holds for a
    whole tensor of parameters; else a share, for layers that keep all of their numbers in one tensor.
    """
    import torch

    sets = []
    for n in (2, 1):
        with torch.enable_grad():
            value = layer(h[:, :n], x[:, :n])[0][:, 0].square().sum()
            leaves = every_parameter(layer)
            grads = torch.autograd.grad(value, leaves, allow_unused=True)
        sizes = [torch.zeros_like(leaf) if g is None else g.abs() for leaf, g in zip(leaves, grads, strict=True)]
        # what is added and taken away again leaves rounding
        least = 1e3 * torch.finfo(h.dtype).eps * max((float(size.max()) for size in sizes if size.numel()), default=0.0)
        sets.append([size > least for size in sizes])
    pairs = list(zip(*sets, strict=True))
    if any(bool(two.any()) and not bool(one.any()) for two, one in pairs):
        return 1.0
    numbers = sum(int(two.sum()) for two, _ in pairs)
    return sum(int((two & ~one).sum()) for two, one in pairs) / max(numbers, 1)


def without_weights(module: Any, seed: int, h: Any, x: Any) -> float:
    """How far h' - h differs from atom to atom where all weights are zero; 0 if that is not a number."""
    import torch

    layer = made(module, "EGNNLayer", seed, False, hidden=HIDDEN)
    with torch.no_grad():
        for parameter in every_parameter(layer):
            parameter.zero_()
        added = layer(h, x)[0] - h
    gap = float((added - added[:, :1]).abs().max())
    return gap if gap < float("inf") else 0.0  # weights that are normalised can not be zero


def layer_gradients(module: Any, seed: int) -> Any:
    """Whether the gradient of a shaken layer is finite, and how it compares with differences (None in float32)."""
    import torch

    layer = made(module, "EGNNLayer", seed, True, hidden=HIDDEN)
    h, x, mask = layer_inputs(seed)
    mask, a, b = own_mask(module, mask), normal(*h.shape, seed=seed + 2), normal(*x.shape, seed=seed + 3)

    def value(h: Any, x: Any) -> Any:
        h1, x1 = layer(h, x, mask)
        return (h1 * a).sum() + (x1 * b).sum()

    h, x = h.requires_grad_(True), x.requires_grad_(True)
    with torch.enable_grad():
        total = value(h, x)
        inputs = [h, x, *(p for p in layer.parameters() if p.requires_grad)]
        value_finite = bool(total.isfinite())
        if not total.requires_grad:
            return {"graph": False, "finite": False, "value": value_finite, "gap": None}
        grads = torch.autograd.grad(total, inputs, allow_unused=True)
    if grads[0] is None or grads[1] is None:
        return {"graph": False, "finite": True, "value": value_finite, "gap": None}
    finite = all(bool(g.isfinite().all()) for g in grads if g is not None)
    if x.dtype != torch.float64 or not finite:
        return {"graph": True, "finite": finite, "value": value_finite, "gap": None}
    gaps = []
    with torch.no_grad():
        for k, point in enumerate((h, x)):
            way, step = normal(*point.shape, seed=seed + 4 + k), 1e-5
            ends = [value(*(p + s * step * way if p is point else p for p in (h, x))) for s in (1, -1)]
            slope, due = float(ends[0] - ends[1]) / (2 * step), float((grads[k] * way).sum())
            gaps.append(abs(slope - due) / (abs(slope) + 1.0))
    return {"graph": True, "finite": True, "value": value_finite, "gap": max(gaps)}


# ---- the network


def network_inputs(seed: int, B: int = 3, M: int = 5) -> Any:
    """Centred x (B, M, 3), t (B,), h (B, M, H_DIM)."""
    import torch

    x = 1.2 * normal(B, M, 3, seed=seed)
    return x - x.mean(dim=1, keepdim=True), torch.tensor([0, 40, 99, 7, 3])[:B], normal(B, M, H_DIM, seed=seed + 1)


def network_answers(module: Any, seed: int) -> Any:
    """Answers for several sizes: own weights and shaken, with h and without."""
    import torch

    found = []
    for shake in (False, True):
        plain = made(module, "EGNN", seed, shake, hidden=HIDDEN, n_layers=2)
        typed = made(module, "EGNN", seed, shake, hidden=HIDDEN, n_layers=2, h_dim=H_DIM)
        for B, M in ((3, 5), (2, 1), (1, 2)):
            x, t, h = network_inputs(seed, B, M)
            with torch.no_grad():
                found += [plain(x, t), typed(x, t, h)]
    with torch.no_grad():
        found.append(made(module, "EGNN", seed, False)(*network_inputs(seed)[:2]))
    return found


def network_symmetries(module: Any, seed: int, turn: Any, order: Any) -> Any:
    """As `layer_symmetries`, for the network; "moving": the size of a shaken network's answer."""
    import torch

    x, t, h = network_inputs(seed)
    turn, shift = turn.to(x.dtype), torch.tensor([3.0, -2.0, 5.0], dtype=x.dtype)
    found = {"turned": 0.0, "mirrored": 0.0, "flipped": 0.0, "shifted": 0.0, "reordered": 0.0, "moving": 0.0}
    flip = torch.tensor([-1.0, 1.0, 1.0], dtype=x.dtype)
    for shake in (False, True):
        net = made(module, "EGNN", seed, shake, hidden=HIDDEN, n_layers=2, h_dim=H_DIM)
        with torch.no_grad():
            y = net(x, t, h)
            cases = {
                "turned": (net(x @ turn.T, t, h), y @ turn.T),
                "mirrored": (net(-x @ turn.T, t, h), -y @ turn.T),
                "flipped": (net(x * flip, t, h), y * flip),
                "shifted": (net(x + shift, t, h), y),
                "reordered": (net(x[:, order], t, h[:, order]), y[:, order]),
            }
        for name, (got, due) in cases.items():
            # an answer that starts at zero has no size of its own: the positions lend it theirs
            scale = float(due.abs().max()) + 1e-3
            found[name] = max(found[name], apart(got, due) * (float(due.abs().max()) + 1e-12) / scale)
        if shake:
            found["moving"] = float(y.abs().max())
    return found


def network_uses(module: Any, seed: int) -> Any:
    """Relative changes of a shaken network's answer.

    Returns:
        time: with the own t (the least over the molecules); another time: with the t of another molecule; features:
        with other h; ones: between h = None and ones; others: with the other molecules of the batch, the worse of
        training and eval mode.
    """
    import torch

    x, t, h = network_inputs(seed)
    net = made(module, "EGNN", seed, True, hidden=HIDDEN, n_layers=2, h_dim=H_DIM)
    with torch.no_grad():
        same = x[:1].expand(3, -1, -1).contiguous()
        features = h[:1].expand(3, -1, -1).contiguous()
        base = net(same, torch.tensor([5, 5, 5]), features)
        size = float(base.abs().max()) + 1e-12
        first, rest = (net(same, torch.tensor(times), features) - base for times in ([80, 5, 5], [5, 80, 30]))
        change = [[float(row.abs().max()) / size for row in y] for y in (first, rest)]
        found = {"time": min(change[0][0], *change[1][1:]), "another time": max(change[1][0], *change[0][1:])}
        y = net(x, t, h)
        found["features"] = apart(net(x, t, h + 1 + h.flip(1)), y)
        found["ones"] = apart(net(x, t), net(x, t, torch.ones_like(h)))
        found["others"] = 0.0
        for training in (True, False):
            net.train(training)
            together = net(x, t, h)
            found["others"] = max(found["others"], apart(net(x[:1], t[:1], h[:1]), together[:1]))
    return found


def network_parameters(module: Any, seed: int) -> Any:
    """What an optimiser would see.

    Returns:
        visible: trainable numbers; hidden: tensors that matter but are not among `parameters()`; idle: tensors that
        matter but get no gradient; finite: whether all gradients are; wider, deeper: how many more parameters larger
        networks have; used: how many more of a deeper network's parameters get a gradient. These three are counted in
        matrices of hidden times hidden, not as shares: a table of time embeddings can outnumber all layers.
    """
    import torch

    sizes = {"hidden": HIDDEN, "n_layers": 2, "h_dim": H_DIM}
    net = made(module, "EGNN", seed, True, **sizes)
    x, t, h = network_inputs(seed)
    target = normal(*x.shape, seed=seed + 5)
    visible = {id(parameter) for parameter in net.parameters() if parameter.requires_grad}
    everything = every_parameter(net)
    with torch.enable_grad():
        loss = (net(x, t, h) - target).square().mean()
        grads = (
            torch.autograd.grad(loss, everything, allow_unused=True) if loss.requires_grad else [None] * len(everything)
        )
    finite = all(bool(g.isfinite().all()) for g in grads if g is not None)
    hidden, idle = 0, 0
    with torch.no_grad():
        before = net(x, t, h)
        for parameter, gradient in zip(everything, grads, strict=True):
            reached = gradient is not None and bool((gradient != 0).any())
            if reached and id(parameter) in visible:
                continue
            kept = parameter.data.clone()
            parameter.data = kept + 0.3 * normal(*kept.shape, seed=seed + 6).to(kept.dtype)
            matters = bool((net(x, t, h) - before).abs().max() > 1e-9 * before.abs().max())
            parameter.data = kept
            hidden += matters and id(parameter) not in visible
            idle += matters and not reached

    def count(**changes: int) -> int:
        other = module.EGNN(**(sizes | changes))
        return sum(parameter.numel() for parameter in other.parameters() if parameter.requires_grad)

    def used(n_layers: int, shake: bool) -> int:
        """Numbers in the tensors that get a gradient: whole tensors, as single units may be dead."""
        other = made(module, "EGNN", seed, shake, **(sizes | {"n_layers": n_layers}))
        leaves = every_parameter(other)
        with torch.enable_grad():
            loss = (other(x, t, h) - target).square().mean()
            grads = torch.autograd.grad(loss, leaves, allow_unused=True) if loss.requires_grad else []
        return sum(g.numel() for g in grads if g is not None and bool((g != 0).any()))

    numbers = count()
    return {
        "used": max(used(5, shake) - used(2, shake) for shake in (False, True)) / HIDDEN**2,
        "still": answers_with_x(made(module, "EGNN", seed, False, **sizes), x, t, h),
        "visible": numbers,
        "hidden": hidden,
        "idle": idle,
        "finite": finite,
        "wider": (count(hidden=3 * HIDDEN) - numbers) / HIDDEN**2,
        "deeper": (count(n_layers=5) - numbers) / HIDDEN**2,
    }


def answers_with_x(net: Any, x: Any, t: Any, h: Any) -> bool:
    """Whether a network with all weights at zero, where no atom moves, answers with a multiple of x in place of 0."""
    import torch

    with torch.no_grad():
        for parameter in every_parameter(net):
            parameter.zero_()
        y = net(x, t, h)
        factor = float((y * x).sum() / x.square().sum())
        return abs(factor) > 1e-3 and apart(y, factor * x) < 1e-3


def network_padding(module: Any, seed: int) -> Any:
    """As `layer_padding`, for the network with a mask, and whether the gradient with rows of zeros is finite."""
    import torch

    net = made(module, "EGNN", seed, True, hidden=HIDDEN, n_layers=2, h_dim=H_DIM)
    x, t, h = network_inputs(seed, 3, 5)
    mask = torch.tensor([[1.0, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    x = x * mask[..., None]
    form, found = own_mask(module, mask), []
    with torch.no_grad():
        y = net(x, t, h, form)
        for b, n in enumerate((3, 5, 2)):
            due = net(x[b : b + 1, :n], t[b : b + 1], h[b : b + 1, :n])
            found.append(apart(y[b : b + 1, :n], due))
    with torch.enable_grad():
        total = (net(x, t, h, form) * mask[..., None]).square().sum()
        parameters = [p for p in net.parameters() if p.requires_grad]
        grads = torch.autograd.grad(total, parameters, allow_unused=True)
    return found, all(bool(g.isfinite().all()) for g in grads if g is not None)
