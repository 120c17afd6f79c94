"""Broken and hostile notebooks: each gets a line that says what is wrong, and everybody else their scores."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from gdgrade.nbgrader.mending import Master, mend

from .helpers import RIGHT, answered, cells_of, comments_of, hand_in, run_app, scores
from .test_grading import FULL, grade

UNREADABLE = {
    "binary": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "NUL byte"),
    "cut-off": (b'{"cells": [{"cell_type": "code", "source": "def f(', "JSON is damaged"),
    "empty": (b"", "is empty"),
    "html": (b"<html><body>Sign in to JupyterHub</body></html>", "JSON is damaged"),
    "list": (b"[1, 2, 3]", "not a notebook"),
    "nested": (b"[" * 100_000 + b"]" * 100_000, "JSON is damaged"),
    "no-cells": (b'{"nbformat": 4, "metadata": {}}', "no list of cells"),
    "no-code": (b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "no code cell"),
}


def odd(released: dict[str, Any]) -> dict[str, Any]:
    """Notebooks that are odd, yet hold the right code."""
    right = answered(released, RIGHT)

    def changed(change: Any) -> dict[str, Any]:
        content = copy.deepcopy(right)
        change(content)
        return content

    def cells(content: dict[str, Any], name: str) -> Any:
        return [cell for cell in content["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id") == name]

    def huge(content: dict[str, Any]) -> None:
        text = "x" * 1_000_000
        content["cells"][-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}] * 20

    def no_metadata(content: dict[str, Any]) -> None:
        del content["metadata"]
        for cell in content["cells"]:
            del cell["metadata"], cell["id"]

    def duplicates(content: dict[str, Any]) -> None:
        wrong = copy.deepcopy(cells(content, "answer-double")[0])
        wrong["source"] = "def double(x):\n    return 0"
        content["cells"] = [wrong, *content["cells"], *copy.deepcopy(cells(content, "part-1-1"))]

    def old_schema(content: dict[str, Any]) -> None:
        for cell in content["cells"]:
            about = cell["metadata"].get("nbgrader")
            if about:
                about["schema_version"] = 1
                del about["task"]

    def format_3(content: dict[str, Any]) -> None:
        content["worksheets"] = [{"cells": [
            {**cell, "input": cell["source"], "language": "python"} for cell in content.pop("cells")]}]  # fmt: skip
        content["nbformat"], content["nbformat_minor"] = 3, 0

    def no_kernel(content: dict[str, Any]) -> None:
        content["metadata"] = {"kernelspec": 7, "language_info": "R"}

    def widgets(content: dict[str, Any]) -> None:
        content["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {"a": {"b": 1}}}}
        content["cells"][0]["attachments"] = {"x.png": {"image/png": "AAAA"}, "bad": 3}

    def tampered(content: dict[str, Any]) -> None:
        for cell in cells(content, "part-1-2"):
            cell["source"], cell["cell_type"] = "# graded: 100 points", "markdown"
            cell["metadata"]["nbgrader"]["points"] = 1000
        content["cells"] = [cell for cell in content["cells"] if cell not in cells(content, "part-1-3")]

    def made_up(content: dict[str, Any]) -> None:
        content["cells"][0]["metadata"]["nbgrader"] = {"grade": True, "grade_id": ["part-1-1"], "points": "many"}
        content["cells"][1]["metadata"] = []
        content["cells"][2]["metadata"]["nbgrader"] = "<script>alert(1)</script>"
        content["cells"].append({"cell_type": "spell", "source": {"a": 1}})

    return {
        function.__name__.replace("_", "-"): changed(function)
        for function in (huge, no_metadata, duplicates, old_schema, format_3, no_kernel, widgets, tampered, made_up)
    }


@pytest.fixture
def hostile_dir(course_dir: Path, released: dict[str, Any]) -> Path:
    for name, (data, _) in UNREADABLE.items():
        hand_in(course_dir, name, "ex01", data)
    for name, content in odd(released).items():
        hand_in(course_dir, name, "ex01", content)
    hand_in(course_dir, "zoe", "ex01", answered(released, RIGHT))
    (course_dir / "submitted/linked/ex01").mkdir(parents=True)
    (course_dir / "submitted/linked/ex01/ex01.ipynb").symlink_to("/etc/hostname")
    (course_dir / "submitted/linked/ex01/data.txt").symlink_to("/etc/hostname")
    (course_dir / "submitted/renamed/ex01").mkdir(parents=True)
    (course_dir / "submitted/renamed/ex01/my work.ipynb").write_text("{}")
    return course_dir


def test_each_has_its_line(hostile_dir: Path, released: dict[str, Any]) -> None:
    """The batch goes on: unreadable ones wait for a person without a score, odd ones get their points."""
    result = grade(hostile_dir)
    assert result.exit_code == 1
    lines = {found[1]: found[2] for found in re.finditer(r"^  (\S+): (.*)$", result.output, re.MULTILINE)}
    for name, (_, words) in UNREADABLE.items():
        assert lines[name].startswith("no score; for a person: "), lines[name]
        assert words in lines[name]
        assert set(cells_of(hostile_dir, name, "ex01").values()) == {(None, 0.0, None, True)}
    assert "a symbolic link" in lines["linked"]
    assert "there is no ex01.ipynb, but my work.ipynb" in lines["renamed"]
    assert not (hostile_dir / "autograded/linked/ex01/data.txt").exists()
    for name in (*odd(released), "zoe"):
        assert lines[name] == "8 of 8", (name, lines[name])
        assert scores(hostile_dir, name, "ex01") == FULL
    for words in (
        "part-1-1 was there more than once",
        "part-1-3 was missing",
        "cell part-1-2 had been changed",
    ):
        assert words in result.output
    # Whatever was handed in, nbgrader's next step can read what was written; nobody's markup gets through.
    run_app("GenerateFeedbackApp", "ex01", cwd=hostile_dir)
    pages = list(hostile_dir.glob("feedback/*/ex01/ex01.html"))
    assert len(pages) == len(lines)
    assert comments_of(hostile_dir, "duplicates", "ex01")["answer-double"] is None


def readable(path: Path) -> bool:
    """Whether nbformat takes a file, by which nbgrader's own converter reads it before any step of ours."""
    reader: Any = nbformat.read
    try:
        reader(path, as_version=4)
    except Exception:
        return False
    return True


def test_plain_autograde_goes_on_too(hostile_dir: Path, released: dict[str, Any]) -> None:
    """What nbgrader itself cannot read it reports and leaves without a score, never at zero; all others are graded."""
    with pytest.raises(SystemExit):
        run_app("AutogradeApp", "ex01", cwd=hostile_dir)
    graded = 0
    for name in (*UNREADABLE, *odd(released), "zoe"):
        if name not in UNREADABLE and readable(hostile_dir / f"submitted/{name}/ex01/ex01.ipynb"):
            assert scores(hostile_dir, name, "ex01") == FULL, name
            graded += 1
        else:
            assert {(cell[0], cell[3]) for cell in cells_of(hostile_dir, name, "ex01").values()} == {(None, True)}, name
    assert graded >= 7


def test_markup_of_students_is_shown_not_run(course_dir: Path, released: dict[str, Any]) -> None:
    """A message with markup, Markdown and TeX in it: escaped in the cell's output, and never in a comment."""
    evil = "<img src=x onerror=alert(1)>[x](javascript:alert(2))$\\href{javascript:alert(3)}{x}$"
    answers = {**RIGHT, "double": f"def double(x):\n    raise ValueError({evil!r})"}
    hand_in(course_dir, "eve", "ex01", answered(released, answers))
    assert grade(course_dir).exit_code == 0
    for comment in comments_of(course_dir, "eve", "ex01").values():
        assert "alert" not in (comment or "")
    written = json.loads((course_dir / "autograded/eve/ex01/ex01.ipynb").read_text())
    shown = "".join(str(cell.get("outputs", "")) for cell in written["cells"])
    assert "alert(1)" in shown
    assert "<img" not in shown
    assert "mathjax_ignore" in shown


MASTERS = [
    Master("answer-f", "code", "raise NotImplementedError()", "sum", False, solution=True),
    Master("part-1", "code", "%check 1", "sum", True, grade=True, points=2.0),
]


@pytest.mark.parametrize(
    "content",
    [
        {}, [], None, 3, {"cells": 3}, {"cells": [None, 3, [], {}]}, {"cells": [{"cell_type": 7, "source": [1, "x"]}]},
        {"cells": [{"cell_type": "code", "source": "a\x00\ud800b", "metadata": {"nbgrader": {"grade_id": "part-1"}}}]},
        {"worksheets": [3, {"cells": [{"cell_type": "code", "input": "x = 1"}]}]},
        {"cells": [{"cell_type": "markdown", "source": "x", "attachments": {"a": {"image/png": 5}}}]},
        {"cells": [{"cell_type": "code", "id": "same"}, {"cell_type": "code", "id": "same"}]},
    ],
)  # fmt: skip
def test_mended_is_valid(content: Any) -> None:
    """Whatever JSON it was, what comes out is a notebook, with each graded cell exactly once and as released."""
    mended, _ = mend(content, MASTERS)
    nbformat.validate(nbformat.from_dict(mended))
    json.dumps(mended).encode()
    graded = [cell for cell in mended["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]
    assert [(cell["source"], cell["metadata"]["nbgrader"]["points"]) for cell in graded] == [("%check 1", 2.0)]
