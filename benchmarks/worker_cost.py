"""What a confined worker costs: forking and confining it, and a trivial submission with and without confinement.

    python benchmarks/worker_cost.py [--json FILE]

Both sides of each ratio are measured in this run, in turn, since machines are noisy. Wall-clock milliseconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import textwrap
import time
from pathlib import Path

from gdgrade.judge.channel import WorkerChannel
from gdgrade.judge.job import Job, PartInfo
from gdgrade.judging import run
from gdgrade.processes.launcher import Settings, WorkerLimits, Zygote

LIMITS = WorkerLimits(cpu_seconds=10, memory_bytes=512 << 20)
ANSWER = "def double(x):\n    return 2 * x\n"
CHECK = """
    from gdgrade.checks import agrees, check

    @check("1.1", points=1)
    def test_double(student, reference, draw):
        agrees(student.double, reference.double, draw.normal(3, 2))
"""


def started(mode: str) -> Zygote:
    zygote = Zygote(Settings(preload=("torch",), confine=mode))
    zygote.wait_ready()
    return zygote


def fork_and_confine(zygote: Zygote) -> float:
    """Milliseconds from asking for a worker to its greeting with the student's file loaded."""
    start = time.perf_counter()
    channel = WorkerChannel(zygote, LIMITS, 10)
    channel.send_load(ANSWER, "answer", "answer.py", "torch")
    channel.load_reply()
    seconds = time.perf_counter() - start
    channel.end()
    return 1e3 * seconds


def trivial_submission(zygote: Zygote, root: Path) -> float:
    """Milliseconds of judging one submission with one check."""
    job = Job(str(root), "ex01_tiny", "tiny.py", ANSWER, "tiny.py", (PartInfo("1.1", "one", 1),), preload=("torch",))
    start = time.perf_counter()
    result = run(job, zygote)
    seconds = time.perf_counter() - start
    assert result["outcomes"][0]["outcome"] == "passed", result
    return 1e3 * seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for kind, name, text in (("reference", "tiny.py", ANSWER), ("graders", "test_tiny.py", CHECK)):
            place = root / kind / "ex01_tiny"
            place.mkdir(parents=True)
            (place / name).write_text(textwrap.dedent(text))
        confined, free = started("best"), started("none")
        try:
            for zygote in (confined, free):
                trivial_submission(zygote, root)  # writes the checks' bytecode
            forks, with_layers, without = [], [], []
            for _ in range(arguments.repeats):
                forks.append(fork_and_confine(confined))
                with_layers.append(trivial_submission(confined, root))
                without.append(trivial_submission(free, root))
        finally:
            confined.close()
            free.close()
    result = {
        "fork_and_confine_ms": statistics.median(forks),
        "submission_confined_ms": statistics.median(with_layers),
        "submission_unconfined_ms": statistics.median(without),
        "ratio": statistics.median(with_layers) / statistics.median(without),
    }
    for name, value in result.items():
        print(f"{name:28} {value:8.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
