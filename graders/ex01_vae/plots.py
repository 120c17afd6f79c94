"""The figures of exercise 1, made from a student's own code: the worker trains and answers, matplotlib runs here.

`figures(student, data, draw)` returns one matplotlib Figure per name:

* ``training``: ELBO, reconstruction and KL of training and test images after 1 to 20 epochs, each point from a
  training of its own that starts with the same seed: so the curves need nothing of what `train` returns;
* ``latent``: the codes of the test images, coloured by digit;
* ``manifold``: the student's `latent_grid`;
* ``reconstructions``: test images above what encoder and decoder make of them;
* ``samples``: images decoded from codes drawn from the prior;
* ``interpolation``: walks from one test image to another.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from vae_oracles import PIXELS
from vae_training import bound_of, limits

EPOCHS = (0, 1, 2, 4, 7, 12, 20)
# Okabe and Ito's colours and two greys, with a marker each: told apart with any colour vision and in print
COLOURS = ["#000000", "#E69F00", "#56B4E9", "#009E73", "#B8A800", "#0072B2", "#D55E00", "#CC79A7", "#8C8C8C", "#5B3A00"]
MARKERS = ["o", "s", "^", "v", "D", "P", "X", "<", ">", "*"]
INK = {"cmap": "gray_r", "vmin": 0.0, "vmax": 1.0, "interpolation": "nearest"}


def figures(student: Any, data: Any, draw: Any, share: float = 1.0) -> dict[str, Any]:
    """All figures, by name. Trains for 46 epochs in all, about 8 seconds.

    Args:
        student: the proxy of the student's file.
        data: name -> dict of arrays.
        draw: seeded randomness.
        share: of the training, for a look at whether all figures render.
    """
    import torch

    cut = data("mnist-small")
    images, test = (torch.from_numpy(cut[name].reshape(-1, PIXELS)) for name in ("x_train", "x_test"))
    noise = draw.normal(len(test), 2)
    with student.dtype("float32"):
        curves = []
        for epochs in EPOCHS:
            encoder, decoder = student.run(
                trained, student.module, images, math.ceil(share * epochs), draw.seed % 2**31
            )
            both = images[: len(test)], test
            curves.append([bound_of(student.run(answers, encoder, decoder, x, noise), x) for x in both])
        mu, _, logits = (as_array(item) for item in student.run(answers, encoder, decoder, test, 0 * noise))
        grid = as_array(student.latent_grid(decoder, 15))
        drawn = as_array(student.run(decoded, decoder, draw.normal(60, 2)))
        pairs = first_pairs(cut["y_test"])
        walks = [
            walk(student, encoder, decoder, test[a].to(torch.float32) / 255, test[b].to(torch.float32) / 255, 11)
            for a, b in pairs
        ]
    x = cut["x_test"].reshape(-1, PIXELS) / 255
    return {
        "training": training_figure(np.array(curves)),
        "latent": latent_figure(mu, cut["y_test"]),
        "manifold": manifold_figure(grid),
        "reconstructions": reconstruction_figure(x[:12], sigmoid(logits[:12])),
        "samples": samples_figure(sigmoid(drawn)),
        "interpolation": interpolation_figure(walks),
    }


# --- run in the worker ---------------------------------------------------------------------------


def trained(module: Any, images: Any, epochs: int, seed: int) -> Any:
    """New networks, trained for some epochs on uint8 images."""
    import torch

    torch.manual_seed(seed)
    encoder, decoder = module.Encoder(), module.Decoder()
    if epochs:
        module.train(encoder, decoder, images.to(torch.get_default_dtype()) / 255, epochs=epochs)
    encoder.eval()
    decoder.eval()
    return encoder, decoder


def answers(encoder: Any, decoder: Any, images: Any, noise: Any) -> Any:
    """mu, logvar and the logits at mu + sigma noise of uint8 images."""
    import torch

    with torch.no_grad():
        answer = encoder(images.to(torch.get_default_dtype()) / 255)
        if hasattr(answer, "__dataclass_fields__"):
            answer = [getattr(answer, name) for name in answer.__dataclass_fields__]
        mu, logvar = answer.values() if isinstance(answer, dict) else answer
        return mu, logvar, decoder(mu + torch.exp(logvar / 2) * noise[: len(images)].to(mu.dtype))


def decoded(decoder: Any, z: Any) -> Any:
    import torch

    with torch.no_grad():
        return decoder(z.to(torch.get_default_dtype()))


def line_of_codes(encoder: Any, decoder: Any, x_a: Any, x_b: Any, n: int) -> Any:
    """What `interpolate` does, for files without it."""
    import torch

    with torch.no_grad():
        answer = encoder(torch.stack([x_a, x_b]))
        if hasattr(answer, "__dataclass_fields__"):
            answer = [getattr(answer, name) for name in answer.__dataclass_fields__]
        mu = next(iter(answer.values() if isinstance(answer, dict) else answer))
        return torch.sigmoid(decoder(mu[0] + torch.linspace(0, 1, n)[:, None] * (mu[1] - mu[0])))


# --- reading answers -----------------------------------------------------------------------------


def walk(student: Any, encoder: Any, decoder: Any, x_a: Any, x_b: Any, n: int) -> Any:
    """The student's own interpolation or, where it is not written, the judge's with the student's networks."""
    from gdgrade.checks import StudentError

    try:
        return as_array(student.interpolate(x_a, x_b, encoder, decoder, n)).reshape(n, 28, 28)
    except StudentError:
        return as_array(student.run(line_of_codes, encoder, decoder, x_a, x_b, n)).reshape(n, 28, 28)


def first_pairs(labels: Any) -> list[tuple[int, int]]:
    """Indices of test images for the walks 0 to 6, 1 to 7, 3 to 8, 4 to 9."""
    first = {digit: int(np.flatnonzero(labels == digit)[0]) for digit in range(10)}
    return [(first[a], first[b]) for a, b in ((0, 6), (1, 7), (3, 8), (4, 9))]


def as_array(value: Any) -> Any:
    return np.asarray(value.detach() if hasattr(value, "detach") else value, dtype=np.float64)


def sigmoid(logits: Any) -> Any:
    return 0.5 * (1 + np.tanh(0.5 * logits))


# --- drawing -------------------------------------------------------------------------------------


def new_figure(width: float, height: float) -> Any:
    """A figure that belongs to no window system."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", dpi=120)


def training_figure(curves: Any) -> Any:
    """curves (len(EPOCHS), training or test, ELBO or KL)."""
    figure = new_figure(11, 3.6)
    axes = figure.subplots(1, 3)
    epochs = np.array(EPOCHS)
    bounds, kl = curves[:, :, 0], curves[:, :, 1]
    panels = (("ELBO", bounds), ("reconstruction: log p(x|z)", bounds + kl), ("KL(q(z|x) || prior)", kl))
    for axis, (title, values) in zip(axes, panels, strict=True):
        first = 0 if title.startswith("KL") else 1  # the untrained ELBO of -550 would flatten the rest
        axis.plot(epochs[first:], values[first:, 0], "o-", color="#0072B2", ms=3.5, label="training images")
        axis.plot(epochs[first:], values[first:, 1], "s--", color="#D55E00", ms=3.5, label="test images")
        axis.set(title=title, xlabel="epoch", ylabel="nats per image")
        axis.set_xticks(range(0, EPOCHS[-1] + 1, 5))
        axis.grid(alpha=0.3)
    known = limits()
    axes[0].axhline(known["independent_pixels"], color="#6E6E6E", lw=1, ls=":")
    axes[0].annotate(
        "code ignored, each pixel its mean", (EPOCHS[-1], known["independent_pixels"]), (0, -4),
        textcoords="offset points", ha="right", va="top", fontsize=8, color="#4A4A4A",
    )  # fmt: skip
    low = min(float(bounds[1:].min()), known["independent_pixels"])
    axes[0].set_ylim(low - 0.16 * (float(bounds.max()) - low), None)
    axes[1].legend(loc="lower right", fontsize=9)
    return figure


def latent_figure(mu: Any, labels: Any) -> Any:
    figure = new_figure(6.6, 5.8)
    axis = figure.subplots()
    for digit in range(10):
        points = mu[labels == digit]
        axis.scatter(
            *points.T, s=20, c=COLOURS[digit], marker=MARKERS[digit], linewidths=0.3, edgecolors="white", alpha=0.85,
            label=str(digit),
        )  # fmt: skip
    for radius in (1, 2, 3):
        axis.add_patch(circle(radius))
        axis.annotate(f"{radius}", (0, -radius), color="#4A4A4A", fontsize=8, ha="center", va="bottom")
    axis.set(title="Codes mu(x) of the test images", xlabel="z1", ylabel="z2", aspect="equal")
    axis.annotate(
        "dashed: 1, 2, 3 standard deviations of the prior", (0.01, 0.01), xycoords="axes fraction", fontsize=8,
        color="#4A4A4A",
    )  # fmt: skip
    axis.legend(title="digit", loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, markerscale=1.4)
    return figure


def circle(radius: float) -> Any:
    from matplotlib.patches import Circle

    return Circle((0, 0), radius, fill=False, ls="--", lw=0.8, color="#6E6E6E")


def manifold_figure(grid: Any) -> Any:
    figure = new_figure(6.4, 6.7)
    axis = figure.subplots()
    axis.imshow(picture(grid), **INK)
    places = [0, 3, 7, 11, 14]
    levels = [f"{(place + 0.5) / 15:.2f}" for place in places]
    axis.set_xticks([28 * place + 13.5 for place in places], levels)
    axis.set_yticks([28 * place + 13.5 for place in places], levels)
    axis.set(
        title="The latent plane, decoded at 15 x 15 normal quantiles", xlabel="position in the grid, as a level",
        ylabel="position in the grid, as a level",
    )  # fmt: skip
    axis.tick_params(length=0)
    return figure


def picture(grid: Any) -> Any:
    """One picture (28 n, 28 n) from any accepted form of a grid, the student's order kept."""
    size = round((grid.size / PIXELS) ** 0.5)
    if tuple(length for length in grid.shape if length != 1) == (28 * size, 28 * size):
        return grid.reshape(28 * size, 28 * size)
    return grid.reshape(size, size, 28, 28).transpose(0, 2, 1, 3).reshape(28 * size, 28 * size)


def reconstruction_figure(x: Any, again: Any) -> Any:
    figure = new_figure(10, 2.1)
    axis = figure.subplots()
    rows = np.concatenate([strip(x), np.zeros((3, 28 * len(x))), strip(again)])
    axis.imshow(rows, **INK)
    axis.set_yticks([13.5, 44.5], ["image", "decoder(mu)"])
    axis.set_xticks([])
    axis.tick_params(length=0)
    axis.set_title("Test images and their reconstructions")
    return figure


def samples_figure(images: Any) -> Any:
    figure = new_figure(8, 4.6)
    axis = figure.subplots()
    axis.imshow(np.concatenate([strip(row) for row in images.reshape(6, 10, PIXELS)]), **INK)
    axis.set_axis_off()
    axis.set_title("Pixel probabilities decoded from z ~ N(0, I)")
    return figure


def interpolation_figure(walks: list[Any]) -> Any:
    figure = new_figure(9, 3.9)
    axis = figure.subplots()
    axis.imshow(np.concatenate([strip(row) for row in walks]), **INK)
    count = len(walks[0])
    axis.set_xticks([28 * i + 13.5 for i in range(count)], [f"{i / (count - 1):.1f}" for i in range(count)])
    axis.set_yticks([])
    axis.tick_params(length=0)
    axis.set(title="Straight lines between the codes of two test images", xlabel="share t of the way")
    return figure


def strip(images: Any) -> Any:
    """Images side by side: (28, 28 n)."""
    return np.concatenate([image.reshape(28, 28) for image in images], axis=1)
