"""Find the pass limits of the training checks from many seeds of the reference and of wrong trainings.

    OMP_NUM_THREADS=1 nice python graders/ex02_wgan/calibrate.py --seeds 20

writes calibration.json (the limits, with every score of the reference behind them) and calibration-runs.json (every
run of the reference, of other right trainings and of the mistakes, and how many seeds of each miss a limit) beside this
file. A mistake is excluded if all of its seeds miss at least one limit of the check.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime as dt
import json
import os
import platform
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
import wgan_pictures as pictures  # noqa: E402
import wgan_training as training  # noqa: E402

from gdgrade.compare import Calibration, dump_calibrations, load_calibrations  # noqa: E402
from gdgrade.judge.reference import load_mistakes, load_reference, mistaken_reference  # noqa: E402

EXERCISE = HERE.name
REFERENCE = ROOT / "reference" / EXERCISE / "wgan.py"
PROBLEMS = {"ring": training.RING, "grid": training.GRID}
# name of the limit: score, direction, what the student reads, standard deviations beyond the worst seed. The reverse KL
# and the slope get more room than the rule's three: both have a long tail on their bad side.
QUALITY = {
    "poorest": ("poorest", "higher", "the share of good samples at the poorest mode, over an even share", 3.0),
    "reverse_kl": ("reverse_kl", "lower", "the reverse KL of the modes' shares (nats)", 6.0),
    "high_quality": ("high_quality", "higher", "the share of samples of high quality", 3.0),
}
SLOPE = "the mean slope of the critic between real and fake points"
SCORES = {
    "ring": {**QUALITY, "width": ("width", "lower", "the width of the modes, over sigma", 3.0)},
    "grid": {
        **QUALITY,
        "slope_low": ("slope", "higher", SLOPE, 6.0),
        "slope_high": ("slope", "lower", SLOPE, 6.0),
    },
}
WRONG = [
    "penalty_without_graph", "critic_step_uphill", "generator_step_detached", "loop_n_critic_inverted",
    "loop_one_batch", "loop_noise_fixed",
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="seeds of the reference")
    parser.add_argument("--wrong-seeds", type=int, default=20, help="seeds of each mistake")
    parser.add_argument("--keep", action="store_true", help="compute the limits again from the stored runs")
    parser.add_argument("--only", choices=["ring", "grid", "pictures"], help="redo one problem, keep the others")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float32)
    file, runs_file = HERE / "calibration.json", HERE / "calibration-runs.json"
    known_limits = {"pictures", *(f"{name} {limit}" for name, limits in SCORES.items() for limit in limits)}
    found = load_calibrations(file) if file.exists() else {}
    found = {name: limit for name, limit in found.items() if name in known_limits}
    runs: dict[str, Any] = json.loads(runs_file.read_text(encoding="utf-8")) if runs_file.exists() else {}
    earlier = dict(runs)  # `runs` is filled anew below
    machine = (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, 1 thread, Python "
        f"{platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}"
    )
    date = dt.datetime.now(dt.UTC).date().isoformat()
    mistakes = {entry.name: entry for entry in load_mistakes(HERE / "mistakes.py", EXERCISE)}
    reference = load_reference(REFERENCE, EXERCISE, "calibration")
    seeds = list(range(1000, 1000 + options.seeds))
    tables: dict[str, Any] = {}

    def run_of(name: str, problem: training.Problem, module: Any, seeds: list[int], key: str) -> Any:
        known = earlier.get(name, {}).get("runs", {}).get(key)
        return known if options.keep and known else rows(name, problem, module, seeds, key)

    def store() -> None:
        for name, table in tables.items():
            runs[name] = {
                "date": date,
                "settings": dataclasses.asdict(PROBLEMS[name]),
                "first_seed": seeds[0],
                "seeds_that_miss": {key: missed(name, run, found) for key, run in table.items()},
                "runs": table,
            }
        dump_calibrations(file, found)
        runs_file.write_text(json.dumps(runs, indent=None) + "\n", encoding="utf-8")

    chosen = {name: problem for name, problem in PROBLEMS.items() if options.only in (None, name)}
    for name, problem in chosen.items():  # the limits first, then what they exclude
        tables[name] = {"reference": run_of(name, problem, reference, seeds, "reference")}
        for limit, (score, direction, words, spreads) in SCORES[name].items():
            found[f"{name} {limit}"] = Calibration.measured(
                words, seeds, tables[name]["reference"][score], direction, date=date, machine=machine, spreads=spreads
            )
        store()
    if options.only in (None, "pictures"):
        known = runs.get("pictures", {}).get("runs", {}) if options.keep else {}
        runs["pictures"] = pictures.calibrate(known, reference, seeds, found, date, machine)
        store()
    for name, problem in chosen.items():
        for key, module in right_variants().items():
            tables[name][key] = run_of(name, problem, module, seeds[:5], key)
            store()
        for key in WRONG:
            module = mistaken_reference(REFERENCE, EXERCISE, mistakes[key])
            tables[name][key] = run_of(name, problem, module, seeds[: options.wrong_seeds], key)
            store()


def right_variants() -> dict[str, types.ModuleType]:
    """Other right trainings: other momenta in Adam."""
    variants = {}
    for name, betas in (("right: betas (0, 0.9)", (0.0, 0.9)), ("right: betas (0.5, 0.999)", (0.5, 0.999))):
        module = load_reference(REFERENCE, EXERCISE, f"betas_{betas[0]}_{betas[1]}".replace(".", "_"))
        module.torch = with_betas(betas)
        variants[name] = module
    return variants


def with_betas(betas: tuple[float, float]) -> Any:
    """torch, but for an Adam that always has these momenta."""

    class Adam(torch.optim.Adam):
        def __init__(self, parameters: Any, lr: float = 1e-3, **_: Any) -> None:
            super().__init__(parameters, lr=lr, betas=betas)

    changed = types.ModuleType("torch")
    changed.__dict__.update(torch.__dict__)
    changed.optim = types.SimpleNamespace(Adam=Adam)  # type: ignore[attr-defined]
    return changed


def rows(
    name: str, problem: training.Problem, module: types.ModuleType, seeds: list[int], key: str
) -> dict[str, list[float]]:
    """Scores of one training with every seed, by name, and the processor seconds of each."""
    found = []
    settings = dataclasses.asdict(problem)
    for seed in seeds:
        rng = np.random.default_rng(seed)
        noise, other = (torch.from_numpy(rng.standard_normal((training.SAMPLES, 2))) for _ in range(2))
        home = torch.from_numpy(rng.integers(0, len(problem.centres), training.SAMPLES))
        start = time.process_time()
        score = None
        with contextlib.suppress(Exception):  # a mistake may end in an error: then it scores nothing
            parameters = training.trained(module, training.networks, settings, seed)
            score = training.scores(problem, parameters, noise, training.of_mixture(problem, home, other))
        seconds = time.process_time() - start
        if score is None:
            score = training.Scores(0, 0.0, 0.0, float("inf"), float("nan"), float("nan"), False)
        found.append({**dataclasses.asdict(score), "seconds": seconds})
        sys.stderr.write(f"{name} {key} {seed}: {score} {seconds:.1f} s\n")
    return {field: [round(float(row[field]), 5) for row in found] for field in found[0]}


def missed(name: str, run: dict[str, list[float]], found: dict[str, Calibration]) -> dict[str, int]:
    """How many seeds miss each limit, and how many miss any limit of the problem."""
    outside = {
        limit: [not found[f"{name} {limit}"].judge(value).passed for value in run[score]]
        for limit, (score, *_) in SCORES[name].items()
    }
    return {
        **{limit: sum(flags) for limit, flags in outside.items()},
        "any": sum(any(flags) for flags in zip(*outside.values(), strict=True)),
    }


if __name__ == "__main__":
    main()
