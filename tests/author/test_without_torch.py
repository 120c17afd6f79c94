"""The numpy course in an environment that has no torch at all."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import gdgrade

NUMPY_COURSE = Path(__file__).resolve().parents[1] / "courses" / "numpy_course"
NEEDED = ("click", "rich", "pydantic", "PyYAML", "pytest", "cloudpickle", "numpy", "scipy", "platformdirs")


def with_dependencies(names: tuple[str, ...]) -> set[str]:
    """Distributions that these need, themselves included."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in found:
            continue
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # a backport that this Python does not need
        found.add(name)
        todo += [re.match(r"[\w.-]+", need)[0] for need in requires if "extra ==" not in need]
    return found


def link(source: Path, target: Path) -> None:
    """A hard link where the file system allows it, else a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        target.write_bytes(source.read_bytes())


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with numpy, scipy and the engine's light dependencies."""
    place = tmp_path_factory.mktemp("bare") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = place / "lib" / version / "site-packages"
    ours = Path(sysconfig.get_path("purelib"))
    for name in with_dependencies(NEEDED):
        for file in importlib.metadata.files(name) or []:
            source = Path(str(file.locate())).resolve()
            inside = ours.resolve() in source.parents and source.is_file() and source.suffix != ".pyc"
            if inside and "tests" not in file.parts:
                link(source, site / source.relative_to(ours.resolve()))
    engine = Path(gdgrade.__file__).parent
    for source in engine.rglob("*"):
        if source.is_file() and "__pycache__" not in source.parts:
            link(source, site / "gdgrade" / source.relative_to(engine))
    return place / "bin" / "python"


def run(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(python.parents[2]), "LANG": "C.UTF-8"}
    return subprocess.run([str(python), *arguments], capture_output=True, text=True, env=environment, timeout=300)


def test_there_is_no_torch(bare_python: Path) -> None:
    """The environment is what it says."""
    for name in ("torch", "ot", "matplotlib"):
        assert "ModuleNotFoundError" in run(bare_python, "-c", f"import {name}").stderr


def test_check(bare_python: Path) -> None:
    """A student's right and wrong answers get their verdicts."""
    course = ("--course", str(NUMPY_COURSE), "--format", "json")
    planted = NUMPY_COURSE / "tests/submissions/ex01_statistics"
    right = run(bare_python, "-m", "gdgrade", "check", "ex01", str(planted / "right_average.py"), *course)
    assert right.returncode == 0, right.stderr + right.stdout
    wrong = run(bare_python, "-m", "gdgrade", "check", "ex01", str(planted / "wrong_mean_not_divided.py"), *course)
    assert wrong.returncode == 1, wrong.stderr
    hints = [entry["hint"] for entry in json.loads(wrong.stdout)["checks"] if entry["outcome"] == "failed"]
    assert hints == ["What comes out if all weights are 2?"]


def test_author_check(bare_python: Path) -> None:
    """The instructor's proof runs there as well, and holds."""
    done = run(bare_python, "-m", "gdgrade", "author", "check", "--course", str(NUMPY_COURSE), "--no-cache")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 exercises sound" in done.stdout
