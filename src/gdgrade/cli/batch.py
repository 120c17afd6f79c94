"""`gdgrade batch`: collect hand-ins, grade them, keep every verdict."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gdgrade.cli.common import EXIT_FAILED, class_lang_option, class_language, course_option, load, machine, usage

if TYPE_CHECKING:
    from gdgrade.batch.run import Progress
    from gdgrade.batch.store import Store
    from gdgrade.course.manifest import Course
    from gdgrade.judging import Options

_KEPT: dict[str, Any] = {"seed": None, "quick": False, "again": False, "lang": None}  # what a run is resumed with

out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out/batch"),
    show_default=True,
    help="Folder of the store.",
)


@click.command(
    "batch",
    epilog="Exit codes: 0 everything was taken and graded (whatever the grades), 1 something needs a person, "
    "2 wrong usage, 3 the machine failed, 130 stopped by Ctrl-C.",
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@out_option
@click.option("--resume", is_flag=True, help="Go on with the last run, where it stopped.")
@click.option("--again", is_flag=True, help="Grade also what an earlier run has graded already.")
@click.option("--exercise", "exercise_name", metavar="EX", help="Everything belongs to this exercise.")
@click.option("--pattern", default="{student}_{exercise}", show_default=True, help="File names in a flat folder.")
@click.option("--extensions", type=click.Path(path_type=Path), help="CSV: student, days[, exercise].")
@click.option("--timezone", metavar="ZONE", help="Of times in zip archives, such as Europe/Paris. Default: here.")
@click.option("--mtime", is_flag=True, help="Files' own times count as times of submission, for want of better.")
@click.option("--jobs", default="auto", show_default=True, help="Submissions at once.")
@click.option("--scheduler", metavar="ADDRESS", help="Grade on a Dask cluster, such as tcp://head:8786.")
@click.option("--quick", is_flag=True, help="Leave out checks that train a network.")
@click.option("--seed", type=click.IntRange(min=0), help="Another public seed than the course's.")
@click.option("--confine", type=click.Choice(["strict", "best", "none"]), default="strict", show_default=True,
              help="How to confine students' code: strict refuses when a layer is missing.")  # fmt: skip
@click.option("--trust-submissions", is_flag=True, help="Where nothing can be confined: run students' code anyway.")
@click.option("--nbgrader", "course_dir", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Grade submitted/ of the nbgrader course DIR and write its gradebook.")  # fmt: skip
@class_lang_option
@click.option("--dry-run", is_flag=True, help="Only show what would be taken, and what not.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@course_option
def batch_command(**arguments: Any) -> None:
    """Grade all hand-ins in PATHS: folders, archives, exports of Moodle, Canvas, Gradescope or nbgrader.

    \b
    Examples:
      gdgrade batch hand-ins/                       a folder per student, or alice_ex05.py, bob_ex05.py ...
      gdgrade batch moodle-download.zip --exercise ex05 --timezone Europe/Paris
      gdgrade batch --resume                        after Ctrl-C, a crash, or when a package that checks need has come
    """
    from gdgrade.batch.store import Store, StoreError

    course = load(arguments["course_path"])
    if arguments["course_dir"] is not None:
        _to_nbgrader(arguments, course)
    _run(arguments, course, Store, StoreError)


def _run(arguments: dict[str, Any], course: Course, store_type: type[Store], store_error: type[Exception]) -> None:
    from gdgrade.batch.run import MachineError, grade_run

    for path in arguments["paths"]:
        if not path.exists():
            usage(f"{path} does not exist")
    options = _options(arguments, course)
    jobs = job_count(arguments["jobs"])
    if arguments["dry_run"]:
        _show_collection(arguments, course)
        return
    if not arguments["paths"] and not arguments["resume"]:
        usage("name what to grade, or --resume the last run")
    try:
        with store_type(arguments["out"], write=True) as store:
            if arguments["resume"]:
                run, kept = _resumed(store, course)
                store.reopen(run)  # what waited for a package that is here now
                options, again = _options({**arguments, **kept}, course), kept["again"]
            else:
                run, again = _begun(store, course, arguments)
            with stopping() as stop, _shown(arguments["quiet"]) as show:
                progress = grade_run(
                    store, run, course, options, jobs=jobs, stop=stop, again=again, show=show,
                    scheduler=arguments["scheduler"],
                )  # fmt: skip
            if stop.is_set() and store.pending(run):
                store.end_run(run, "stopped")
                click.echo(f"stopped; what was graded is kept. Go on with: {_go_on(arguments)}", err=True)
                sys.exit(130)
            store.end_run(run, "done")
            _finish(store, course, run, progress, arguments)
    except MachineError as error:
        machine(f"{error}. What was graded is kept. Go on with: {_go_on(arguments)}")
    except store_error as error:
        machine(str(error))
    except ModuleNotFoundError as error:
        if error.name != "distributed":
            raise
        usage("--scheduler needs Dask: pip install 'gdgrade[cluster]'")


def _to_nbgrader(arguments: dict[str, Any], course: Course) -> None:
    """Grade an nbgrader course; ends with its exit code. Where things lie there is nbgrader's business."""
    from gdgrade.cli.nbgrader import chosen, grade_course

    for option in ("paths", "resume", "extensions", "mtime", "scheduler", "dry_run", "timezone"):
        if arguments[option]:
            usage(f"--nbgrader goes without {'PATHS' if option == 'paths' else '--' + option.replace('_', '-')}")
    names = [arguments["exercise_name"]] if arguments["exercise_name"] else []
    given = click.get_current_context().get_parameter_source("out") == click.core.ParameterSource.COMMANDLINE
    options = _options(arguments, course)
    grade_course(course, chosen(course, names), arguments["course_dir"], options, jobs=arguments["jobs"],
                 again=arguments["again"], quiet=arguments["quiet"],
                 out=arguments["out"] if given else None)  # fmt: skip


def _options(arguments: dict[str, Any], course: Course) -> Options:
    from gdgrade.judging import Options
    from gdgrade.processes.launcher import fork_available

    language = class_language(course, arguments["lang"])
    if not fork_available() or arguments["trust_submissions"]:
        if not arguments["trust_submissions"]:
            usage("students' code cannot be confined on this system; --trust-submissions runs it anyway")
        start = None if fork_available() else "spawn"
        confine = "best" if fork_available() else "none"
        return Options(arguments["seed"], confine, start, quick=arguments["quick"], language=language)
    return Options(arguments["seed"], arguments["confine"], quick=arguments["quick"], language=language)


def job_count(text: str) -> int:
    """The number that `--jobs` means."""
    from gdgrade.batch.grading import default_jobs

    if text == "auto":
        return default_jobs()
    if not text.isdigit() or not 1 <= int(text) <= 1024:
        usage(f"--jobs must be auto or a number from 1 to 1024, got {text!r}")
    return int(text)


def _found(arguments: dict[str, Any], course: Course) -> Iterator[Any]:
    from gdgrade.batch.collect import How, collect
    from gdgrade.batch.layouts import Layouts
    from gdgrade.course.errors import CourseError
    from gdgrade.course.lookup import resolve_exercise

    name, zone = arguments["exercise_name"], None
    if arguments["timezone"]:
        import zoneinfo

        try:
            zone = zoneinfo.ZoneInfo(arguments["timezone"])
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            usage(f"there is no time zone {arguments['timezone']!r}; give one such as Europe/Paris")
    try:
        exercise = resolve_exercise(course, name) if name else None
        Layouts((), arguments["pattern"])
    except (CourseError, ValueError) as error:
        usage(str(error))
    how = How(exercise, arguments["pattern"], zone, arguments["mtime"])
    return collect(arguments["paths"], course, how)


def _begun(store: Store, course: Course, arguments: dict[str, Any]) -> tuple[int, bool]:
    from gdgrade.batch.manual import ManualError, grant, read_extensions

    if arguments["extensions"]:
        try:
            grant(store, read_extensions(arguments["extensions"], course))
        except ManualError as error:
            usage(str(error))
    kept = {name: arguments[name] for name in _KEPT}
    return store.begin_run(course.id, course.revision, kept, _found(arguments, course)), arguments["again"]


def _resumed(store: Store, course: Course) -> tuple[int, dict[str, Any]]:
    """The last run, and what it was begun with: a resumed run goes on with the same seed and the same checks."""
    import json

    last = store.last_run()
    if last is None:
        usage("there is no run to go on with; name what to grade")
    if last["course"] != course.id:
        usage(f"the last run graded the course {last['course']!r}, this one is {course.id!r}; see --course")
    begun = json.loads(last["options"])
    # What --again graded before it stopped has its verdict; the rest is still to be graded again.
    return int(last["id"]), {name: begun.get(name, default) for name, default in _KEPT.items()}


def _go_on(arguments: dict[str, Any]) -> str:
    course = f" --course {arguments['course_path']}" if arguments["course_path"] else ""
    cluster = f" --scheduler {arguments['scheduler']}" if arguments["scheduler"] else ""
    return f"gdgrade batch --resume --out {arguments['out']}{cluster}{course}"


@contextlib.contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets: what is being graded is finished. A second Ctrl-C ends at once."""
    stop = threading.Event()

    def ask(number: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        sys.stderr.write("\ngdgrade: finishing what is being graded; Ctrl-C again ends at once\n")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except KeyboardInterrupt:
        click.echo("ended at once; what was graded is kept. Go on with --resume", err=True)
        sys.exit(130)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _shown(quiet: bool) -> Any:
    from gdgrade.batch.progress import shown

    return shown(quiet)


def _show_collection(arguments: dict[str, Any], course: Course) -> None:
    from gdgrade.batch.sources import Refused

    for entry in _found(arguments, course):
        if isinstance(entry, Refused):
            click.echo(f"not taken  {entry.path}: {entry.reason}")
        else:
            when = f", {entry.submitted.isoformat(' ', 'minutes')}" if entry.submitted else ""
            trouble = f": {entry.problem}" if entry.problem else ""
            click.echo(f"{entry.exercise}  {entry.student}  {entry.file}{when}{trouble}")


def _finish(store: Store, course: Course, run: int, progress: Progress, arguments: dict[str, Any]) -> None:
    """The summary on stdout, and the exit code."""
    from gdgrade.batch.grades import each_grade

    states: Counter[str] = Counter()
    students: set[str] = set()
    points: dict[str, list[float]] = {}
    people: dict[tuple[str, str], str] = {}
    for grade in each_grade(store, course, run=run):
        states[grade.state] += 1
        students.add(grade.student)
        if grade.final is not None:
            points.setdefault(grade.exercise, []).append(grade.final)
        if grade.needs_person:
            people[grade.student, grade.exercise] = grade.problem or grade.state
    refused = store.db.execute("SELECT path, reason FROM refused WHERE run = ?", (run,)).fetchall()
    click.echo(f"run {run}: {states.total()} hand-ins of {len(students)} students, "
               f"{progress.total - progress.known} files graded, {progress.known} known from earlier runs")  # fmt: skip
    for exercise in course.exercises:
        mine = points.get(exercise.id, ())
        if mine:
            mean = sum(mine) / len(mine)
            click.echo(f"  {exercise.id}: {len(mine)} graded, mean {mean:.2f} of {exercise.max_points:g}")
    for row in refused:
        click.echo(f"  not taken: {row['path']}: {row['reason']}")
    for (student, exercise_id), why in people.items():
        click.echo(f"  for a person: {student} {exercise_id}: {why}")
    click.echo(f"look: gdgrade results --out {arguments['out']}")
    sys.exit(EXIT_FAILED if people or refused else 0)
