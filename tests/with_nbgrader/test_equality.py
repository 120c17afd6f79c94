"""The same code has the same score by `gdgrade check`, by plain autograde and by `gdgrade nbgrader grade`.

Judging each planted answer of three exercises three times takes long and shows one thing again and again: all roads
hand a text to the same judge and read the same report. `make planted` does it; `make test` shows it in three links:

1. for *every* planted answer, the text that the judge gets from a notebook is the same program as the file's;
2. where it is not (statements that only print, files that are no Python), and for reference, stub and some wrong
   answers, files and notebooks are really judged, by all three roads;
3. whatever a report says, the gradebook has it: reports with every outcome, drawn at random.
"""

import ast
import json
import random
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gdgrade.batch.store import Store
from gdgrade.course.errors import SubmissionError
from gdgrade.course.loading import load_course
from gdgrade.course.manifest import Course, Exercise
from gdgrade.course.submission import read_submission
from gdgrade.judging import Options
from gdgrade.nbgrader import grading, judging, source
from gdgrade.nbgrader.mending import mend
from gdgrade.nbgrader.settings import CONFIG, config_text
from gdgrade.nbgrader.verdicts import of_report
from gdgrade.report.assembly import assemble
from gdgrade.report.model import CheckResult, Confinement, Report, SeedInfo, SubmissionRef, Versions

from .helpers import ROOT, cells_of, hand_in, notebook, run_app

COURSE = load_course(ROOT / "course.yml")
EXERCISES = [COURSE.exercise(name) for name in ("ex05_langevin", "ex06_sinkhorn", "ex07_morphing")]
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
# Really judged, beside those that link 1 leaves: answers with a part of the points.
ALSO = {
    "ex05_langevin": ["wrong_dsm_without_half.py"],
    "ex06_sinkhorn": ["wrong_half_cost.py"],
    "ex07_morphing": [],
}


def as_notebook(exercise: Exercise, text: str) -> dict[str, Any]:
    """The students' notebook with the whole file in one cell: answer cells and set-up deleted, which does no harm."""
    built = source.build(exercise).notebook
    kept = [cell for cell in built["cells"] if not cell["metadata"].get("nbgrader", {}).get("solution")]
    kept = [cell for cell in kept if cell["id"] != source.SETUP]
    own = {"cell_type": "code", "id": "own", "metadata": {}, "source": text, "outputs": [], "execution_count": None}
    return {**built, "cells": [own, *kept]}


def program(text: str) -> list[str] | None:
    """What a text does, statement by statement; None: it is no Python."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    return [ast.dump(node) for node in tree.body if not isinstance(node, ast.Pass) and not is_text(node)]


def is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def differs(exercise: Exercise, path: Path) -> bool:
    """Whether file and notebook are different programs for the judge."""
    try:
        file = read_submission(path)
    except SubmissionError:
        return True
    code = program(file.source)
    if not code:
        return code is None
    read = judging.read(json.dumps(as_notebook(exercise, file.source)).encode(), exercise)
    return program(read.code_for(exercise)) != code


def planted(exercise: Exercise) -> list[Path]:
    return sorted((ROOT / "tests/submissions" / exercise.id).glob("*.py"))


@each_exercise
def test_every_planted_answer_is_the_same_program(exercise: Exercise) -> None:
    """Link 1. What differs (a print at the top, an import that nothing needs) is a handful, and is judged below."""
    found = [path.name for path in planted(exercise) if differs(exercise, path)]
    assert len(planted(exercise)) > 50
    assert len(found) <= 5, found


@pytest.fixture(scope="module")
def course_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("equality")
    (folder / CONFIG).write_text(config_text(ROOT, COURSE.id))
    for exercise in EXERCISES:
        name = source.notebook_name(exercise)
        source.write(source.build(exercise), folder / "source" / name, name)
        run_app("GenerateAssignmentApp", name, cwd=folder)
    return folder


@pytest.mark.slow
@each_exercise
def test_three_roads(exercise: Exercise, course_dir: Path) -> None:
    """Link 2. Reference, stub, what link 1 leaves and some wrong answers, by all three roads.

    Plain autograde calls the judge in the same way for each hand-in: one of them shows it.
    """
    left = [path for path in planted(exercise) if differs(exercise, path) and "stub" not in path.name]
    more = [ROOT / "tests/submissions" / exercise.id / also for also in ALSO[exercise.id]]
    agree(exercise, course_dir, [*left, *more], autograded=1)


@pytest.mark.planted
@each_exercise
def test_three_roads_for_every_planted_answer(exercise: Exercise, course_dir: Path) -> None:
    """Without the links: every planted answer, judged three times."""
    agree(exercise, course_dir, [path for path in planted(exercise) if "stub" not in path.name], autograded=None)


def agree(exercise: Exercise, course_dir: Path, paths: list[Path], autograded: int | None) -> None:
    """Assert that all roads give reference, stub and these files the same points, cell by cell.

    Args:
        autograded: how many of them, the last ones, are also given to plain autograde; None: all.
    """
    name = source.notebook_name(exercise)
    built, released = (notebook(course_dir / kind / name / f"{name}.ipynb") for kind in ("source", "release"))
    hand_in(course_dir, "reference", name, built)
    hand_in(course_dir, "stub", name, released)
    files = {"reference": exercise.reference_path, "stub": exercise.entry_path}
    files |= {path.stem: path for path in paths}
    for path in paths:
        text = path.read_bytes().decode("utf-8", errors="replace")
        hand_in(course_dir, path.stem, name, as_notebook(exercise, text))
    options = Options(confine="best")
    by_check = {student: checked(COURSE, exercise, path, options) for student, path in files.items()}

    folders = grading.Folders(course_dir)
    found = grading.hand_ins(folders, exercise, name)
    with Store(course_dir / "store", write=True) as store:
        judged = grading.judge_all(store, COURSE, exercise, found, options, jobs=2, stop=threading.Event(),
                                   show=lambda progress: None)  # fmt: skip
        lines = list(grading.write_all(folders, exercise, name, found, judged))
    by_grade = {line.student: numbers(course_dir, line.student, name) for line in lines}
    assert by_grade == by_check
    assert sum(by_grade["reference"].values()) == pytest.approx(exercise.max_points + exercise.max_bonus)
    assert set(by_grade["stub"].values()) == {0.0}

    chosen = list(files) if autograded is None else list(files)[-autograded:]
    for student in set(files) - set(chosen):
        shutil.rmtree(course_dir / "submitted" / student / name)
    (course_dir / "gradebook.db").rename(course_dir / "first.db")
    run_app("GenerateAssignmentApp", name, "--force", cwd=course_dir)
    run_app("AutogradeApp", name, "--force", cwd=course_dir)
    by_autograde = {student: numbers(course_dir, student, name) for student in chosen}
    (course_dir / "first.db").replace(course_dir / "gradebook.db")
    judging.close()
    assert by_autograde == {student: by_check[student] for student in chosen}


def checked(course: Course, exercise: Exercise, path: Path, options: Options) -> dict[str, float]:
    """Points by grade cell, of the report that `gdgrade check` makes of a file."""
    verdict = judging.judge_submission(course, exercise, read_submission(path), options)
    assert verdict.report is not None, verdict.problem
    report = Report.from_json(verdict.report)
    return {source.grade_id(part.id): part.points for part in report.parts}


def numbers(course_dir: Path, student: str, name: str) -> dict[str, float]:
    return {cell: row[1] for cell, row in cells_of(course_dir, student, name).items()}


def random_report(exercise: Exercise, rng: random.Random) -> Report:
    """A report with every kind of outcome."""
    kinds = [("passed", "none"), ("failed", "student"), ("failed", "not_attempted"), ("failed", "timeout"),
             ("skipped", "none"), ("error", "grader"), ("skipped", "infrastructure")]  # fmt: skip
    checks: list[Any] = []
    for part in exercise.parts:
        count = rng.randrange(1, 4)
        for number in range(count):
            outcome, cause = rng.choice(kinds)
            share = part.points / count
            checks.append(CheckResult.model_validate({
                "id": f"{exercise.id}/test_x/{part.id}_{number}", "part": part.id, "title": "A check.",
                "outcome": outcome, "cause": cause, "max_points": share,
                "points": share if outcome == "passed" else 0.0}))  # fmt: skip
    return assemble(
        exercise, checks, submission=SubmissionRef(name="x.ipynb", sha256="0" * 64, kind="ipynb"),
        confinement=Confinement(level="A"), seeds=SeedInfo(public=1),
        versions=Versions(gdgrade="0", course="1", python="3.11", platform="Linux"),
    )  # fmt: skip


@each_exercise
def test_the_gradebook_has_what_the_report_says(exercise: Exercise, course_dir: Path) -> None:
    """Link 3. Scores are the parts' points, the bonus included; what was not judged waits for a person."""
    from nbgrader.utils import determine_grade

    from gdgrade.nbgrader import gradebook
    from gdgrade.nbgrader.preprocessors import fill, named_cells, node

    name = source.notebook_name(exercise)
    rng = random.Random(exercise.id)
    released = notebook(course_dir / "release" / name / f"{name}.ipynb")
    with gradebook.opened(f"sqlite:///{course_dir}/gradebook.db") as book:
        book.update_or_create_student("drawn")
        book.update_or_create_submission(name, "drawn")
        drawn = book.find_submission_notebook(name, name, "drawn")
        masters = gradebook.masters(book.find_notebook(name, name))
        for _ in range(25):
            report = random_report(exercise, rng)
            verdict = of_report(exercise, report)
            filled = fill(node(mend(released, masters)[0]), verdict)
            gradebook.write_notebook(book, drawn, verdict, named_cells(filled), review=False)
            book.db.refresh(drawn)
            found = {grade.name: grade for grade in drawn.grades}
            for part in report.parts:
                grade = found[source.grade_id(part.id)]
                assert grade.score == pytest.approx(part.points)
                waits = any(check.undecided for check in report.checks if check.part == part.id)
                assert grade.needs_manual_grade == waits
                if not waits and not part.optional:
                    cell = named_cells(filled)[grade.name]
                    assert determine_grade(cell) == (pytest.approx(part.points), part.max_points)
            assert drawn.score == pytest.approx(report.totals.points + report.totals.bonus)
            assert drawn.max_score == exercise.max_points
        book.remove_submission(name, "drawn")


@pytest.fixture(autouse=True, scope="module")
def _end() -> Iterator[None]:
    yield
    judging.close()
