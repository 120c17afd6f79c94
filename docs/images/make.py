"""Make the pictures of the README and the guides from real runs: `python docs/images/make.py`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from gdgrade.report.model import Report
from gdgrade.report.terminal import print_report

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
REFERENCE = ROOT / "reference/ex05_langevin/langevin.py"
EXAMPLE = ROOT / "tests/submissions/ex05_langevin/wrong_step_noise_times_eta.py"
WIDTH = 86
GDGRADE = [sys.executable, "-m", "gdgrade"]


def main() -> None:
    command = [*GDGRADE, "check", "ex05", str(EXAMPLE), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    report = Report.from_json(done.stdout)
    submission = report.submission.model_copy(update={"name": "langevin.py"})
    console = recorder()
    console.print(Text("$ gdgrade check ex05", style="bold"))
    print_report(report.model_copy(update={"submission": submission}), console)
    save(console, "check")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "genai"
        workspace(folder)
        for picture in ("next", "status"):
            console = recorder()
            console.print(Text(f"$ gdgrade {picture}", style="bold"))
            console.print(Text.from_ansi(in_colour([*GDGRADE, picture], folder)))
            save(console, picture)


def workspace(folder: Path) -> None:
    """A student's folder of three exercises, the first of them half written."""
    few = [word for exercise in ("ex05", "ex06", "ex07") for word in ("--only", exercise)]
    start = [*GDGRADE, "start", str(folder), "--course", str(ROOT), *few]
    subprocess.run(start, check=True, capture_output=True)
    mine = folder / "exercises/ex05_langevin/langevin.py"
    shutil.copyfile(EXAMPLE, mine)
    subprocess.run([*GDGRADE, "check", "ex05"], cwd=folder, capture_output=True, check=False)


def in_colour(command: list[str], folder: Path) -> str:
    """What a command prints on a terminal."""
    environment = {
        **os.environ,
        "FORCE_COLOR": "1",
        "COLUMNS": str(WIDTH),
        "GDGRADE_LANG": "en",
        "TERM": "xterm-256color",
    }
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


def recorder() -> Console:
    return Console(record=True, width=WIDTH, file=Path(os.devnull).open("w"), force_terminal=True, highlight=False)


def save(console: Console, name: str) -> None:
    """rich names a web font; the picture must not fetch anything."""
    svg = re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="gdgrade"), flags=re.DOTALL)
    (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
