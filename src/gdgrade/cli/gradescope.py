"""`gdgrade gradescope`: make an autograder for Gradescope, and be one."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from gdgrade.cli.common import course_option, load, usage
from gdgrade.language import use


@click.group("gradescope")
def gradescope_group() -> None:
    """Grade on Gradescope: `build` the autograder's zip, upload it there."""


@gradescope_group.command("build")
@click.argument("exercise")
@click.argument("zip_file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--engine", type=click.Path(exists=True, path_type=Path, file_okay=False),
              help="Folder of gdgrade's source. Default: where this gdgrade runs from.")  # fmt: skip
@click.option("--with-secret", is_flag=True, help="Put the secret seed into the zip, for hidden checks.")
@course_option
def build_command(
    exercise: str, zip_file: Path, engine: Path | None, with_secret: bool, course_path: Path | None
) -> None:
    """Write ZIP_FILE, the autograder of EXERCISE: engine, graders, reference and the two scripts Gradescope runs."""
    from gdgrade.batch.exports.gradescope import build
    from gdgrade.course.errors import CourseError
    from gdgrade.course.lookup import resolve_exercise
    from gdgrade.course.seeds import grading_seed

    course = load(course_path)
    engine = engine or Path(__file__).resolve().parents[3]
    try:
        chosen = resolve_exercise(course, exercise)
        secret = grading_seed(course, os.environ).secret if with_secret else None
        if with_secret and secret is None:
            usage("--with-secret, but no secret seed is set")
        names = build(course, chosen, engine, zip_file, secret)
    except (CourseError, FileNotFoundError) as error:
        usage(str(error))
    click.echo(f"{zip_file}: {len(names)} files")


@gradescope_group.command("grade")
@click.argument("exercise")
@click.argument("submission", type=click.Path(exists=True, path_type=Path))
@click.argument("results_file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--confine", type=click.Choice(["strict", "best", "none"]), default="best", show_default=True,
              help="How to confine the student's code.")  # fmt: skip
@course_option
def grade_command(exercise: str, submission: Path, results_file: Path, confine: str, course_path: Path | None) -> None:
    """Grade the file of EXERCISE in the folder SUBMISSION and write RESULTS_FILE (results.json)."""
    from gdgrade.batch.exports.gradescope import failure, results, to_json
    from gdgrade.course.errors import CourseError, SubmissionError
    from gdgrade.course.lookup import resolve_exercise
    from gdgrade.course.submission import read_submission
    from gdgrade.judging import Options, make_job, run, settings_for, to_report
    from gdgrade.processes.launcher import LaunchError, Zygote, fork_available

    course, started = load(course_path), time.time()
    use(course.info.language, course.root / "locale")
    zygote = None
    code = 0
    try:
        chosen = resolve_exercise(course, exercise)
        file = _file_of(submission, chosen.entry)
        read = read_submission(file)
        job = make_job(course, chosen, read, Options(confine=confine))
        zygote = Zygote(settings_for(chosen, confine)) if fork_available() else None
        result = run(job, zygote)
        if result["errors"]:
            raise LaunchError(str(result["errors"][0]))
        content = results(to_report(course, chosen, read, job, result, started=started))
    except SubmissionError as error:
        content = failure(str(error))
    except CourseError as error:
        usage(str(error))
    except LaunchError as error:
        content, code = failure(f"It could not be graded; tell your teacher. ({error})"), 3
    finally:
        if zygote is not None:
            zygote.close()
    results_file.parent.mkdir(parents=True, exist_ok=True)
    results_file.write_text(to_json(content), encoding="utf-8")
    sys.exit(code)


def _file_of(submission: Path, entry: str) -> Path:
    """The student's file: by the exercise's name for it, else the only Python file or notebook."""
    if submission.is_file():
        return submission
    named = [submission / entry, (submission / entry).with_suffix(".ipynb")]
    found = [path for path in named if path.exists()]
    others = [path for path in sorted(submission.iterdir()) if path.suffix.lower() in (".py", ".ipynb")]
    return found[0] if found else others[0] if len(others) == 1 else submission / entry
