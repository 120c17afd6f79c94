"""Find the limits of the trainings of part 4.9 from many seeds of the reference, of other right answers, of wrong ones.

    nice -n 10 env OMP_NUM_THREADS=1 python graders/ex04_ddpm/calibrate.py --seeds 20

writes calibration.json beside this file: the limits with the reference's scores, and for comparison the scores of right
variants and of mistakes. A limit stands if no run of a right variant is beyond it; a mistake counts as excluded by a
training if all of its seeds are beyond a limit. The exit code is 1 if a right variant is not inside, or a mistake that
must be excluded is not.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import sys
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "src"), str(HERE)]

import ddpm_training as training  # noqa: E402
import ddpm_variants as variants  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from ddpm_oracles import schedule_of  # noqa: E402

from gdgrade.compare.calibration import Calibration, dump_calibrations  # noqa: E402
from gdgrade.judge.draw import Draw  # noqa: E402
from gdgrade.judge.reference import load_mistakes, load_reference, mistaken_reference  # noqa: E402

EXERCISE = HERE.name
REFERENCE = ROOT / "reference" / EXERCISE / "ddpm.py"
CUT = dict(np.load(ROOT / "data" / "mnist-small.npz"))
# In standard deviations of the reference: it is one architecture of many, so its own spread is not all that right
# answers differ by. The toy trains the judge's own network, hence the smaller numbers there.
SPREADS = {
    "one batch": 5.0,
    "digits": 8.0,
    "points excess": 6.0,
    "points shares": 6.0,
    "points outside": 6.0,
    "points width": 6.0,
}
NAMES = {
    "one batch": "mean squared error on the batch after training",
    "digits": "mean squared error of the guessed noise in new digits, lowest quarter of the steps",
    "points excess": "the error of the guessed noise, beyond that of the best network,",
    "points shares": "half the sum of the differences between the shares of the modes",
    "points outside": "share of samples more than 4 standard deviations from every mode",
    "points width": "variance of the samples within the modes, over that of the data",
}
# What the exact checks would catch first; here, what a training must catch if it came that far.
WRONG = {
    "one batch": ["wrong: clipped output"],
    "digits": ["loss_target_clean", "wrong: linear", "wrong: too few steps"],
    "points": ["loss_target_clean", "forward_without_roots", "step_noise_times_beta", "step_bar_in_the_wrong_place"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="seeds of the reference and of each mistake")
    parser.add_argument("--variant-seeds", type=int, default=6, help="seeds of each right variant")
    parser.add_argument("--only", choices=["one batch", "digits", "points"], help="redo one training, keep the others")
    options = parser.parse_args()
    torch.set_num_threads(1)
    seeds = list(range(4000, 4000 + options.seeds))
    file = training.CALIBRATION
    old = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    all_runs: dict[str, Any] = old.get("runs", {})
    mistakes = {entry.name: entry for entry in load_mistakes(HERE / "mistakes.py", EXERCISE)}
    reference = load_reference(REFERENCE, EXERCISE, "calibration")
    for name, run in RUNS.items():
        if options.only not in (None, name):
            continue
        right = variants.right(REFERENCE, EXERCISE) if name != "points" else {}
        wrong = {
            key: variants.wrong(REFERENCE, EXERCISE)[key]
            if key.startswith("wrong")
            else mistaken_reference(REFERENCE, EXERCISE, mistakes[key])
            for key in WRONG[name]
        }
        all_runs[name] = {
            "reference": rows(run, reference, seeds, name),
            "right": {key: rows(run, mod, seeds[: options.variant_seeds], key) for key, mod in right.items()},
            "wrong": {key: rows(run, mod, seeds, key) for key, mod in wrong.items()},
        }
    found = {key: calibration(key, all_runs, seeds) for key in SPREADS}
    outside = {
        name: {
            kind: {key: f"{sum(beyond(row, name, found) for row in run)} of {len(run)}" for key, run in sets.items()}
            for kind, sets in (("right", runs["right"]), ("wrong", runs["wrong"]))
        }
        for name, runs in all_runs.items()
    }
    dump_calibrations(file, found)
    content = json.loads(file.read_text(encoding="utf-8"))
    content |= {"settings": settings(), "beyond_a_limit": outside, "runs": all_runs}
    text = json.dumps(content, indent=1)
    file.write_text(text + "\n", encoding="utf-8")
    bad = [f"{name}: {key}" for name, runs in all_runs.items() for key, run in runs["right"].items()
           if any(beyond(row, name, found) for row in run)]  # fmt: skip
    bad += [f"{name}: {key}" for name, runs in all_runs.items() for key, run in runs["wrong"].items()
            if not all(beyond(row, name, found) for row in run)]  # fmt: skip
    sys.stderr.write(f"not separated: {', '.join(bad) or 'none'}\n")
    raise SystemExit(1 if bad else 0)


def settings() -> dict[str, Any]:
    """What was trained, for how long."""
    return {
        "one batch": {"steps": training.OVERFIT_STEPS, "rate": training.OVERFIT_RATE},
        "points": {"steps": training.TOY_STEPS, "batch": training.TOY_BATCH, "rate": training.TOY_RATE},
        "digits": {"steps": training.DIGIT_STEPS, "batch": training.DIGIT_BATCH, "rate": training.DIGIT_RATE},
    }


# ---- one run of each training, as the checks make it


def one_batch(module: types.ModuleType, seed: int) -> dict[str, float]:
    x, t, noise = training.overfit_batch(Draw(seed), CUT["x_train"])
    guess = in_float32(training.overfit, module, x, t, noise, seed, training.OVERFIT_STEPS, training.OVERFIT_RATE)
    return {"one batch": float((guess.double() - noise).square().mean())}


def points(module: types.ModuleType, seed: int) -> dict[str, float]:
    draw = Draw(seed)
    test = training.toy_test(draw)
    plan = (training.TOY_STEPS, training.TOY_BATCH, training.TOY_RATE, training.TOY_SAMPLES)
    answer = in_float32(training.train_toy, module, tuple(training.TOY), schedule_of(*training.TOY),
                        training.toy_points(draw, 20_000), *test[:2], seed, plan)  # fmt: skip
    found = training.toy_scores(answer["guesses"], answer["samples"], test)
    return {f"points {key}": value for key, value in found._asdict().items()}


def digits(module: types.ModuleType, seed: int) -> dict[str, float]:
    x, t, noise = training.digit_test(Draw(seed), CUT["x_test"])
    plan = (training.DIGIT_STEPS, training.DIGIT_BATCH, training.DIGIT_RATE)
    answer = in_float32(training.train_digits, module, tuple(training.DIGITS), schedule_of(*training.DIGITS),
                        training.small_digits(CUT["x_train"]), x, t, seed, plan)  # fmt: skip
    return {"digits": float((answer["guesses"].double() - noise).square().mean())}


RUNS: dict[str, Callable[[types.ModuleType, int], dict[str, float]]] = {
    "one batch": one_batch,
    "points": points,
    "digits": digits,
}


def in_float32(function: Callable[..., Any], *args: Any) -> Any:
    """As the worker runs it; the judge's own arithmetic afterwards in float64."""
    torch.set_default_dtype(torch.float32)
    try:
        return function(*args)
    finally:
        torch.set_default_dtype(torch.float64)


def rows(run: Callable[..., dict[str, float]], module: types.ModuleType, seeds: Sequence[int], name: str) -> Any:
    """Scores of a module, one row per seed, with the seconds of each."""
    found = []
    for seed in seeds:
        torch.set_default_dtype(torch.float64)
        start = time.process_time()
        scores = {key: round(value, 5) for key, value in run(module, seed).items()}
        found.append({**scores, "seconds": round(time.process_time() - start, 1)})
        sys.stderr.write(f"{name} {seed} {found[-1]}\n")
    return found


def calibration(key: str, all_runs: dict[str, Any], seeds: list[int]) -> Calibration:
    """The limit of one score from the reference's rows."""
    training_name = key if key in all_runs else key.split()[0]
    return Calibration.measured(
        NAMES[key], seeds, [row[key] for row in all_runs[training_name]["reference"]], "lower",
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, 1 thread, Python "
                f"{platform.python_version()}, torch {torch.__version__}",
        spreads=SPREADS[key],
    )  # fmt: skip


def beyond(row: dict[str, float], name: str, found: dict[str, Calibration]) -> bool:
    """Whether a run breaks a limit, or is too good to be true."""
    limits = {key: value for key, value in found.items() if key == name or key.split()[0] == name}
    impossible = name == "points" and row["points excess"] < -5 * row["points error"]
    return impossible or any(not limit.judge(row[key]).passed for key, limit in limits.items())


if __name__ == "__main__":
    main()
