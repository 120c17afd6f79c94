"""The steps that nbgrader's autograde calls in place of its own; see `settings.configure`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nbformat.notebooknode import from_dict
from nbgrader.api import MissingEntry
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import is_grade, is_solution
from traitlets import Enum, Unicode
from traitlets.config import Configurable

from gdgrade.course.errors import CourseError, SubmissionError
from gdgrade.course.late import penalty
from gdgrade.course.manifest import Course
from gdgrade.judging import Options
from gdgrade.language import use
from gdgrade.nbgrader import gradebook, judging
from gdgrade.nbgrader.mending import mend
from gdgrade.nbgrader.verdicts import NotebookVerdict, of_problem

node: Any = from_dict  # untyped there
_VERDICT = "gdgrade"  # key among nbconvert's resources, which go from step to step


class GdgradeStep(Configurable):
    """What the steps share: the course."""

    course_path = Unicode("", help="The folder of course.yml, or that file.").tag(config=True)

    @property
    def course(self) -> Course:
        """The course.

        Raises:
            CourseError: none is configured, or it cannot be read.
        """
        return judging.course_at(self.course_path)


class MendNotebook(NbGraderPreprocessor):  # type: ignore[misc]
    """The first step: makes a hand-in valid, whatever was done to it, so that the steps after it do not fail."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Mend the notebook; what was put right is logged."""
        about = resources["nbgrader"]
        with gradebook.opened(about["db_url"]) as book:
            try:
                masters = gradebook.masters(book.find_notebook(about["notebook"], about["assignment"]))
            except MissingEntry:
                return nb, resources
        mended, said = mend(nb, masters)
        for sentence in said:
            self.log.warning("%s: %s", about["student"], sentence)
        return node(mended), resources


class JudgeNotebook(GdgradeStep, NbGraderPreprocessor):  # type: ignore[misc]
    """In place of nbgrader's Execute: has the hand-in judged, and writes what came out into the grade cells.

    No code of the notebook is run in this process or in a kernel.
    """

    confine = Enum(("strict", "best", "none"), "strict", help="How to confine students' code.").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Judge the file in `submitted/`, not the cleaned copy: it is what the other ways of grading judge.

        Raises:
            CourseError: the assignment is none of the course's exercises.
            LaunchError: judges cannot be had.
        """
        about = resources["nbgrader"]
        exercise = judging.exercise_of(self.course, about["assignment"])
        if exercise is None:
            names = ", ".join(one.short or one.id for one in self.course.exercises)
            message = (
                f"is none of {names}: gdgrade has no checks for it, and runs no code of students outside its worker."
            )
            raise CourseError.at(f"the assignment {about['assignment']}", message)
        use(self.course.info.language, self.course.root / "locale")
        try:
            data = judging.read_bytes(self._submitted(about))
            options = Options(confine=self.confine, language=self.course.info.language)
            verdict = judging.to_cells(exercise, judging.judge(self.course, exercise, data, options))
        except (SubmissionError, judging.HandInError) as error:
            verdict = of_problem(exercise, judging.problem_of(error))
        if verdict.problem:
            self.log.warning("%s %s: %s", about["student"], about["assignment"], verdict.problem)
        resources[_VERDICT] = verdict
        return fill(nb, verdict), resources

    def _submitted(self, about: Any) -> Path:
        """Where the hand-in lies; the converter above the exporter knows the course's folders."""
        converter: Any = self.parent.parent  # type: ignore[union-attr]
        folders = converter.coursedir
        folder = folders.format_path(folders.submitted_directory, about["student"], about["assignment"])
        return Path(folder) / f"{about['notebook']}.ipynb"


class SaveVerdicts(GdgradeStep, SaveAutoGrades):  # type: ignore[misc]
    """In place of nbgrader's SaveAutoGrades: scores, comments, and what a person must look at."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Write the gradebook; a notebook that was not judged here is left to nbgrader's own step."""
        verdict: NotebookVerdict | None = resources.get(_VERDICT)
        if verdict is None:
            done: tuple[Any, Any] = super().preprocess(nb, resources)
            return done
        about = resources["nbgrader"]
        exercise = judging.exercise_of(self.course, about["assignment"])
        assert exercise is not None
        with gradebook.opened(about["db_url"]) as book:
            gradebook.set_deadline(book, book.find_assignment(about["assignment"]), exercise)
            notebook = book.find_submission_notebook(about["notebook"], about["assignment"], about["student"])
            gradebook.write_notebook(book, notebook, verdict, named_cells(nb), review=True)
        return nb, resources


class LatePolicy(GdgradeStep, LateSubmissionPlugin):  # type: ignore[misc]
    """What lateness costs by the late policy of course.yml."""

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """Points that are lost, of the score; None: nothing."""
        due = datetime(2000, 1, 1, tzinfo=UTC)
        decision = penalty(due, due + timedelta(seconds=max(0.0, total_seconds_late)), self.course.late)
        if decision.factor < 1:
            self.log.info("%s: %s", student_id, decision.explanation)
        return round(score * (1 - decision.factor), 9) if decision.factor < 1 else None


def named_cells(nb: Any) -> dict[str, Any]:
    """nbgrader's cells of a notebook by their names."""
    return {
        cell.metadata.nbgrader["grade_id"]: cell
        for cell in nb.cells
        if (is_grade(cell) or is_solution(cell)) and cell.metadata.nbgrader.get("grade_id")
    }


def fill(nb: Any, verdict: NotebookVerdict) -> Any:
    """Write the verdict into the grade cells' outputs."""
    for name, cell in named_cells(nb).items():
        if name in verdict.grades and cell.cell_type == "code":
            cell.outputs = [node(output) for output in verdict.grades[name].outputs()]
    return nb
