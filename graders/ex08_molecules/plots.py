"""The figures of exercise 8, made from a student's own code: the worker trains and samples, matplotlib runs here.

`figures(student, data, draw)` returns one matplotlib Figure per name:

* ``samples``: toy waters made by the student's network, loss and steps, as sticks in space, below waters of the data;
* ``trajectory``: noise on its way to three such waters;
* ``bonds``: bond lengths and angles of the samples, beside the exact laws of the toy;
* ``stability``: share of right atoms and molecules among waters made in few and in many steps, by the student's
  `stability`, beside that of the data.

The exact laws are those of `gdgrade.data.toys`. Drawing molecules is in `stick_figures`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from molecule_oracles import Recipe, schedule_of
from molecule_worker import own_schedule, stabilities
from stick_figures import BLUE, GREEN, GREY, RED, panels, sticks_figure

from gdgrade.data.toys import water_like

WATER, UNIT = water_like(), 0.4  # unit: angstrom in one unit of the network
ELEMENTS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])  # H, O, H: what the network is told of each atom
LONG, T_LONG = (1400, 128, 4e-3, 1200), 100  # steps, batch, rate, samples
SHORT, T_SHORT = (600, 128, 4e-3, 300), (25, 50, 200)
STAGES = (0.0, 0.5, 0.7, 0.85, 0.95, 1.0)  # of the way from noise to molecule


def figures(student: Any, data: Any, draw: Any, share: float = 1.0) -> dict[str, Any]:
    """All figures, by name. Trains four small networks, some forty seconds.

    Args:
        student: the proxy of the student's file.
        data: not used: the data are a toy with exact laws.
        draw: seeded randomness.
        share: of the training, for a look at whether all figures render.
    """
    seed = draw.seed % 2**31
    waters = WATER.sample(8000, np.random.default_rng(seed))
    with student.dtype("float32"):
        states = made(student, T_LONG, cut(LONG, share), waters, seed)
        ends = {T_LONG: states[-1]} | {T: made(student, T, cut(SHORT, share), waters, seed)[-1] for T in T_SHORT}
    shares = {T: stable_shares(student, x[: SHORT[-1]]) for T, x in sorted(ends.items())}
    return {
        "samples": samples_figure(waters, states[-1]),
        "trajectory": trajectory_figure(states),
        "bonds": bonds_figure(states[-1]),
        "stability": stability_figure(shares, stable_shares(student, waters[: SHORT[-1]])),
    }


def made(student: Any, T: int, run: Any, data: Any, seed: int) -> Any:
    """Waters from noise by the student's code: their states at STAGES, (len, n, 3, 3), in angstrom."""
    recipe = Recipe(T)
    states = student.run(molecules_from_noise, student.module, tuple(recipe), schedule_of(*recipe),
                         torch.from_numpy(data / UNIT).float(), ELEMENTS, seed, run)  # fmt: skip
    return UNIT * torch.as_tensor(states).detach().double().numpy()


def cut(run: tuple[int, int, float, int], share: float) -> tuple[int, int, float, int]:
    """The same run with a share of its training steps."""
    return (math.ceil(share * run[0]), *run[1:])


def stable_shares(student: Any, x: Any) -> tuple[float, float]:
    """Shares of right atoms and of right molecules among (n, 3, 3), by the student's `stability`."""
    found = student.run(stabilities, student.module, [(torch.from_numpy(one), list(WATER.symbols)) for one in x])
    return float(np.mean([share for share, _ in found])), float(np.mean([stable for _, stable in found]))


# --- run in the worker ---------------------------------------------------------------------------


def molecules_from_noise(
    module: Any, recipe: Any, right: Any, data: Any, elements: Any, seed: int, settings: Any
) -> Any:
    """Trains the student's EGNN on data (N, M, 3); the states of its samples at STAGES, (len, n, M, 3)."""
    import random

    steps, batch, rate, n = settings
    torch.manual_seed(seed)
    random.seed(seed)
    schedule = own_schedule(module, recipe, {key: value.to(data.dtype) for key, value in right.items()})
    net = module.EGNN(hidden=32, n_layers=3, h_dim=elements.shape[1])
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)

    def model(x: Any, t: Any) -> Any:
        return net(x, t, elements.to(x.dtype).expand(len(x), -1, -1))

    for _ in range(steps):
        loss = module.ddpm_loss_com(model, data[torch.randint(len(data), (batch,))], schedule)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        cosine.step()
    x = torch.randn(n, *data.shape[1:])
    x = x - x.mean(dim=1, keepdim=True)
    states, T = [x], recipe[0]
    with torch.no_grad():
        for t in reversed(range(T)):
            x = torch.as_tensor(module.p_sample_com(model, x, t, schedule)).detach()
            states.append(x)
    return torch.stack([states[round(stage * T)] for stage in STAGES])


# --- drawing -------------------------------------------------------------------------------------


def samples_figure(data: Any, samples: Any) -> Any:
    columns = 6
    rows = [[(x, WATER.symbols) for x in part] for part in (data[:columns], samples[:columns], samples[columns:12])]
    titles = [["data"] * columns, ["sample"] * columns, ["sample"] * columns]
    return sticks_figure(rows, titles, "Waters: the data, and from your network", bonds=WATER.bonds, turned=False)


def trajectory_figure(states: Any) -> Any:
    left = [T_LONG - round(stage * T_LONG) for stage in STAGES]
    rows = [[(states[k, i], WATER.symbols) for k in range(len(STAGES))] for i in range(3)]
    titles = [[f"{steps} steps left" if steps else "done" for steps in left], *[[""] * len(STAGES)] * 2]
    title = f"Reverse: noise becomes a water in {T_LONG} steps (all to the same scale, atoms joined as in the end)"
    return sticks_figure(rows, titles, title, bonds=WATER.bonds, turned=False)


def bonds_figure(samples: Any) -> Any:
    """Histograms of what the samples measure, with the densities of the toy; and the two lengths of each molecule."""
    figure, axes = panels(1, 3, 11.5, 3.7)
    lengths = WATER.lengths(samples)
    law(axes[0, 0], "Bond lengths", "angstrom", lengths, WATER.length, WATER.length_sd)
    law(axes[0, 1], "Bond angles", "degrees", WATER.angles(samples), WATER.angle, WATER.angle_sd)
    axes[0, 0].set_ylabel("density")
    axes[0, 0].legend(fontsize=8, loc="upper left")
    axis, turn = axes[0, 2], np.linspace(0, 2 * math.pi, 200)
    axis.plot(*lengths.T, ".", color=RED, markersize=2, label="your samples")
    for k in (1, 2, 3):
        circle = WATER.length + k * WATER.length_sd * np.stack([np.cos(turn), np.sin(turn)])
        axis.plot(*circle, "--", color="black", linewidth=1.0, label="exact: 1, 2 and 3 sd" if k == 1 else None)
    low, high = WATER.length - 6 * WATER.length_sd, WATER.length + 6 * WATER.length_sd
    axis.set(title="Both lengths of a molecule", xlabel="first O-H, angstrom", ylabel="second O-H, angstrom",
             xlim=(low, high), ylim=(low, high), aspect="equal")  # fmt: skip
    axis.legend(fontsize=8, loc="upper left")
    return figure


def law(axis: Any, title: str, unit: str, values: Any, mean: float, deviation: float) -> None:
    """A histogram beside a normal law. Values outside of the picture count: the area drawn is then below 1."""
    low, high = mean - 6 * deviation, mean + 6 * deviation
    edges, grid = np.linspace(low, high, 49), np.linspace(low, high, 300)
    counts, _ = np.histogram(values, edges)
    axis.stairs(counts / (np.size(values) * np.diff(edges)), edges, fill=True, color=RED, alpha=0.55,
                label="your samples")  # fmt: skip
    density = np.exp(-(((grid - mean) / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
    axis.plot(grid, density, "--", color="black", linewidth=1.4, label="exact law of the data")
    beyond = float(np.mean((values < low) | (values > high)))
    note = f"; {beyond:.1%} outside" if beyond > 0 else ""
    room = 1.35 * max(density.max(), float((counts / (np.size(values) * np.diff(edges))).max()))  # for the legend
    axis.set(title=title, xlabel=f"{unit} (sd {np.std(values):.3g}, exact {deviation:g}{note})", ylim=(0, room))


def stability_figure(shares: dict[int, tuple[float, float]], data: tuple[float, float]) -> Any:
    figure, axes = panels(1, 1, 6.6, 4.0)
    axis = axes[0, 0]
    for k, (name, colour, style) in enumerate((("atoms", BLUE, "o-"), ("molecules", GREEN, "s--"))):
        axis.plot(list(shares), [share[k] for share in shares.values()], style, color=colour, label=f"stable {name}")
    axis.axhline(data[1], color=GREY, linestyle=":", linewidth=1.4, label="molecules of the data")
    axis.set_xscale("log", base=2)
    axis.minorticks_off()
    low = min([0.9, *(share for pair in shares.values() for share in pair)])
    axis.set(
        title=f"Waters that are stable by your `stability` ({SHORT[-1]} each)", ylim=(max(0.0, low - 0.05), 1.02),
        xlabel="T, number of steps (a network of its own for each)", ylabel="share", xticks=list(shares),
        xticklabels=[str(T) for T in shares],
    )  # fmt: skip
    axis.legend(loc="lower right")
    return figure
