"""Reading a shipped ``.npz`` file and proving that its arrays are the published ones."""

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdgrade.data.catalogue import SMALL
from gdgrade.data.errors import DataError
from gdgrade.data.folders import find_small
from gdgrade.language import _

Arrays = dict[str, NDArray[Any]]


def content_sha256(arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of the arrays' names, types, shapes and values, in the order of the names.

    Independent of the zip layer: another zlib may pack the same arrays into other bytes.
    """
    digest = hashlib.sha256()
    for key in sorted(arrays):
        array = np.ascontiguousarray(arrays[key])
        digest.update(f"{key} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def read_small(name: str, folder: Path | None = None) -> Arrays:
    """All arrays of a shipped data set, checked against the published checksum.

    Raises:
        DataError: if the file is missing, is not a readable ``.npz`` archive, or holds other arrays.
    """
    path = find_small(name, folder)
    fix = _("Restore the file from the course (git checkout, or unpack the release again).")
    try:
        with path.open("rb") as file:  # ours to close: np.load leaves it open when it finds no archive
            loaded = np.load(file, allow_pickle=False)
            if not isinstance(loaded, np.lib.npyio.NpzFile):
                raise ValueError("it is no .npz archive")
            arrays = {key: loaded[key] for key in loaded.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            _("{path} is damaged and cannot be read ({error}). {fix}").format(path=path, error=error, fix=fix)
        ) from error
    found = content_sha256(arrays)
    if found != SMALL[name].content_sha256:
        raise DataError(
            _(
                "{path} does not hold the published arrays of {name}: SHA-256 {found}..., expected {value}... . {fix}"
            ).format(path=path, name=name, found=found[:16], value=SMALL[name].content_sha256[:16], fix=fix)
        )
    return arrays
