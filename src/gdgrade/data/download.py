"""The complete image sets, downloaded once and proved by their checksums.

pooch writes each download to a temporary file beside its place, verifies the SHA-256, and only then moves it
there: a file that exists under its name is complete, whatever interrupts the download.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gdgrade.data.catalogue import FULL, FullSet, OfficialFile
from gdgrade.data.errors import DataError
from gdgrade.data.folders import cache_folder
from gdgrade.language import _

Progress = Callable[[str, int, int], None]
"""Called as ``progress(file name, bytes so far, bytes in all)``, the last time when the file is there."""


class _TooShortError(Exception):
    """The server closed the connection before the whole file was there."""


def fetch(
    name: str,
    *,
    mirror: str | None = None,
    cache: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    timeout: float = 30.0,
) -> list[Path]:
    """Download the four official files of a data set, unless they are there already.

    Args:
        name: ``"mnist"`` or ``"fashion-mnist"``.
        mirror: address of a folder that holds ``mnist/`` and ``fashion-mnist/`` with the official file names;
            default: ``GDGRADE_MIRROR``, else the public address. Proxies are taken from the usual variables
            (``HTTPS_PROXY`` ...).
        cache: where to keep them; default: ``GDGRADE_CACHE``, else the user's cache folder.
        progress: see ``Progress``.
        timeout: seconds without any answer after which to give up.

    Returns:
        The four files: training images and labels, test images and labels.

    Raises:
        DataError: unknown name, no network, no such file there, a transfer cut short, other content, or a
            cache folder that cannot be written. Nothing half-written is left.
    """
    full = _entry(name)
    folder = cache_folder(name, cache)
    base = _base_address(full, mirror)
    return [_fetch_file(file, base, folder, progress, timeout) for file in full.files]


def cached_files(name: str, cache: str | os.PathLike[str] | None = None) -> list[Path]:
    """The files of a data set that was downloaded before, in the order of ``FULL[name].files``.

    Raises:
        DataError: if one is missing or has not the published checksum.
    """
    import pooch

    full, folder = _entry(name), cache_folder(name, cache)
    for file in full.files:
        path, fix = folder / file.name, _("Run: gdgrade data fetch {name} --full").format(name=name)
        if not path.is_file():
            raise DataError(
                _("not downloaded: {folder} lacks {file}. {fix}").format(folder=folder, file=file.name, fix=fix)
            )
        if pooch.file_hash(str(path)) != file.sha256:
            raise DataError(_("{path} is not the published file (SHA-256 differs). {fix}").format(path=path, fix=fix))
    return [folder / file.name for file in full.files]


def _entry(name: str) -> FullSet:
    if name not in FULL:
        raise DataError(
            _("There is no full data set called {name!r}. Known: {names}.").format(name=name, names=", ".join(FULL))
        )
    return FULL[name]


def _base_address(full: FullSet, mirror: str | None) -> str:
    mirror = mirror or os.environ.get("GDGRADE_MIRROR") or None
    if mirror is None:
        return full.url
    if not mirror.startswith(("http://", "https://")):
        raise DataError(_("The mirror must be an http:// or https:// address, got {mirror!r}.").format(mirror=mirror))
    return f"{mirror.rstrip('/')}/{full.name}"


def _fetch_file(file: OfficialFile, base: str, folder: Path, progress: Progress | None, timeout: float) -> Path:
    import pooch
    import requests

    url = f"{base}/{file.name}"
    elsewhere = _("Use another mirror (--mirror, or GDGRADE_MIRROR); the course's own small cut works without it.")
    try:
        with _quiet(pooch.get_logger()):
            pooch.retrieve(
                url,
                known_hash=f"sha256:{file.sha256}",
                fname=file.name,
                path=folder,
                downloader=_Downloader(file, progress, timeout),
            )
    except requests.HTTPError as error:
        code = error.response.status_code if error.response is not None else _("an error")
        raise DataError(
            _("{url}: the server answered {code} instead of the file. {elsewhere}").format(
                url=url, code=code, elsewhere=elsewhere
            )
        ) from error
    except (
        _TooShortError,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
    ) as error:
        raise DataError(
            _(
                "{url}: the transfer broke off before all {bytes:,} bytes were there. Nothing was kept; run the "
                "command again. {elsewhere}"
            ).format(url=url, bytes=file.bytes, elsewhere=elsewhere)
        ) from error
    except requests.Timeout as error:
        raise DataError(
            _("{url}: no answer within {timeout:g} seconds. Try again later. {elsewhere}").format(
                url=url, timeout=timeout, elsewhere=elsewhere
            )
        ) from error
    except requests.RequestException as error:
        raise DataError(
            _(
                "{url}: the server cannot be reached ({type}). Check the network and the proxy settings (HTTPS_PROXY). "
                "{elsewhere}"
            ).format(url=url, type=type(error).__name__, elsewhere=elsewhere)
        ) from error
    except ValueError as error:  # also pooch's word for a wrong checksum
        raise DataError(
            _("{url}: this is not the published file (SHA-256 differs), so it was thrown away. {elsewhere}").format(
                url=url, elsewhere=elsewhere
            )
        ) from error
    except OSError as error:
        raise DataError(
            _(
                "{folder} cannot be written ({reason}). Free some space, or choose another folder with GDGRADE_CACHE."
            ).format(folder=folder, reason=error.strerror or error)
        ) from error
    if progress is not None:
        progress(file.name, file.bytes, file.bytes)
    return folder / file.name


class _Downloader:
    """What pooch calls to bring one file: reports progress, and knows how long the file must be.

    Not pooch's own ``HTTPDownloader``, which leaves the connection open after an error.
    """

    def __init__(self, file: OfficialFile, progress: Progress | None, timeout: float) -> None:
        self.file, self.progress, self.timeout = file, progress, timeout

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        import requests

        # A server that offers to unpack .gz files on the way would change their bytes.
        as_it_is = {"Accept-Encoding": "identity"}
        with (
            requests.get(url, stream=True, timeout=self.timeout, headers=as_it_is) as response,
            Path(output_file).open("wb") as output,
        ):
            response.raise_for_status()
            done = 0
            for chunk in response.iter_content(chunk_size=1 << 16):
                done += output.write(chunk)
                if done > self.file.bytes:  # do not fill the disk with whatever this is
                    raise ValueError("longer than the published file")
                if self.progress is not None:
                    self.progress(self.file.name, done, self.file.bytes)
        if done < self.file.bytes:
            raise _TooShortError


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """pooch announces each file on stderr; the caller has its own progress display."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
