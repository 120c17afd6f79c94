"""The files of a students' package: which of an exercise's go into it, and the place that it is written to."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Of editors, notebooks and systems. A name with a dot in front is nobody's hand-out either.
NOT_SHIPPED = (".*", "__pycache__", "*.pyc", "*~", "#*#", "*.bak", "*.orig", "*.rej", "*.swp", "Thumbs.db")
TEMPLATE = re.compile(r"(?:#|<!--)\s*REPLACE:")  # as in `author new`'s files


class PlaceError(Exception):
    """The package cannot be written where it should be; the text says why and what to do."""


def shipped(source: Path) -> Iterator[tuple[Path, Path]]:
    """(file, its path inside `source`) of what students get of an exercise's folder, sorted."""
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        left = any(fnmatch.fnmatch(part, pattern) for part in inside.parts for pattern in NOT_SHIPPED)
        if path.is_file() and not left:
            yield path, inside


def left_from_the_template(folder: Path, exercise: str) -> Iterator[str]:
    """Where a package still shows the template's notes to its author."""
    for path in sorted((folder / "exercises" / exercise).rglob("*")):
        if path.suffix in (".py", ".md", ".yml"):
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                if TEMPLATE.search(line):
                    where = f"{path.relative_to(folder)}:{number}"
                    yield f"REPLACE is left in {where}: the template's text was not replaced"


def is_zip(out: Path) -> bool:
    """Whether the name asks for an archive."""
    return out.suffix.lower() == ".zip"


def free_place(out: Path) -> None:
    """Look whether a package can be written to `out`, before the work of making one.

    Raises:
        PlaceError: something is there, or nothing can be written there.
    """
    if os.path.lexists(out) and (is_zip(out) or not out.is_dir() or any(out.iterdir())):
        raise PlaceError(f"{out} is already there. Name another place, or delete it first.")
    above = out.absolute()
    while not os.path.lexists(above):
        above = above.parent
    if not above.is_dir():
        raise PlaceError(f"{out} cannot be written: {above} is no folder. Name another place.")
    try:
        with tempfile.TemporaryFile(dir=above):
            pass
    except OSError as error:
        raise _unwritable(out, error) from None


def put(folder: Path, out: Path) -> None:
    """Write the finished package to its place, as a folder or as an archive with that folder in it.

    Raises:
        PlaceError: it cannot be written.
    """
    try:
        if is_zip(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            made = shutil.make_archive(str(folder), "zip", folder.parent, folder.name)
            shutil.move(made, out)
        else:
            shutil.copytree(folder, out, dirs_exist_ok=True)
    except OSError as error:
        raise _unwritable(out, error) from None


def _unwritable(out: Path, error: OSError) -> PlaceError:
    return PlaceError(f"{out} cannot be written: {error.strerror or error}. Name another place.")
