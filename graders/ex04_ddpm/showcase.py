"""Digits and clothes from noise, with the reference's U-Net, loss and sampler: the figures of the gallery.

    nice -n 10 python graders/ex04_ddpm/showcase.py --minutes 10 --out docs/gallery/ex04_ddpm

trains on each shipped cut (6,000 images) for so many minutes of one core, and writes `showcase-mnist.png`,
`showcase-fashion.png` and `showcase.json` (steps, seconds, loss, mean distance from a sample to the nearest training
image beside that of a test image).
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "src"), str(HERE)]

import numpy as np  # noqa: E402
import torch  # noqa: E402

from gdgrade.judge.reference import load_reference  # noqa: E402

T, BATCH, RATE, CHANNELS, SHOWN = 400, 64, 2e-3, 24, 48
DECAY = 0.995  # of the running mean of the weights, with which is sampled
SETS = {"mnist": "mnist-small.npz", "fashion": "fashion-small.npz"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="of training on each data set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "docs/gallery" / HERE.name)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    reference = load_reference(ROOT / "reference" / HERE.name / "ddpm.py", HERE.name, "showcase")
    torch.set_default_dtype(torch.float32)
    found = {}
    for name, file in SETS.items():
        cut = dict(np.load(ROOT / "data" / file))
        x, test = (torch.from_numpy(cut[key][:, None] / 127.5 - 1).float() for key in ("x_train", "x_test"))
        samples, found[name] = run(reference, x, test, options.minutes * 60, options.seed)
        found[name]["seed"] = options.seed
        picture(samples, nearest(samples, x)[1], name, found[name]).savefig(
            options.out / f"showcase-{name}.png", dpi=110
        )
    text = json.dumps({"T": T, "batch": BATCH, "rate": RATE, "channels": CHANNELS, "runs": found}, indent=1)
    (options.out / "showcase.json").write_text(text + "\n", encoding="utf-8")


def run(reference: Any, x: Any, test: Any, seconds: float, seed: int) -> tuple[Any, dict[str, Any]]:
    """Samples (SHOWN, 1, 28, 28) after so many seconds of training, and what was measured."""
    torch.manual_seed(seed)
    schedule = {key: value.float() for key, value in reference.linear_schedule(T).items()}
    net = reference.UNet(CHANNELS)
    smooth = copy.deepcopy(net)
    optimiser = torch.optim.Adam(net.parameters(), lr=RATE)
    start, steps, losses = time.process_time(), 0, []
    while (spent := time.process_time() - start) < seconds:
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - spent / seconds)
        loss = reference.ddpm_loss(net, x[torch.randint(len(x), (BATCH,))], schedule)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        steps += 1
        losses.append(float(loss.detach()))
        with torch.no_grad():
            for slow, fast in zip(smooth.parameters(), net.parameters(), strict=True):
                slow.lerp_(fast, 1 - min(DECAY, steps / (steps + 10)))
    smooth.eval()
    samples = reference.sample(smooth, (SHOWN, *x.shape[1:]), schedule).clamp(-1, 1)
    with torch.no_grad():
        test_loss = float(reference.ddpm_loss(smooth, test, schedule))
    return samples, {
        "steps": steps,
        "seconds": round(spent),
        "train_loss": round(float(np.mean(losses[-200:])), 4),
        "test_loss": round(test_loss, 4),
        "distance_sample_to_train": round(float(nearest(samples, x)[0].mean()), 2),
        "distance_test_to_train": round(float(nearest(test[:SHOWN], x)[0].mean()), 2),
    }


def nearest(images: Any, known: Any) -> tuple[Any, Any]:
    """Distance from each image to the nearest known one, and that one."""
    found = torch.cdist(images.flatten(1), known.flatten(1)).min(dim=1)
    return found.values, known[found.indices]


def picture(samples: Any, known: Any, name: str, found: dict[str, Any]) -> Any:
    """Samples in rows of twelve, each above the nearest training image."""
    from matplotlib.figure import Figure

    columns = 12
    figure = Figure(figsize=(10, 7.2), layout="constrained")
    axes = figure.subplots(2 * (len(samples) // columns), columns)
    for i in range(len(samples)):
        row, column = 2 * (i // columns), i % columns
        for axis, image in ((axes[row, column], samples[i, 0]), (axes[row + 1, column], known[i, 0])):
            axis.imshow(image, cmap="gray", vmin=-1, vmax=1)
            axis.set(xticks=[], yticks=[])
        for spine in axes[row + 1, column].spines.values():
            spine.set(color="#E69F00", linewidth=2)
    figure.suptitle(
        f"{name}: samples after {found['steps']:,} steps ({found['seconds'] / 60:.0f} minutes of one core) on 6,000 "
        "images; framed: the nearest training image", fontsize=11,
    )  # fmt: skip
    return figure


if __name__ == "__main__":
    main()
