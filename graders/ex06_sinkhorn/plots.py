"""The figures of exercise 6, made from a student's own code: the worker computes, matplotlib runs here.

`figures(student, data, draw)` returns one matplotlib Figure per name:

* ``plans``: the transport plan for three regularisations, as a heat map and as lines between the clouds;
* ``convergence``: L1 error of the row marginals against the iteration, for three regularisations;
* ``cost``: the transport cost against eps, between optimal transport and the independent coupling;
* ``projection``: each point and its barycentric image, for two regularisations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

# Okabe and Ito's colours: told apart with any colour vision
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PLAN_EPS = (0.02, 0.2, 2.0)


def figures(student: Any, data: Any, draw: Any) -> dict[str, Any]:
    """All figures, by name; about two seconds.

    Args:
        student: the proxy of the student's file.
        data: not needed here.
        draw: seeded randomness.
    """
    x, y, a, b = clouds(draw)
    cost = student.cost_matrix(x, y)
    return {
        "plans": plans_figure(student, x, y, a, b, cost),
        "convergence": convergence_figure(student, a, b, cost),
        "cost": cost_figure(student, a, b, cost),
        "projection": projection_figure(student, x, y, a, b, cost),
    }


def clouds(draw: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """A ring and a cross with weights of their own, each in the order of its angle, so that plans show structure."""
    angle = torch.sort(draw.uniform(36) * 2 * torch.pi).values
    x = torch.stack([angle.cos(), angle.sin()], 1) + draw.normal(36, 2, scale=0.04)
    arm = torch.linspace(-1, 1, 15, dtype=torch.float64)
    zero = torch.zeros_like(arm)
    y = torch.cat([torch.stack([arm, zero], 1), torch.stack([zero, arm], 1)]) * 0.9 + 0.35
    y = y + draw.normal(30, 2, scale=0.03)
    y = y[torch.argsort(torch.atan2(y[:, 1] - 0.35, y[:, 0] - 0.35))]
    return x, y, draw.weights(36), torch.full((30,), 1 / 30, dtype=torch.float64)


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def plan_of(student: Any, a: Any, b: Any, cost: Any, eps: float, n_iter: int = 2000) -> np.ndarray:
    return as_array(student.sinkhorn_log(a, b, cost, eps, n_iter=n_iter)[0])


def plans_figure(student: Any, x: Any, y: Any, a: Any, b: Any, cost: Any) -> Any:
    figure, panels = new_figure(11, 7.2, 2, 3)
    for column, eps in enumerate(PLAN_EPS):
        plan = plan_of(student, a, b, cost, eps)
        heat, lines = panels[0, column], panels[1, column]
        heat.imshow(plan, cmap="Blues", aspect="auto", interpolation="nearest")
        heat.set(title=rf"$\varepsilon$ = {eps:g}", xlabel="target point j", ylabel="source point i")
        for i, j in zip(*np.nonzero(plan > 0.15 * plan.max()), strict=True):
            strength = float(plan[i, j] / plan.max())
            lines.plot([x[i, 0], y[j, 0]], [x[i, 1], y[j, 1]], color="grey", alpha=strength, linewidth=0.8)
        lines.scatter(*x.T, s=900 * a, color=BLUE, label="source, size = weight", zorder=3)
        lines.scatter(*y.T, s=900 * b, color=ORANGE, marker="s", label="target", zorder=3)
        lines.set(aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
    panels[1, 0].legend(loc="lower right", fontsize=8, markerscale=0.8)
    figure.suptitle("Transport plans: the larger the regularisation, the more the mass spreads")
    return figure


def convergence_figure(student: Any, a: Any, b: Any, cost: Any) -> Any:
    figure, ((axes,),) = new_figure(6.2, 4.2)
    for eps, colour, style in zip((0.05, 0.2, 1.0), (BLUE, RED, GREEN), ("-", "--", ":"), strict=True):
        errors = as_array(student.sinkhorn_log(a, b, cost, eps, n_iter=400, tol=1e-13)[3]).ravel()
        iterations = np.linspace(1, max(len(errors), 1), len(errors))
        axes.semilogy(iterations, np.maximum(errors, 1e-16), style, color=colour, label=rf"$\varepsilon$ = {eps:g}")
    axes.set(xlabel="entry of errors", ylabel="L1 error of the row marginals", title="Convergence of Sinkhorn")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def cost_figure(student: Any, a: Any, b: Any, cost: Any) -> Any:
    from scipy.optimize import linprog

    grid = np.geomspace(0.02, 30, 16)
    seen = [float(student.transport_cost(torch.from_numpy(plan_of(student, a, b, cost, eps)), cost)) for eps in grid]
    n, m = cost.shape
    rows, columns = np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))
    exact = linprog(cost.numpy().ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.concatenate([a, b])).fun
    figure, ((axes,),) = new_figure(6.2, 4.2)
    axes.semilogx(grid, seen, "o-", color=BLUE, label="your plan")
    axes.axhline(exact, color=GREEN, linestyle="--", label="optimal transport (linear programme)")
    axes.axhline(float(a @ cost @ b), color=RED, linestyle=":", label="independent coupling")
    axes.set(xlabel=r"$\varepsilon$", ylabel=r"$\langle P_\varepsilon, C\rangle$", title="Between two limits")
    axes.legend(loc="upper left", bbox_to_anchor=(0.0, 0.94))
    return figure


def projection_figure(student: Any, x: Any, y: Any, a: Any, b: Any, cost: Any) -> Any:
    figure, panels = new_figure(10, 4.8, 1, 2)
    for axes, eps in zip(panels[0], (0.02, 0.5), strict=True):
        plan = torch.from_numpy(plan_of(student, a, b, cost, eps))
        image = as_array(student.barycentric_projection(plan, y, a))
        axes.scatter(*y.T, s=30, color=ORANGE, marker="s", label="target")
        axes.quiver(*x.T, *(image - x.numpy()).T, angles="xy", scale_units="xy", scale=1, width=0.003, color="grey")
        axes.scatter(*x.T, s=25, color=BLUE, label="source")
        axes.scatter(*image.T, s=30, color=RED, marker="x", label="barycentric image", zorder=3)
        axes.set(aspect="equal", title=rf"$\varepsilon$ = {eps:g}", xlabel="$x_1$", ylabel="$x_2$")
    panels[0, 0].legend(loc="lower left", fontsize=8)
    figure.suptitle("Barycentric projection: regularisation pulls the images together")
    return figure


def as_array(value: Any) -> np.ndarray:
    if isinstance(value, list | tuple):
        value = [float(item) for item in value]
    return np.asarray(value.detach() if hasattr(value, "detach") else value, dtype=float)
