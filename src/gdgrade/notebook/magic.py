"""``%check``: the line that students type."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from typing import Any

from gdgrade.language import N_, _
from gdgrade.notebook.errors import CheckError, one_line_interrupts

HELP = N_("""\
%check EXERCISE [PART] [--plot] [--quick] [--seed N] [--course FOLDER]

Judge the functions that the cells run so far define. Cells are not run again; of several definitions of a name the
last one counts.

    %check 5.2            part 5.2
    %check ex05           the whole exercise
    %check ex05 5.2       the same part, exercise named
    %check ex05 --plot    with the figures made from your functions
    %check ex05 --quick   without checks that train a network
""")


@dataclass(frozen=True)
class Request:
    """A line, understood."""

    exercise: str
    part: str | None = None
    plot: bool = False
    quick: bool = False
    seed: int | None = None
    course: str | None = None


def parse(line: str) -> Request | None:
    """Understand the arguments of ``%check``; None for a call for help.

    Raises:
        CheckError: with what is wrong and how it is meant.
    """
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        raise CheckError(_("a quotation mark is not closed")) from None
    names: list[str] = []
    options: dict[str, Any] = {}
    while words:
        word, _sign, value = words.pop(0).partition("=")
        if word in ("--help", "-h"):
            return None
        if word in ("--plot", "--quick") and not value:
            options[word[2:]] = True
        elif word in ("--part", "--seed", "--course"):
            value = value or (words.pop(0) if words else "")
            if not value:
                raise CheckError(_("{option} needs a value").format(option=word))
            options[word[2:]] = value
        elif word.startswith("-"):
            raise CheckError(_("no option {option}; %check --help shows those there are").format(option=word))
        else:
            names.append(word)
    if "seed" in options:
        options["seed"] = _number(options["seed"])
    if not names or len(names) + ("part" in options) > 2:
        raise CheckError(_("name an exercise or a part, such as %check ex05 or %check 5.2"))
    if len(names) == 2:
        options["part"] = names[1]
    return Request(names[0], **options)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise CheckError(_("--seed is a whole number, not negative"))
    return int(text)


@one_line_interrupts()
def check_magic(line: str) -> None:
    """Run ``%check`` and display its verdict."""
    import IPython.display

    page: Any = IPython.display  # it has no annotations
    request = parse(line)
    if request is None:
        print(_(HELP))  # noqa: T201 - a help text asked for in a cell
        return
    from gdgrade.notebook.checking import check
    from gdgrade.report.wording import points_of

    done = 0
    handle = page.display(_progress(request, 0), raw=True, display_id=True)

    def on_event(event: object) -> None:
        nonlocal done
        done += 1
        handle.update(_progress(request, done), raw=True)

    try:
        verdict = check(
            request.exercise, request.part, plot=request.plot, quick=request.quick, seed=request.seed,
            course=request.course, on_event=on_event,
        )  # fmt: skip
    except BaseException:
        handle.update({"text/plain": ""}, raw=True)
        raise
    handle.update(verdict)
    if os.environ.get("NBGRADER_VALIDATING") and not verdict.passed:
        # nbgrader's "Validate" takes a cell without an error for one that passed.
        raise CheckError(points_of(verdict.points, verdict.max_points))


def _progress(request: Request, done: int) -> dict[str, str]:
    text = _("checking {what} ...") if not done else _("checking {what}: {done} checks done")
    return {"text/plain": text.format(what=request.part or request.exercise, done=done)}


check_magic.__doc__ = HELP  # `%check?` shows it


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext gdgrade``."""
    shell.register_magic_function(check_magic, magic_kind="line", magic_name="check")


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext gdgrade``."""
    shell.magics_manager.magics["line"].pop("check", None)
