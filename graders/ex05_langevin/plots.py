"""The figures of exercise 5, made from a student's own code: the worker computes, matplotlib runs here.

`figures(student, data, draw)` returns one matplotlib Figure per name:

* ``score``: the student's score as arrows over the student's density;
* ``snapshots``: particles on their way from a corner to the mixture;
* ``step_size``: the variance that chains on N(0, 1) settle at, against the step size, with the exact curve;
* ``trajectories``: the ways of five particles;
* ``mode_weights``: share of particles in the heavy mode, step by step, plain and annealed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from langevin_oracles import linear_score

MEANS = torch.tensor([[-2.0, -1.0], [2.0, 0.5], [0.0, 2.5]], dtype=torch.float64)
WEIGHTS = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
SIGMA = 0.6
LIMIT = 4.5
# Okabe and Ito's colours: told apart with any colour vision
BLUE, ORANGE, GREEN, PURPLE, RED = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00"
# Song and Ermon's toy: two far modes with weights 1/5 and 4/5
FAR = torch.tensor([[-5.0, -5.0], [5.0, 5.0]], dtype=torch.float64)
FAR_WEIGHTS = torch.tensor([0.2, 0.8], dtype=torch.float64)


def figures(student: Any, data: Any, draw: Any) -> dict[str, Any]:
    """All figures, by name; about two seconds.

    Args:
        student: the proxy of the student's file.
        data: not needed here.
        draw: seeded randomness.
    """
    return {
        "score": score_figure(student),
        "snapshots": snapshots_figure(student, draw),
        "step_size": step_size_figure(student, draw),
        "trajectories": trajectories_figure(student, draw),
        "mode_weights": mode_weights_figure(student, draw),
    }


def new_figure(width: float, height: float, columns: int = 1) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def mixture_in_student(module: Any) -> Any:
    """The student's own score of the mixture, bound inside the worker."""
    import torch as t

    means = t.tensor([[-2.0, -1.0], [2.0, 0.5], [0.0, 2.5]], dtype=t.float64)
    weights = t.tensor([0.5, 0.3, 0.2], dtype=t.float64)
    return lambda x: t.as_tensor(module.gmm_score(x, means, 0.6, weights))


def density(student: Any, n: int = 121) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grid and the student's density on it."""
    axis = torch.linspace(-LIMIT, LIMIT, n, dtype=torch.float64)
    x, y = torch.meshgrid(axis, axis, indexing="xy")
    points = torch.stack([x.ravel(), y.ravel()], dim=1)
    log_prob = as_array(student.gmm_log_prob(points, MEANS, SIGMA, WEIGHTS))
    return x.numpy(), y.numpy(), np.exp(log_prob).reshape(n, n)


def background(axes: Any, student: Any) -> None:
    x, y, p = density(student)
    axes.contourf(x, y, p, levels=12, cmap="Greys", alpha=0.7)
    axes.set(aspect="equal", xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), xlabel="$x_1$", ylabel="$x_2$")


def score_figure(student: Any) -> Any:
    figure, (axes,) = new_figure(5.6, 5.2)
    background(axes, student)
    axis = torch.linspace(-4, 4, 17, dtype=torch.float64)
    x, y = torch.meshgrid(axis, axis, indexing="xy")
    points = torch.stack([x.ravel(), y.ravel()], dim=1)
    arrows = as_array(student.gmm_score(points, MEANS, SIGMA, WEIGHTS))
    length = np.linalg.norm(arrows, axis=1, keepdims=True)
    shown = arrows / np.maximum(length, 1e-9) * np.log1p(length)  # lengths on a log scale, or the centre vanishes
    axes.quiver(points[:, 0], points[:, 1], shown[:, 0], shown[:, 1], color=BLUE, scale=38, width=0.004)
    axes.set_title("Score over density (length of an arrow: log(1 + |s|))")
    return figure


def walk(student: Any, x0: torch.Tensor, eta: float, steps: int, noises: torch.Tensor) -> np.ndarray:
    """All frames of the student's sampler with the student's score, shape (steps + 1, B, 2)."""

    def inside(module: Any, make: Any, x0: Any, eta: float, steps: int, noises: Any) -> Any:
        result = module.langevin_sample(make(module), x0, eta, steps, noises=noises, return_traj=True)
        return result[1] if isinstance(result, tuple) and len(result) == 2 else result

    frames = student.run(inside, student.module, mixture_in_student, x0, eta, steps, noises)
    return np.stack([as_array(frame) for frame in frames])


def snapshots_figure(student: Any, draw: Any) -> Any:
    steps, n = 300, 400
    x0 = draw.normal(n, 2, scale=0.3) + torch.tensor([3.5, -3.5], dtype=torch.float64)
    frames = walk(student, x0, 0.1, steps, draw.normal(steps, n, 2))
    figure, panels = new_figure(13, 3.6, 4)
    for axes, step in zip(panels, (0, 10, 60, steps), strict=True):
        background(axes, student)
        axes.scatter(*frames[step].T, s=5, color=RED, linewidths=0)
        axes.set_title(f"after {step} steps")
    return figure


def trajectories_figure(student: Any, draw: Any) -> Any:
    steps = 150
    starts = torch.tensor([[-4.0, 4.0], [4.0, 4.0], [4.0, -4.0], [-4.0, -4.0], [0.0, -4.0]], dtype=torch.float64)
    frames = walk(student, starts, 0.06, steps, draw.normal(steps, len(starts), 2))
    figure, (axes,) = new_figure(5.6, 5.2)
    background(axes, student)
    for k, colour in enumerate((BLUE, ORANGE, GREEN, PURPLE, RED)):
        axes.plot(*frames[:, k].T, color=colour, linewidth=0.9)
        axes.plot(*frames[0, k], "o", color=colour, markersize=7, markeredgecolor="black")
        axes.plot(*frames[-1, k], "s", color=colour, markersize=7, markeredgecolor="black")
    axes.set_title("Five particles: start (circle) to end (square)")
    return figure


def step_size_figure(student: Any, draw: Any) -> Any:
    """Chains on N(0, 1): ULA's own variance is 1 / (1 - eta / 4), not 1."""
    etas = [0.05, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5]
    n = 4000
    score = linear_score(torch.eye(2), torch.zeros(2))
    seen = []
    for eta in etas:
        steps = int(np.ceil(12 / eta))
        x = student.langevin_sample(score, draw.normal(n, 2), eta, steps, noises=draw.normal(steps, n, 2))
        seen.append(as_array(x[0] if isinstance(x, tuple) else x).var())
    fine = np.linspace(0, 2.8, 200)
    figure, (axes,) = new_figure(5.8, 4.2)
    axes.plot(fine, 1 / (1 - fine / 4), color=BLUE, label=r"exact: $1/(1-\eta/4)$")
    axes.plot(etas, seen, "o", color=RED, label=f"your chains ({n} particles)")
    axes.axhline(1, color="grey", linestyle="--", linewidth=1, label="the target's variance")
    axes.set(xlabel=r"step size $\eta$", ylabel="variance per coordinate", title="What a finite step costs")
    axes.legend()
    return figure


def mode_weights_figure(student: Any, draw: Any) -> Any:
    """Far modes: plain Langevin keeps the weights it started with, annealing finds the right ones."""
    n, levels, per_level, smallest = 1000, 10, 30, 1.0
    sigmas = torch.logspace(np.log10(20.0), np.log10(smallest), levels, dtype=torch.float64)
    x0 = (draw.uniform(n, 2) - 0.5) * 16

    def inside(module: Any, x0: Any, sigmas: Any, per_level: int, far: Any, weights: Any, noises: Any) -> Any:
        import torch as t

        def score(x: Any, sigma: Any) -> Any:
            s = float(t.as_tensor(sigma, dtype=t.float64).reshape(-1)[0])
            width = (s**2 + 1.0) ** 0.5
            return t.as_tensor(module.gmm_score(x, far, width, weights))

        plain, share = x0.clone(), []
        for k in range(len(sigmas) * per_level):
            plain = t.as_tensor(module.langevin_step(plain, lambda x: score(x, 0.0), 0.5, noise=noises[k]))
            share.append((plain.sum(1) > 0).double().mean())
        annealed, level_share = x0, []
        for k in range(1, len(sigmas) + 1):
            x = module.annealed_langevin(
                score, x0, sigmas[:k], 0.3 * float(sigmas[k - 1] ** 2), per_level,
                noises=noises[: k * per_level].reshape(k, per_level, *x0.shape),
            )  # fmt: skip
            annealed = t.as_tensor(x)
            level_share.append((annealed.sum(1) > 0).double().mean())
        return t.stack(share), t.stack(level_share)

    noises = draw.normal(levels * per_level, n, 2)
    plain, annealed = student.run(inside, student.module, x0, sigmas, per_level, FAR, FAR_WEIGHTS, noises)
    figure, (axes,) = new_figure(6.2, 4.2)
    axes.plot(np.arange(1, levels * per_level + 1), as_array(plain), color=ORANGE, label="plain Langevin")
    axes.plot(np.arange(1, levels + 1) * per_level, as_array(annealed), "o-", color=BLUE, label="annealed")
    axes.axhline(0.8, color="grey", linestyle="--", linewidth=1, label="right weight 4/5")
    axes.set(xlabel="steps", ylabel="share in the heavy mode", ylim=(0, 1), title="Two far modes with weights 1/5, 4/5")
    axes.legend(loc="lower right")
    return figure


def as_array(value: Any) -> np.ndarray:
    return np.asarray(value.detach() if hasattr(value, "detach") else value, dtype=float)
