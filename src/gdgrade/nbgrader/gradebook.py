"""What is written into nbgrader's gradebook, through its own API, and what is left alone: all that people decided."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

from gdgrade.course.manifest import Exercise
from gdgrade.nbgrader.mending import Master
from gdgrade.nbgrader.verdicts import GradeCell, NotebookVerdict

NO_RESPONSE = "No response."  # nbgrader's own words for an answer that is as released


@contextlib.contextmanager
def opened(db_url: str, course_id: str = "") -> Iterator[Any]:
    """nbgrader's gradebook; a new one is made where there is none."""
    from nbgrader.api import Gradebook

    # A new gradebook asks the program alembic for its version: it lies beside this Python, on the PATH or not.
    path = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), path])
    try:
        gradebook = Gradebook(db_url, course_id) if course_id else Gradebook(db_url)
    finally:
        os.environ["PATH"] = path
    with gradebook:
        yield gradebook


def masters(notebook: Any) -> list[Master]:
    """The released cells of a notebook of the gradebook."""
    graded = {cell.name: float(cell.max_score) for cell in notebook.grade_cells}
    tasks = {cell.name: float(cell.max_score) for cell in notebook.task_cells}
    solutions = {cell.name for cell in notebook.solution_cells}
    return sorted(
        (
            Master(
                cell.name, cell.cell_type, cell.source or "", cell.checksum, bool(cell.locked), cell.name in graded,
                cell.name in solutions, cell.name in tasks, graded.get(cell.name, tasks.get(cell.name, 0.0)),
            )
            for cell in notebook.source_cells
        ),
        key=lambda master: ([int(word) for word in master.name.split("-") if word.isdigit()], master.name),
    )  # fmt: skip


def set_deadline(gradebook: Any, assignment: Any, exercise: Exercise) -> None:
    """Give an assignment without a due date the exercise's deadline; one that people set stays."""
    if assignment.duedate is None and exercise.deadline is not None:
        assignment.duedate = exercise.deadline.astimezone(UTC).replace(tzinfo=None)
        gradebook.db.commit()


def write_grade(grade: Any, verdict: GradeCell | None, *, review: bool) -> None:
    """Write the automatic score of one cell.

    Args:
        grade: nbgrader's; its manual score and extra credit stay.
        verdict: None: a cell of code that gdgrade does not know, whose tests nothing has run.
        review: a score by hand, if there is one, is to be looked at again.
    """
    score = None if verdict is None else verdict.score
    changed = grade.auto_score != score
    grade.auto_score = score
    if grade.manual_score is None:
        grade.needs_manual_grade = verdict is None or verdict.needs_person
    elif changed or review:
        grade.needs_manual_grade = True


def write_comment(comment: Any, verdict: NotebookVerdict, *, untouched: bool) -> None:
    """Write the automatic comment on one answer; a comment by hand stays, and wins."""
    comment.auto_comment = verdict.comments.get(comment.name) or (NO_RESPONSE if untouched else None)
    if untouched:
        comment.auto_comment = NO_RESPONSE


def write_notebook(
    gradebook: Any, notebook: Any, verdict: NotebookVerdict, cells: Mapping[str, Any], *, review: bool
) -> None:
    """Write scores and comments of a submitted notebook.

    Args:
        notebook: nbgrader's SubmittedNotebook.
        cells: of the mended notebook, by name.
        review: as for `write_grade`.
    """
    answers = {comment.name for comment in notebook.comments}
    for grade in notebook.grades:
        known = verdict.grades.get(grade.name)
        if known is not None or grade.name not in answers:
            write_grade(grade, known, review=review)
    for comment in notebook.comments:
        write_comment(comment, verdict, untouched=untouched(cells.get(comment.name)))
    gradebook.db.commit()


def untouched(cell: Any) -> bool:
    """Whether an answer is as it was released."""
    if cell is None:
        return False
    from nbgrader.utils import compute_checksum

    return bool(cell.metadata.nbgrader.get("checksum") == compute_checksum(cell))


def write_penalty(gradebook: Any, submission: Any, notebook: Any, plugin: Any) -> float:
    """Write what lateness costs, by the plugin that is configured; returns it.

    nbgrader counts seconds from the due date that it keeps, extensions included.
    """
    gradebook.db.refresh(notebook)
    seconds = submission.total_seconds_late if submission.duedate is not None else 0.0
    score = float(notebook.score)
    points = plugin.late_submission_penalty(submission.student.id, score, seconds) if seconds > 0 else None
    penalty = None if points is None else min(max(0.0, points), score)
    notebook.late_submission_penalty = penalty
    gradebook.db.commit()
    return penalty or 0.0
