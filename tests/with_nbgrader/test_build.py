"""Source notebooks: valid by nbgrader's own means, worth what the manifest says, released without solutions."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner

from gdgrade.cli import main
from gdgrade.course.errors import CourseError
from gdgrade.course.loading import load_course
from gdgrade.course.manifest import Course
from gdgrade.nbgrader import source, statement
from gdgrade.nbgrader.answers import BEGIN, END, homes, split
from gdgrade.nbgrader.settings import CONFIG

from .helpers import PLAIN, ROOT, notebook, run_app

COURSE = load_course(ROOT / "course.yml")


def code(content: dict[str, Any], name: str) -> str:
    return next("".join(cell["source"]) for cell in content["cells"] if cell["id"] == name)


@pytest.mark.parametrize("exercise", COURSE.exercises, ids=lambda exercise: exercise.id)
def test_source_of_every_exercise(exercise: Any) -> None:
    """A valid notebook, with an answer for each function and class of the stub, and the manifest's points."""
    built = source.build(exercise).notebook
    nbformat.validate(nbformat.from_dict(built))
    about = [cell["metadata"]["nbgrader"] for cell in built["cells"] if "nbgrader" in cell["metadata"]]
    graded = {entry["grade_id"]: entry["points"] for entry in about if entry["grade"]}
    assert sum(graded.values()) == pytest.approx(exercise.max_points)
    assert list(graded) == [source.grade_id(part) for part in exercise.parts]
    asked = homes(exercise.entry_path.read_text(), exercise.entry)
    assert {entry["grade_id"] for entry in about if entry["solution"]} == {source.answer_id(name) for name in asked}
    for part in exercise.parts:
        assert code(built, source.grade_id(part)) == f"%check {part.id}"
    for cell in built["cells"]:
        text = "".join(cell["source"])
        assert "](../" not in text
        if "answer-" in cell["id"]:
            compile(text, cell["id"], "exec")
            assert text.count(BEGIN) == text.count(END) >= 1
            assert "NotImplementedError" not in text


def test_released_version_of_every_exercise(tmp_path: Path) -> None:
    """What generate_assignment makes holds no line of the reference's bodies; pictures come along."""
    result = CliRunner().invoke(
        main, ["nbgrader", "build", "--course-dir", str(tmp_path), "--course", str(ROOT / "course.yml")]
    )
    assert result.exit_code == 0, result.output
    (tmp_path / CONFIG).write_text("c = get_config()\nc.CourseDirectory.course_id = 'x'\n")
    for exercise in COURSE.exercises:
        name = source.notebook_name(exercise)
        run_app("GenerateAssignmentApp", name, cwd=tmp_path)
        released = notebook(tmp_path / "release" / name / f"{name}.ipynb")
        text = "\n".join("".join(cell["source"]) for cell in released["cells"])
        stub = exercise.entry_path.read_text() + (exercise.folder("exercises") / "README.md").read_text()
        shown = {line.strip() for line in stub.split("\n")}
        hidden = {line.strip() for line in exercise.reference_path.read_text().split("\n")} - shown
        written = {line.strip() for cell in released["cells"] if cell["cell_type"] == "code"
                   for line in "".join(cell["source"]).split("\n")}  # fmt: skip
        assert not {line for line in hidden & written if len(line) > 12}
        assert "SOLUTION" not in text
        assert text.count("raise NotImplementedError()") >= len(homes(exercise.entry_path.read_text(), exercise.entry))
    assert (tmp_path / "release/ex07/images/morphing.gif").is_file()


def test_validate_and_run(course_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """nbgrader validates the source in a kernel; the students' version runs from top to bottom, with every verdict, and
    is not valid before the answers are there."""
    from nbclient import NotebookClient
    from nbgrader.validator import Validator

    monkeypatch.setenv("GDGRADE_COURSE", str(PLAIN))
    assert Validator().validate(str(course_dir / "source/ex01/ex01.ipynb")) == {}
    untouched = Validator().validate(str(course_dir / "release/ex01/ex01.ipynb"))
    assert [entry["error"] for entry in untouched["failed"]] == [
        f"gdgrade: 0 of {points} points" for points in (4, 2, 2)
    ]
    reader: Any = nbformat.read
    released = reader(course_dir / "release/ex01/ex01.ipynb", as_version=4)
    NotebookClient(released, kernel_name="python3", timeout=120).execute()
    outputs = {cell.id: cell.outputs for cell in released.cells if cell.cell_type == "code"}
    for part in ("1-1", "1-2", "1-3"):
        assert [output.output_type for output in outputs[f"part-{part}"]] == ["display_data"]
        assert "0 of" in str(outputs[f"part-{part}"][0].data)


def test_build_writes_nothing_over_another_notebook(tmp_path: Path, plain: Course) -> None:
    def build(*more: str) -> Any:
        command = ["nbgrader", "build", "1", "--course-dir", str(tmp_path), "--course", str(PLAIN), *more]
        return CliRunner().invoke(main, command)

    assert build().exit_code == 0
    assert "as before" in build().output
    path = tmp_path / "source/ex01/ex01.ipynb"
    edited = path.read_text().replace("## Your answers", "## My own words")
    path.write_text(edited)
    refused = build()
    assert refused.exit_code == 2
    assert "--force" in refused.output
    assert path.read_text() == edited
    assert build("--force").exit_code == 0
    assert path.read_text() == source.build(plain.exercises[0]).to_json()


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    command = ["nbgrader", "init", "--course-dir", str(tmp_path), "--course", str(PLAIN)]
    assert CliRunner().invoke(main, command).exit_code == 0
    text = (tmp_path / CONFIG).read_text()
    again = CliRunner().invoke(main, command)
    assert again.exit_code == 2
    assert re.search(r"^  configure\(c, course=", again.output, re.MULTILINE)  # the line to be merged
    assert (tmp_path / CONFIG).read_text() == text


STUB = '''\
"""Stub."""
import torch


class Base:
    size = 1


class Layer(Base):
    """A layer."""

    def __init__(self, n):
        super().__init__()
        # TODO 1.2: keep it.
        raise NotImplementedError("exercise 1.2: Layer is not written yet")

    def shown(self):
        return 1

    def run(self, x):
        raise NotImplementedError("exercise 1.2: Layer.run is not written yet")


def first(x): raise NotImplementedError("exercise 1.1: first is not written yet")


def last(x):
    """Doc."""
    raise NotImplementedError
'''
REFERENCE = '''\
"""Reference."""
from __future__ import annotations
import math
import torch

SCALE = 3


def helper(x):
    return x + SCALE


class Layer(Base):
    """Another docstring."""

    def __init__(self, n, hidden=4):
        super().__init__()
        self.n = n + hidden

    def run(self, x):
        return self._inner(x)

    def _inner(self, x):
        return helper(x) * self.n


def between(x):
    return -x


def first(x): return between(x)


@staticmethod
def last(x):
    """Doc."""
    return math.floor(x)
'''


def released(text: str) -> str:
    """What nbgrader's ClearSolutions makes of a cell's text."""
    from nbgrader.preprocessors import ClearSolutions

    cell = nbformat.from_dict({"cell_type": "code", "metadata": {"nbgrader": {"solution": True}}, "source": text})
    ClearSolutions().preprocess_cell(cell, {"language": "python"}, 0)
    return str(cell.source)


def test_answers_work_and_are_cleared() -> None:
    """Helpers, members, parameters and decorators that only the reference has go into the solution, and out with it."""
    parts = split(STUB, REFERENCE, "x.py")
    assert [(answer.name, answer.part) for answer in parts.answers] == [
        ("Layer", "1.2"),
        ("first", "1.1"),
        ("last", None),
    ]
    assert parts.given == "import torch\n\nclass Base:\n    size = 1"
    space: dict[str, Any] = {}
    given = parts.given.replace("import torch", "")
    exec("\n".join([given, *(answer.source for answer in parts.answers)]), space)
    assert space["Layer"](1).run(2) == 25
    assert (space["first"](3), space["last"](2.5)) == (-3, 2)
    cleared = [released(answer.source) for answer in parts.answers]
    bare: dict[str, Any] = {}
    exec("\n".join([given, *cleared]), bare)
    assert bare["Layer"].shown(None) == 1
    for name in ("first", "last", "Layer"):
        with pytest.raises(NotImplementedError):
            bare[name](1)
    assert not {"helper", "SCALE", "between", "math"} & set(bare)
    assert "TODO 1.2: keep it." in cleared[0]


@pytest.mark.parametrize(
    ("stub", "reference", "words"),
    [
        ("def f(:", "def f(x): return 1", "not valid Python"),
        ("def f(x):\n    return 1", "def f(x): return 1", "nothing to answer"),
        ("def f(x):\n    raise NotImplementedError()", "def g(x): return 1", "has no f"),
        ("class A:\n    def f(x):\n        raise NotImplementedError()", "class A:\n    x = 1", "has no method f"),
    ],
)
def test_exercise_that_cannot_be_taken_apart(stub: str, reference: str, words: str) -> None:
    with pytest.raises(CourseError, match=words):
        split(stub, reference, "x.py")


def test_statement_keeps_pictures_and_drops_dead_links(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for path in ("a.png", "more/a.png"):
        (tmp_path / path).write_bytes(b"picture")
    (tmp_path / "README.md").write_text(
        "# Title\n![one](a.png) ![two](more/a.png) ![gone](b.png)\n[text `code`](more/) [web](https://x.org)\n"
        "```\n## no heading, [no link](more/)\n```\n## Second\n[over two\nlines](more/x.md)\n"
    )
    (tmp_path / "README.fr.md").write_text("# Titre\n")
    texts, pictures = statement.cells(tmp_path / "README.md")
    assert "\n---\n".join(texts) == (
        "# Title\n![one](images/a.png) ![two](images/more-a.png) *gone*\ntext `code` [web](https://x.org)\n"
        "```\n## no heading, [no link](more/)\n```\n---\n## Second\nover two\nlines"
    )
    assert pictures == {"a.png": tmp_path / "a.png", "more-a.png": tmp_path / "more/a.png"}
    assert statement.cells(tmp_path / "README.md", "fr")[0] == ["# Titre"]
    assert statement.cells(tmp_path / "none.md") == ([], {})
