"""Notebook files: whatever else they hold, the verdict is that of the code; what cannot be read has one clear line."""

import ast
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gdgrade.course.errors import SubmissionError
from gdgrade.course.loading import load_course
from gdgrade.course.manifest import Course, Exercise
from gdgrade.course.submission import Submission, parse_submission, read_submission
from gdgrade.judging import Options, make_job, settings_for
from gdgrade.processes.judges import JudgePool

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests/cheats/courses/plain"
RIGHT = """\
def double(x):
    return 2 * x

def apply(f, x):
    return f(f(x)) + 1

def spread(x):
    return x.max() - x.min()
"""


def cell(source: object, **more: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, **more}


def notebook(*cells: object, **top: object) -> dict[str, object]:
    made = [one if isinstance(one, dict) else cell(one) for one in cells]
    return {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **top}


def graded(source: str, **marks: object) -> dict[str, object]:
    """A cell as nbgrader makes it."""
    mark = {
        "schema_version": 3,
        "grade": False,
        "solution": False,
        "locked": True,
        "task": False,
        "grade_id": "a",
        **marks,
    }
    return cell(source, metadata={"nbgrader": mark, "deletable": False, "editable": False})


PICTURE = {"output_type": "display_data", "data": {"image/png": "A" * 3_000_000}, "metadata": {}}
WIDGETS = {"application/vnd.jupyter.widget-state+json": {"state": {"a": {"model_name": "Slider", "state": {"x": 1}}}}}
KEPT: dict[str, dict[str, Any]] = {
    "plain": notebook(RIGHT),
    "huge_outputs": notebook(cell(RIGHT, outputs=[PICTURE] * 3)),
    "broken_outputs": notebook(cell(RIGHT, outputs="none", execution_count="many")),
    "missing_metadata": {"cells": [{"cell_type": "code", "source": RIGHT}]},
    "odd_metadata": notebook(RIGHT, metadata=[], nbformat="four"),
    "version_3": {"worksheets": [{"cells": [{"cell_type": "code", "input": RIGHT}]}], "nbformat": 3},
    "version_of_the_future": notebook(RIGHT, nbformat=9, nbformat_minor=99),
    "widgets": notebook(RIGHT, metadata={"widgets": WIDGETS}),
    "other_cells": notebook({"cell_type": "raw", "source": "1 +"}, {"cell_type": "markdown", "source": "(("}, RIGHT),
    "engine_redefined": notebook(
        "import sys\nsys.modules['gdgrade'] = None\ngdgrade = None", RIGHT, "import gdgrade\ngdgrade.check('ex01')"
    ),
    "commands": notebook(
        "%load_ext gdgrade\n%matplotlib inline\n!pip install it", f"%%time\n{RIGHT}",
        "double?\n??double\n%timeit double(3)", "%%bash\nrm -rf /", "%%html\n<b>", "files = !ls\n%check 1.1",
    ),
    "awaits": notebook(f"import asyncio\nawait asyncio.sleep(0)\nx = await asyncio.sleep(0, 3)\n{RIGHT}"),
    "defined_twice": notebook(RIGHT.replace("2 *", "3 *"), RIGHT),
    "out_of_order": notebook(*reversed(RIGHT.split("\n\n"))),
    "one_broken_cell": notebook(RIGHT, "def double(:\n    pass"),
    "fails_and_hangs": notebook("1 / 0", RIGHT, "raise SystemExit", "while True:\n    pass", "double(undefined)"),
    "plots": notebook("import matplotlib.pyplot as plt", RIGHT, "plt.plot(double(plt))"),
    "nbgrader": notebook(
        graded("import numpy as np", grade_id="setup"), graded(RIGHT, solution=True, locked=False),
        graded("assert double(1) == 3", grade=True, points=2, grade_id="t"), graded("x", grade_id="t"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def tiny() -> Course:
    return load_course(TINY / "course.yml")


@pytest.fixture(scope="module")
def pool(tiny: Course) -> Iterator[JudgePool]:
    exercise = tiny.exercises[0]
    made = JudgePool(make_job(tiny, exercise, read_submission(exercise.reference_path)), settings_for(exercise))
    yield made
    made.close()


def outcomes(
    pool: JudgePool, course: Course, exercise: Exercise, submission: Submission, *, quick: bool = False
) -> list[Any]:
    result = pool.judge(make_job(course, exercise, submission, Options(quick=quick)))
    assert result["errors"] == []
    keys = ("id", "outcome", "cause", "points", "mistake")
    return [tuple(outcome[key] for key in keys) for outcome in result["outcomes"]]


@pytest.mark.parametrize("name", KEPT, ids=str)
def test_all_points_in_spite_of_it(name: str, tiny: Course, pool: JudgePool) -> None:
    """The right code gets its points, whatever stands around it."""
    submission = parse_submission(json.dumps(KEPT[name]).encode(), "answer.ipynb")
    verdicts = outcomes(pool, tiny, tiny.exercises[0], submission)
    assert [outcome[1] for outcome in verdicts] == ["passed"] * 4


REFUSED = {
    "binary": (random.Random(1).randbytes(5000), "it is not a text file"),
    "empty": (b"  \n", "is empty"),
    "not_json": (b'{"cells": [', "its JSON is damaged"),
    "python_inside": (RIGHT.encode(), "its JSON is damaged"),
    "other_json": (b"[1, 2]", "not a notebook"),
    "no_cells": (b'{"metadata": {}}', "it has no list of cells"),
    "only_text": (json.dumps(notebook({"cell_type": "markdown", "source": "# x"})).encode(), "no code cell"),
    "too_large": (json.dumps(notebook(cell(RIGHT, outputs=[PICTURE] * 6))).encode(), "larger than 16 MB"),
}


@pytest.mark.parametrize("name", REFUSED, ids=str)
def test_what_cannot_be_read(name: str) -> None:
    """One line with the file's name and the reason."""
    data, words = REFUSED[name]
    with pytest.raises(SubmissionError) as caught:
        parse_submission(data, "answer.ipynb")
    assert words in str(caught.value)
    assert "answer.ipynb" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command_says_so(tmp_path: Path) -> None:
    """On the command line that line stands on stderr, and the exit code is that of wrong usage."""
    (tmp_path / "answer.ipynb").write_bytes(b"{")
    command = [sys.executable, "-m", "gdgrade", "check", "ex01", str(tmp_path / "answer.ipynb"), "--course", str(TINY)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "gdgrade: answer.ipynb is not a notebook: its JSON is damaged (line 1).\n"


def test_another_language() -> None:
    """R code is not Python; the report says first that the notebook is for R."""
    text = json.dumps(notebook("f <- function(x) 2*x", metadata={"kernelspec": {"name": "ir", "language": "R"}}))
    remarks = parse_submission(text.encode(), "answer.ipynb").remarks
    assert remarks[0] == "The notebook says that it is for R; it was read as Python."
    assert remarks[1].startswith("Cell 1 is not valid Python")


def in_cells(source: str) -> Submission:
    """The notebook with one cell for each statement of a file."""
    rows, nodes = source.split("\n"), ast.parse(source).body
    starts = [min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]) for node in nodes]
    cells = ["\n".join(rows[a - 1 : b - 1]) for a, b in zip(starts, [*starts[1:], len(rows) + 1], strict=True)]
    return parse_submission(json.dumps(notebook(*cells)).encode(), "langevin.ipynb")


def test_same_verdict_as_the_file() -> None:
    """A notebook of the same code gets the same verdict, with the same hints."""
    course = load_course(ROOT / "course.yml")
    exercise = course.exercise("ex05_langevin")
    planted = ROOT / "tests/submissions/ex05_langevin"
    names = ("right_prints_and_warns", "wrong_step_noise_times_eta", "wrong_imports_missing")
    paths = [exercise.reference_path, *(planted / f"{name}.py" for name in names)]
    template = make_job(course, exercise, read_submission(exercise.reference_path), Options(quick=True))
    pool = JudgePool(template, settings_for(exercise))
    try:
        for path in paths:
            verdicts = [
                outcomes(pool, course, exercise, submission, quick=True)
                for submission in (read_submission(path), in_cells(path.read_text()))
            ]
            assert verdicts[0] == verdicts[1], path.name
    finally:
        pool.close()
