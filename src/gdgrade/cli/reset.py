"""`gdgrade reset`: an exercise's file as it was handed out, or one part's functions of it; the old file is kept."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from gdgrade.cli.common import course_option, lang_option, load, usage
from gdgrade.language import _


@click.command("reset", epilog="Exit codes: 0 put back, 2 wrong usage, 3 the machine failed.")
@click.argument("exercise")
@click.option("--part", metavar="ID", help="Only the functions and classes of this part, such as 5.2.")
@lang_option
@course_option
def reset_command(exercise: str, part: str | None, course_path: Path | None) -> None:
    """Put your file of EXERCISE back to what was handed out.

    The old file stays beside it, under a dated name. With --part only that part's functions are put back; everything
    else of your file stays as it is, byte for byte.

    \b
    Examples:
      gdgrade reset ex05
      gdgrade reset ex05 --part 5.2
    """
    from gdgrade.cli.common import machine
    from gdgrade.course.errors import CourseError
    from gdgrade.course.lookup import resolve_exercise
    from gdgrade.workspace import stubs
    from gdgrade.workspace.display import relative

    course = load(course_path)
    try:
        chosen = resolve_exercise(course, exercise)
    except CourseError as error:
        usage(str(error))
    short, path = chosen.short or chosen.id, chosen.entry_path
    stub = stubs.pristine(chosen, course.root)
    if stub is None:
        usage(
            _("the handed-out {file} is not kept here. `gdgrade start` keeps it; or copy it from the release.").format(
                file=chosen.entry
            )
        )
    if part is not None and part not in {entry.id for entry in chosen.parts}:
        known = ", ".join(entry.id for entry in chosen.parts)
        usage(_("{exercise} has no part {part}; its parts are {known}").format(
            exercise=chosen.id, part=repr(part), known=known))  # fmt: skip
    names: list[str] = []
    try:
        old = path.read_bytes() if path.exists() else None
        new = stub
        if part is not None and old is not None:
            new, names = stubs.with_part_reset(old, stub, part)
        if old == new:
            click.echo(_("{path} is as it was handed out; nothing was changed").format(path=relative(path)))
            return
        copy = stubs.back_up(path, datetime.now()) if old is not None else None
        stubs.replace(path, new)
    except stubs.NotPythonError as error:
        usage(
            _("{path} is not Python as it stands ({reason}), so no part can be cut out. Mend that line, or put the "
              "whole file back: gdgrade reset {exercise}").format(
                  path=relative(path), reason=str(error), exercise=short)
        )  # fmt: skip
    except stubs.StubError:
        usage(_("part {part} has no function of its own: nothing to put back").format(part=part))
    except OSError as error:
        machine(_("{path} cannot be written: {reason}").format(path=path, reason=error.strerror))
    what = ", ".join(names) if names else relative(path)
    click.echo(_("put back: {what}").format(what=what))
    if copy is not None:
        click.echo(_("the old file: {path}").format(path=relative(copy)))
