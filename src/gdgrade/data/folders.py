"""Where data sets lie: the course's ``data/`` folder, the installed package, the user's cache."""

import os
from collections.abc import Iterator
from pathlib import Path

from gdgrade.data.catalogue import SMALL
from gdgrade.data.errors import DataError


def small_folders(start: Path | None = None) -> Iterator[Path]:
    """The folders searched for a shipped data set, best first.

    ``GDGRADE_DATA``; ``data/`` of the course (``GDGRADE_COURSE``, else the first folder with a ``course.yml``
    from ``start``, by default the current one, upwards); the installed package; the checkout it runs from.
    """
    if value := os.environ.get("GDGRADE_DATA"):
        yield Path(value).expanduser()
    if value := os.environ.get("GDGRADE_COURSE"):
        course = Path(value).expanduser()
        yield (course.parent if course.is_file() else course) / "data"
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "course.yml").is_file():
            yield folder / "data"
            break
    yield Path(__file__).parent / "files"
    checkout = Path(__file__).parents[3]
    if (checkout / "pyproject.toml").is_file():
        yield checkout / "data"


def find_small(name: str, folder: str | os.PathLike[str] | None = None) -> Path:
    """The file of a shipped data set.

    Args:
        name: one of ``SMALL``, such as ``"mnist-small"``.
        folder: look here and nowhere else.

    Raises:
        DataError: if there is no such data set, or its file is in none of the folders.
    """
    if name not in SMALL:
        raise DataError(f"There is no data set called {name!r}. Known: {', '.join(SMALL)}.")
    folders = [Path(folder)] if folder is not None else list(dict.fromkeys(small_folders()))
    for candidate in folders:
        if (candidate / SMALL[name].file).is_file():
            return candidate / SMALL[name].file
    raise DataError(
        f"{SMALL[name].file} was not found in {', '.join(map(str, folders))}. It ships with the course: "
        "run inside the course folder, or set GDGRADE_DATA to the folder that holds it."
    )


def cache_folder(name: str, cache: str | os.PathLike[str] | None = None) -> Path:
    """The folder of a downloaded data set: in ``cache``, ``GDGRADE_CACHE`` or the user's cache."""
    if cache is None:
        cache = os.environ.get("GDGRADE_CACHE")
    if cache is None or cache == "":
        import platformdirs

        cache = Path(platformdirs.user_cache_dir("gdgrade", appauthor=False)) / "data"
    return Path(cache).expanduser() / name
