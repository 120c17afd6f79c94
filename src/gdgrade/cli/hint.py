"""`gdgrade hint` and `gdgrade solution`: help on request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gdgrade.cli.common import course_option, lang_option, load, usage
from gdgrade.language import _, course_text

if TYPE_CHECKING:
    from gdgrade.course.manifest import Course, Exercise


@click.command("hint", epilog="Exit codes: 0 shown, 2 wrong usage or no hints.")
@click.argument("exercise")
@click.argument("part", required=False)
@click.argument("number", required=False, type=click.IntRange(min=1), metavar="[N]")
@lang_option
@course_option
def hint_command(exercise: str, part: str | None, number: int | None, course_path: Path | None) -> None:
    """Show a hint on PART of EXERCISE: a question first, then an experiment, then nearly the idea.

    Without N you get the next one that you have not seen; without PART, one on what `gdgrade next` names. Hints cost
    nothing; that you looked at them is noted in your own workspace only.

    \b
    Examples:
      gdgrade hint ex05 5.2
      gdgrade hint ex05 5.2 3
    """
    from gdgrade.language import language
    from gdgrade.workspace import hints

    course = load(course_path)
    chosen = _exercise(course, exercise)
    part = _part(course, chosen, part)
    try:
        texts = hints.read(chosen, language()).get(part, ())
    except hints.HintsError as error:
        usage(str(error))
    if not texts:
        usage(_("there are no hints on part {part}").format(part=part))
    if number is not None and number > len(texts):
        usage(_("part {part} has {count} hints; there is no hint {number}").format(
            part=part, count=len(texts), number=number))  # fmt: skip
    seen = _seen(course.root, chosen.id, part)
    shown = number or min(seen + 1, len(texts))
    _show(chosen, part, texts, shown)
    _note(course.root, chosen.id, part, shown)


@click.command("solution", epilog="Exit codes: 0 shown, 2 wrong usage, or there is no solution here.")
@click.argument("exercise")
@lang_option
@course_option
def solution_command(exercise: str, course_path: Path | None) -> None:
    """Print the reference solution of EXERCISE, where the course folder has it.

    A package for students has none.

    \b
    Example:
      gdgrade solution ex05
    """
    course = load(course_path)
    chosen = _exercise(course, exercise)
    try:
        text = chosen.reference_path.read_text(encoding="utf-8")
    except FileNotFoundError:
        usage(_("this package holds no solution of {exercise}. Try: gdgrade hint {exercise}").format(
            exercise=chosen.short or chosen.id))  # fmt: skip
    except OSError as error:
        usage(_("{path} cannot be read: {reason}").format(path=chosen.reference_path, reason=error.strerror))
    click.echo(text, nl=False)


def _exercise(course: Course, name: str) -> Exercise:
    from gdgrade.course.errors import CourseError
    from gdgrade.course.lookup import resolve_exercise

    try:
        return resolve_exercise(course, name)
    except CourseError as error:
        usage(str(error))


def _part(course: Course, exercise: Exercise, part: str | None) -> str:
    """The part that is meant: as given, or its last number alone, or the next one to write."""
    known = [entry.id for entry in exercise.parts]
    if part is None:
        from gdgrade.cli.status import step_in
        from gdgrade.workspace.progress import Progress, read

        try:
            progress = read(course.root) or Progress()
        except OSError:
            progress = Progress()
        step = step_in(course, [exercise], progress)
        return step.part.part.id if step is not None else known[0]
    if part not in known and f"{exercise.number}.{part}" in known:
        return f"{exercise.number}.{part}"
    if part not in known:
        usage(_("{exercise} has no part {part}; its parts are {known}").format(
            exercise=exercise.id, part=repr(part), known=", ".join(known)))  # fmt: skip
    return part


def _seen(root: Path, exercise: str, part: str) -> int:
    from gdgrade.workspace.progress import read

    try:
        progress = read(root)
    except OSError:
        return 0
    return progress.hints.get((exercise, part), 0) if progress is not None else 0


def _show(exercise: Exercise, part: str, texts: tuple[str, ...], number: int) -> None:
    import shutil
    import textwrap

    short = exercise.short or exercise.id
    title = course_text(exercise.part(part).title)
    click.echo(f"{part}  {title}   " + _("hint {number} of {count}").format(number=number, count=len(texts)))
    width = min(shutil.get_terminal_size().columns, 100)
    wrapper = textwrap.TextWrapper(
        width, initial_indent="  ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    click.echo(wrapper.fill(texts[number - 1]))
    if number < len(texts):
        click.echo(_("More: {command}").format(command=f"gdgrade hint {short} {part} {number + 1}"))
    else:
        click.echo(_("That is the last one. {command}").format(command=f"gdgrade check {short} --part {part}"))


def _note(root: Path, exercise: str, part: str, number: int) -> None:
    from gdgrade.workspace.progress import note_hint

    try:
        note_hint(root, exercise, part, number)
    except OSError as error:
        click.echo(_("gdgrade: warning: progress was not kept: {reason}").format(reason=error), err=True)
