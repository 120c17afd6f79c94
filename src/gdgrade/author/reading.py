"""Texts of an exercise read from their files, with a clear word where one is not in UTF-8."""

from __future__ import annotations

import codecs
from pathlib import Path


class TextError(ValueError):
    """A file that is no text in UTF-8. The message is a sentence without the file's name."""


def read_text(path: Path, *, mark: bool = True) -> str:
    """The text of a file in UTF-8, without a byte order mark.

    Args:
        mark: a byte order mark is passed over; False: it is an error, where others read the file who do not.

    Raises:
        TextError: the file is not UTF-8, or begins with a mark that may not be.
        OSError: it cannot be read.
    """
    data = path.read_bytes()
    if data.startswith(codecs.BOM_UTF8) and not mark:
        raise TextError("begins with a byte order mark (BOM); save it as UTF-8 without one")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TextError(f"is not UTF-8 (byte 0x{data[error.start]:02x} at line {line}); save it as UTF-8") from None
