"""Find the pass limits of part 7.6 from many seeds of the reference, of other right answers and of wrong ones.

    OMP_NUM_THREADS=1 nice -n 10 python graders/ex07_morphing/calibrate.py --seeds 30

writes calibration.json beside this file. Each limit keeps every seed of the reference inside with room to spare; a
wrong answer is excluded if all of its seeds fall outside at least one limit.
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

import morphing_runs as runs  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

from gdgrade.judge.draw import Draw  # noqa: E402
from gdgrade.judge.reference import load_mistakes, load_reference, mistaken_reference  # noqa: E402

EXERCISE = HERE.name
REFERENCE = ROOT / "reference" / EXERCISE / "morphing.py"
WRONG = [
    "velocity_minus_sign", "velocity_biased", "velocity_rows_not_normalised", "velocity_of_positions",
    "step_without_eta_at_lam", "step_minus_transport", "step_minus_score", "step_without_noise", "step_noise_times_eta",
    "step_without_transport", "step_without_score", "morph_plan_frozen", "morph_velocity_frozen", "morph_noise_reused",
]  # fmt: skip
RULE = (
    "energy, weights: at most worst seed + 3 sd; nearest: at least worst seed - 3 sd; width: between smallest and "
    "largest seed widened by 3 sd; sd over the seeds of the reference"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=30, help="seeds of the reference")
    parser.add_argument("--wrong-seeds", type=int, default=20, help="seeds of every other answer")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    seeds = list(range(1000, 1000 + options.seeds))
    reference = load_reference(REFERENCE, EXERCISE, "calibration")
    mistakes = {entry.name: entry for entry in load_mistakes(HERE / "mistakes.py", EXERCISE)}
    wrong = {name: mistaken_reference(REFERENCE, EXERCISE, mistakes[name]) for name in WRONG}
    measured = {"reference": runs_of(reference, seeds, "reference")}
    for name, module in {**right_variants(), **wrong}.items():
        measured[name] = runs_of(module, seeds[: options.wrong_seeds], name)
    found = limits(measured["reference"])
    result = {
        "limits": found,
        "rule": RULE,
        "problem": {"particles": runs.N, "centres": runs.CENTRES.tolist(), "sigma": runs.SIGMA, **runs.NUMBERS},
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": {
            "system": platform.system(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "threads": 1,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "seeds": {name: len(run["far"]["energy"]) for name, run in measured.items()},
        "first_seed": seeds[0],
        "seeds_outside": {name: outside(run, found) for name, run in measured.items()},
        "summary_mean_sd_min_max": {
            name: {start: summary(values) for start, values in run.items()} for name, run in measured.items()
        },
        "runs": measured,
    }
    (HERE / "calibration.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def right_variants() -> dict[str, types.ModuleType]:
    """Other right answers: a solver that stops early; 60 Sinkhorn iterations whatever the error."""
    early = load_reference(REFERENCE, EXERCISE, "early")
    short = load_reference(REFERENCE, EXERCISE, "short")
    for module, more in ((early, {"tol": 1e-5}), (short, {"n_iter": 60, "tol": 0.0})):
        module._entropic_map = partial(module._entropic_map, more)
    return {"right: row errors of 1e-5": early, "rough: 60 iterations": short}


def partial(function: Any, more: dict[str, Any]) -> Any:
    def solver(x: Any, y: Any, eps: float) -> Any:
        return function(x, y, eps, **more)

    return solver


def runs_of(module: types.ModuleType, seeds: list[int], name: str) -> dict[str, dict[str, list[float]]]:
    """Scores from both starts with every seed, and the seconds each run took."""
    result = {}
    for start, make in (("far", runs.far_problem), ("mode", runs.mode_problem)):
        rows: list[list[float]] = []
        for seed in seeds:
            given = make(Draw(seed))
            torch.manual_seed(seed)
            begin = time.process_time()
            end = module.morph(given.x0, given.y, given.score, **runs.NUMBERS)[-1]
            seconds = time.process_time() - begin
            values = [float(value) for value in runs.scores(end, given)] if end.isfinite().all() else [1e9] * 4
            rows.append([*(min(value, 1e9) for value in values), seconds])
        names = [*runs.Scores._fields, "seconds"]
        result[start] = {key: [round(row[i], 4) for row in rows] for i, key in enumerate(names)}
        sys.stderr.write(f"{name} {start}: {summary(result[start])}\n")
    return result


def limits(run: dict[str, dict[str, list[float]]]) -> dict[str, float]:
    """The rule, applied to the reference's scores."""

    def above(values: list[float]) -> float:
        return round(max(values) + 3 * statistics.stdev(values), 4)

    def below(values: list[float]) -> float:
        return round(min(values) - 3 * statistics.stdev(values), 4)

    far, mode = run["far"], run["mode"]
    return {
        "energy": above(far["energy"]),
        "nearest_low": below(far["nearest"]),
        "weights": above(mode["weights"]),
        "width_low": below(mode["width"]),
        "width_high": above(mode["width"]),
    }


def outside(run: dict[str, dict[str, list[float]]], found: dict[str, float]) -> dict[str, int]:
    """How many seeds fall outside each limit."""
    far, mode = run["far"], run["mode"]
    return {
        "energy": sum(not value <= found["energy"] for value in far["energy"]),
        "nearest": sum(not value >= found["nearest_low"] for value in far["nearest"]),
        "weights": sum(not value <= found["weights"] for value in mode["weights"]),
        "width": sum(not found["width_low"] <= value <= found["width_high"] for value in mode["width"]),
    }


def summary(values: dict[str, list[float]]) -> dict[str, list[float]]:
    """Mean, standard deviation, smallest, largest of each score."""
    return {
        key: [round(f(column), 4) for f in (statistics.fmean, statistics.stdev, min, max)]
        for key, column in values.items()
    }


if __name__ == "__main__":
    main()
