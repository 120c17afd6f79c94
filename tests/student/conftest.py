"""A release of the tiny numpy course, made once by the real command, and workspaces that tests start from it."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from gdgrade.cli import main

NUMPY_COURSE = Path(__file__).resolve().parents[1] / "courses" / "numpy_course"
EX = "ex01_statistics"
ENTRY = f"exercises/{EX}/statistics_by_hand.py"
# 1 x 1 pixel, black.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63606060f80f00010401"
    "005fe5c34b0000000049454e44ae426082"
)  # fmt: skip
HINTS = """\
"1.1":
  - What comes out if all weights are 2?
  - Try two rows with weights 1 and 3, on paper and by your function.
  - A weighted sum, and then one division; by what?
"1.2":
  - Around which mean?
  - Add 100 to all values. May the spread change?
  - The spread is a mean too, of squares.
"""
PLOTS = """\
from matplotlib.figure import Figure


def figures(student, data, draw):
    figure = Figure()
    figure.subplots().plot(student.weighted_mean(draw.normal(4, 2), draw.normal(4) ** 2))
    return {"mean": figure}
"""


def gdgrade(*args: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own, as a student runs it."""
    command = [sys.executable, "-m", "gdgrade", *args]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env={**os.environ}, timeout=120)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A teacher's folder of the course: solutions, hints, figures and their pictures. Not to be changed."""
    root = tmp_path_factory.mktemp("teacher") / "course"
    shutil.copytree(NUMPY_COURSE, root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / f"exercises/{EX}/hints.yml").write_text(HINTS)
    (root / f"graders/{EX}/plots.py").write_text(PLOTS)
    (root / f"docs/gallery/{EX}").mkdir(parents=True)
    (root / f"docs/gallery/{EX}/mean.png").write_bytes(PNG)
    (root / f"docs/gallery/{EX}/only_there.png").write_bytes(PNG)
    return root


@pytest.fixture(scope="session")
def handout(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `author release` makes of it, as a zip."""
    path = tmp_path_factory.mktemp("handout") / "handout.zip"
    result = CliRunner().invoke(main, ["author", "release", "--out", str(path), "--course", str(checkout)])
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture
def unpacked(handout: Path, tmp_path: Path) -> Path:
    """The release, unpacked by hand."""
    with zipfile.ZipFile(handout) as archive:
        archive.extractall(tmp_path / "unpacked")
    (folder,) = (tmp_path / "unpacked").iterdir()
    return folder


@pytest.fixture
def workspace(handout: Path, tmp_path: Path) -> Path:
    """A fresh workspace."""
    root = tmp_path / "work"
    result = CliRunner().invoke(main, ["start", str(root), "--from", str(handout)])
    assert result.exit_code == 0, result.output
    return root


@pytest.fixture
def solved(checkout: Path, workspace: Path) -> Path:
    """A workspace in which the first two parts are written, and the third is not."""
    right = (checkout / f"reference/{EX}/statistics_by_hand.py").read_text()
    head, stub = right[: right.index("def bootstrap_means")], (workspace / ENTRY).read_text()
    (workspace / ENTRY).write_text(head + stub[stub.index("def bootstrap_means") :])
    return workspace
