"""`gdgrade rejudge`: changed checks on kept answers."""

from __future__ import annotations

from pathlib import Path

import click

from gdgrade.cli.batch import out_option
from gdgrade.cli.common import (
    EXIT_FAILED,
    Quit,
    class_lang_option,
    class_language,
    confine_option,
    course_option,
    load,
    machine,
    usage,
)


@click.command(
    "rejudge",
    epilog="Exit codes: 0 all judged again, 1 some must be run again, 2 wrong usage, 3 the machine failed.",
)
@click.option("--exercise", "name", metavar="EX", help="Only this exercise.")
@click.option("--seed", type=click.IntRange(min=0), help="The public seed of the batch, if it was another.")
@click.option("--quick", is_flag=True, help="Leave out checks that train a network.")
@class_lang_option
@out_option
@confine_option
@course_option
def rejudge_command(
    name: str | None,
    seed: int | None,
    quick: bool,
    lang: str | None,
    out: Path,
    confine: str,
    course_path: Path | None,
) -> None:
    """Judge the latest hand-ins again after checks have changed, by the answers that were kept.

    Students' code is not run. A submission whose checks now ask something new is listed with the reason;
    `gdgrade batch --resume` runs those.
    """
    from gdgrade.batch.rejudge import rejudge
    from gdgrade.batch.store import Store, StoreError
    from gdgrade.course.errors import CourseError
    from gdgrade.course.lookup import resolve_exercise
    from gdgrade.judging import Options
    from gdgrade.processes.launcher import LaunchError

    course = load(course_path)
    try:
        chosen = resolve_exercise(course, name).id if name else None
        with Store(out, write=True) as store:
            if store.last_run() is None:
                usage("there is nothing to judge again; `gdgrade batch` comes first")
            options = Options(seed, confine, quick=quick, language=class_language(course, lang))
            done = rejudge(store, course, options, exercise=chosen)
            left = store.pending(done.run)
            if not left:
                store.end_run(done.run, "done")
    except CourseError as error:
        usage(str(error))
    except (StoreError, LaunchError) as error:
        machine(str(error))
    click.echo(f"run {done.run}: {done.replayed} judged again, {done.known} verdicts stand, "
               f"{len(done.run_again)} must be run again")  # fmt: skip
    for exercise, sha256, reason in done.run_again:
        click.echo(f"  {exercise} {sha256[:12]}: {reason}")
    if done.run_again:
        raise Quit(f"run them: gdgrade batch --resume --out {out}", EXIT_FAILED)
