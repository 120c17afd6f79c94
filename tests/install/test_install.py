"""Every way to install gdgrade works in a fresh environment, carries no answer, and leaves nothing behind.

The heavy libraries are not installed again: a fresh environment sees those of this one through a .pth file. Another
Python gets the light ones from the package index, as part of its set-up; without one that test is skipped.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NUMPY_COURSE = ROOT / "tests/courses/numpy_course"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
LIGHT = ("click", "rich", "pydantic", "PyYAML", "pytest", "cloudpickle", "numpy", "scipy", "platformdirs", "hatchling")
FORBIDDEN = {"reference", "graders", "tests", "submissions"}  # folders of the course that students must not get


def done(command: list[str], **how: object) -> str:
    """Standard output of a command that must succeed."""
    finished = subprocess.run(command, capture_output=True, text=True, **how)  # type: ignore[call-overload]
    assert finished.returncode == 0, f"{command}:\n{finished.stdout[-2000:]}\n{finished.stderr[-2000:]}"
    return str(finished.stdout)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's files as somebody gets them (what git tracks), with a released course for the wheel to carry."""
    folder = tmp_path_factory.mktemp("source") / "gdgrade"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():  # one that is deleted but not yet committed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    release = folder / "src/gdgrade/course_release.zip"
    done([sys.executable, "-m", "gdgrade", "author", "release", "--course", str(NUMPY_COURSE), "--out", str(release)])
    return folder


@pytest.fixture(scope="module")
def built(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel and the sdist."""
    out = tmp_path_factory.mktemp("dist")
    done([sys.executable, "-m", "hatchling", "build", "-d", str(out)], cwd=source)
    return {"wheel": next(out.glob("*.whl")), "sdist": next(out.glob("*.tar.gz"))}


Fresh = Callable[[str], Path]


@pytest.fixture
def fresh(tmp_path: Path) -> Fresh:
    """A function: interpreter -> the Python of a new environment."""

    def make(interpreter: str) -> Path:
        place = tmp_path / "env"
        done([interpreter, "-m", "venv", "--without-pip", str(place)])
        return place / "bin/python"

    return make


def site_of(python: Path) -> Path:
    return Path(done([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip())


def files_of(place: Path) -> set[str]:
    """Files, not folders: after an editable install pip itself leaves two empty ones."""
    files = (path for path in place.rglob("*") if path.is_file() or path.is_symlink())
    return {str(path.relative_to(place)) for path in files if "__pycache__" not in path.parts}


def clean(tmp_path: Path) -> dict[str, str]:
    """An environment without settings of whoever runs the tests."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}


def test_the_wheel_holds_engine_and_data(built: dict[str, Path]) -> None:
    """Everything that an installed gdgrade opens is in it."""
    names = set(zipfile.ZipFile(built["wheel"]).namelist())
    needed = (
        "gdgrade/data/files/mnist-small.npz",
        "gdgrade/data/files/molecules-small.npz",
        "gdgrade/data/files/LICENSES.md",
        "gdgrade/locale/fr/LC_MESSAGES/gdgrade.mo",
        "gdgrade/report/templates/report.html",
        "gdgrade/py.typed",
        "gdgrade/course_release.zip",
    )
    assert [name for name in needed if name not in names] == []


def test_the_wheel_holds_no_answer(built: dict[str, Path]) -> None:
    """No file of reference, graders or tests is in it, nor a whole function of a reference in any other file."""
    wheel = zipfile.ZipFile(built["wheel"])
    template = "gdgrade/author/template/"  # the tiny exercise that `author new` writes is meant to be read
    names = [name for name in wheel.namelist() if not name.startswith(template)]
    assert [name for name in names if FORBIDDEN & set(Path(name).parts)] == []
    texts = {name: wheel.read(name).decode() for name in names if name.endswith((".py", ".md", ".yml", ".html"))}
    for reference in (ROOT / "reference").glob("*/*.py"):
        lines = [line.strip() for line in reference.read_text().splitlines() if line.strip().startswith("return ")]
        telling = {line for line in lines if len(line) > 40}
        assert [(name, line) for name, text in texts.items() for line in telling if line in text] == []


def test_the_sdist_holds_what_git_tracks(built: dict[str, Path]) -> None:
    """People who build and test get the tests and the graders, and nothing of a developer's folder."""
    with tarfile.open(built["sdist"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "course.yml", "tests/conftest.py", "src/gdgrade/__init__.py"} <= names
    assert not any(name.startswith((".venv", "out/", ".git/")) for name in names)


@pytest.mark.parametrize("way", ["folder", "wheel", "sdist", "editable"])
def test_install_use_uninstall(way: str, source: Path, built: dict[str, Path], fresh: Fresh, tmp_path: Path) -> None:
    """Installed in any way it starts a workspace and checks a right and an untouched answer; then it is gone."""
    python = fresh(sys.executable)
    site = site_of(python)
    (site / "_shared.pth").write_text(sysconfig.get_path("purelib") + "\n")  # the libraries; gdgrade must be its own
    before = files_of(python.parents[1])
    target = {"folder": [str(source)], "editable": ["-e", str(source)]}.get(way) or [str(built[way])]
    install = [*PIP, "--python", str(python), "install", "--quiet", "--no-deps", "--no-build-isolation"]
    done([*install, "--ignore-installed", *target])
    command = str(python.with_name("gdgrade"))
    where = done([str(python), "-c", "import gdgrade; print(gdgrade.__file__)"], env=clean(tmp_path), cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(source if way == "editable" else site)
    assert "gdgrade, version" in done([command, "--version"], env=clean(tmp_path), cwd=tmp_path)
    release = source / "src/gdgrade/course_release.zip"  # an sdist carries what git tracks, so no released course
    where_from = ["--from", str(release)] if way == "sdist" else []
    done([command, "start", "mine", *where_from], env=clean(tmp_path), cwd=tmp_path)
    exercise = next(path for path in (NUMPY_COURSE / "reference").iterdir() if path.is_dir())
    check = [command, "check", exercise.name]
    work = {"env": clean(tmp_path), "cwd": tmp_path / "mine", "capture_output": True, "text": True}
    untouched = subprocess.run(check, **work)  # type: ignore[call-overload]
    assert (untouched.returncode, "not attempted yet" in untouched.stdout) == (1, True), untouched.stderr
    for answer in exercise.glob("*.py"):
        shutil.copyfile(answer, tmp_path / "mine/exercises" / exercise.name / answer.name)
    right = subprocess.run(check, **work)  # type: ignore[call-overload]
    assert right.returncode == 0, right.stdout + right.stderr
    done([*PIP, "--python", str(python), "uninstall", "--quiet", "--yes", "gdgrade"])
    assert files_of(python.parents[1]) == before


def newer_python() -> str | None:
    """The newest Python above this one that starts, in the PATH or beside pyenv's other versions."""
    places = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    places += sorted(Path(sys.base_prefix).parent.glob("3.*/bin"))
    for minor in range(20, sys.version_info.minor, -1):
        for place in places:
            path = place / f"python3.{minor}"
            if path.is_file() and not subprocess.run([path, "-c", ""], capture_output=True).returncode:
                return str(path)
    return None


def test_a_newer_python(source: Path, fresh: Fresh, tmp_path: Path) -> None:
    """The engine judges the numpy course on the newest Python there is."""
    interpreter = newer_python()
    if interpreter is None:
        pytest.skip("no Python newer than this one")
    python = fresh(interpreter)
    install = [*PIP, "--python", str(python), "install", "--quiet"]
    if subprocess.run([*install, *LIGHT], capture_output=True).returncode != 0:
        pytest.skip(f"the libraries for {interpreter} cannot be installed: no package index")
    done([*install, "--no-deps", "--no-build-isolation", str(source)])
    answer = next((NUMPY_COURSE / "reference").glob("*/*.py"))
    check = [str(python.with_name("gdgrade")), "check", answer.parent.name, str(answer), "--course", str(NUMPY_COURSE)]
    assert "All checks passed" in done(check, env=clean(tmp_path), cwd=tmp_path)
