"""Find the limits of the training checks from many seeds of the reference, of other right flows and of wrong ones.

    OMP_NUM_THREADS=1 python graders/ex03_realnvp/calibrate.py --seeds 20

writes calibration.json beside this file: the limits with the reference's scores, and for comparison the scores of
right variants and of mistakes. A limit stands if no right variant is beyond it and every wrong training is, with all
seeds; the exit code is 1 if not.
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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "src"), str(HERE)]

import flow_training as training  # noqa: E402
import torch  # noqa: E402

from gdgrade.compare.calibration import Calibration, dump_calibrations  # noqa: E402
from gdgrade.judge.reference import load_mistakes, load_reference, mistaken_reference  # noqa: E402

EXERCISE = HERE.name
REFERENCE = ROOT / "reference" / EXERCISE / "realnvp.py"
# The likeliest to slip through the exact checks: a flow that cannot bend space, one that hardly learns, one
# that learns the wrong thing.
WRONG = ["masks_do_not_alternate", "everything_starts_at_zero", "log_det_detached"]
# The reference is one architecture of many: two tanh networks are slower to learn eight Gaussians than its own spread
# over seeds tells, and networks with SiLU, or with ReLU and a wide range of scales, are three to six times as far from
# the moons as it is. The margins, in standard deviations, leave room for them; what learns nothing is far beyond.
SPREADS = {"moons kl": 16.0, "moons radius": 10.0, "ring kl": 16.0, "checkerboard kl": 15.0}
Rows = list[dict[str, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="seeds of the reference on each toy")
    parser.add_argument("--variant-seeds", type=int, default=5, help="seeds of each right variant on each toy")
    parser.add_argument("--wrong-seeds", type=int, default=20, help="seeds of each mistake on two moons")
    parser.add_argument("--cache", type=Path, help="file that keeps each finished run, so that a stopped one goes on")
    options = parser.parse_args()
    torch.set_num_threads(1)
    done = Cache(options.cache)
    seeds = range(3000, 3000 + options.seeds)
    reference = load_reference(REFERENCE, EXERCISE, "calibration")
    right = {toy: runs(done, "reference", reference, toy, seeds) for toy in training.TOYS}
    variants = {
        name: {toy: runs(done, name, module, toy, seeds[: options.variant_seeds]) for toy in training.TOYS}
        for name, module in right_variants().items()
    }
    mistakes = {entry.name: entry for entry in load_mistakes(HERE / "mistakes.py", EXERCISE)}
    wrong = {
        name: runs(
            done, name, mistaken_reference(REFERENCE, EXERCISE, mistakes[name]), "moons", seeds[: options.wrong_seeds]
        )
        for name in WRONG
    }
    found = {key: calibration(key, right, list(seeds)) for key in SPREADS}
    dump_calibrations(training.CALIBRATION, found)
    complete = json.loads(training.CALIBRATION.read_text(encoding="utf-8"))
    complete["training"] = {name: toy._asdict() | {"make": None} for name, toy in training.TOYS.items()}
    complete["settings"] = {"rows": training.ROWS, "test_rows": training.TEST_ROWS, "batch": training.BATCH,
                            "rate": training.RATE}  # fmt: skip
    complete["reference"], complete["right_variants"], complete["mistakes_on_moons"] = right, variants, wrong
    complete["beyond_limits"] = {
        "right_variants": {name: beyond(per_toy, found) for name, per_toy in variants.items()},
        "mistakes_on_moons": {name: f"{beyond({'moons': rows}, found)} of {len(rows)}" for name, rows in wrong.items()},
    }
    training.CALIBRATION.write_text(json.dumps(complete, indent=1) + "\n", encoding="utf-8")
    bad = [name for name, rows in wrong.items() if beyond({"moons": rows}, found) < len(rows)]
    bad += [name for name, per_toy in variants.items() if beyond(per_toy, found)]
    sys.stderr.write(f"not separated: {', '.join(bad) or 'none'}\n")
    raise SystemExit(1 if bad else 0)


class Cache:
    """Finished runs, one JSON line each; forgets everything at the end if it has no file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path is not None and path.exists() else []
        self._rows = {self._key(entry): entry["row"] for entry in map(json.loads, lines)}

    @staticmethod
    def _key(entry: dict[str, Any]) -> tuple[Any, ...]:
        return entry["name"], entry["toy"], entry["seed"]

    def get(self, name: str, toy: str, seed: int) -> dict[str, float] | None:
        return self._rows.get((name, toy, seed))

    def put(self, name: str, toy: str, seed: int, row: dict[str, float]) -> None:
        entry = {"name": name, "toy": toy, "seed": seed, "row": row}
        self._rows[self._key(entry)] = row
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")


def runs(done: Cache, name: str, module: types.ModuleType, toy: str, seeds: Sequence[int]) -> Rows:
    """Scores of the module's flow on one toy, a row per seed, with the seconds each training took."""

    def call(function: Any, *arguments: Any) -> Any:
        try:
            return function(module, *arguments)
        finally:
            torch.set_default_dtype(torch.float64)  # train_flow leaves float32 behind

    rows = []
    for seed in seeds:
        row = done.get(name, toy, seed)
        if row is None:
            torch.set_default_dtype(torch.float64)
            start = time.process_time()
            found, _ = training.train_and_score(call, training.TOYS[toy], seed)
            row = {key: round(value, 5) for key, value in found._asdict().items()}
            row["seconds"] = round(time.process_time() - start, 1)
            done.put(name, toy, seed, row)
            sys.stderr.write(f"{name} {toy} {seed} {row}\n")
        rows.append(row)
    return rows


def calibration(key: str, right: dict[str, Rows], seeds: list[int]) -> Calibration:
    """The limit of "<toy> <score>" from the reference's rows."""
    toy, score = key.split()
    names = {"kl": "KL(data, flow) in nats", "radius": "distance of the noise from N(0, I)"}
    return Calibration.measured(
        f"{names[score]}, {training.TOYS[toy].title}", seeds, [row[score] for row in right[toy]], "lower",
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, 1 thread, Python "
                f"{platform.python_version()}, torch {torch.__version__}",
        spreads=SPREADS[key],
    )  # fmt: skip


def beyond(per_toy: dict[str, Rows], found: dict[str, Calibration]) -> int:
    """How many runs break a limit, or are too good to be true."""
    count = 0
    for toy, rows in per_toy.items():
        for row in rows:
            limits = {key.split()[1]: value for key, value in found.items() if key.split()[0] == toy}
            broken = any(not row[score] <= entry.limit for score, entry in limits.items())
            count += broken or row["kl"] < -5 * row["error"]
    return count


def right_variants() -> dict[str, types.ModuleType]:
    """Other right answers: two tanh networks and a learnt alpha; a small network; a wide range of scales; a residual
    SiLU network; a ReLU network that is fed the kept coordinate alone, its start drawn by hand."""
    tags = ("two", "small", "wide", "residual", "kept")
    two, small, wide, residual, kept = (load_reference(REFERENCE, EXERCISE, tag) for tag in tags)
    nn = torch.nn

    class TwoNetworks(two.AffineCoupling):  # type: ignore[name-defined,misc]
        def __init__(self, mask: Any, hidden: int = 64) -> None:
            super().__init__(mask, hidden)
            self.net = None
            self.alpha = nn.Parameter(torch.ones(1))
            self.nets = nn.ModuleList(
                nn.Sequential(
                    nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 2)
                )
                for _ in range(2)
            )
            for net in self.nets:
                nn.init.zeros_(net[-1].weight)
                nn.init.zeros_(net[-1].bias)

        def _log_scale_and_shift(self, point: Any) -> Any:
            raw, shift = (net(self.mask * point) for net in self.nets)
            return self.alpha * torch.tanh(raw) * (1 - self.mask), shift * (1 - self.mask)

    class SmallNetwork(small.AffineCoupling):  # type: ignore[name-defined,misc]
        def __init__(self, mask: Any, hidden: int = 64) -> None:
            super().__init__(mask, 32)

    class Residual(nn.Module):
        def __init__(self, hidden: int) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(2, hidden), nn.Linear(hidden, hidden)
            self.last = nn.Linear(hidden, 4)
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(self.last.bias)

        def forward(self, point: Any) -> Any:
            seen = nn.functional.silu(self.first(point))
            return self.last(seen + nn.functional.silu(self.second(seen)))

    class ResidualNetwork(residual.AffineCoupling):  # type: ignore[name-defined,misc]
        def __init__(self, mask: Any, hidden: int = 64) -> None:
            super().__init__(mask, 48)
            self.net = Residual(48)

        def _log_scale_and_shift(self, point: Any) -> Any:
            raw, shift = self.net(self.mask * point).chunk(2, dim=-1)
            return 2 * torch.tanh(raw / 2) * (1 - self.mask), shift * (1 - self.mask)

    class KeptCoordinate(kept.AffineCoupling):  # type: ignore[name-defined,misc]
        def __init__(self, mask: Any, hidden: int = 64) -> None:
            super().__init__(mask, hidden)
            self.net = nn.Sequential(
                nn.Linear(1, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 2)
            )
            for layer in self.net[::2]:
                last = layer.out_features == 2
                nn.init.normal_(layer.weight, std=0.0 if last else layer.in_features**-0.5)
                nn.init.zeros_(layer.bias)

        def _log_scale_and_shift(self, point: Any) -> Any:
            raw, shift = self.net((self.mask * point).sum(-1, keepdim=True)).chunk(2, dim=-1)
            return 3 * torch.tanh(raw) * (1 - self.mask), shift * (1 - self.mask)

    two.AffineCoupling, small.AffineCoupling = TwoNetworks, SmallNetwork
    residual.AffineCoupling, kept.AffineCoupling = ResidualNetwork, KeptCoordinate
    wide.LARGEST_LOG_SCALE = 2.5
    return {
        "two tanh networks, learnt alpha": two,
        "width 32": small,
        "alpha 2.5": wide,
        "residual SiLU, width 48, alpha 2": residual,
        "ReLU on the kept coordinate, alpha 3": kept,
    }


if __name__ == "__main__":
    main()
