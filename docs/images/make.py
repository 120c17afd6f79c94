"""Make the pictures of the README and the guides from real runs: `python docs/images/make.py`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from gdgrade.report.model import Report
from gdgrade.report.terminal import print_report

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EXAMPLE = ROOT / "tests/submissions/ex05_langevin/wrong_step_noise_times_eta.py"


def main() -> None:
    command = [sys.executable, "-m", "gdgrade", "check", "ex05", str(EXAMPLE), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    report = Report.from_json(done.stdout)
    submission = report.submission.model_copy(update={"name": "langevin.py"})
    report = report.model_copy(update={"submission": submission})
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=86, file=nowhere, force_terminal=True, highlight=False)
        console.print(Text("$ gdgrade check ex05", style="bold"))
        print_report(report, console)
        # rich names a web font; the picture must not fetch anything
        svg = re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="gdgrade"), flags=re.DOTALL)
        (HERE / "check.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
