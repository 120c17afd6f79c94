"""An nbgrader course over the tiny numpy course, released once and copied for each test."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gdgrade.course.loading import load_course
from gdgrade.course.manifest import Course
from gdgrade.nbgrader import judging, source
from gdgrade.nbgrader.settings import CONFIG, config_text

from .helpers import PLAIN, notebook, run_app


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """nbgrader and the Jupyter packages under it warn about each other; what they do is not ours to change."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(scope="session", autouse=True)
def _own_jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No configuration of the person who runs the tests; and judges of these tests end with them."""
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("jupyter")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
        patch.setenv(name, str(folder))
    patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    patch.setenv("OMP_NUM_THREADS", "1")
    # nbgrader asks the program alembic, which lies beside this Python.
    import sys

    patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    yield
    patch.undo()
    judging.close()


@pytest.fixture(scope="session")
def plain() -> Course:
    return load_course(PLAIN / "course.yml")


@pytest.fixture(scope="session")
def released_once(plain: Course, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Source, release and gradebook of ex01."""
    folder = tmp_path_factory.mktemp("released")
    (folder / CONFIG).write_text(config_text(PLAIN, plain.id))
    source.write(source.build(plain.exercises[0]), folder / "source/ex01", "ex01")
    run_app("GenerateAssignmentApp", "ex01", cwd=folder)
    return folder


@pytest.fixture
def course_dir(released_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(released_once, tmp_path / "course"))


@pytest.fixture
def released(course_dir: Path) -> dict[str, Any]:
    """The notebook that students get."""
    return notebook(course_dir / "release/ex01/ex01.ipynb")
