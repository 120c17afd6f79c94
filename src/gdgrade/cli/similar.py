"""`gdgrade similar`: groups of hand-ins that are alike, for a person to judge."""

from __future__ import annotations

from pathlib import Path

import click

from gdgrade.cli.batch import out_option
from gdgrade.cli.common import course_option, load, machine, usage


@click.command("similar", epilog="Exit codes: 0 done (found or not), 2 wrong usage, 3 the store cannot be read.")
@click.option("--threshold", type=click.FloatRange(0.05, 1.0), default=0.8, show_default=True,
              help="Share of the shorter file's code that must be in both.")  # fmt: skip
@click.option("--html", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="Also write a page per pair, side by side.")  # fmt: skip
@out_option
@course_option
def similar_command(threshold: float, html: Path | None, out: Path, course_path: Path | None) -> None:
    """List groups of students whose files are alike. Names and comments do not count, the stub is left out.

    A short exercise has few right answers: what is alike here is a reason to look, never a verdict.
    """
    from gdgrade.batch.grades import grades
    from gdgrade.batch.similar import alike
    from gdgrade.batch.store import Store, StoreError

    course = load(course_path)
    try:
        with Store(out) as store:
            found = grades(store, course)
            groups, pairs = alike(store, course, found, threshold)
            for group in groups:
                click.echo(f"{group.exercise}  {100 * group.share:.0f} %  {', '.join(group.students)}")
            click.echo(f"{len(groups)} groups")
            if html is not None:
                from gdgrade.batch.sidebyside import write_pairs

                for path in write_pairs(store, course, found, pairs, html):
                    click.echo(path)
    except ModuleNotFoundError:
        usage("this needs copydetect: pip install 'gdgrade[similarity]'")
    except StoreError as error:
        machine(str(error))
