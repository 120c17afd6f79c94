"""How long after a save `gdgrade check --watch` has the verdict of the parts that the save changed.

A copy of the reference is watched. Each round changes one function for the worse and back again, and times from the
moment the file is closed to the line with the verdict of that function's part. The first line of a part is about its
exact checks; those that draw many samples, or train, come in later lines.

    python benchmarks/watch_latency.py
    python benchmarks/watch_latency.py --rounds 20 --json out/watch_latency.json
    python benchmarks/watch_latency.py --assert

Without --assert the exit code is 0 whatever the times are: they say as much about the machine as about gdgrade.
"""

import argparse
import json
import os
import platform
import queue
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 0.3  # the budget of the project
PATIENCE = 120.0
PAUSE = 1.0  # before each save: nobody saves sooner, and the next judge is made ready in the meantime


@dataclass(frozen=True)
class Edit:
    """One way to spoil one function: the part that it belongs to, and what is replaced by what."""

    exercise: str
    file: str
    part: str
    right: str
    wrong: str


EDITS = (
    Edit("ex05", "reference/ex05_langevin/langevin.py", "5.1", "@ means - x) / sigma**2", "@ means - x) / sigma"),
    Edit("ex05", "reference/ex05_langevin/langevin.py", "5.2", "x + eta / 2 * score_fn(x)", "x + eta * score_fn(x)"),
    Edit("ex05", "reference/ex05_langevin/langevin.py", "5.5", "(sigma**2 / 2 * residual", "(sigma / 2 * residual"),
)


@dataclass
class Times:
    """Seconds from save to verdict of one edit, made wrong and made right again."""

    edit: Edit
    wrong: list[float] = field(default_factory=list)
    right: list[float] = field(default_factory=list)


class Watched:
    """A running `gdgrade check --watch` and the lines that it prints, with the times at which they came."""

    def __init__(self, exercise: str, path: Path) -> None:
        command = [sys.executable, "-u", "-m", "gdgrade", "check", exercise, str(path), "--watch"]
        environment = {**os.environ, "GDGRADE_LANG": "en", "COLUMNS": "200"}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        self._lines: queue.SimpleQueue[tuple[float, str]] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put((time.perf_counter(), line))
        self._lines.put((time.perf_counter(), ""))

    def wait(self, pattern: str) -> float:
        """When the next line that matches came."""
        while True:
            try:
                when, line = self._lines.get(timeout=PATIENCE)
            except queue.Empty:
                sys.exit(f"no line like {pattern!r} within {PATIENCE:g} s")
            if not line:
                sys.exit(f"gdgrade ended before a line like {pattern!r} came")
            if re.search(pattern, line):
                return when

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def measure(exercise: str, edits: list[Edit], rounds: int) -> list[Times]:
    """Times of all edits of one exercise, after one round to warm up."""
    source = (ROOT / edits[0].file).read_text()
    found = [Times(edit) for edit in edits]
    for edit in edits:
        if source.count(edit.right) != 1:
            sys.exit(f"{edit.file} does not hold {edit.right!r} once")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(edits[0].file).name
        path.write_text(source)
        watched = Watched(exercise, path)
        try:
            watched.wait("after the save")
            for number in range(rounds + 1):
                for times in found:
                    edit = times.edit
                    for text, into in (
                        (source.replace(edit.right, edit.wrong), times.wrong),
                        (source, times.right),
                    ):
                        time.sleep(PAUSE)
                        path.write_text(text)
                        saved = time.perf_counter()
                        seconds = watched.wait(rf"^{re.escape(edit.part)} .*check") - saved
                        watched.wait("after the save")  # everything else that depends on it
                        if number:
                            into.append(seconds)
        finally:
            watched.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="measured rounds, after one to warm up (default 10)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all numbers there")
    parser.add_argument("--assert", dest="assert_", action="store_true", help="exit 1 if a median exceeds the budget")
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error("--rounds must be at least 1")
    found: list[Times] = []
    for exercise in dict.fromkeys(edit.exercise for edit in EDITS):
        found += measure(exercise, [edit for edit in EDITS if edit.exercise == exercise], given.rounds)
    print(
        f"{'part':<6}{'became':<8}{'median':>9}{'min':>9}{'max':>9}   seconds from save to verdict (budget {SECONDS})"
    )
    late = []
    for times in found:
        for became, seconds in (("wrong", times.wrong), ("right", times.right)):
            median = statistics.median(seconds)
            print(f"{times.edit.part:<6}{became:<8}{median:>8.3f}s{min(seconds):>8.3f}s{max(seconds):>8.3f}s")
            if median > SECONDS:
                late.append(f"part {times.edit.part}, made {became}: {median:.3f} s, more than {SECONDS} s")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    print(f"{os.cpu_count()} processors, load {load}, Python {platform.python_version()}")
    if given.json:
        rows = [{"exercise": t.edit.exercise, "part": t.edit.part, "wrong": t.wrong, "right": t.right} for t in found]
        machine = {"processor": platform.machine(), "cpus": os.cpu_count(), "load": load}
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps({"machine": machine, "budget": SECONDS, "times": rows}, indent=2) + "\n")
    if given.assert_ and late:
        sys.exit("\n".join(late))


if __name__ == "__main__":
    main()
