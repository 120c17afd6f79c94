"""Folders and archives as one stream of files. Archives are read in memory; nothing of them is ever unpacked to disk.

So no name in an archive can reach a path of this machine; what is left to refuse is what eats memory or lies about
what it is: bombs, links, devices, archives in archives in archives.
"""

from __future__ import annotations

import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gdgrade.course.submission import MAX_BYTES, NOTEBOOK_FACTOR
from gdgrade.report.text import clean_text

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
MAX_FILE = MAX_BYTES * NOTEBOOK_FACTOR
MAX_MEMBERS = 200_000
MAX_INNER = 64 << 20  # bytes of an archive within an archive
MAX_DEPTH = 2
IGNORED = frozenset({"__MACOSX", ".git", ".ipynb_checkpoints", "__pycache__", ".DS_Store", "Thumbs.db", "desktop.ini"})
BROKEN = (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, ValueError, RuntimeError, NotImplementedError,
          zlib.error, lzma.LZMAError)  # fmt: skip


@dataclass(frozen=True)
class Refused:
    """A file that is not graded, and why; `student` where that is known."""

    path: str
    reason: str
    student: str = ""


@dataclass(frozen=True)
class SourceFile:
    """A file that may be a submission.

    Attributes:
        parts: its path within the source, folders first; made inert.
        root: the source: the folder or archive that was named on the command line.
        read: gives the bytes; raises one of `BROKEN`.
        modified: as the source says; naive local time for archives.
        archived: whether `modified` is of an archive, which keeps it, and not of a copy on disk.
    """

    parts: tuple[str, ...]
    root: Path
    read: Callable[[], bytes]
    modified: datetime | None
    archived: bool = False

    @property
    def path(self) -> str:
        return "/".join(self.parts)

    @property
    def name(self) -> str:
        return self.parts[-1]


def is_archive(name: str) -> bool:
    """Whether the ending of a name is an archive's."""
    return name.lower().endswith(ARCHIVES)


def walk(root: Path) -> Iterator[SourceFile | Refused]:
    """All files of a folder, an archive, or a single file."""
    if root.is_dir():
        yield from _folder(root, root)
    elif is_archive(root.name):
        yield from _opened(root, root.read_bytes if root.stat().st_size <= MAX_INNER else None, root, (), 1)
    else:
        yield from _file(root, root, (root.name,))


def _folder(folder: Path, root: Path) -> Iterator[SourceFile | Refused]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        shown = str(path.relative_to(root))
        if entry.name in IGNORED:
            continue
        if entry.is_symlink():
            yield Refused(clean_text(shown, 300), "a symbolic link is not followed")
        elif entry.is_dir():
            yield from _folder(path, root)
        else:
            yield from _file(path, root, path.relative_to(root).parts)


def _file(path: Path, root: Path, parts: tuple[str, ...]) -> Iterator[SourceFile | Refused]:
    shown = clean_text("/".join(parts), 300)
    try:
        status = path.lstat()
    except OSError as error:
        yield Refused(shown, f"cannot be looked at: {error.strerror}")
        return
    if not stat.S_ISREG(status.st_mode):
        yield Refused(shown, "not an ordinary file")
        return
    if is_archive(path.name):
        if status.st_size > MAX_INNER:
            yield Refused(shown, f"an archive of more than {MAX_INNER >> 20} MiB inside a folder; give it by itself")
            return
        yield from _opened(path, path.read_bytes, root, parts, 1)
        return
    modified = datetime.fromtimestamp(status.st_mtime).astimezone()
    yield SourceFile(_inert(parts), root, lambda: _limited(path), modified)


def _limited(path: Path) -> bytes:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags), "rb") as stream:
        data = stream.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise ValueError(f"larger than {MAX_FILE // 10**6} MB")
    return data


def _inert(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(clean_text(part, 200) for part in parts)


def _opened(
    name: Path, content: Callable[[], bytes] | None, root: Path, parts: tuple[str, ...], depth: int
) -> Iterator[SourceFile | Refused]:
    """The members of one archive, under the folders `parts`, whose last is the archive's own name."""
    shown = clean_text("/".join(parts) or name.name, 300)
    folder = (*parts[:-1], _stem(parts[-1])) if len(parts) == 1 else parts[:-1]
    try:
        stream: io.BytesIO | Path = name if content is None else io.BytesIO(content())
        lower = name.name.lower()
        members = _zip(stream, root, folder, depth) if lower.endswith(".zip") else _tar(stream, root, folder, depth)
        yield from members
    except BROKEN as error:
        yield Refused(shown, f"the archive is damaged: {clean_text(str(error), 120) or type(error).__name__}")


def _stem(name: str) -> str:
    """`alice` of `alice.tar.gz`: an archive beside others is a student's folder."""
    lower = name.lower()
    return next(name[: -len(ending)] for ending in sorted(ARCHIVES, key=len, reverse=True) if lower.endswith(ending))


def safe_steps(name: str) -> tuple[str, ...] | None:
    """The folders and name of a member, or None if it points out of the archive."""
    if name.startswith(("/", "\\")) or "\0" in name or (len(name) > 1 and name[1] == ":"):
        return None
    steps = tuple(step for step in name.replace("\\", "/").split("/") if step not in ("", "."))
    return None if ".." in steps or not steps else steps


def _members(
    names: Iterator[tuple[str, int, str, datetime | None, Callable[[], bytes]]],
    root: Path,
    folder: tuple[str, ...],
    depth: int,
) -> Iterator[SourceFile | Refused]:
    for count, (name, size, trouble, modified, read) in enumerate(names):
        shown = clean_text("/".join((*folder, name)), 300)
        if count >= MAX_MEMBERS:
            yield Refused(shown, f"the archive has more than {MAX_MEMBERS} members; this one and the rest are left out")
            return
        steps = safe_steps(name)
        if trouble or steps is None:
            yield Refused(shown, trouble or "its name points outside the archive")
            continue
        if any(step in IGNORED or step.startswith("._") for step in steps):
            continue
        parts = (*folder, *steps)
        if is_archive(name):
            if depth >= MAX_DEPTH or size > MAX_INNER:
                yield Refused(shown, "an archive too deep inside others, or too large")
            else:
                yield from _opened(Path(steps[-1]), read, root, (*parts[:-1], steps[-1]), depth + 1)
        elif size > MAX_FILE:
            yield Refused(shown, f"larger than {MAX_FILE // 10**6} MB")
        else:
            yield SourceFile(_inert(parts), root, read, modified, archived=True)


def _zip(stream: io.BytesIO | Path, root: Path, folder: tuple[str, ...], depth: int) -> Iterator[SourceFile | Refused]:
    archive = zipfile.ZipFile(stream)

    def reader(info: zipfile.ZipInfo) -> Callable[[], bytes]:
        def read() -> bytes:
            limit = MAX_INNER if is_archive(info.filename) else MAX_FILE
            with archive.open(info) as member:  # reads what is there, whatever size the header claims
                data = member.read(limit + 1)
            if len(data) > limit:
                raise ValueError("it is larger than it claims to be")
            return data

        return read

    def listed() -> Iterator[tuple[str, int, str, datetime | None, Callable[[], bytes]]]:
        for info in archive.infolist():
            if info.is_dir():
                continue
            mode = info.external_attr >> 16
            trouble = "a link in an archive is not followed" if stat.S_ISLNK(mode) else ""
            trouble = "it is encrypted" if info.flag_bits & 1 else trouble
            try:
                modified = datetime(*info.date_time)
            except ValueError:
                modified = None
            yield info.filename, info.file_size, trouble, modified, reader(info)

    return _members(listed(), root, folder, depth)


def _tar(stream: io.BytesIO | Path, root: Path, folder: tuple[str, ...], depth: int) -> Iterator[SourceFile | Refused]:
    archive = tarfile.open(stream) if isinstance(stream, Path) else tarfile.open(fileobj=stream)  # noqa: SIM115

    def reader(info: tarfile.TarInfo) -> Callable[[], bytes]:
        def read() -> bytes:
            member = archive.extractfile(info)
            return b"" if member is None else member.read(MAX_INNER + 1)

        return read

    def listed() -> Iterator[tuple[str, int, str, datetime | None, Callable[[], bytes]]]:
        for info in archive:
            if info.isdir():
                continue
            trouble = "" if info.isreg() else "a link or a device in an archive is not followed"
            try:
                modified = datetime.fromtimestamp(info.mtime).astimezone()
            except (OverflowError, OSError, ValueError):
                modified = None
            yield info.name, info.size, trouble, modified, reader(info)

    return _members(listed(), root, folder, depth)
