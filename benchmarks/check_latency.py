"""How long a student waits: `gdgrade --help` and a cold `gdgrade check`, against `import torch` in the same run.

All commands are timed in turn, round after round, so that a busy moment of the machine meets all of them; what is
compared are medians. The judge's own cost is what the report says a check took less what it says the student's
code took.

    python benchmarks/check_latency.py
    python benchmarks/check_latency.py --rounds 9 --json out/check_latency.json
    python benchmarks/check_latency.py --exercise ex05 my_langevin.py --assert

Without --assert the exit code is 0 whatever the times are: they say as much about the machine as about gdgrade.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
GDGRADE = [sys.executable, "-m", "gdgrade"]
HEAVY = ("torch", "numpy", "scipy", "matplotlib", "ot", "pydantic")

# The budgets of the project.
HELP_SECONDS = 0.15
TORCH_RATIO = 1.35
JUDGE_SECONDS_PER_CHECK = 0.030


@dataclass
class Timed:
    """Wall-clock seconds of one command, one entry per round."""

    command: str
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


@dataclass
class Checked:
    """What the reports of one exercise say, beside the wall-clock time of the command; medians in seconds."""

    exercise: str
    file: str
    checks: int
    outcomes: dict[str, int]
    wall: float
    ratio_to_torch: float
    start_up: float
    student: float
    judge_per_check: float
    slowest_check: str
    slowest_judge: float
    allowed: float
    within: bool


def run(command: list[str], ok: tuple[int, ...] = (0,)) -> tuple[float, subprocess.CompletedProcess[str]]:
    """Seconds of one command, and what it printed. Another exit code than those in ``ok`` ends the benchmark."""
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    seconds = time.perf_counter() - start
    if done.returncode not in ok:
        sys.exit(f"{' '.join(command)} ended with code {done.returncode}:\n{done.stderr[-2000:]}{done.stdout[-500:]}")
    return seconds, done


def heavy_imports() -> list[str]:
    """Which heavy packages `gdgrade --help` imports, by Python's own account."""
    _, done = run([sys.executable, "-X", "importtime", "-m", "gdgrade", "--help"])
    lines = re.findall(r"^import time:.*\|\s*(\S+)$", done.stderr, flags=re.MULTILINE)
    if "click" not in lines:
        sys.exit("the list of imports of `gdgrade --help` could not be read")
    return sorted({name.partition(".")[0] for name in lines} & set(HEAVY))


def own_seconds(check: dict[str, Any]) -> float:
    """What a check cost beside the student's own computing."""
    timings = check["timings"]
    return float((timings["seconds"] or 0.0) - (timings["student_seconds"] or 0.0))


def summary(exercise: str, file: Path, wall: Timed, reports: list[dict[str, Any]], torch: float) -> Checked:
    """Medians over the rounds, and whether the budget holds."""
    judged = [[check for check in report["checks"] if check["outcome"] != "skipped"] for report in reports]
    count = len(judged[0])
    if count == 0:
        sys.exit(f"{exercise}: no check was judged; a time for nothing means nothing")
    student = statistics.median(sum(c["timings"]["student_seconds"] or 0.0 for c in checks) for checks in judged)
    by_check = {
        check["id"]: statistics.median(own_seconds(checks[place]) for checks in judged)
        for place, check in enumerate(judged[0])
    }
    slowest = max(by_check, key=by_check.__getitem__)
    outcomes = [check["outcome"] for check in reports[0]["checks"]]
    allowed = TORCH_RATIO * torch + student + JUDGE_SECONDS_PER_CHECK * count
    return Checked(
        exercise=exercise,
        file=str(file),
        checks=count,
        outcomes={outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))},
        wall=wall.median,
        ratio_to_torch=wall.median / torch,
        start_up=wall.median - student - sum(by_check.values()),
        student=student,
        judge_per_check=sum(by_check.values()) / count,
        slowest_check=slowest,
        slowest_judge=by_check[slowest],
        allowed=allowed,
        within=wall.median <= allowed,
    )


def print_table(timed: dict[str, Timed], checked: list[Checked], heavy: list[str]) -> None:
    torch = timed["import torch"].median
    print(f"{'command':<44}{'median':>9}{'min':>9}{'max':>9}{'/ torch':>9}")
    for command in timed.values():
        print(
            f"{command.command:<44}{command.median:>8.3f}s{min(command.seconds):>8.3f}s"
            f"{max(command.seconds):>8.3f}s{command.median / torch:>9.2f}"
        )
    help_time = timed["help"].median
    print(
        f"\ngdgrade --help: {help_time:.3f} s (budget {HELP_SECONDS} s), imports {', '.join(heavy) or 'nothing heavy'}"
    )
    for row in checked:
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in row.outcomes.items())
        print(
            f"{row.exercise}: {row.checks} checks judged ({outcomes}), {row.wall:.2f} s = "
            f"{row.ratio_to_torch:.2f} x import torch\n"
            f"  {row.start_up:.2f} s start-up ({row.start_up / torch:.2f} x import torch), {row.student:.2f} s the "
            f"student's own computing, {row.judge_per_check * row.checks:.2f} s judging\n"
            f"  budget {TORCH_RATIO} x torch + student + {1000 * JUDGE_SECONDS_PER_CHECK:.0f} ms per check = "
            f"{row.allowed:.2f} s: {'kept' if row.within else 'EXCEEDED'}\n"
            f"  judge's own cost per check: mean {1000 * row.judge_per_check:.1f} ms, "
            f"largest {1000 * row.slowest_judge:.1f} ms ({row.slowest_check})"
        )


def broken_budgets(timed: dict[str, Timed], checked: list[Checked], heavy: list[str]) -> list[str]:
    broken = [f"gdgrade --help imports {name}" for name in heavy]
    if timed["help"].median > HELP_SECONDS:
        broken.append(f"gdgrade --help takes {timed['help'].median:.3f} s, more than {HELP_SECONDS} s")
    for row in checked:
        if not row.within:
            broken.append(f"gdgrade check {row.exercise} takes {row.wall:.2f} s, more than {row.allowed:.2f} s")
        if row.judge_per_check > JUDGE_SECONDS_PER_CHECK:
            broken.append(f"the judge's own cost in {row.exercise} is {1000 * row.judge_per_check:.0f} ms per check")
    return broken


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="measured rounds, after one to warm up (default 5)")
    parser.add_argument(
        "--exercise",
        nargs=2,
        action="append",
        metavar=("EXERCISE", "FILE"),
        help="what to check; default: the reference solutions of ex05 and ex06",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all numbers there")
    parser.add_argument("--assert", dest="assert_", action="store_true", help="exit 1 if a budget is exceeded")
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error("--rounds must be at least 1")
    return given


def main() -> None:
    given = arguments()
    exercises = given.exercise or [
        ("ex05", ROOT / "reference/ex05_langevin/langevin.py"),
        ("ex06", ROOT / "reference/ex06_sinkhorn/sinkhorn.py"),
    ]
    commands = {
        "nothing": [sys.executable, "-c", "pass"],
        "import torch": [sys.executable, "-c", "import torch"],
        "help": [*GDGRADE, "--help"],
        **{name: [*GDGRADE, "check", name, str(Path(file).resolve()), "--format", "json"] for name, file in exercises},
    }
    shown = {"nothing": "python -c pass", "import torch": 'python -c "import torch"', "help": "gdgrade --help"}
    timed = {key: Timed(shown.get(key, f"gdgrade check {key} FILE")) for key in commands}
    reports: dict[str, list[dict[str, Any]]] = {name: [] for name, _ in exercises}
    for this_round in range(given.rounds + 1):
        for key, command in commands.items():
            # A wrong answer is a fair thing to time: 1 is not a failure of the benchmark.
            seconds, done = run(command, ok=(0, 1) if key in reports else (0,))
            if this_round == 0:
                continue  # fills the disk cache
            timed[key].seconds.append(seconds)
            if key in reports:
                reports[key].append(json.loads(done.stdout))
    torch = timed["import torch"].median
    checked = [summary(name, Path(file), timed[name], reports[name], torch) for name, file in exercises]
    heavy = heavy_imports()
    print_table(timed, checked, heavy)
    if given.json:
        result = {
            "machine": {"processor": platform.machine(), "cpus": os.cpu_count(), "system": platform.system()},
            "versions": {name: version(name) for name in ("gdgrade", "torch", "numpy", "pytest")}
            | {"python": platform.python_version()},
            "threads": os.environ.get("OMP_NUM_THREADS"),
            "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
            "commands": {key: asdict(row) | {"median": row.median} for key, row in timed.items()},
            "checks": [asdict(row) for row in checked],
            "heavy_imports_of_help": heavy,
            "budgets": {
                "help_seconds": HELP_SECONDS,
                "torch_ratio": TORCH_RATIO,
                "judge_seconds_per_check": JUDGE_SECONDS_PER_CHECK,
            },
        }
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(result, indent=2) + "\n")
    if given.assert_ and (broken := broken_budgets(timed, checked, heavy)):
        sys.exit("\n".join(broken))


if __name__ == "__main__":
    main()
