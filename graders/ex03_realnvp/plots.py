"""The figures of exercise 3, made from a student's own code: the worker trains and answers, matplotlib runs here.

`figures(student, data, draw)` returns one matplotlib Figure per name:

* ``density``: the student's `density_grid` of a flow trained on each toy, beside the toy's exact density;
* ``samples``: data and the flow's samples, toy by toy;
* ``layers``: how the flow bends a grid of noise, layer by layer, until it lies on two moons;
* ``noise``: two moons sent back to noise, which should look like N(0, I);
* ``training``: the loss on two moons, with the entropy that no density gets below.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from flow_probes import listed, trained_flow
from flow_training import BATCH, RATE, ROWS, TOYS

# Okabe and Ito's colours: told apart with any colour vision
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#7F7F7F"
LIMITS = {"moons": 2.3, "ring": 3.2, "checkerboard": 5.0}
PIXELS = 161


def figures(student: Any, data: Any, draw: Any, share: float = 1.0) -> dict[str, Any]:
    """All figures, by name. Trains three flows, about 15 seconds.

    Args:
        student: the proxy of the student's file.
        data: not needed; the toys are made here.
        draw: seeded randomness.
        share: of the training, for a look at whether all figures render.
    """
    del data
    seed = draw.seed % 2**31
    shown = {}
    with student.dtype("float32"):
        for name, toy in TOYS.items():
            density = toy.make()
            points = density.sample(ROWS, torch.Generator().manual_seed(seed)).float()
            steps_taken = math.ceil(share * toy.steps)
            flow, losses, _ = student.run(trained_flow, student.module, points, seed, steps_taken, BATCH, RATE)
            shown[name] = {
                "density": density,
                "data": as_array(points[:3000]),
                "losses": as_array(losses),
                "grid": grid_of(student.density_grid(flow, LIMITS[name], PIXELS), LIMITS[name]),
                "samples": as_array(flow.sample(3000, draw.normal(3000, 2).float())),
            }
            if name == "moons":
                moons, steps = flow, student.run(stages, flow, net_of_lines().float(), student.module)
                noise = as_array(student.run(back_to_noise, moons, points[:3000]))
    return {
        "density": density_figure(shown),
        "samples": samples_figure(shown),
        "layers": layers_figure([as_array(step) for step in steps]),
        "noise": noise_figure(shown["moons"]["data"], noise),
        "training": training_figure(shown["moons"]),
    }


# --- run in the worker ---------------------------------------------------------------------------


def stages(flow: Any, noise: Any, module: Any) -> Any:
    """The noise after each coupling layer that the flow calls; without any that can be watched, only start and end."""
    kind = getattr(module, "AffineCoupling", None)
    layers = [part for part in flow.modules() if kind is not None and isinstance(part, kind)]
    seen: list[Any] = []
    hooks = [part.register_forward_hook(lambda _, __, answer: seen.append(listed(answer)[0])) for part in layers]
    try:
        with torch.no_grad():
            end = listed(flow(noise))[0]
    finally:
        for hook in hooks:
            hook.remove()
    return [noise, *(seen or [end])]


def back_to_noise(flow: Any, points: Any) -> Any:
    """inverse(points) without a graph."""
    with torch.no_grad():
        return listed(flow.inverse(points))[0]


# --- reading answers -----------------------------------------------------------------------------


def as_array(value: Any) -> Any:
    return torch.as_tensor(value).detach().to(torch.float64).numpy()


def grid_of(answer: Any, limit: float) -> tuple[Any, Any, Any]:
    """X, Y and density of a student's grid, also where the density came alone."""
    items = [as_array(item) for item in (answer if isinstance(answer, list | tuple) else [answer])]
    if len(items) == 3:
        return items[0], items[1], items[2]
    axis = np.linspace(-limit, limit, len(items[0]))
    return (*np.meshgrid(axis, axis), items[0])


LINES, PER_LINE = 13, 121


def net_of_lines() -> Any:
    """Horizontal and vertical lines through noise within three standard deviations, (2 LINES PER_LINE, 2)."""
    fixed, along = torch.meshgrid(torch.linspace(-3, 3, LINES), torch.linspace(-3, 3, PER_LINE), indexing="ij")
    across = torch.stack([fixed, along], -1), torch.stack([along, fixed], -1)
    return torch.cat([item.reshape(-1, 2) for item in across])


# --- drawing -------------------------------------------------------------------------------------


def panels(rows: int, columns: int, size: float = 3.1) -> Any:
    """A figure that belongs to no global state, and its axes as an array (rows, columns)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size * columns, size * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def square(axes: Any, limit: float, title: str = "") -> None:
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    axes.set_title(title, fontsize=10)
    axes.tick_params(labelsize=8)


def density_figure(shown: dict[str, Any]) -> Any:
    figure, axes = panels(2, len(shown))
    for column, (name, entry) in enumerate(shown.items()):
        grid_x, grid_y, learnt = entry["grid"]
        exact = np.exp(entry["density"].log_prob(np.stack([grid_x, grid_y], -1)))
        top = 1.15 * float(exact.max())
        for row, values in enumerate((exact, learnt)):
            image = axes[row, column].pcolormesh(
                grid_x, grid_y, values, cmap="viridis", vmin=0, vmax=top, rasterized=True, shading="nearest"
            )
            square(axes[row, column], LIMITS[name], f"{TOYS[name].title}: {('exact', 'your flow')[row]}")
        dots = entry["data"][:100]
        axes[1, column].plot(*dots.T, ".", color="white", ms=1.5, alpha=0.6)
        figure.colorbar(image, ax=axes[:, column], shrink=0.6, label="density", location="bottom")
    figure.suptitle("Densities; white dots: data")
    return figure


def samples_figure(shown: dict[str, Any]) -> Any:
    figure, axes = panels(2, len(shown))
    for column, (name, entry) in enumerate(shown.items()):
        rows = (("data", BLUE, entry["data"]), ("samples of your flow", RED, entry["samples"]))
        for row, (what, colour, points) in enumerate(rows):
            axes[row, column].plot(*points.T, ".", color=colour, ms=2, alpha=0.5, rasterized=True)
            square(axes[row, column], LIMITS[name], f"{TOYS[name].title}: {what}")
    return figure


def layers_figure(steps: list[Any]) -> Any:
    columns = min(len(steps), 3 if len(steps) > 4 else 4)
    rows = -(-len(steps) // columns)
    figure, axes = panels(rows, columns, 2.8)
    half = LINES * PER_LINE
    for axis, (k, points) in zip(axes.flat, enumerate(steps), strict=False):
        for part, colour in ((points[:half], BLUE), (points[half:], ORANGE)):
            for line in part.reshape(LINES, PER_LINE, 2):
                axis.plot(*line.T, color=colour, lw=0.8)
        limit = float(np.quantile(np.abs(points), 0.99)) * 1.15
        last = k == len(steps) - 1
        square(axis, limit, "noise z" if k == 0 else f"after layer {k}" + (", data x" if last else ""))
    for axis in list(axes.flat)[len(steps) :]:
        axis.set_visible(False)
    figure.suptitle("From noise to two moons: lines of constant z1 (blue) and z2 (orange)", fontsize=11)
    return figure


def noise_figure(data: Any, noise: Any) -> Any:
    figure, axes = panels(1, 2, 4.2)
    # Which moon: the nearer of the two half circles.
    upper = np.abs(np.hypot(*data.T) - 1) + 10 * (data[:, 1] < -0.3)
    lower = np.abs(np.hypot(data[:, 0] - 1, data[:, 1] - 0.5) - 1) + 10 * (data[:, 1] > 0.8)
    first = upper < lower
    for axis, points in ((axes[0, 0], data), (axes[0, 1], noise)):
        axis.plot(*points[first].T, "o", color=BLUE, ms=2.2, alpha=0.6, label="upper moon", rasterized=True)
        axis.plot(*points[~first].T, "^", color=ORANGE, ms=2.2, alpha=0.6, label="lower moon", rasterized=True)
    square(axes[0, 0], LIMITS["moons"], "data x")
    square(axes[0, 1], 4.2, "noise z = inverse(x)")
    angle = np.linspace(0, 2 * np.pi, 200)
    for share, style in ((0.5, "-"), (0.9, "--"), (0.99, ":")):
        radius = np.sqrt(-2 * np.log(1 - share))  # of the disc that holds this share of N(0, I)
        outside = 1 - np.mean(np.hypot(*noise.T) > radius)
        axes[0, 1].plot(radius * np.cos(angle), radius * np.sin(angle), style, color="black", lw=1,
                        label=f"{share:.0%} of N(0, I); here {outside:.1%}")  # fmt: skip
    axes[0, 1].legend(fontsize=7.5, loc="upper center", bbox_to_anchor=(0.5, -0.08), ncol=2, frameon=False)
    return figure


def training_figure(entry: dict[str, Any]) -> Any:
    from matplotlib.figure import Figure

    losses, entropy = entry["losses"], entry["density"].entropy()
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    width = 25
    smooth = np.convolve(losses, np.ones(width) / width, mode="valid")
    axes.plot(np.arange(1, len(losses) + 1), losses, color=GREY, lw=0.5, alpha=0.6, label="each batch of 256")
    axes.plot(np.arange(width, len(losses) + 1), smooth, color=BLUE, lw=1.8, label=f"mean of {width} steps")
    axes.axhline(entropy, color=RED, ls="--", label=f"entropy of the data, {entropy:.3f} nats")
    axes.set(xlabel="step", ylabel="NLL in nats per point", title="Training on two moons",
             ylim=(entropy - 0.35, max(entropy + 1.5, float(np.quantile(losses, 0.99)) + 0.1)))  # fmt: skip
    axes.legend()
    return figure
