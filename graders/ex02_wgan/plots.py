"""Figures of exercise 2 from a student's own code: trainings run in the worker, everything is drawn in the judge."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from wgan_pictures import SETTINGS
from wgan_training import GRID, RING, Problem, networks
from wgan_watching import (
    collapsing,
    in_stages,
    pictures_in_stages,
    plain_picture_networks,
    statistics_of,
)

# Okabe and Ito's colours, told apart with any colour vision
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8C8C8C"
STAGES = [25, 50, 100, 200, 400]
COLLAPSE = dataclasses.replace(RING, sigma=0.1)
COLLAPSE_STAGES = [200, 400, 600, 800, 1000]
PICTURE_STAGES = [100, 300, 600]


def figures(student: Any, data: Any, draw: Any, share: float = 1.0) -> dict[str, Figure]:
    """All figures by name.

    Args:
        student: proxy of the student's module.
        data: name -> dict of arrays.
        draw: source of randomness.
        share: of the training, for a look at whether all figures render.
    """

    def part(stages: list[int]) -> list[int]:
        return [math.ceil(share * stage) for stage in stages]

    seed = draw.seed % 2**31
    noise = draw.normal(2500, 2)
    with student.dtype("float32"):
        ring = student.run(in_stages, student.module, networks, dataclasses.asdict(RING), seed, part(STAGES))
        grid = student.run(in_stages, student.module, networks, dataclasses.asdict(GRID), seed, part([100, 400]))
        collapse = student.run(
            collapsing, student.module, networks, dataclasses.asdict(COLLAPSE), seed, part(COLLAPSE_STAGES)
        )
    stages = [rebuilt(RING, parameters) for parameters in ring]
    real = of(RING, draw)
    found = {
        "ring": ring_figure(stages, noise, real),
        "training": training_figure(stages, noise, real, collapse[1]),
        "slopes": slopes_figure(stages, noise, real, draw),
        "collapse": collapse_figure(student, collapse, stages[-1][1](noise).detach()),
        "grid": grid_figure([rebuilt(GRID, parameters) for parameters in grid], noise, of(GRID, draw)),
    }
    for name, title in (("fashion", "FashionMNIST"), ("mnist", "MNIST")):
        images = torch.from_numpy(data(f"{name}-small")["x_train"].reshape(-1, 784))
        codes = draw.normal(12, SETTINGS["dz"])
        arguments = plain_picture_networks, images, codes, seed, SETTINGS, part(PICTURE_STAGES)
        with student.dtype("float32"):
            made = student.run(pictures_in_stages, student.module, *arguments)
        found[name] = pictures_figure(made, images, title)
    return found


def rebuilt(problem: Problem, parameters: Any) -> Any:
    """(critic, generator) in float64 with these parameters."""
    nets = [net.double() for net in networks(dataclasses.asdict(problem))]
    for net, values in zip(nets, parameters, strict=True):
        for mine, value in zip(net.parameters(), values, strict=True):
            mine.data = value.double().reshape(mine.shape)
    return nets


def of(problem: Problem, draw: Any, n: int = 2500) -> Any:
    """Samples of the mixture, (n, 2)."""
    centres = torch.tensor(problem.centres, dtype=torch.float64)
    return centres[draw.integers(0, len(centres), n)] + problem.sigma * draw.normal(n, 2)


def plane(axes: Any, limit: float, title: str) -> None:
    """A square of the plane without ticks between its ends."""
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", title=title)
    axes.set_xticks([-limit, 0, limit])
    axes.set_yticks([-limit, 0, limit])
    axes.tick_params(labelsize=7)


def dots(axes: Any, x: Any, colour: str, label: str) -> None:
    x = np.asarray(x.detach())
    axes.plot(x[:, 0], x[:, 1], ".", color=colour, markersize=1.6, alpha=0.6, label=label, rasterized=True)


def ring_figure(stages: Any, noise: Any, real: Any) -> Figure:
    """Samples and level lines of the critic, from the start to the last stage."""
    figure = Figure(figsize=(9.5, 6.4), layout="constrained")
    axis = torch.linspace(-3, 3, 81, dtype=torch.float64)
    points = torch.cartesian_prod(axis, axis)
    for axes, (critic, generator), iteration in zip(figure.subplots(2, 3).flat, stages, [0, *STAGES], strict=True):
        with torch.no_grad():
            level = critic(points).reshape(81, 81).T
            fake = generator(noise)
        lines = axes.contour(axis, axis, level, levels=10, colors=GREY, linewidths=0.7)
        axes.clabel(lines, lines.levels[::3], fontsize=6, fmt="%.1f")
        dots(axes, real[:1000], ORANGE, "data")
        dots(axes, fake[:1000], BLUE, "generated")
        plane(axes, 3, f"iteration {iteration}")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, markerscale=6)
    figure.suptitle("WGAN-GP on 8 Gaussians; grey: level lines of the critic")
    return figure


def slope_norms(critic: Any, points: Any) -> Any:
    points = points.detach().clone().requires_grad_(True)
    return torch.autograd.grad(critic(points).sum(), points)[0].norm(dim=1)


def matched(fake: Any, real: Any) -> tuple[float, Any]:
    """W1 between two batches of one size, and the data points in the order of their partners."""
    from scipy.optimize import linear_sum_assignment

    cost = torch.cdist(fake, real)
    rows, columns = linear_sum_assignment(cost.numpy())
    return float(cost[rows, columns].mean()), real[columns]


def training_figure(stages: Any, noise: Any, real: Any, losses: Any) -> Figure:
    """Critic gap over its steepest slope against W1, by stage; losses of the collapsing GAN."""
    figure = Figure(figsize=(9.5, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    gaps, distances = [], []
    for critic, generator in stages:
        with torch.no_grad():
            fake = generator(noise[:400])
            gap = float(critic(real[:400]).mean() - critic(fake).mean())
        distance, partner = matched(fake, real[:400])
        share = torch.linspace(0, 1, 33, dtype=torch.float64)[:, None, None]
        steepest = float(slope_norms(critic, (share * partner + (1 - share) * fake).reshape(-1, 2)).max())
        gaps.append(gap / steepest)
        distances.append(distance)
    left.plot([0, *STAGES], distances, "o-", color=ORANGE, label=r"$W_1$ of 400 generated and 400 held-out points")
    left.plot([0, *STAGES], gaps, "s-", color=BLUE, label="gap of the critic / its steepest slope")
    left.set(xlabel="generator iteration", ylabel="distance", title="WGAN-GP: the gap stays below the distance")
    left.set_ylim(bottom=min(0.0, min(gaps)) - 0.1)
    left.legend(fontsize=8)
    losses = np.asarray(losses)
    right.plot(losses[:, 0], color=BLUE, linewidth=0.8, label="discriminator")
    right.plot(losses[:, 1], color=ORANGE, linewidth=0.8, label="generator (non-saturating)")
    right.axhline(2 * np.log(2), color=GREY, linestyle="--", linewidth=1, label="2 log 2")
    right.set(xlabel="iteration", ylabel="loss (nats)", title="A collapsing GAN: its losses look harmless")
    right.legend(fontsize=8)
    return figure


def slopes_figure(stages: Any, noise: Any, real: Any, draw: Any) -> Figure:
    """Histogram of the critic's slope at random points between fake and real, before and after training."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    share = draw.uniform(len(real), 1)
    for (critic, generator), colour, label in (
        (stages[0], GREY, "before training"),
        (stages[-1], BLUE, f"after {STAGES[-1]} iterations"),
    ):
        norms = slope_norms(critic, share * real + (1 - share) * generator(noise).detach())
        axes.hist(norms.numpy(), bins=np.linspace(0, 4, 61), color=colour, alpha=0.7, label=label)
    axes.axvline(1, color=RED, linestyle="--", label="slope asked for by the penalty")
    axes.set(xlabel="norm of the critic's gradient between fake and real points", ylabel="points")
    axes.set_title(rf"8 Gaussians, $\lambda$ = {RING.lambda_:g}: a weak penalty allows steeper slopes", fontsize=10)
    axes.legend(fontsize=8)
    return figure


def collapse_figure(student: Any, collapse: Any, last: Any) -> Figure:
    """Samples of a collapsing GAN over time, and mode counts of it and of WGAN-GP by the student's statistics."""
    samples, _, (counts, quality, divergence) = collapse
    figure = Figure(figsize=(10, 5.6), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[1, 1.1])
    centres = np.asarray(RING.centres)
    for axes, x, iteration in zip(top.subplots(1, len(samples)), samples, COLLAPSE_STAGES, strict=True):
        axes.plot(centres[:, 0], centres[:, 1], "o", color=ORANGE, markersize=7, markerfacecolor="none")
        dots(axes, x, BLUE, "generated")
        plane(axes, 4, f"iteration {iteration}")
    top.suptitle("GAN whose generator learns ten times as fast as the discriminator; rings: the modes", fontsize=10)
    centres_t = torch.tensor(RING.centres, dtype=torch.float64)
    good = student.run(statistics_of, student.module, last, centres_t, RING.sigma)
    axes = bottom.subplots()
    place = np.arange(8)
    for shift, (numbers, share, kl), colour, name in (
        (-0.2, (counts, quality, divergence), RED, "GAN"),
        (0.2, good, BLUE, "WGAN-GP"),
    ):
        label = f"{name}: high quality {100 * float(share):.0f} %, reverse KL {float(kl):.3f} nats"
        axes.bar(place + shift, np.asarray(torch.as_tensor(numbers)), 0.4, color=colour, label=label)
    axes.axhline(2500 / 8, color=GREY, linestyle="--", linewidth=1, label="even share")
    axes.set(xlabel="mode", ylabel="samples of 2500", title="Mode statistics after training", xticks=place)
    axes.legend(fontsize=8)
    return figure


def grid_figure(stages: Any, noise: Any, real: Any) -> Figure:
    """25 Gaussians: data, and samples at the start and at two stages."""
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    panels = figure.subplots(1, 4)
    dots(panels[0], real, ORANGE, "data")
    plane(panels[0], 6, "data")
    for axes, (_, generator), iteration in zip(panels[1:], stages, (0, 100, 400), strict=True):
        dots(axes, generator(noise), BLUE, "generated")
        plane(axes, 6, f"generated, iteration {iteration}")
    figure.suptitle("WGAN-GP on 25 Gaussians")
    return figure


def pictures_figure(made: Any, images: Any, name: str) -> Figure:
    """Rows of pictures: real ones, then what the same twelve codes give at each stage."""
    rows = [(images[:12].double() / 255, "real")]
    rows += [(stage, f"iteration {n}") for stage, n in zip(made, PICTURE_STAGES, strict=True)]
    figure = Figure(figsize=(9.5, 3.6), layout="constrained")
    panels = figure.subplots(len(rows), 1)
    for axes, (pictures, label) in zip(panels, rows, strict=True):
        strip = np.asarray(pictures).reshape(-1, 28, 28)
        axes.imshow(np.concatenate(list(strip), axis=1), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.set_ylabel(label, rotation=0, ha="right", va="center")
    figure.suptitle(f"WGAN-GP with perceptrons on {name}: each column is one code")
    return figure
