"""The figures of exercise 4, made from a student's own code: the worker trains and samples, matplotlib runs here.

`figures(student, data, draw)` returns one matplotlib Figure per name:

* ``schedule``: abar and the signal-to-noise ratio of the student's schedule, for three lengths;
* ``forward``: digits on their way to noise;
* ``points``: a mixture in the plane, data beside samples, and the error of the guessed noise at each step beside the
  least that any network can have;
* ``reverse``: noise on its way to digits, with the student's U-Net, loss and sampler;
* ``samples``: more of these digits, each above the training image that is nearest to it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from ddpm_oracles import Mixture, Recipe, schedule_of
from ddpm_training import (
    CENTRES,
    DIGIT_BATCH,
    DIGIT_RATE,
    DIGITS,
    SIGMA,
    TOY,
    TOY_BATCH,
    TOY_RATE,
    TOY_STEPS,
    WEIGHTS,
    small_digits,
    toy_points,
    toy_test,
    train_toy,
)
from ddpm_worker import own_schedule

# Okabe and Ito's colours: told apart with any colour vision
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#7F7F7F"
STEPS = 1500  # of training on digits
SHOWN = 24
STAGES = (0.0, 0.5, 0.7, 0.8, 0.87, 0.92, 0.96, 1.0)  # of the way from noise to digit


def figures(student: Any, data: Any, draw: Any, share: float = 1.0) -> dict[str, Any]:
    """All figures, by name. Trains two networks, about a minute.

    Args:
        student: the proxy of the student's file.
        data: fixture of data sets; `mnist-small` is used.
        draw: seeded randomness.
        share: of the training, for a look at whether all figures render.
    """
    seed = draw.seed % 2**31
    cut = data("mnist-small")["x_train"]
    digits = small_digits(cut)
    test = toy_test(draw, per_step=200)
    with student.dtype("float32"):
        answer = student.run(train_toy, student.module, tuple(TOY), schedule_of(*TOY), toy_points(draw, 20_000),
                             *test[:2], seed, (math.ceil(share * TOY_STEPS), TOY_BATCH, TOY_RATE, 2000))  # fmt: skip
        states = student.run(digits_from_noise, student.module, tuple(DIGITS), schedule_of(*DIGITS), digits.float(),
                             seed, (math.ceil(share * STEPS), DIGIT_BATCH, DIGIT_RATE, SHOWN))  # fmt: skip
    states = as_array(states)
    return {
        "schedule": schedule_figure({T: table(student.linear_schedule(*Recipe(T))) for T in (50, 200, 1000)}),
        "forward": forward_figure(*forward_strip(student, cut, draw)),
        "points": points_figure(as_array(answer["samples"]), as_array(toy_points(draw, 2000)), answer["guesses"], test),
        "reverse": reverse_figure(states),
        "samples": samples_figure(states[-1], as_array(digits)),
    }


# --- run in the worker ---------------------------------------------------------------------------


def digits_from_noise(module: Any, recipe: Any, right: Any, images: Any, seed: int, settings: Any) -> Any:
    """Trains the student's U-Net on images (N, 1, 16, 16); the samplers' states at STAGES, (len, n, 1, 16, 16)."""
    import random

    steps, batch, rate, n = settings
    torch.manual_seed(seed)
    random.seed(seed)
    schedule = own_schedule(module, recipe, {key: value.to(images.dtype) for key, value in right.items()})
    net = module.UNet()
    net.train()
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        loss = module.ddpm_loss(net, images[torch.randint(len(images), (batch,))], schedule)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        cosine.step()
    net.eval()
    _, states = module.sample(net, (n, *images.shape[1:]), schedule, return_traj=True)
    states = torch.stack(list(states)) if isinstance(states, tuple | list) else torch.as_tensor(states)
    return states[[round(stage * (len(states) - 1)) for stage in STAGES]]


# --- reading answers -----------------------------------------------------------------------------


def as_array(value: Any) -> Any:
    return torch.as_tensor(value).detach().to(torch.float64).numpy()


def table(schedule: Any) -> dict[str, Any]:
    """The arrays of a schedule, by name; also of one that came as a tuple."""
    items = schedule if isinstance(schedule, dict) else dict(zip(("betas", "alphas", "abar"), schedule, strict=False))
    return {key: as_array(value) for key, value in items.items()}


def forward_strip(student: Any, images: Any, draw: Any) -> tuple[Any, list[int]]:
    """Three digits after some steps of the student's q_sample, (steps, 3, 28, 28), and the steps."""
    T = 1000
    times = [0, 50, 100, 200, 300, 450, 700, T - 1]
    picked = draw.permutation(len(images)).numpy()[:3]
    x0 = torch.from_numpy(images[picked] / 127.5 - 1)[:, None]
    schedule, noise = student.linear_schedule(*Recipe(T)), draw.normal(*x0.shape)
    steps = [student.q_sample(x0, torch.full((3,), t, dtype=torch.long), schedule, noise) for t in times]
    return np.stack([as_array(step)[:, 0] for step in steps]), times


# --- drawing -------------------------------------------------------------------------------------


def panels(rows: int, columns: int, width: float, height: float) -> Any:
    """A figure that belongs to no global state, and its axes as an array (rows, columns)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def schedule_figure(schedules: dict[int, dict[str, Any]]) -> Any:
    figure, axes = panels(1, 2, 9.0, 3.4)
    left, right = axes[0]
    for (T, schedule), colour, style in zip(schedules.items(), (ORANGE, BLUE, GREEN), ("-", "--", ":"), strict=True):
        abar = schedule["abar"]
        way = (np.arange(T) + 1) / T
        left.plot(way, abar, style, color=colour, label=f"T = {T}")
        right.semilogy(way, abar / (1 - abar), style, color=colour, label=f"T = {T}")
    left.set(title="What is left of the data", xlabel="t / T", ylabel=r"$\bar\alpha_t$", ylim=(-0.03, 1.03))
    right.axhline(1, color=GREY, linewidth=1)
    right.set(title="Signal to noise", xlabel="t / T", ylabel=r"$\bar\alpha_t \, / \, (1 - \bar\alpha_t)$")
    left.legend()
    return figure


def strip(rows: Any, titles: list[str], size: float = 1.15) -> Any:
    """Images (columns, rows, H, W) in [-1, 1] side by side, a title above each column."""
    columns, count = rows.shape[:2]
    figure, axes = panels(count, columns, size * columns, size * count + 0.5)
    for i in range(count):
        for k in range(columns):
            axes[i, k].imshow(rows[k, i], cmap="gray", vmin=-1, vmax=1)
            axes[i, k].set_axis_off()
            if i == 0:
                axes[i, k].set_title(titles[k], fontsize=9)
    return figure


def forward_figure(steps: Any, times: list[int]) -> Any:
    figure = strip(steps, [f"t = {t}" for t in times])
    figure.suptitle("Forward: digits become noise (T = 1000)", fontsize=11)
    return figure


def reverse_figure(states: Any) -> Any:
    T = DIGITS.T
    left = [T - round(stage * T) for stage in STAGES]
    figure = strip(states[:, :4, 0], [f"{steps} steps left" if steps else "done" for steps in left])
    figure.suptitle(f"Reverse: noise becomes digits (16 x 16, {STEPS} steps of training)", fontsize=11)
    return figure


def samples_figure(samples: Any, images: Any) -> Any:
    """Samples in rows of eight, each above the training image at the smallest distance."""
    flat, known = samples.reshape(len(samples), -1), images.reshape(len(images), -1)
    distances = (flat**2).sum(1)[:, None] - 2 * flat @ known.T + (known**2).sum(1)
    nearest = images[distances.argmin(1)]
    columns = 8
    figure, axes = panels(2 * (len(samples) // columns), columns, 8.4, 6.6)
    for i in range(len(samples)):
        row, column = 2 * (i // columns), i % columns
        for axis, image in ((axes[row, column], samples[i, 0]), (axes[row + 1, column], nearest[i, 0])):
            axis.imshow(image, cmap="gray", vmin=-1, vmax=1)
            axis.set(xticks=[], yticks=[])
        for spine in axes[row + 1, column].spines.values():
            spine.set(color=ORANGE, linewidth=2.5)
    figure.suptitle("Your samples; framed, below each: the nearest of 6,000 training images", fontsize=11)
    return figure


def points_figure(samples: Any, data: Any, guesses: Any, test: Any) -> Any:
    """Data and samples; mean squared error of the guessed noise in bins of t, with the least possible."""
    x, t, noise = test
    best = Mixture(schedule_of(*TOY)["abar"], CENTRES, SIGMA, WEIGHTS)(x, t)
    errors = {}
    for name, guess in (("yours", torch.as_tensor(guesses).double()), ("least", best)):
        errors[name] = np.bincount(t.numpy(), as_array((guess - noise).square().mean(1))) / np.bincount(t.numpy())
    figure, axes = panels(1, 3, 11.5, 3.7)
    for axis, points, colour, title in ((axes[0, 0], data, BLUE, "data"), (axes[0, 1], samples, RED, "your samples")):
        axis.plot(points[:, 0], points[:, 1], ".", color=colour, markersize=2)
        axis.set(title=title, xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
    axis = axes[0, 2]
    axis.plot(np.arange(TOY.T), errors["yours"], color=RED, label="your network")
    axis.plot(np.arange(TOY.T), errors["least"], "--", color="black", linewidth=1.2, label="the best possible")
    axis.set(title="Error of the guessed noise", xlabel="t (0-based)", ylabel="mean squared error", ylim=(0, None))
    axis.legend()
    return figure
