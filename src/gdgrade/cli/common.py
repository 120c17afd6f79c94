"""What several commands share: options, the course, and how errors become exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from gdgrade.language import LANGUAGES, language, use

if TYPE_CHECKING:
    from gdgrade.course.manifest import Course

F = TypeVar("F", bound=Callable[..., Any])

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_MACHINE = 3

course_option = click.option(
    "--course",
    "course_path",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="The course folder or its course.yml. Default: the nearest one above the current folder, or GDGRADE_COURSE.",
)
confine_option = click.option(
    "--confine",
    type=click.Choice(["strict", "best", "none"]),
    default="best",
    show_default=True,
    help="How to confine the student's code: strict refuses when a layer is missing.",
)
lang_option = click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    expose_value=False,  # it is in force since before the line was read; see `gdgrade.cli.speaking`
    help="The language of everything that is printed. Default: GDGRADE_LANG, else the system's.",
)
class_lang_option = click.option(
    "--lang", type=click.Choice(LANGUAGES), help="Language of titles, messages and hints. Default: course.language."
)
start_method_option = click.option(
    "--start-method",
    type=click.Choice(["fork", "spawn"]),
    default=None,
    help="How workers are started. Default: fork on Linux, spawn elsewhere.",
)


def load(course_path: Path | None, read: Callable[[Path], Course] | None = None) -> Course:
    """The course that is meant; a faulty or missing one ends the command with exit code 2.

    Args:
        read: in place of `load_course`.
    """
    import os

    from gdgrade.course.errors import CourseError
    from gdgrade.course.loading import load_course
    from gdgrade.course.lookup import find_course

    try:
        course = (read or load_course)(find_course(option=course_path, env=os.environ))
    except CourseError as error:
        usage(str(error))
    use(language(), course.root / "locale")
    return course


def class_language(course: Course, option: str | None) -> str:
    """The language of verdicts on a whole class: the option, else the course's. The teacher's own does not count."""
    return option or course.info.language


def usage(message: str) -> NoReturn:
    """End with exit code 2 and a message on stderr."""
    raise Quit(message, EXIT_USAGE)


def machine(message: str) -> NoReturn:
    """End with exit code 3 and a message on stderr."""
    raise Quit(message, EXIT_MACHINE)


class Quit(click.ClickException):
    """An expected failure with its exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]

    def show(self, file: Any = None) -> None:
        click.echo(f"gdgrade: {self.format_message()}", file=file or sys.stderr)
