"""Training a student's picture networks with the student's own loop, and scoring what the generator makes.

The score is the energy distance (in pixels, all 784 at once) between generated pictures and pictures that the training
never saw. It is 0.03 for other real pictures, 4.8 for copies of the mean picture and 13 for copies of one picture.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

DATA = "fashion-small"
PICTURES = 500
SETTINGS = {"iterations": 250, "batch": 64, "dz": 32, "n_critic": 3, "lambda_": 1.0, "lr": 1e-3}


def train_pictures(module: Any, images: Any, noise: Any, seed: int, settings: dict[str, Any]) -> Any:
    """Runs in the worker: build the networks, train them, return the pictures made from `noise`.

    Args:
        module: the student's module.
        images: uint8 pixels, (N, 784).
        noise: (M, dz).
        seed: for torch's, numpy's and Python's generators.

    Returns:
        (M, 784), made in evaluation mode.
    """
    import random

    import numpy as np
    import torch

    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - students' code may use the global generator
    random.seed(seed)
    dtype = torch.get_default_dtype()
    generator, critic = module.image_networks(settings["dz"])
    module.train_wgan_gp(
        critic,
        generator,
        images.to(dtype) / 255,
        n_iterations=settings["iterations"],
        batch_size=settings["batch"],
        dz=settings["dz"],
        n_critic=settings["n_critic"],
        lambda_=settings["lambda_"],
        lr=settings["lr"],
    )
    generator.eval()
    with torch.no_grad():
        return generator(noise.to(dtype))


def distance(made: Any, test_images: Any) -> float:
    """Energy distance between pictures (M, 784) in [0, 1] and the first PICTURES test images (uint8)."""
    from gdgrade.compare import energy_distance

    real = np.asarray(test_images, dtype=np.float64).reshape(-1, 784)[:PICTURES] / 255
    made = np.asarray(made, dtype=np.float64)
    return float(energy_distance(made, real)) if np.isfinite(made).all() else float("inf")


def calibrate(
    known: dict[str, list[float]], module: Any, seeds: list[int], found: dict[str, Any], date: str, machine: str
) -> dict[str, Any]:
    """Scores of several architectures with the loop of `module`; the limit stands on all together. Fills `found`.

    Args:
        known: scores of earlier runs, which are not made again.
    """
    from pathlib import Path

    import torch

    from gdgrade.compare import Calibration

    cut = np.load(Path(__file__).resolve().parents[2] / "data" / f"{DATA}.npz")
    images = torch.from_numpy(cut["x_train"].reshape(-1, 784))
    original = module.image_networks
    table: dict[str, list[float]] = {}
    for name, networks in {"reference": original, **architectures()}.items():
        module.image_networks = networks
        table[name] = list(known.get(name, []))
        if table[name]:
            continue
        for seed in seeds if name == "reference" else seeds[:5]:
            noise = torch.from_numpy(np.random.default_rng(seed).standard_normal((PICTURES, SETTINGS["dz"])))
            start = time.process_time()
            made = train_pictures(module, images, noise, seed, SETTINGS)
            table[name].append(round(distance(made, cut["x_test"]), 5))
            sys.stderr.write(f"pictures {name} {seed}: {table[name][-1]} {time.process_time() - start:.1f} s\n")
    module.image_networks = original
    pooled = [(seed, value) for values in table.values() for seed, value in zip(seeds, values, strict=False)]
    words = "the energy distance between generated and unseen pictures"
    found["pictures"] = Calibration.measured(
        words, [seed for seed, _ in pooled], [value for _, value in pooled], "lower", date=date, machine=machine
    )
    return {"date": date, "settings": SETTINGS, "runs": table}


def architectures() -> dict[str, Any]:
    """Other right networks for pictures."""
    from torch import nn

    def small(dz: int = 32) -> Any:
        generator = nn.Sequential(nn.Linear(dz, 128), nn.ReLU(), nn.Linear(128, 784), nn.Sigmoid())
        return generator, nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 1))

    def tanh(dz: int = 32) -> Any:
        generator = nn.Sequential(nn.Linear(dz, 256), nn.Tanh(), nn.Linear(256, 784), nn.Sigmoid())
        return generator, nn.Sequential(nn.Linear(784, 128), nn.Tanh(), nn.Linear(128, 1))

    def normed(dz: int = 32) -> Any:
        generator = nn.Sequential(
            nn.Linear(dz, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 256), nn.BatchNorm1d(256), nn.ReLU(),
            nn.Linear(256, 784), nn.Sigmoid(),
        )  # fmt: skip
        critic = nn.Sequential(
            nn.Linear(784, 256), nn.LayerNorm(256), nn.LeakyReLU(0.2), nn.Linear(256, 128), nn.LeakyReLU(0.2),
            nn.Linear(128, 1),
        )  # fmt: skip
        return generator, critic

    return {"right: one small hidden layer": small, "right: tanh": tanh, "right: normed": normed}
