"""``gdgrade data``: what data there is, and the complete image sets on demand. Imports nothing heavy."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gdgrade.data.catalogue import FULL, SMALL, FullSet
from gdgrade.data.errors import DataError

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
    from gdgrade.data.content import read_small
    from gdgrade.data.download import cached_files
    from gdgrade.data.folders import cache_folder, find_small

    broken = False
    for name, small in SMALL.items():
        try:
            read_small(name)
            state = str(find_small(name))
        except DataError as error:
            broken, state = True, f"NOT USABLE: {error}"
        click.echo(f"{name:<16} {small.title}\n{'':<16} {state}")
    for name, full in FULL.items():
        try:
            cached_files(name)
            state = str(cache_folder(name))
        except DataError as error:
            state = str(error)
        click.echo(f"{name:<16} {full.title}\n{'':<16} {state}")
    if broken:
        raise DataFailed("a data set of the course is not usable, see above")


@data_group.command("fetch")
@click.argument("name", type=click.Choice(list(FULL)))
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
    their SHA-256; an interrupted download leaves nothing behind.

    \b
    Examples:
      gdgrade data fetch mnist
      gdgrade data fetch mnist --full
      gdgrade data fetch fashion-mnist --full --mirror https://data.example.edu/gdgrade

    Exit code: 0 there and intact, 2 wrong usage, 3 missing, damaged or not reachable.
    """
    try:
        if full:
            _download(FULL[name], mirror, cache, quiet)
        else:
            _check_cut(FULL[name])
    except DataError as error:
        raise DataFailed(str(error)) from error


def _check_cut(full: FullSet) -> None:
    from gdgrade.data.content import read_small
    from gdgrade.data.folders import find_small

    read_small(full.small)
    click.echo(f"{find_small(full.small)}: intact ({SMALL[full.small].title})")
    click.echo(f"All of {full.title}: gdgrade data fetch {full.name} --full ({full.bytes / 1e6:.1f} MB)", err=True)


def _download(full: FullSet, mirror: str | None, cache: Path | None, quiet: bool) -> None:
    from gdgrade.data.download import fetch

    with nullcontext() if quiet else _display(full) as progress:
        files = fetch(full.name, mirror=mirror, cache=cache, progress=progress)
    click.echo(f"{files[0].parent}: complete ({full.title})")


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
