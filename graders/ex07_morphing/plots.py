"""The figures of exercise 7, made from a student's own code: the worker computes, matplotlib runs here.

`figures(student, data, draw)` returns one matplotlib Figure per name:

* ``frames``: the cloud A on its way to B, by score and transport together;
* ``trajectories``: the paths of all particles, coloured by where they started;
* ``comparison``: score only, transport only, both: where the particles end, and two distances to B step by step;
* ``shrinkage``: by how much the entropic map of a cloud to itself shrinks it, with and without debiasing.

`save_animation(student, draw, path)` writes the moving picture of the statement. From the folder of the course:

    python graders/ex07_morphing/plots.py docs/gallery/ex07_morphing/morphing.gif
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from morphing_oracles import entropic_covariance, mixture_score, no_score, normal_grid
from morphing_runs import CENTRES, SHARES, SIGMA

# Okabe and Ito's colours: told apart with any colour vision
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "0.75"
N, STEPS = 120, 40
START = torch.tensor([-5.0, 1.0], dtype=torch.float64)
NUMBERS = {"eta": 0.05, "eps": 2.0, "n_steps": STEPS}
WAYS = {
    "score only": {"lam": 0.0, "tau": 1.0},
    "transport only": {"lam": 4.0, "tau": 0.0},
    "both": {"lam": 4.0, "tau": 1.0},
}
COLOURS = {"score only": BLUE, "transport only": ORANGE, "both": GREEN}


def figures(student: Any, data: Any, draw: Any) -> dict[str, Any]:
    """All figures, by name; about ten seconds.

    Args:
        student: the proxy of the student's file.
        data: not needed here.
        draw: seeded randomness.
    """
    x0, y, noises = problem(draw)
    walks = {name: walk(student, name, x0, y, noises) for name in WAYS}
    return {
        "frames": frames_figure(walks["both"], y),
        "trajectories": trajectories_figure(walks, y),
        "comparison": comparison_figure(student, walks, y, fresh_target(draw.fork("floor"), N)),
        "shrinkage": shrinkage_figure(student),
    }


def problem(draw: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Start (N, 2), target sample (N, 2) and noises (STEPS, N, 2)."""
    x0 = START + draw.normal(N, 2, scale=0.6)
    return x0, fresh_target(draw.fork("target"), N), draw.normal(STEPS, N, 2)


def fresh_target(draw: Any, n: int) -> torch.Tensor:
    """A sample (n, 2) of B with the exact shares of its modes."""
    counts = [round(share * n) for share in SHARES]
    home = torch.repeat_interleave(torch.arange(len(SHARES)), torch.tensor(counts))
    return CENTRES[home] + draw.normal(n, 2, scale=SIGMA)


def walk(student: Any, name: str, x0: Any, y: Any, noises: Any) -> np.ndarray:
    """All frames (STEPS + 1, N, 2) of the student's morph in one of the three ways."""
    score = no_score() if name == "transport only" else mixture_score(CENTRES, SIGMA, torch.tensor(SHARES))
    result = student.morph(x0, y, score, **NUMBERS, **WAYS[name], noises=noises)
    if isinstance(result, tuple | list) and len(result) == 2:
        result = result[1]
    return np.stack([as_array(frame) for frame in result])


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1, **more: Any) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **more)


def plane(axes: Any, y: Any) -> None:
    """The target sample in grey, on axes that show A and B."""
    axes.scatter(*as_array(y).T, s=12, color=GREY, linewidths=0, label="sample of B")
    axes.set(aspect="equal", xlim=(-7, 3.6), ylim=(-3.2, 3.6), xlabel="$x_1$", ylabel="$x_2$")


def frames_figure(frames: np.ndarray, y: Any) -> Any:
    figure, panels = new_figure(14, 2.9, 1, 4, sharey=True)
    for axes, step in zip(panels[0], (0, 4, 12, STEPS), strict=True):
        plane(axes, y)
        axes.scatter(*frames[step].T, s=9, color=RED, linewidths=0, label="particles")
        axes.set_title("start (A)" if step == 0 else f"after {step} steps")
        axes.label_outer()
    panels[0][0].legend(loc="upper right", fontsize=8)
    figure.suptitle(r"Score and transport together ($\lambda$ = 4, $\tau$ = 1)")
    return figure


def trajectories_figure(walks: dict[str, np.ndarray], y: Any) -> Any:
    from matplotlib import colormaps
    from matplotlib.collections import LineCollection

    figure, panels = new_figure(14, 3.7, 1, 3, sharey=True)
    for axes, (name, frames) in zip(panels[0], walks.items(), strict=True):
        plane(axes, y)
        height = frames[0, :, 1]
        colours = colormaps["viridis"]((height - height.min()) / np.ptp(height))
        axes.add_collection(LineCollection(list(frames.transpose(1, 0, 2)), colors=colours, linewidths=0.5, alpha=0.7))
        axes.scatter(*frames[-1].T, s=10, c=colours, linewidths=0.3, edgecolors="black", zorder=3)
        axes.set_title(name)
        axes.label_outer()
    figure.suptitle("Paths, coloured by the height at which a particle starts; dots where it ends")
    return figure


def comparison_figure(student: Any, walks: dict[str, np.ndarray], y: Any, other: Any) -> Any:
    """Ends in the upper row; below, energy and sliced distance to y along the way."""
    figure, panels = new_figure(13, 7.4, 2, 3)
    for axes, (name, frames) in zip(panels[0], walks.items(), strict=True):
        plane(axes, y)
        axes.scatter(*frames[-1].T, s=9, color=COLOURS[name], linewidths=0)
        axes.set_title(f"{name}: after {STEPS} steps")
    curves = {name: metrics_of(student, frames, y) for name, frames in walks.items()}
    floor = metrics_of(student, as_array(other)[None], y)
    for axes, key, label in zip(
        panels[1],
        ("energy", "sliced_w", "path_length"),
        ("energy distance", "sliced $W_1$", "path length"),
        strict=True,
    ):
        for name, curve in curves.items():
            axes.plot(np.maximum(curve[key], 1e-4), color=COLOURS[name], label=name)
        if key != "path_length":
            axes.axhline(floor[key][0], color="black", linestyle=":", linewidth=1, label="another sample of B")
            axes.set_yscale("log")
        axes.set(xlabel="step", title=f"{label} to the sample" if key != "path_length" else "mean path length so far")
        axes.grid(alpha=0.3)
    panels[1][0].legend(fontsize=8)
    return figure


def metrics_of(student: Any, frames: np.ndarray, y: Any) -> dict[str, list[float]]:
    """The student's metrics after every step, computed in the worker."""

    def inside(module: Any, frames: Any, y: Any) -> Any:
        rows = []
        for step in range(1, len(frames) + 1):
            result = module.morph_metrics(frames[:step], y)
            named = (
                result
                if hasattr(result, "keys")
                else dict(zip(("sliced_w", "path_length", "energy"), result, strict=False))
            )
            rows.append([float(named[key]) for key in ("sliced_w", "path_length", "energy")])
        return rows

    rows = student.run(inside, student.module, torch.from_numpy(frames), y)
    return dict(zip(("sliced_w", "path_length", "energy"), zip(*rows, strict=True), strict=True))


def shrinkage_figure(student: Any) -> Any:
    """Slope of the map from 60 normal quantiles to themselves, against eps."""
    x = normal_grid(60)[:, None]
    figure, panels = new_figure(6.4, 4.2)
    axes = panels[0][0]
    tried = np.geomspace(0.2, 8.0, 9)
    slopes = {}
    for debias in (False, True):
        velocities = [as_array(student.ot_velocity(x, x, float(eps), debias=debias)) for eps in tried]
        slopes[debias] = [1 + float((v * x.numpy()).sum() / (x.numpy() ** 2).sum()) for v in velocities]
    fine = np.geomspace(0.2, 8.0, 200)
    axes.plot(
        fine, [entropic_covariance(1.0, 1.0, eps) for eps in fine], color=GREY, linewidth=3, label="theory, $c/v$"
    )
    axes.plot(tried, slopes[False], "o", color=RED, label=r"$x + v(x)$ without debiasing")
    axes.plot(tried, slopes[True], "s", color=BLUE, label=r"$x + v(x)$, debiased")
    axes.set(xscale="log", xlabel=r"$\varepsilon$", ylabel="slope: 1 keeps the cloud", ylim=(0, 1.1))
    axes.set_xticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
    axes.minorticks_off()
    axes.set_title("The map of $\\mathcal{N}(0, 1)$ to itself", fontsize=11)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")
    return figure


def as_array(value: Any) -> np.ndarray:
    """Whatever array came, as float64 in numpy."""
    return torch.as_tensor(value).detach().to(torch.float64).numpy()


def save_animation(student: Any, draw: Any, path: Path) -> None:
    """Write a GIF of the three ways side by side; some 300 kB."""
    from matplotlib.animation import FuncAnimation, PillowWriter

    x0, y, noises = problem(draw)
    walks = {name: walk(student, name, x0, y, noises) for name in WAYS}
    figure, panels = new_figure(10.5, 2.7, 1, 3, sharey=True)
    dots = []
    for axes, (name, frames) in zip(panels[0], walks.items(), strict=True):
        plane(axes, y)
        dots.append(axes.scatter(*frames[0].T, s=8, color=COLOURS[name], linewidths=0))
        axes.set_title(name)
        axes.label_outer()

    def show(step: int) -> list[Any]:
        for dot, frames in zip(dots, walks.values(), strict=True):
            dot.set_offsets(frames[step])
        figure.suptitle(f"step {step}", x=0.07, fontsize=10)
        return dots

    steps = [0] * 4 + list(range(STEPS + 1)) + [STEPS] * 8
    animation = FuncAnimation(figure, show, frames=steps)
    animation.save(path, writer=PillowWriter(fps=8), dpi=60)


def main() -> None:
    from gdgrade.judge.channel import LocalChannel
    from gdgrade.judge.draw import Draw
    from gdgrade.judge.reference import load_reference
    from gdgrade.judge.student import Student
    from gdgrade.worker.executor import Executor

    here = Path(__file__).resolve().parent
    module = load_reference(here.parents[1] / "reference" / here.name / "morphing.py", here.name)
    save_animation(Student(LocalChannel(Executor(module=module))), Draw(7), Path(sys.argv[1]))


if __name__ == "__main__":
    main()
