"""Find the pass limits of the training checks from many seeds of the reference and of wrong trainings.

    OMP_NUM_THREADS=1 python graders/ex01_vae/calibrate.py --seeds 20

writes calibration.json beside this file. Each limit keeps every seed of the reference inside with room to
spare, enough for other right trainings ("right variants"); a wrong training is excluded if all of its seeds fall
outside at least one limit.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import statistics
import sys
import time
import types
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "src"), str(HERE)]

import numpy as np  # noqa: E402
import torch  # noqa: E402
import vae_training as training  # noqa: E402

from gdgrade.judge.reference import load_mistakes, load_reference, mistaken_reference  # noqa: E402

EXERCISE = HERE.name
SHORT = (training.SHORT_EPOCHS, training.SHORT_BATCH, training.SHORT_RATE)
REFERENCE = ROOT / "reference" / EXERCISE / "vae.py"
WRONG = [
    "train_decoder_only", "train_encoder_only", "train_copies", "train_minimises_elbo", "train_without_kl",
    "train_both_averaged", "train_keeps_gradients", "elbo_samples_prior", "elbo_detaches_code",
]  # fmt: skip
RULE = (
    "elbo: at least worst seed - max(3 sd, 5 nats); kl: between smallest and largest seed widened by "
    "max(3 sd, 1 nat); accuracy: at least worst seed - max(3 sd, 0.1)"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="seeds per training")
    parser.add_argument("--only", choices=["full", "short"], help="redo one half, keep the other from the file")
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "mnist-small.npz")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float32)
    cut = dict(np.load(options.data))
    seeds = list(range(1000, 1000 + options.seeds))
    reference = load_reference(REFERENCE, EXERCISE, "calibration")
    mistakes = {entry.name: entry for entry in load_mistakes(HERE / "mistakes.py", EXERCISE)}
    wrong = {name: mistaken_reference(REFERENCE, EXERCISE, mistakes[name]) for name in WRONG}
    modules = {"reference": reference, **right_variants(), **wrong}
    file = HERE / "calibration.json"
    result = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"limits": {}}
    result["date"] = dt.datetime.now(dt.UTC).date().isoformat()
    result["machine"] = {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "threads": 1,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    result["limits"]["grey_bound"] = round(training.grey_bound(flat(cut["x_test"])), 3)
    base = training.independent_pixels(flat(cut["x_train"]), flat(cut["x_test"]))
    result["limits"]["independent_pixels"] = round(base, 3)
    result["seeds"] = seeds
    if options.only != "short":
        runs = {name: runs_of(module, cut, seeds, name) for name, module in modules.items()}
        found = limits(runs["reference"])
        result["limits"].update(found)
        result["full"] = {
            "images": len(cut["x_train"]),
            "test_images": len(cut["x_test"]),
            "epochs": training.EPOCHS,
            "rule": RULE,
            "summary_mean_sd_min_max": {name: summary(run) for name, run in runs.items()},
            "seeds_outside": {name: excluded(run, found) for name, run in runs.items()},
            "runs": runs,
        }
    if options.only != "full":
        short = {name: short_runs_of(module, cut, seeds) for name, module in modules.items()}
        kl = short["reference"]["kl"]
        low, high = round(min(kl) / 3, 2), round(max(kl) * 2, 2)
        least = short["reference"]["elbo"]
        bound = round(min(least) - 6 * statistics.stdev(least), 2)
        result["limits"].update(short_kl_low=low, short_kl_high=high, short_elbo=bound)
        result["short"] = {
            "images": training.SHORT_IMAGES,
            "epochs": training.SHORT_EPOCHS,
            "rule": "elbo: at least worst seed - 6 sd; kl: from a third of the smallest to twice the largest seed",
            "summary_mean_sd_min_max": {name: summary(run) for name, run in short.items()},
            "seeds_outside": {
                name: sum(
                    not (low <= kl <= high and elbo >= bound)
                    for kl, elbo in zip(run["kl"], run["elbo"], strict=True)
                )
                for name, run in short.items()
            },
            "runs": short,
        }
    file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def right_variants() -> dict[str, types.ModuleType]:
    """Other right answers: tanh units; one head for both outputs, summed loss, no reshuffling between epochs."""
    tanh = load_reference(REFERENCE, EXERCISE, "tanh")

    class TanhEncoder(tanh.Encoder):  # type: ignore[name-defined,misc]
        def forward(self, x: Any) -> Any:
            h = torch.tanh(self.hidden(x))
            return self.mu(h), self.logvar(h)

    class TanhDecoder(tanh.Decoder):  # type: ignore[name-defined,misc]
        def forward(self, z: Any) -> Any:
            return self.logits(torch.tanh(self.hidden(z)))

    tanh.Encoder, tanh.Decoder = TanhEncoder, TanhDecoder
    plain = load_reference(REFERENCE, EXERCISE, "plain_loop")

    def train(
        encoder: Any, decoder: Any, data: Any, epochs: int = 20, batch_size: int = 128, lr: float = 1e-3
    ) -> None:
        optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=lr)
        for _ in range(epochs):
            for start in range(0, len(data) - batch_size + 1, batch_size):
                optimizer.zero_grad()
                (-plain.elbo(data[start : start + batch_size], encoder, decoder).sum()).backward()
                optimizer.step()

    plain.train = train
    return {"right: tanh units": tanh, "right: summed loss, fixed order, last batch dropped": plain}


def flat(images: Any) -> Any:
    return images.reshape(len(images), -1)


def runs_of(
    module: types.ModuleType, cut: dict[str, Any], seeds: list[int], name: str
) -> dict[str, list[float]]:
    """Scores of one training with every seed, by name, and the seconds each took."""
    images, test = (torch.from_numpy(flat(cut[key])) for key in ("x_train", "x_test"))
    rows: list[list[float]] = []
    for seed in seeds:
        noise = torch.from_numpy(np.random.default_rng(seed).standard_normal((len(test), 2)))
        start = time.process_time()
        shown = training.train_and_show(module, images, test, noise, seed, training.EPOCHS)
        seconds = time.process_time() - start
        values = training.scores(shown, test, cut["y_train"], cut["y_test"])
        rows.append([*values, seconds])
        sys.stderr.write(f"{name} {seed}: {values} {seconds:.1f} s\n")
    names = [*training.Scores._fields, "seconds"]
    return {key: [round(row[i], 4) for row in rows] for i, key in enumerate(names)}


def short_runs_of(module: types.ModuleType, cut: dict[str, Any], seeds: list[int]) -> dict[str, list[float]]:
    """ELBO before and after the short training, and KL after it, with every seed."""
    images = torch.from_numpy(flat(cut["x_train"][: training.SHORT_IMAGES]))
    rows = []
    for seed in seeds:
        noise = torch.from_numpy(np.random.default_rng(seed).standard_normal((len(images), 2)))
        _, before, after = training.short_run(module, images, noise, seed, *SHORT)
        rows.append([training.bound_of(before, images)[0], *training.bound_of(after, images)])
    return {key: [round(row[i], 4) for row in rows] for i, key in enumerate(("before", "elbo", "kl"))}


def limits(run: dict[str, list[float]]) -> dict[str, float]:
    """The rule, applied to the reference's scores."""
    elbo, kl, accuracy = run["elbo"], run["kl"], run["accuracy"]
    room = max(3 * statistics.stdev(kl), 1.0)
    return {
        "elbo": round(min(elbo) - max(3 * statistics.stdev(elbo), 5.0), 2),
        "kl_low": round(min(kl) - room, 2),
        "kl_high": round(max(kl) + room, 2),
        "accuracy": round(min(accuracy) - max(3 * statistics.stdev(accuracy), 0.1), 3),
    }


def excluded(run: dict[str, list[float]], found: dict[str, float]) -> dict[str, int]:
    """How many seeds fall outside each limit."""
    return {
        "elbo": sum(not value >= found["elbo"] for value in run["elbo"]),
        "kl": sum(not found["kl_low"] <= value <= found["kl_high"] for value in run["kl"]),
        "accuracy": sum(not value >= found["accuracy"] for value in run["accuracy"]),
    }


def summary(run: dict[str, list[float]]) -> dict[str, list[float]]:
    """Mean, standard deviation, smallest, largest of each score."""
    return {
        key: [round(f(values), 4) for f in (statistics.fmean, statistics.stdev, min, max)]
        for key, values in run.items()
    }


if __name__ == "__main__":
    main()
