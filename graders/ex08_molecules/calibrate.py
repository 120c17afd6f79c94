"""Find the limits of the training of part 8.7 from many seeds of the reference, of other right answers, of wrong ones.

    nice -n 10 env OMP_NUM_THREADS=1 python graders/ex08_molecules/calibrate.py --seeds 20 --jobs 2

writes calibration.json beside this file: the limits with the reference's scores, and for comparison the scores of right
variants and of mistakes. A limit stands if no run of a right variant is beyond it; a mistake counts as excluded if all
of its seeds are beyond a limit. The exit code is 1 if a right variant is not inside, or a mistake is not excluded.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import os
import platform
import sys
import time
import types
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "src"), str(HERE)]

import molecule_training as training  # noqa: E402
import molecule_variants as variants  # noqa: E402
import torch  # noqa: E402
from molecule_oracles import schedule_of  # noqa: E402

from gdgrade.compare.calibration import Calibration, dump_calibrations  # noqa: E402
from gdgrade.judge.draw import Draw  # noqa: E402
from gdgrade.judge.reference import load_mistakes, load_reference, mistaken_reference  # noqa: E402

EXERCISE = HERE.name
REFERENCE = ROOT / "reference" / EXERCISE / "molecules.py"
# In standard deviations of the reference: it is one architecture of many, so its own spread is not all that right
# answers differ by.
SPREADS = {"noise": 8.0, "bonds": 5.0, "angles": 5.0}
NAMES = {
    "noise": "mean squared error of the guessed noise in new waters",
    "bonds": "largest gap between the distribution function of the bond lengths and the right one",
    "angles": "largest gap between the distribution function of the bond angles and the right one",
}
# What the exact checks would catch first; here, what a training must catch if it came that far. A layer whose messages
# do not see the distances is not among them: the differences of positions still tell them, so it learns nearly as well
WRONG = ["loss_target_clean", "step_noise_times_beta"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="seeds of the reference")
    parser.add_argument("--variant-seeds", type=int, default=4, help="seeds of each right variant")
    parser.add_argument("--wrong-seeds", type=int, default=20, help="seeds of each wrong answer")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--limits-only", action="store_true", help="new limits from the runs that are stored")
    options = parser.parse_args()
    seeds = list(range(8000, 8000 + options.seeds))
    if options.limits_only:
        runs = json.loads(training.CALIBRATION.read_text(encoding="utf-8"))["runs"]
        seeds = seeds[: len(runs["reference"])]
    else:
        counts = {"reference": options.seeds, "right": options.variant_seeds, "wrong": options.wrong_seeds}
        runs = all_runs({kind: seeds[:count] for kind, count in counts.items()}, options.jobs)
    found = {key: calibration(key, runs["reference"], seeds) for key in SPREADS}
    outside = {
        kind: {key: f"{sum(beyond(row, found) for row in run)} of {len(run)}" for key, run in runs[kind].items()}
        for kind in ("right", "wrong")
    }
    dump_calibrations(training.CALIBRATION, found)
    content = json.loads(training.CALIBRATION.read_text(encoding="utf-8"))
    settings = {"steps": training.STEPS, "batch": training.BATCH, "rate": training.RATE, "samples": training.SAMPLES}
    content |= {"settings": settings, "beyond_a_limit": outside, "runs": runs}
    training.CALIBRATION.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    bad = [key for key, run in runs["right"].items() if any(beyond(row, found) for row in run)]
    bad += [key for key, run in runs["wrong"].items() if not all(beyond(row, found) for row in run)]
    sys.stderr.write(f"not separated: {', '.join(bad) or 'none'}\n")
    raise SystemExit(1 if bad else 0)


def all_runs(seeds: dict[str, list[int]], jobs: int) -> dict[str, Any]:
    """Scores of the reference, of right variants and of wrong answers, one row per seed."""
    names = {"right": variants.right(REFERENCE, EXERCISE), "wrong": [*variants.wrong(REFERENCE, EXERCISE), *WRONG]}
    todo = [("reference", "reference", seed) for seed in seeds["reference"]]
    todo += [(kind, name, seed) for kind in ("right", "wrong") for name in names[kind] for seed in seeds[kind]]
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        rows = list(pool.map(row, *zip(*todo, strict=True)))
    found: dict[str, Any] = {"reference": [], "right": {}, "wrong": {}}
    for (kind, name, _), entry in zip(todo, rows, strict=True):
        (found[kind] if kind == "reference" else found[kind].setdefault(name, [])).append(entry)
    return found


def answer_called(kind: str, name: str) -> types.ModuleType:
    """The module of a run, fresh."""
    if kind == "reference":
        return load_reference(REFERENCE, EXERCISE, "calibration")
    made = {"right": variants.right, "wrong": variants.wrong}[kind](REFERENCE, EXERCISE)
    if name in made:
        return made[name]
    mistakes = {entry.name: entry for entry in load_mistakes(HERE / "mistakes.py", EXERCISE)}
    return mistaken_reference(REFERENCE, EXERCISE, mistakes[name])


def scores(module: types.ModuleType, seed: int) -> dict[str, float]:
    """One run, as the check makes it."""
    draw = Draw(seed)
    x, t, noise = training.toy_test(draw)
    plan = (training.STEPS, training.BATCH, training.RATE, training.SAMPLES)
    inputs = tuple(training.TOY), schedule_of(*training.TOY), training.waters(draw, 20_000), training.TYPES, x, t
    torch.set_default_dtype(torch.float32)  # as the worker runs it; the judge's own arithmetic again in float64
    try:
        answer = training.train_waters(module, *inputs, seed, plan)
    finally:
        torch.set_default_dtype(torch.float64)
    return training.scores(answer["guesses"], answer["samples"], noise)._asdict()


def row(kind: str, name: str, seed: int) -> dict[str, float]:
    """Scores of one run, and its seconds; what is not finite is huge."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    start = time.process_time()
    numbers = scores(answer_called(kind, name), seed).items()
    result = {key: round(min(value, 1e9), 5) if value == value else 1e9 for key, value in numbers}
    result["seconds"] = round(time.process_time() - start, 1)
    sys.stderr.write(f"{name} {seed} {result}\n")
    return result


def calibration(key: str, reference: Any, seeds: Sequence[int]) -> Calibration:
    """The limit of one score from the reference's rows."""
    return Calibration.measured(
        NAMES[key], list(seeds), [row[key] for row in reference], "lower",
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, 1 thread, Python "
                f"{platform.python_version()}, torch {torch.__version__}",
        spreads=SPREADS[key],
    )  # fmt: skip


def beyond(row: dict[str, float], found: dict[str, Calibration]) -> bool:
    """Whether a run breaks a limit."""
    return any(not limit.judge(row[key]).passed for key, limit in found.items())


if __name__ == "__main__":
    main()
