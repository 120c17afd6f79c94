"""Read one submission from disk: untrusted bytes in, plain source text out.

The bytes are only ever decoded, parsed as JSON and compiled for their syntax; nothing of them is run here.
"""

from __future__ import annotations

import codecs
import errno
import functools
import hashlib
import importlib.util
import os
import re
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gdgrade.course.definitions import asked_by, definitions
from gdgrade.course.errors import SubmissionError
from gdgrade.course.notebook import CellLine, in_words, looks_like_notebook, notebook_source
from gdgrade.language import _
from gdgrade.report.text import clean_text

if TYPE_CHECKING:
    from gdgrade.course.manifest import Exercise

MAX_BYTES = 2_000_000
NOTEBOOK_FACTOR = 8  # a notebook carries figures; what counts in the end is its code, held to max_bytes again

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?$")
# Only encodings that are one table: some of Python's codecs run in quadratic time or decode to surprises.
_ENCODINGS = {
    "utf-8": "utf-8", "utf8": "utf-8", "utf-8-sig": "utf-8", "ascii": "ascii", "us-ascii": "ascii",
    "latin-1": "latin-1", "latin1": "latin-1", "iso-8859-1": "latin-1", "iso8859-1": "latin-1",
    "iso-8859-15": "iso8859-15", "iso8859-15": "iso8859-15", "latin-9": "iso8859-15",
    "cp1252": "cp1252", "windows-1252": "cp1252", "mac-roman": "mac-roman", "macroman": "mac-roman",
}  # fmt: skip


@dataclass(frozen=True)
class Submission:
    """One file as handed in, ready for the worker.

    Attributes:
        source: Python text with ``\\n`` line ends and no NUL.
        display_name: the file's name, made inert by ``clean_text``.
        kind: what the file was.
        sha256: of the bytes on disk, hexadecimal; a resubmission of the same file has the same.
        lines: for notebooks, source line -> (code cell, line in it), all 1-based; empty for a .py file.
        remarks: sentences for the report about what was unusual and put right.
    """

    source: str
    display_name: str
    kind: Literal["py", "ipynb"]
    sha256: str
    lines: Mapping[int, CellLine] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def code_for(self, exercise: Exercise) -> str:
        """What of it is judged as a solution of an exercise, line by line where it is in ``source``.

        A Python file as it is; of a notebook the definitions that the exercise asks for, with what these need. What
        else its cells do (training, plots, trials) is not run again for every check. An import that would fail is kept
        although nothing needs it: a notebook is judged as the same code in a file.
        """
        if self.kind == "py":
            return self.source
        forbidden = exercise.forbidden_packages
        kept = definitions(self.source, asked_by(exercise), missing=lambda name: name in forbidden or _is_missing(name))
        return self.source if kept is None else kept.in_place(self.source)

    def locate(self, line: int) -> str:
        """Where a line of ``source`` stands in the student's file: ``line 12`` or ``cell 3, line 2``."""
        if line in self.lines:
            cell, inner = self.lines[line]
            return _("cell {cell}, line {inner}").format(cell=cell, inner=inner)
        return _("line {line}").format(line=line)


@functools.lru_cache(maxsize=1000)
def _is_missing(package: str) -> bool:
    """Whether a top-level package cannot be found; nothing is imported."""
    try:
        return package not in sys.builtin_module_names and importlib.util.find_spec(package) is None
    except (ImportError, ValueError, AttributeError):
        return package not in sys.modules


def read_submission(
    path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES, follow_symlinks: bool = False
) -> Submission:
    """Read a ``.py`` file or a notebook.

    Args:
        path: the file. Anything but a regular file is refused without being opened for real, so that neither
            a FIFO nor a device can make the grader wait.
        max_bytes: largest Python source; a notebook file may be 8 times as large, its code may not.
        follow_symlinks: for one's own file; a symlink in a stranger's folder could point at a secret.

    Raises:
        SubmissionError: for whatever is wrong with the file, with a cause and a sentence for the student.
    """
    path = Path(path)
    name = clean_text(path.name, 120) or "submission"
    suffix = path.suffix.lower()
    if suffix not in (".py", ".ipynb"):
        _refuse_what_is_no_file(path, name)
        raise SubmissionError(_("{name} is neither a .py file nor an .ipynb notebook.").format(name=name), "kind")
    limit = max_bytes * (NOTEBOOK_FACTOR if suffix == ".ipynb" else 1)
    data = _read_bytes(path, name, limit, follow_symlinks)
    return parse_submission(data, path.name, max_bytes=max_bytes)


def parse_submission(data: bytes, file_name: str, *, max_bytes: int = MAX_BYTES) -> Submission:
    """A submission from the bytes of a file, as an archive or a store holds them.

    Args:
        file_name: its ending says how to read it: ``.py`` or ``.ipynb``.
        max_bytes: as for ``read_submission``.

    Raises:
        SubmissionError: as for ``read_submission``.
    """
    name = clean_text(Path(file_name).name, 120) or "submission"
    suffix = Path(file_name).suffix.lower()
    if suffix not in (".py", ".ipynb"):
        raise SubmissionError(_("{name} is neither a .py file nor an .ipynb notebook.").format(name=name), "kind")
    limit = max_bytes * (NOTEBOOK_FACTOR if suffix == ".ipynb" else 1)
    if len(data) > limit:
        raise SubmissionError(_("{name} is larger than {size}.").format(name=name, size=in_words(limit)), "too_large")
    digest = hashlib.sha256(data).hexdigest()
    if not data.strip():
        raise SubmissionError(_("{name} is empty.").format(name=name), "empty")
    text, remarks = _decode(data, name)
    if suffix == ".py" and not looks_like_notebook(text):
        return Submission(text, name, "py", digest, remarks=tuple(remarks))
    if suffix == ".py":
        remarks.append(_("The file is a notebook under the name of a Python file; it was read as a notebook."))
    notebook = notebook_source(text, name, max_bytes)
    return Submission(notebook.source, name, "ipynb", digest, notebook.lines, (*remarks, *notebook.remarks))


def _refuse_what_is_no_file(path: Path, name: str) -> None:
    """Say "missing" or "a folder" rather than complain about the ending of a name."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise SubmissionError(_("There is no file {name}.").format(name=name), "missing") from None
    except (OSError, ValueError):
        return
    if stat.S_ISDIR(mode):
        raise SubmissionError(_("{name} is a folder; give the file in it.").format(name=name), "directory")


def _read_bytes(path: Path, name: str, limit: int, follow_symlinks: bool) -> bytes:
    # O_NONBLOCK: opening a FIFO returns at once; fstat on what was opened, not on the name, leaves no gap for
    # a swap.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    if not follow_symlinks:
        flags |= getattr(os, "O_NOFOLLOW", 0)
        if not hasattr(os, "O_NOFOLLOW") and path.is_symlink():
            raise _symlink(name)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise SubmissionError(_("There is no file {name}.").format(name=name), "missing") from None
    except IsADirectoryError:
        raise SubmissionError(_("{name} is a folder; give the file in it.").format(name=name), "directory") from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK) and not follow_symlinks:
            raise _symlink(name) from None
        if error.errno == errno.ENXIO:  # a socket
            raise SubmissionError(_("{name} is not an ordinary file.").format(name=name), "not_a_file") from None
        reason = error.strerror or type(error).__name__
        raise SubmissionError(
            _("{name} cannot be opened: {reason}.").format(name=name, reason=reason), "unreadable"
        ) from None
    except ValueError:  # a NUL in the path
        raise SubmissionError(_("There is no file {name}.").format(name=name), "missing") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise SubmissionError(_("{name} is a folder; give the file in it.").format(name=name), "directory")
        if not stat.S_ISREG(mode):
            raise SubmissionError(
                _("{name} is not an ordinary file (a pipe, a device or the like).").format(name=name), "not_a_file"
            )
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SubmissionError(
            _("{name} cannot be read: {reason}.").format(name=name, reason=reason), "unreadable"
        ) from None
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise SubmissionError(_("{name} is larger than {size}.").format(name=name, size=in_words(limit)), "too_large")
    return data


def _symlink(name: str) -> SubmissionError:
    return SubmissionError(_("{name} is a symbolic link; hand in the file itself.").format(name=name), "symlink")


def _decode(data: bytes, name: str) -> tuple[str, list[str]]:
    """Text with ``\\n`` line ends, and remarks. Python's rules first; then what editors on Windows do."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return _as_text(data, encoding, name), [_("The file is in UTF-16; save it as UTF-8.")]
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise SubmissionError(
            _("{name} holds a NUL byte in line {line}: it is not a text file, or damaged.").format(
                name=name, line=line
            ),
            "binary",
        )
    bom = data.startswith(codecs.BOM_UTF8)
    data = data.removeprefix(codecs.BOM_UTF8)
    cookie = None if bom else _cookie(data)
    if cookie is not None and cookie not in _ENCODINGS:
        raise SubmissionError(
            _("{name} names the encoding {encoding!r}, which is not accepted. Save it as UTF-8.").format(
                name=name, encoding=clean_text(cookie, 40)
            ),
            "encoding",
        )
    encoding = _ENCODINGS[cookie or "utf-8"]
    try:
        return _as_text(data, encoding, name), []
    except SubmissionError as error:
        if encoding != "utf-8" or error.cause != "encoding":
            raise
        bad = error
    # Accents in comments, saved by an editor in the Windows encoding. Junk has control characters; text has
    # none.
    fallback = data.decode("cp1252", errors="replace")
    if bom or re.search(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ufffd]", fallback):
        raise bad
    remark = _("{message} It was read as Windows-1252 here, but Python itself would refuse it.").format(
        message=bad.message
    )
    return _newlines(fallback), [remark]


def _cookie(data: bytes) -> str | None:
    """The encoding named in the first two lines (PEP 263), lower case with dashes."""
    for line in re.split(rb"\r\n|\r|\n", data[:1000], maxsplit=2)[:2]:
        found = _COOKIE.match(line)
        if found:
            return found[1].decode("ascii", "replace").lower().replace("_", "-")
        if not _BLANK.match(line):
            return None
    return None


def _as_text(data: bytes, encoding: str, name: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        label = {"utf-8": "UTF-8", "utf-16": "UTF-16"}.get(encoding, encoding)
        message = _("{name} is not in {label} (line {line}, byte 0x{byte:02x}). Save it as UTF-8.").format(
            name=name, label=label, line=line, byte=data[error.start]
        )
        raise SubmissionError(message, "encoding") from None
    if "\0" in text:
        raise SubmissionError(
            _("{name} holds a NUL character: it is not a text file, or damaged.").format(name=name), "binary"
        )
    return _newlines(text.removeprefix("\ufeff"))


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
