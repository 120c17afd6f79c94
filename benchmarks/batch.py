"""Submissions per hour: `gdgrade batch` against nbgrader's autograde, on one assignment, one machine, one run.

    python benchmarks/batch.py [--files 40] [--notebooks 3] [--rounds 3] [--many 0] [--nbgrader PYTHON] [--json FILE]

Both graders get the same right answer to `peers_course`, each file with a comment of its own so that none is taken for
known. What is compared is measured in turn, round after round, and medians are shown: machines are noisy. Wall-clock
and CPU seconds are measured together: on a busy machine the CPU seconds are what compares.
PYTHON is an interpreter that has nbgrader (0.9); without it that half is left out with a message.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

COURSE = Path(__file__).parent / "peers_course"
ANSWER = (COURSE / "reference/ex01_langevin/langevin.py").read_text()


def timed(command: list[str], **how: Any) -> dict[str, float]:
    """Run a command; wall-clock seconds and CPU seconds of it and all it waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, **how)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return {"wall": wall, "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def hand_ins(folder: Path, count: int) -> Path:
    for number in range(count):
        path = folder / f"student{number:05}" / "langevin.py"
        path.parent.mkdir(parents=True)
        path.write_text(f"{ANSWER}\n# hand-in {number}\n")
    return folder


def gdgrade_batch(count: int, jobs: int, folder: Path) -> dict[str, float]:
    """Seconds per submission with so many jobs, the start of the zygotes included and apart."""
    source = hand_ins(folder / f"in{jobs}", count)
    command = [sys.executable, "-m", "gdgrade", "batch", "--course", str(COURSE), "--quiet", "--jobs", str(jobs)]
    one = timed([*command, str(hand_ins(folder / f"one{jobs}", 1)), "--out", str(folder / f"first{jobs}")])
    all_of_them = timed([*command, str(source), "--out", str(folder / f"out{jobs}")])
    steady = {key: (all_of_them[key] - one[key]) / (count - 1) for key in all_of_them}
    return {
        "jobs": jobs, "files": count, "wall_per_file": steady["wall"], "cpu_per_file": steady["cpu"],
        "start_wall": one["wall"], "wall_all": all_of_them["wall"],
    }  # fmt: skip


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Of each figure its median over the rounds."""
    return {name: statistics.median(seen[name] for seen in rounds) for name in rounds[0]}


def memory(count: int, jobs: int, folder: Path) -> dict[str, Any]:
    """Unique memory (USS) of every process of a batch, sampled while it runs; MiB."""
    source = hand_ins(folder / f"memory{jobs}", count)
    command = [sys.executable, "-m", "gdgrade", "batch", str(source), "--course", str(COURSE), "--quiet"]
    process = subprocess.Popen([*command, "--jobs", str(jobs), "--out", str(folder / f"memory-out{jobs}")],
                               stdout=subprocess.DEVNULL)  # fmt: skip
    parent = psutil.Process(process.pid)
    totals: list[float] = []
    client: list[float] = []
    while process.poll() is None:
        total = 0.0
        for one in [parent, *parent.children(recursive=True)]:
            try:
                used = one.memory_full_info().uss / 2**20
            except psutil.Error:
                continue
            total += used
            if one.pid == process.pid:
                client.append(used)
        totals.append(total)
        time.sleep(0.2)
    quarter = max(1, len(client) // 4)
    return {"jobs": jobs, "files": count, "peak_uss_mib": max(totals, default=0.0),
            "client_first_quarter_mib": max(client[:quarter], default=0.0),
            "client_last_quarter_mib": max(client[-quarter:], default=0.0)}  # fmt: skip


def nbgrader_autograde(python: str, count: int, folder: Path) -> dict[str, float] | None:
    """Seconds per hand-in of `nbgrader autograde`, or None where there is no nbgrader."""
    found = subprocess.run([python, "-c", "import nbgrader, ipykernel; print(nbgrader.__version__)"],
                           capture_output=True, text=True)  # fmt: skip
    if found.returncode != 0:
        print("nbgrader is left out: it is not installed (pip install nbgrader, and name its Python by --nbgrader)")
        return None
    subprocess.run([python, str(Path(__file__).with_name("peers_notebook.py")), str(folder), str(count)], check=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "JUPYTER_PLATFORM_DIRS": "1"}
    environment["PATH"] = f"{Path(python).parent}{os.pathsep}{environment['PATH']}"  # nbgrader calls alembic by name
    nbgrader = [python, "-m", "nbgrader"]
    timed([*nbgrader, "generate_assignment", "langevin", "--create"], cwd=folder, env=environment)
    spent = timed([*nbgrader, "autograde", "langevin", "--create"], cwd=folder, env=environment)
    return {"notebooks": count, "wall_per_file": spent["wall"] / count, "cpu_per_file": spent["cpu"] / count}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=40, help="hand-ins for gdgrade")
    parser.add_argument("--notebooks", type=int, default=3, help="hand-ins for nbgrader")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    parser.add_argument("--many", type=int, default=0, help="hand-ins for the question whether memory grows")
    parser.add_argument("--nbgrader", default=sys.executable, help="a Python that has nbgrader")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    rounds: list[list[dict[str, float]]] = []
    with tempfile.TemporaryDirectory() as name:
        for number in range(arguments.rounds):
            folder = Path(name) / f"round{number}"
            folder.mkdir()
            seen = [gdgrade_batch(arguments.files, jobs, folder) for jobs in (1, 2)]
            other = nbgrader_autograde(arguments.nbgrader, arguments.notebooks, folder)
            rounds.append([*seen, other] if other is not None else seen)
        ours = [medians([seen[place] for seen in rounds]) for place in (0, 1)]
        peer = medians([seen[2] for seen in rounds]) if len(rounds[0]) > 2 else None
        folder = Path(name)
        used = [memory(max(20, arguments.files // 2), jobs, folder) for jobs in (1, 2)]
        grown = memory(arguments.many, 2, folder / "many") if arguments.many else None
    load = os.getloadavg()[0]
    print(f"load of the machine: {load:.1f} on {os.cpu_count()} processors")
    for row in ours:
        jobs, wall, cpu, start = (row[name] for name in ("jobs", "wall_per_file", "cpu_per_file", "start_wall"))
        print(f"gdgrade, {jobs:.0f} job(s): {wall:.3f} s wall, {cpu:.3f} s CPU per submission; "
              f"{3600 / wall:.0f} per hour; start {start:.1f} s")  # fmt: skip
    print(f"two jobs against one: {ours[0]['wall_per_file'] / ours[1]['wall_per_file']:.2f} x")
    print(f"memory of a second job: {used[1]['peak_uss_mib'] - used[0]['peak_uss_mib']:.0f} MiB unique")
    if grown is not None:
        print(f"memory of the client over {grown['files']} submissions: {grown['client_first_quarter_mib']:.0f} -> "
              f"{grown['client_last_quarter_mib']:.0f} MiB")  # fmt: skip
    if peer is not None:
        print(f"nbgrader: {peer['wall_per_file']:.2f} s wall, {peer['cpu_per_file']:.2f} s CPU per submission")
        print(f"gdgrade does {peer['wall_per_file'] / ours[0]['wall_per_file']:.0f} x as many per hour (CPU: "
              f"{peer['cpu_per_file'] / ours[0]['cpu_per_file']:.0f} x)")  # fmt: skip
    if arguments.json:
        result = {"load": load, "gdgrade": ours, "memory": used, "many": grown, "nbgrader": peer}
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
