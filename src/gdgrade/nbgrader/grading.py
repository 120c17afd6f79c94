"""The second road: the batch engine judges what lies in `submitted/`, then one process writes nbgrader's gradebook."""

from __future__ import annotations

import shutil
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gdgrade.batch.collect import HandIn
from gdgrade.batch.grades import Grade, grades
from gdgrade.batch.run import Show, grade_run
from gdgrade.batch.sources import Refused
from gdgrade.batch.store import Store
from gdgrade.course.errors import SubmissionError
from gdgrade.course.manifest import Course, Exercise
from gdgrade.judging import Options
from gdgrade.nbgrader import gradebook, judging
from gdgrade.nbgrader.mending import Master, mend, parsed
from gdgrade.nbgrader.source import notebook_name
from gdgrade.nbgrader.verdicts import NotebookVerdict, of_problem, of_report
from gdgrade.report.text import clean_text

MAX_BESIDE = 50_000_000  # bytes of a file beside the notebook


class NbgraderError(Exception):
    """nbgrader's course cannot be used as it is; the text says why and what to do."""


@dataclass(frozen=True)
class Line:
    """What became of one hand-in, for the report.

    Attributes:
        score: in the gradebook, lateness not taken off; None: there is none yet.
        problem: what a person must look at; empty: nothing.
        notes: what was put right in the notebook.
    """

    student: str
    score: float | None
    max_score: float
    penalty: float = 0.0
    problem: str = ""
    notes: tuple[str, ...] = ()


class Folders:
    """An nbgrader course: its folders, its configuration, its gradebook.

    Args:
        root: the course's folder, with `nbgrader_config.py`.
        db_url: of the gradebook; empty: as configured.

    Raises:
        NbgraderError: nbgrader is not installed, or its configuration cannot be read.
    """

    def __init__(self, root: Path, db_url: str = "") -> None:
        try:
            from nbgrader.apps import AutogradeApp
            from nbgrader.coursedir import CourseDirectory
        except ModuleNotFoundError as error:
            raise NbgraderError(f"needs nbgrader: pip install 'gdgrade[nbgrader]' ({error})") from None
        app = AutogradeApp(log_level=40)
        try:
            app.initialize([], root=str(root.resolve()))
            self.directory = CourseDirectory(parent=app, root=str(root.resolve()))
        except Exception as error:  # whatever the configuration's code raises
            raise NbgraderError(f"the configuration in {root} cannot be read: {clean_text(str(error), 300)}") from error
        self.config = app.config
        self.db_url = db_url or self.directory.db_url

    def at(self, step: str, student: str, assignment: str) -> Path:
        """The folder of an assignment in one of nbgrader's steps: source, release, submitted, autograded."""
        return Path(self.directory.format_path(getattr(self.directory, f"{step}_directory"), student, assignment))

    def students(self, assignment: str) -> Iterator[tuple[str, Path]]:
        """Who has handed something in for an assignment, and its folder."""
        marker = "gdgrade-student"
        pattern = self.at("submitted", marker, assignment)
        place = pattern.parts.index(marker)
        above, below = Path(*pattern.parts[:place]), pattern.parts[place + 1 :]
        if above.is_dir():
            for entry in sorted(above.iterdir()):
                folder = entry.joinpath(*below)
                if folder.is_dir():
                    yield entry.name, folder


def assignment_of(folders: Folders, exercise: Exercise) -> str:
    """The exercise's name in nbgrader: its short one, unless the course uses the long one."""
    long = exercise.id
    used = any(folders.at(step, ".", long).is_dir() for step in ("source", "release"))
    return long if used and long != notebook_name(exercise) else notebook_name(exercise)


def hand_ins(folders: Folders, exercise: Exercise, assignment: str) -> list[HandIn]:
    """All hand-ins of an assignment; one that cannot be read says so in `problem`, and holds no bytes."""
    return [_hand_in(folders, exercise, *found, assignment) for found in folders.students(assignment)]


def _hand_in(folders: Folders, exercise: Exercise, student: str, folder: Path, assignment: str) -> HandIn:
    path = folder / f"{assignment}.ipynb"
    data, submission, problem = b"", None, ""
    try:
        if clean_text(student, 120) != student:
            raise judging.HandInError("in a folder whose name is no student's")
        if not path.exists() and not path.is_symlink():
            others = ", ".join(sorted(file.name for file in folder.glob("*.ipynb"))[:3])
            raise judging.HandInError(f"missing: there is no {path.name}" + (f", but {others}" if others else ""))
        data = judging.read_bytes(path)
        submission = judging.read(data, exercise)
    except (SubmissionError, judging.HandInError) as error:
        problem = judging.problem_of(error)
    when = folders.directory.get_existing_timestamp(str(folder))
    return HandIn(
        student=clean_text(student, 120), name=clean_text(student, 120), exercise=exercise.id,
        file=clean_text(f"{student}/{assignment}/{path.name}", 300), data=data, submission=submission,
        problem=problem, submitted=when.replace(tzinfo=UTC) if when else None,
        time_source="timestamp.txt" if when else "", layout="nbgrader",
    )  # fmt: skip


def judge_all(
    store: Store, course: Course, exercise: Exercise, found: list[HandIn], options: Options, *, jobs: int,
    stop: threading.Event, show: Show, again: bool = False,
) -> list[Grade]:  # fmt: skip
    """Have the batch engine judge the hand-ins as a new run of the store; what is known is not judged again.

    Raises:
        gdgrade.batch.run.MachineError: judges cannot be had. What was judged is kept.
    """
    kept: list[HandIn | Refused] = list(found)
    run = store.begin_run(course.id, course.revision, {"nbgrader": exercise.id, "again": again}, kept)
    grade_run(store, run, course, options, jobs=jobs, stop=stop, again=again, show=show)
    store.end_run(run, "stopped" if stop.is_set() and store.pending(run) else "done")
    return grades(store, course, run=run)


def write_all(
    folders: Folders, exercise: Exercise, assignment: str, found: list[HandIn], judged: list[Grade]
) -> Iterator[Line]:
    """Write gradebook and `autograded/` for all hand-ins, one after the other; each is a transaction of its own.

    Scores and comments by hand stay. Doing it twice changes nothing.

    Raises:
        NbgraderError: the assignment is in neither the gradebook nor `source/`.
    """
    from nbgrader.preprocessors import AssignLatePenalties

    late = AssignLatePenalties(config=folders.config)
    if "course_path" not in folders.config.get("GdgradeStep", {}):
        raise NbgraderError("the configuration does not call configure(c, ...); see `gdgrade nbgrader init`")
    late.init_plugin()
    by_student = {grade.student: grade for grade in judged}
    with gradebook.opened(folders.db_url, folders.directory.course_id) as book:
        notebook = _released(book, folders, exercise, assignment)
        masters = gradebook.masters(notebook)
        gradebook.set_deadline(book, book.find_assignment(assignment), exercise)
        for hand_in in found:
            verdict = _verdict(exercise, by_student.get(hand_in.student), hand_in)
            if verdict is not None:
                yield _write(book, folders, assignment, hand_in, verdict, masters, late.plugin_inst)


def _verdict(exercise: Exercise, grade: Grade | None, hand_in: HandIn) -> NotebookVerdict | None:
    """None while it is not judged: after a stop, the next run goes on."""
    if grade is None or grade.state == "pending":
        return None
    if grade.report is None:
        return of_problem(exercise, grade.problem or hand_in.problem)
    found = of_report(exercise, grade.report)
    return NotebookVerdict(found.grades, found.comments, grade.problem)


def _write(
    book: Any, folders: Folders, assignment: str, hand_in: HandIn, verdict: NotebookVerdict,
    masters: list[Master], plugin: Any,
) -> Line:  # fmt: skip
    from nbgrader.api import MissingEntry

    from gdgrade.nbgrader.preprocessors import fill, named_cells, node

    student = hand_in.student
    book.update_or_create_student(student)
    when = hand_in.submitted.replace(tzinfo=None) if hand_in.submitted else None
    try:
        earlier: datetime | None = book.find_submission(assignment, student).timestamp
    except MissingEntry:
        earlier = when
    stamp = {"timestamp": when} if when else {}
    submission = book.update_or_create_submission(assignment, student, **stamp)
    mended, notes = mend(parsed(hand_in.data), masters)
    filled = fill(node(mended), verdict)
    notebook = book.find_submission_notebook(assignment, assignment, student)
    gradebook.write_notebook(book, notebook, verdict, named_cells(filled), review=when != earlier)
    penalty = gradebook.write_penalty(book, submission, notebook, plugin)
    _write_autograded(folders, student, assignment, filled)
    book.db.refresh(notebook)
    waiting = [grade for grade in notebook.grades if grade.needs_manual_grade]
    problem = verdict.problem or ("some of it could not be judged, or is for a person to grade" if waiting else "")
    none = all(grade.auto_score is None and grade.manual_score is None for grade in notebook.grades)
    score = None if none else float(notebook.score)
    return Line(student, score, float(notebook.max_score), penalty, problem, tuple(notes))


def _released(book: Any, folders: Folders, exercise: Exercise, assignment: str) -> Any:
    """The notebook in the gradebook; made from the source notebook where `generate_assignment` was not run."""
    from nbgrader.api import MissingEntry

    try:
        return book.find_notebook(assignment, assignment)
    except MissingEntry:
        pass
    path = folders.at("source", ".", assignment) / f"{assignment}.ipynb"
    if not path.is_file():
        raise NbgraderError(
            f"{assignment} is neither in the gradebook nor at {path}; "
            f"first `gdgrade nbgrader build {assignment}`, then `nbgrader generate_assignment {assignment}`"
        )
    import nbformat
    from nbgrader import preprocessors as theirs

    book.update_or_create_assignment(assignment)
    reader: Any = nbformat.read
    notebook = reader(str(path), as_version=4)
    resources = {"nbgrader": {"notebook": assignment, "assignment": assignment, "db_url": folders.db_url}}
    for step in (theirs.LockCells, theirs.ClearSolutions, theirs.ClearOutput, theirs.CheckCellMetadata,
                 theirs.ComputeChecksums, theirs.SaveCells):  # fmt: skip
        notebook, resources = step(config=folders.config).preprocess(notebook, resources)
    book.db.expire_all()
    return book.find_notebook(assignment, assignment)


def _write_autograded(folders: Folders, student: str, assignment: str, notebook: Any) -> None:
    """What generate_feedback and formgrader read: the filled notebook, and the files that nbgrader puts beside it."""
    import nbformat
    from nbgrader.utils import find_all_files, rmtree

    target = folders.at("autograded", student, assignment)
    if target.is_dir():
        rmtree(str(target))
    target.mkdir(parents=True)
    ignored = [*folders.directory.ignore, "*.ipynb"]
    # Those of the source come last: the teacher's version of a file replaces a student's.
    for origin in (folders.at("submitted", student, assignment), folders.at("source", ".", assignment)):
        for name in find_all_files(str(origin), ignored):
            _copy(Path(name), target / Path(name).relative_to(origin))
    writer: Any = nbformat.write
    writer(notebook, str(target / f"{assignment}.ipynb"))
    mode = 0o664 if folders.directory.groupshared else 0o444
    for file in target.rglob("*"):
        if file.is_file():
            file.chmod(mode)


def _copy(file: Path, target: Path) -> None:
    """Copy an ordinary file of a student; a link might point at something that is not the student's."""
    status = file.lstat()
    if (
        not stat.S_ISREG(status.st_mode)
        or status.st_size > MAX_BESIDE
        or file.parent.resolve() != file.resolve().parent
    ):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copyfile(file, target)
