"""`gdgrade nbgrader`: build source notebooks, configure nbgrader, grade what it has collected."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gdgrade.cli.common import EXIT_FAILED, class_lang_option, class_language, course_option, load, machine, usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gdgrade.batch.store import Store
    from gdgrade.course.manifest import Course, Exercise
    from gdgrade.judging import Options
    from gdgrade.nbgrader.grading import Folders, Line

STORE = "gdgrade"  # folder of the store, within nbgrader's course

course_dir_option = click.option(
    "--course-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="the current folder",
    metavar="DIR",
    help="nbgrader's course: the folder of source/, submitted/ and nbgrader_config.py.",
)


@click.group("nbgrader")
def nbgrader_group() -> None:
    """Use gdgrade with nbgrader, which keeps the people, the gradebook, the form grader and the feedback.

    \b
    gdgrade nbgrader init                  once: write nbgrader_config.py
    gdgrade nbgrader build ex05            source/ex05/ex05.ipynb from the exercise
    nbgrader generate_assignment ex05      the students' version
    nbgrader autograde ex05                grade, as ever; or, in parallel:
    gdgrade nbgrader grade ex05
    """


@nbgrader_group.command("init", epilog="Exit codes: 0 written, 2 there is a configuration already, or wrong usage.")
@course_dir_option
@course_option
def init_command(course_dir: Path, course_path: Path | None) -> None:
    """Write nbgrader_config.py, so that `nbgrader autograde` judges by gdgrade.

    Students' code is then run in gdgrade's confined worker, never in a kernel. An existing configuration is not
    touched; the lines that it must get are shown.
    """
    from gdgrade.nbgrader.settings import CONFIG, config_text, merge_line

    course = load(course_path)
    path = course_dir / CONFIG
    if path.exists():
        lines = f"  from gdgrade.nbgrader import configure\n  {merge_line(course.root.resolve())}"
        usage(f"{path} is there and is not overwritten. Put this after what it says already:\n\n{lines}")
    try:
        course_dir.mkdir(parents=True, exist_ok=True)
        path.write_text(config_text(course.root.resolve(), course.id), encoding="utf-8")
    except OSError as error:
        usage(f"{path} cannot be written: {error.strerror}")
    click.echo(f"{path}: nbgrader autograde now judges by gdgrade")


@nbgrader_group.command("build", epilog="Exit codes: 0 done, 2 wrong usage, or a notebook that would be overwritten.")
@click.argument("exercises", nargs=-1, metavar="[EX]...")
@course_dir_option
@click.option("--force", is_flag=True, help="Also over a source notebook that is another one.")
@click.option("--language", metavar="LANG", default="", help="Of the statement, where there is a translation: fr.")
@course_option
def build_command(
    exercises: tuple[str, ...], course_dir: Path, force: bool, language: str, course_path: Path | None
) -> None:
    """Write source/EX/EX.ipynb for each EX, or for all exercises: statement, answer cells, one grade cell per part.

    \b
    Examples:
      gdgrade nbgrader build ex05 --course-dir ~/nbgrader-course
      gdgrade nbgrader build                      all exercises
    """
    from gdgrade.course.errors import CourseError
    from gdgrade.nbgrader.source import build, notebook_name, write

    course = load(course_path)
    try:
        for exercise in chosen(course, exercises):
            name = notebook_name(exercise)
            source = build(exercise, language)
            new = write(source, course_dir / "source" / name, name, force=force)
            bonus = f", bonus {exercise.max_bonus:g}" if exercise.max_bonus else ""
            state = "" if new else " (as before)"
            path = course_dir / "source" / name / f"{name}.ipynb"
            click.echo(f"{path}: {len(exercise.parts)} parts, {exercise.max_points:g} points{bonus}{state}")
    except (CourseError, FileExistsError) as error:
        usage(str(error))
    except OSError as error:
        usage(f"{course_dir} cannot be written: {error.strerror}")


@nbgrader_group.command(
    "grade",
    epilog="Exit codes: 0 everything was graded (whatever the grades), 1 something needs a person, 2 wrong usage, "
    "3 the machine failed, 130 stopped by Ctrl-C.",
)
@click.argument("exercises", nargs=-1, metavar="[EX]...")
@course_dir_option
@click.option("--db", "db_url", metavar="URL", default="", help="The gradebook. Default: as nbgrader is configured.")
@click.option("--jobs", default="auto", show_default=True, help="Submissions at once.")
@click.option("--again", is_flag=True, help="Judge also what has been judged already.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@class_lang_option
@click.option("--confine", type=click.Choice(["strict", "best", "none"]), default="strict", show_default=True,
              help="How to confine students' code: strict refuses when a layer is missing.")  # fmt: skip
@course_option
def grade_command(
    exercises: tuple[str, ...], course_dir: Path, db_url: str, jobs: str, again: bool, quiet: bool, lang: str | None,
    confine: str, course_path: Path | None,
) -> None:  # fmt: skip
    """Grade what lies in submitted/ for each EX, or for all exercises, and write nbgrader's gradebook.

    Hand-ins are judged in parallel; one process then writes scores, comments with hints, late penalties and
    autograded/, so that generate_feedback, formgrader and export work as ever. Scores and comments by hand stay.

    \b
    Examples:
      gdgrade nbgrader grade ex05 --course-dir ~/nbgrader-course
      gdgrade nbgrader grade --db postgresql://nbgrader@db/grades
    """
    from gdgrade.judging import Options

    course = load(course_path)
    options = Options(confine=confine, language=class_language(course, lang))
    grade_course(course, chosen(course, exercises), course_dir, options, db_url=db_url, jobs=jobs, again=again,
                 quiet=quiet)  # fmt: skip


def grade_course(
    course: Course, exercises: Iterable[Exercise], course_dir: Path, options: Options, *, db_url: str = "",
    jobs: str = "auto", again: bool = False, quiet: bool = False, out: Path | None = None,
) -> None:  # fmt: skip
    """Grade exercises of an nbgrader course, show one line per hand-in, and end with the exit code.

    Args:
        out: folder of the store; None: within nbgrader's course.
    """
    from gdgrade.batch.run import MachineError
    from gdgrade.batch.store import Store, StoreError
    from gdgrade.nbgrader.grading import Folders, NbgraderError

    if not course_dir.is_dir():
        usage(f"{course_dir} is no folder; give nbgrader's course")
    try:
        folders = Folders(course_dir, db_url)
        with Store(out or course_dir / STORE, write=True) as store:
            people = sum(
                _grade(store, course, exercise, folders, options, jobs, again, quiet) for exercise in exercises
            )
    except NbgraderError as error:
        usage(str(error))
    except (MachineError, StoreError) as error:
        machine(f"{error}. What was judged is kept; the same command goes on")
    except ModuleNotFoundError as error:  # SQLAlchemy imports a database's driver when it is named
        usage(f"the gradebook's database needs the package {error.name}, which is not installed")
    except Exception as error:
        if not type(error).__module__.startswith("sqlalchemy"):
            raise
        machine(f"the gradebook cannot be written: {str(error).splitlines()[0]}. The same command goes on")
    sys.exit(EXIT_FAILED if people else 0)


def _grade(
    store: Store, course: Course, exercise: Exercise, folders: Folders, options: Options, jobs: str, again: bool,
    quiet: bool,
) -> int:  # fmt: skip
    """Grade one exercise; returns how many hand-ins need a person."""
    from gdgrade.batch.progress import shown
    from gdgrade.cli.batch import job_count, stopping
    from gdgrade.language import use
    from gdgrade.nbgrader.grading import assignment_of, hand_ins, judge_all, write_all

    assignment = assignment_of(folders, exercise)
    found = hand_ins(folders, exercise, assignment)
    if not found:
        return 0
    with stopping() as stop, shown(quiet) as show:
        judged = judge_all(store, course, exercise, found, options, jobs=job_count(jobs), stop=stop, show=show,
                           again=again)  # fmt: skip
    click.echo(f"{assignment}: {len(found)} hand-ins")
    use(options.language, course.root / "locale")  # of what is written into the notebooks
    lines = list(_shown(write_all(folders, exercise, assignment, found, judged)))
    if stop.is_set():
        click.echo("stopped; what was judged is kept and written. The same command goes on.", err=True)
        sys.exit(130)
    return sum(bool(line.problem) for line in lines)


def _shown(lines: Iterable[Line]) -> Any:
    for line in lines:
        score = "no score" if line.score is None else f"{line.score:g} of {line.max_score:g}"
        late = f", late: -{line.penalty:g}" if line.penalty else ""
        trouble = f"; for a person: {line.problem}" if line.problem else ""
        click.echo(f"  {line.student}: {score}{late}{trouble}")
        for note in line.notes:
            click.echo(f"    {note}")
        yield line


def chosen(course: Course, names: Iterable[str]) -> list[Exercise]:
    """The exercises of these names; all of them, if there are none."""
    from gdgrade.course.errors import UnknownExerciseError
    from gdgrade.course.lookup import resolve_exercise

    try:
        return [resolve_exercise(course, name) for name in names] or list(course.exercises)
    except UnknownExerciseError as error:
        usage(str(error))
