"""`gdgrade start`: a workspace from a release of the course."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from gdgrade.cli.common import course_option, lang_option, machine, usage
from gdgrade.language import _, ngettext


@click.command("start", epilog="Exit codes: 0 made, 2 wrong usage or nothing to start from, 3 the machine failed.")
@click.argument("directory", required=False, metavar="[DIR]", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "source",
    metavar="ZIP|FOLDER",
    type=click.Path(path_type=Path),
    help="The release to start from. Default: the one that was installed with gdgrade.",
)
@click.option("--only", multiple=True, metavar="EX", help="From a teacher's checkout: only this exercise (repeatable).")
@click.option("--update", is_flag=True, help="Bring a workspace up to a newer release; your own files stay.")
@lang_option
@course_option
def start_command(
    directory: Path | None, source: Path | None, only: tuple[str, ...], update: bool, course_path: Path | None
) -> None:
    """Make your own folder of the course in DIR (default: a new folder named like the course).

    Statements, files to fill in, public checks and data are put there, and from then on gdgrade keeps your progress
    there. Nothing is ever overwritten. Inside an unpacked release, its own folder becomes your workspace.

    \b
    Examples:
      gdgrade start
      gdgrade start genai --from handout.zip
      cd unpacked-handout && gdgrade start
      gdgrade start genai --from handout-week-5.zip --update
    """
    from gdgrade.workspace.releases import StartError
    from gdgrade.workspace.start import start

    with _release(source, course_path, only) as release:
        if update:
            _update(release, directory)
            return
        if directory is None and release.resolve() == Path.cwd().resolve():
            directory = release
        try:
            made = start(release, directory)
        except StartError as error:
            usage(str(error))
    click.echo(_("{course}: your workspace is {path}").format(course=made.course.title, path=made.root))
    if made.files:
        click.echo(ngettext("{count} file was put there", "{count} files were put there", made.files)
                   .format(count=made.files))  # fmt: skip
    steps = [] if made.root.resolve() == Path.cwd().resolve() else [f"cd {made.root}"]
    click.echo(_("Next:"))
    for command in (*steps, "gdgrade doctor", "gdgrade next"):
        click.echo(f"  {command}")


def _update(release: Path, directory: Path | None) -> None:
    from gdgrade.course.errors import CourseError
    from gdgrade.course.lookup import find_course
    from gdgrade.workspace.releases import StartError
    from gdgrade.workspace.start import update

    try:
        root = directory if directory is not None else find_course(env={}).parent
        made = update(release, root)
    except (CourseError, StartError) as error:
        usage(str(error))
    click.echo(_("{course}: up to date").format(course=made.course.title))
    if made.added:
        click.echo(_("new: {names}").format(names=", ".join(made.added)))
    for path in made.kept:
        click.echo(_("what was handed out has changed, your file stays: {path}").format(path=path))


@contextlib.contextmanager
def _release(source: Path | None, course_path: Path | None, only: tuple[str, ...]) -> Iterator[Path]:
    """The release that is meant. A teacher's checkout is made into one first, so that nobody gets its solutions."""
    from gdgrade.workspace.releases import holds_solutions

    found = _source(source, course_path)
    if not (found.is_dir() and holds_solutions(found)):
        if only:
            usage(_("--only chooses from a teacher's checkout; {path} is a release").format(path=found))
        yield found
        return
    with tempfile.TemporaryDirectory(prefix="gdgrade-release-") as scratch:
        yield _made(found, Path(scratch) / "release", only)


def _source(source: Path | None, course_path: Path | None) -> Path:
    import os

    from gdgrade.course.errors import CourseError
    from gdgrade.course.lookup import find_course
    from gdgrade.workspace.releases import installed_release

    if source is not None:
        return source
    installed = installed_release()
    if course_path is None and (Path.cwd() / "course.yml").is_file():
        return Path.cwd()
    if course_path is None and installed is not None:
        return installed
    try:
        return find_course(option=course_path, env=os.environ).parent
    except CourseError as error:
        if course_path is not None:
            usage(str(error))
        usage(
            _(
                "there is no course to start from: none was installed with gdgrade, and none lies here. "
                "Name the package that your teachers gave you: gdgrade start --from handout.zip"
            )
        )


def _made(root: Path, out: Path, only: tuple[str, ...]) -> Path:
    from gdgrade.author.handout_files import PlaceError
    from gdgrade.author.release import ReleaseError, release
    from gdgrade.course.errors import CourseError, SubmissionError
    from gdgrade.course.loading import load_course
    from gdgrade.course.lookup import resolve_exercise
    from gdgrade.processes.launcher import LaunchError

    click.echo(
        _("{path} holds the solutions: a release is made of it first, which takes about a minute per exercise").format(
            path=root
        ),
        err=True,
    )
    try:
        course = load_course(root / "course.yml")
        release(course, [resolve_exercise(course, name) for name in only] or list(course.exercises), out)
    except (CourseError, SubmissionError) as error:
        usage(str(error))
    except (ReleaseError, PlaceError, LaunchError) as error:
        machine(str(error))
    return out
