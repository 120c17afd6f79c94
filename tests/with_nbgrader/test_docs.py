"""docs/nbgrader.md, run from its own text with the course's ex05."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gdgrade.cli import main
from gdgrade.nbgrader import judging

from .helpers import ROOT, cells_of, run_app

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
APPS = {
    "generate_assignment": "GenerateAssignmentApp",
    "generate_feedback": "GenerateFeedbackApp",
    "export": "ExportApp",
}


def steps() -> list[tuple[str, str]]:
    """(command, what the page shows under it), in order."""
    found = []
    for block in BLOCK.findall((ROOT / "docs/nbgrader.md").read_text()):
        for piece in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = piece.partition("\n")
            found.append((command, shown))
    return found


def run(command: str) -> str:
    """What a command prints. gdgrade and most of nbgrader run in this process; autograde as the program that it is."""
    name, *words = shlex.split(command)
    if name == "gdgrade":
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, f"{command}\n{result.output}"
        return result.output
    if name == "nbgrader" and words[0] in APPS:
        run_app(APPS[words[0]], *words[1:], cwd=Path())
        return ""
    program = [sys.executable, "-m", "nbgrader"] if name == "nbgrader" else [name]
    done = subprocess.run([*program, *words], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command succeeds and prints what the page shows; both roads fill the gradebook alike."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GDGRADE_COURSE", str(ROOT))
    commands = []
    found = {}
    for command, shown in steps():
        if command.startswith("cd "):
            monkeypatch.chdir(Path(command.removeprefix("cd ")))
            continue
        output = run(command)
        for line in shown.splitlines():
            assert line in output.splitlines(), f"{command}: {line!r} is not in\n{output}"
        if command in ("nbgrader autograde ex05", "gdgrade nbgrader grade ex05"):
            found[command] = {student: cells_of(Path.cwd(), student, "ex05") for student in ("ada", "bob")}
        commands.append(command.split()[0])
    one, two = found.values()
    assert one == two
    assert commands.count("gdgrade") == 3
    assert commands.count("nbgrader") == 4
    page = Path("feedback/ada/ex05/ex05.html").read_text()
    assert "5.2 Langevin step: 3 of 3 points" in page
    judging.close()
