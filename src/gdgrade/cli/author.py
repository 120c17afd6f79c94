"""`gdgrade author`: the instructor's kit. Each command imports what it needs when it runs."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gdgrade.cli.author_look import items_command, preview_command
from gdgrade.cli.author_new import new_command
from gdgrade.cli.author_release import release_command
from gdgrade.cli.common import EXIT_FAILED, course_option, load, machine, usage

if TYPE_CHECKING:
    from rich.console import Console

    from gdgrade.author.verdict import Verdict
    from gdgrade.course.manifest import Course, Exercise


@click.group("author")
def author_group() -> None:
    """Make exercises, prove them, release them, and look at how a class did."""


author_group.add_command(new_command)
author_group.add_command(release_command)
author_group.add_command(preview_command)
author_group.add_command(items_command)


@author_group.command(
    "check", epilog="Exit codes: 0 all sound, 1 some exercise is not, 2 wrong usage, 3 the machine failed."
)
@click.argument("exercises", nargs=-1, metavar="[EX...]")
@click.option("--quick/--full", default=True, help="A fixed sample in minutes, or everything.  [default: quick]")
@click.option(
    "--format", "style", type=click.Choice(["text", "json", "html"]), default="text", show_default=True,
    help="How to print the verdict.",
)  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Judges at a time.")
@click.option("--no-cache", is_flag=True, help="Judge everything anew.")
@click.option("--verbose", "-v", is_flag=True, help="Also show notes and every mistake's diagnosis.")
@course_option
def check_command(
    exercises: tuple[str, ...],
    quick: bool,
    style: str,
    jobs: int,
    no_cache: bool,
    verbose: bool,
    course_path: Path | None,
) -> None:
    """Prove that the graders of EX... (default: all exercises) tell right from wrong.

    The reference, the stub, planted answers, known mistakes, automatic mutants of the reference and junk answers are
    judged; each must get the verdict that it deserves.

    \b
    Examples:
      gdgrade author check ex05
      gdgrade author check --full --format html > verdict.html
    """
    from gdgrade.author.cache import Cache, default_cache
    from gdgrade.author.soundness import examine_all
    from gdgrade.author.tasks import FULL, QUICK
    from gdgrade.course.errors import CourseError, SubmissionError
    from gdgrade.processes.launcher import LaunchError

    course = load(course_path)
    chosen = _exercises(course, exercises)
    cache = Cache(None) if no_cache else default_cache(course.root)
    effort = QUICK if quick else FULL
    started = time.monotonic()
    try:
        with _progress() as (expect, progress, aside):

            def tell(verdict: Verdict) -> None:
                with aside():
                    _show_one(verdict, verbose)

            verdicts = examine_all(
                course, chosen, effort, jobs=jobs, cache=cache, expect=expect, progress=progress,
                tell=tell if style == "text" else None,
            )  # fmt: skip
    except (CourseError, SubmissionError) as error:
        usage(str(error))
    except LaunchError as error:
        machine(str(error))
    except KeyboardInterrupt:
        click.echo("stopped; what was judged so far is in the cache", err=True)
        sys.exit(130)
    _show_all(verdicts, style, time.monotonic() - started)
    sys.exit(0 if all(verdict.sound for verdict in verdicts) else EXIT_FAILED)


def _show_one(verdict: Verdict, verbose: bool) -> None:
    from gdgrade.author.tables import print_verdict

    print_verdict(verdict, _console(), verbose=verbose)


def _show_all(verdicts: list[Verdict], style: str, seconds: float) -> None:
    """What is left to say in the end: in text, the tables have been shown one by one."""
    if style == "json":
        click.echo(json.dumps([verdict.to_json() for verdict in verdicts], indent=2, sort_keys=True))
    elif style == "html":
        from gdgrade.author.page import page

        click.echo(page(verdicts, seconds), nl=False)
    else:
        from rich.text import Text

        from gdgrade.author.tables import overall

        _console().print(Text(overall(verdicts, seconds), style="bold"))


def _console() -> Console:
    from rich.console import Console

    return Console(no_color=bool(os.environ.get("NO_COLOR")), highlight=False, soft_wrap=False)


def _exercises(course: Course, names: tuple[str, ...]) -> list[Exercise]:
    from gdgrade.course.errors import CourseError
    from gdgrade.course.lookup import resolve_exercise

    try:
        chosen = [resolve_exercise(course, name) for name in names]
    except CourseError as error:
        usage(str(error))
    return chosen or list(course.exercises)


Aside = Callable[[], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def _progress() -> Iterator[tuple[Callable[[int], None], Callable[[str], None], Aside]]:
    """A bar on stderr, how it moves, and a way to put it aside for what is printed meanwhile.

    Where stderr is no terminal there is none.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield (lambda count: None), (lambda name: None), contextlib.nullcontext
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=0)
        total, lock = 0, threading.Lock()

        def expect(count: int) -> None:
            nonlocal total
            with lock:  # exercises are examined side by side
                total += count
                bar.update(task, total=total)

        def progress(name: str) -> None:
            bar.update(task, advance=1, description=name)

        @contextlib.contextmanager
        def aside() -> Iterator[None]:
            bar.stop()  # it stands on stderr and gives sys.stdout back
            try:
                yield
            finally:
                bar.start()

        yield expect, progress, aside
