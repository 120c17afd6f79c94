"""Both roads into the gradebook, on the same hand-ins: the same scores, comments, penalties; what people did stays."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gdgrade.batch.store import Verdict
from gdgrade.cli import main
from gdgrade.nbgrader import judging

from .helpers import PLAIN, RIGHT, WRONG_DOUBLE, answered, cells_of, comments_of, hand_in, notebook, run_app, scores

FULL = {"part-1-1": 4.0, "part-1-2": 2.0, "part-1-3": 2.0}
LATE = "2026-12-15 22:01:09.123 UTC"
NOISE = """\
import sys, warnings
print("out"); print("err", file=sys.stderr); warnings.warn("careful")"""


def grade(course_dir: Path, *more: str) -> Any:
    """`gdgrade nbgrader grade`."""
    command = ["nbgrader", "grade", "ex01", "--course-dir", str(course_dir), "--course", str(PLAIN), "-q", *more]
    return CliRunner().invoke(main, command, catch_exceptions=False)


def fill_submitted(course_dir: Path, mark: Path) -> None:
    released = notebook(course_dir / "release/ex01/ex01.ipynb")
    right = answered(released, RIGHT)

    def with_cells(*texts: str) -> dict[str, Any]:
        more = [{"cell_type": "code", "id": f"own-{number}", "metadata": {}, "source": text, "outputs": [],
                 "execution_count": None} for number, text in enumerate(texts)]  # fmt: skip
        return {**right, "cells": [*more, *right["cells"]]}

    hand_in(course_dir, "ada", "ex01", right, stamp="2026-12-01 10:00:00 UTC")
    hand_in(course_dir, "bob", "ex01", answered(released, WRONG_DOUBLE), stamp=LATE)
    hand_in(course_dir, "cyd", "ex01", released)
    shout = "\n    import sys; print('e', file=sys.stderr)\n"
    noisy = answered(released, {name: text.replace("\n", shout) for name, text in RIGHT.items()})
    hand_in(course_dir, "dan", "ex01", {**noisy, "cells": [*with_cells(NOISE)["cells"][:1], *noisy["cells"]]})
    escape = f"open({str(mark)!r}, 'w').write('ran')"
    inside = f"def double(x):\n    {escape}\n    return 2 * x"
    another = "gdgrade = None\ndef check(*a): return 100\n%check 1.1"
    hand_in(course_dir, "eve", "ex01", with_cells(escape, inside, another))


@pytest.fixture(scope="module")
def roads(released_once: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two copies of the course, one graded by nbgrader's autograde, one by `gdgrade nbgrader grade`."""
    folder = tmp_path_factory.mktemp("roads")
    found = {"mark": folder / "ran-outside"}
    for road in ("autograde", "grade"):
        course_dir = Path(shutil.copytree(released_once, folder / road))
        set_due(course_dir)
        fill_submitted(course_dir, found["mark"])
        found[road] = course_dir
    run_app("AutogradeApp", "ex01", cwd=found["autograde"])
    result = grade(found["grade"])
    assert result.exit_code == 0, result.output
    return found


def set_due(course_dir: Path) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course_dir}/gradebook.db") as book:
        book.update_or_create_assignment("ex01", duedate="2026-12-14 23:00:00")


ROADS = pytest.mark.parametrize("road", ["autograde", "grade"])


@ROADS
def test_scores(roads: dict[str, Path], road: str) -> None:
    """Right, wrong, untouched, noisy and clever: stderr, prints and warnings cost nothing."""
    found = {student: scores(roads[road], student, "ex01") for student in ("ada", "bob", "cyd", "dan", "eve")}
    assert found["ada"] == found["dan"] == FULL
    assert 0 < sum(score or 0 for score in found["bob"].values()) < 8
    assert found["cyd"] == dict.fromkeys(FULL, 0.0)
    assert not any(cell[3] for student in found for cell in cells_of(roads[road], student, "ex01").values())


def test_code_of_students_runs_in_the_worker_only(roads: dict[str, Path]) -> None:
    """A cell and an answer that write a file where the person who grades could: nothing is written, on either road."""
    assert not roads["mark"].exists()


def test_both_roads_agree(roads: dict[str, Path]) -> None:
    for student in ("ada", "bob", "cyd", "dan", "eve"):
        one, two = (cells_of(roads[road], student, "ex01") for road in ("autograde", "grade"))
        assert one == two
        one, two = (comments_of(roads[road], student, "ex01") for road in ("autograde", "grade"))
        assert one == two
    assert penalties(roads["autograde"]) == penalties(roads["grade"])


def penalties(course_dir: Path) -> dict[str, float | None]:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course_dir}/gradebook.db") as book:
        return {one.student.id: one.late_submission_penalty for one in book.notebook_submissions("ex01", "ex01")}


@ROADS
def test_comments_and_lateness(roads: dict[str, Path], road: str) -> None:
    """Comments say what failed and why; an untouched answer is called so; lateness is in nbgrader's own field."""
    comments = comments_of(roads[road], "bob", "ex01")
    assert "1.1" in (comments["answer-double"] or "")
    assert "FAILED" in (comments["answer-double"] or "")
    assert comments["answer-spread"] is None
    assert set(comments_of(roads[road], "cyd", "ex01").values()) == {"No response."}
    lost = penalties(roads[road])
    assert lost["ada"] is None
    assert lost["bob"] in (None, 0.0)  # this course's policy costs nothing; see test_late_policy


@ROADS
def test_outputs_give_nbgrader_the_score(roads: dict[str, Path], road: str) -> None:
    """nbgrader's own `determine_grade` reads the same numbers from the written notebook, without our step."""
    import nbformat
    from nbgrader.utils import determine_grade, is_grade

    reader: Any = nbformat.read
    for student in ("ada", "bob", "cyd"):
        graded = reader(roads[road] / f"autograded/{student}/ex01/ex01.ipynb", as_version=4)
        found = {cell.metadata.nbgrader.grade_id: determine_grade(cell)[0] for cell in graded.cells if is_grade(cell)}
        assert found == scores(roads[road], student, "ex01")


@ROADS
def test_feedback_and_export(roads: dict[str, Path], road: str) -> None:
    """nbgrader's next steps work unchanged, and what a student wrote is no markup in them."""
    course_dir = roads[road]
    run_app("GenerateFeedbackApp", "ex01", cwd=course_dir)
    page = (course_dir / "feedback/bob/ex01/ex01.html").read_text()
    assert "1.1 Doubling" in page
    assert "FAILED" in page
    run_app("ExportApp", cwd=course_dir)
    rows = [line.split(",") for line in (course_dir / "grades.csv").read_text().splitlines()]
    column = {name: number for number, name in enumerate(rows[0])}
    found = {row[column["student_id"]]: float(row[column["raw_score"]]) for row in rows[1:]}
    assert found["ada"] == 8.0
    assert found["cyd"] == 0.0
    assert {row[column["max_score"]] for row in rows[1:]} == {"8.0"}


@ROADS
def test_form_grader(roads: dict[str, Path], road: str) -> None:
    """What nbgrader's form grader lists and shows: every hand-in, and its page with score boxes and verdicts."""
    from nbconvert.exporters import HTMLExporter
    from nbgrader import server_extensions
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    api = NbGraderAPI(coursedir=CourseDirectory(root=str(roads[road])))
    listed = {entry["student"]: entry for entry in api.get_submissions("ex01")}
    assert listed["ada"]["score"] == 8.0
    assert not any(entry["needs_manual_grade"] for entry in listed.values())
    assert all(entry["autograded"] for entry in listed.values())
    templates = Path(server_extensions.__path__[0]) / "formgrader/templates"
    config = Config({"HTMLExporter": {"template_name": "formgrade", "extra_template_basedirs": [str(templates)]}})
    about = {"assignment_id": "ex01", "notebook_id": "ex01", "submission_id": "x", "index": 0, "total": 5,
             "base_url": "/", "student": "bob", "last_name": None, "first_name": "", "notebook_path": ""}  # fmt: skip
    path = roads[road] / "autograded/bob/ex01/ex01.ipynb"
    page, _ = HTMLExporter(config=config).from_filename(str(path), resources=about)
    assert page.count("extra-credit") >= 3  # a box beside each part
    assert "1.1 Doubling" in page


@pytest.fixture
def graded(roads: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the course that `gdgrade nbgrader grade` has graded."""
    return Path(shutil.copytree(roads["grade"], tmp_path / "graded"))


def dump(course_dir: Path) -> list[str]:
    with sqlite3.connect(course_dir / "gradebook.db") as db:
        return sorted(db.iterdump())


def test_twice_is_once(graded: Path) -> None:
    """The same command again changes neither the gradebook nor a notebook, and judges nothing."""
    before = dump(graded), (graded / "autograded/bob/ex01/ex01.ipynb").read_bytes()
    result = grade(graded)
    assert result.exit_code == 0
    assert (dump(graded), (graded / "autograded/bob/ex01/ex01.ipynb").read_bytes()) == before


def test_what_people_decided_stays(graded: Path) -> None:
    """Scores, extra credit and comments by hand survive; a new hand-in asks for another look at them."""
    from nbgrader.api import Gradebook

    def decide(book: Any) -> Any:
        one = book.find_grade("part-1-1", "ex01", "ex01", "bob")
        one.manual_score, one.extra_credit, one.needs_manual_grade = 3.0, 0.5, False
        book.find_comment("answer-double", "ex01", "ex01", "bob").manual_comment = "By hand."
        book.db.commit()

    with Gradebook(f"sqlite:///{graded}/gradebook.db") as book:
        decide(book)
    assert grade(graded, "--again").exit_code == 0
    automatic, score, manual, waits = cells_of(graded, "bob", "ex01")["part-1-1"]
    assert (score, manual, waits) == (3.5, 3.0, False)
    assert automatic == scores(graded, "bob", "ex01")["part-1-1"]
    assert comments_of(graded, "bob", "ex01")["answer-double"] == "By hand."
    released = notebook(graded / "release/ex01/ex01.ipynb")
    hand_in(graded, "bob", "ex01", answered(released, RIGHT), stamp="2026-12-16 10:00:00 UTC")
    result = grade(graded)
    assert result.exit_code == 1
    assert "bob: " in result.output
    assert "for a person" in result.output
    assert cells_of(graded, "bob", "ex01")["part-1-1"] == (4.0, 3.5, 3.0, True)


@ROADS
def test_the_machine_costs_no_points(
    course_dir: Path, released: Any, road: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the machine kept from being judged has no score and waits for a person; graded again, it has its score."""
    failed = Verdict(None, "the machine was on fire")
    hand_in(course_dir, "ada", "ex01", answered(released, RIGHT))
    with monkeypatch.context() as patch:
        patch.setattr("gdgrade.nbgrader.judging.grade", lambda *_: failed)
        patch.setattr("gdgrade.batch.run.grade", lambda *_: failed)
        if road == "grade":
            result = grade(course_dir)
            assert (result.exit_code, "on fire" in result.output) == (1, True)
        else:
            run_app("AutogradeApp", "ex01", cwd=course_dir)
    assert set(cells_of(course_dir, "ada", "ex01").values()) == {(None, 0.0, None, True)}
    assert "on fire" in (course_dir / "autograded/ada/ex01/ex01.ipynb").read_text()
    if road == "grade":
        assert grade(course_dir).exit_code == 0
    else:
        run_app("AutogradeApp", "ex01", "--force", cwd=course_dir)
    assert scores(course_dir, "ada", "ex01") == FULL


def test_without_generate_assignment(plain: Any, tmp_path: Path) -> None:
    """`grade` makes the gradebook's entries from the source notebook; without one it says what to do."""
    from gdgrade.nbgrader import source
    from gdgrade.nbgrader.settings import CONFIG, config_text

    built = source.build(plain.exercises[0])
    hand_in(tmp_path, "ada", "ex01", answered(built.notebook, RIGHT))
    missing = grade(tmp_path)
    assert (missing.exit_code, "gdgrade nbgrader init" in missing.output) == (2, True)
    (tmp_path / CONFIG).write_text(config_text(PLAIN, plain.id))
    missing = grade(tmp_path)
    assert (missing.exit_code, "gdgrade nbgrader build" in missing.output) == (2, True)
    source.write(built, tmp_path / "source/ex01", "ex01")
    done = grade(tmp_path)
    assert done.exit_code == 0, done.output
    assert scores(tmp_path, "ada", "ex01") == FULL
    assert comments_of(tmp_path, "ada", "ex01") == dict.fromkeys(("answer-double", "answer-apply", "answer-spread"))


def test_cells_of_the_teacher(plain: Any, tmp_path: Path) -> None:
    """A teacher's own cells: a written answer stays as nbgrader has it; tests that nothing has run give no points."""
    from gdgrade.nbgrader import source
    from gdgrade.nbgrader.settings import CONFIG, config_text

    built = source.build(plain.exercises[0])
    about = {"schema_version": 3, "grade": True, "points": 5.0, "locked": False, "task": False}
    essay = {"cell_type": "markdown", "id": "essay", "source": "Why?",
             "metadata": {"nbgrader": {**about, "grade_id": "essay", "solution": True}}}  # fmt: skip
    test = {"cell_type": "code", "id": "test", "source": "assert True", "outputs": [], "execution_count": None,
            "metadata": {"nbgrader": {**about, "grade_id": "test", "solution": False, "locked": True}}}  # fmt: skip
    built.notebook["cells"] += [essay, test]
    source.write(built, tmp_path / "source/ex01", "ex01")
    (tmp_path / CONFIG).write_text(config_text(PLAIN, plain.id))
    hand_in(tmp_path, "ada", "ex01", answered(built.notebook, RIGHT))
    assert grade(tmp_path).exit_code == 1
    found = cells_of(tmp_path, "ada", "ex01")
    assert {name: found[name][0] for name in FULL} == FULL
    for name in ("essay", "test"):
        assert (found[name][0], found[name][3]) == (None, True)


def test_batch_with_nbgrader(course_dir: Path, released: Any) -> None:
    """`gdgrade batch --nbgrader` is the same command; what makes no sense there is refused."""
    hand_in(course_dir, "ada", "ex01", answered(released, RIGHT))
    command = ["batch", "--nbgrader", str(course_dir), "--course", str(PLAIN), "-q"]
    assert CliRunner().invoke(main, [*command, "--resume"]).exit_code == 2
    done = CliRunner().invoke(main, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert scores(course_dir, "ada", "ex01") == FULL
    assert (course_dir / "gdgrade/results.sqlite").is_file()


def test_assignment_that_is_no_exercise(course_dir: Path, released: Any) -> None:
    """Plain autograde runs nothing in a kernel, and says why; no zero is given."""
    for kind in ("source", "release"):
        shutil.copytree(course_dir / kind / "ex01", course_dir / kind / "midterm-1")
        (course_dir / kind / "midterm-1/ex01.ipynb").rename(course_dir / kind / "midterm-1/midterm-1.ipynb")
    run_app("GenerateAssignmentApp", "midterm-1", "--force", cwd=course_dir)
    hand_in(course_dir, "ada", "midterm-1", released)
    with pytest.raises(SystemExit):
        run_app("AutogradeApp", "midterm-1", cwd=course_dir)
    assert {cell[0] for cell in cells_of(course_dir, "ada", "midterm-1").values()} == {None}


def test_late_policy() -> None:
    """Started days, as in course.yml; grace costs nothing, after the cut-off nothing is left."""
    from traitlets.config import Config

    from gdgrade.nbgrader.preprocessors import LatePolicy

    from .helpers import ROOT

    plugin = LatePolicy(config=Config({"GdgradeStep": {"course_path": str(ROOT)}}))
    day = 86_400
    assert plugin.late_submission_penalty("ada", 20.0, 10 * 60) is None
    assert plugin.late_submission_penalty("ada", 20.0, 60 * 60) == pytest.approx(2.0)
    assert plugin.late_submission_penalty("ada", 15.0, 2 * day + 1) == pytest.approx(4.5)
    assert plugin.late_submission_penalty("ada", 15.0, 8 * day) == pytest.approx(15.0)


@pytest.fixture(autouse=True, scope="module")
def _end() -> Iterator[None]:
    yield
    judging.close()
