"""Texts inside pictures and array files, where nobody sees them and anybody can read them."""

from __future__ import annotations

import functools
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

PNG = b"\x89PNG\r\n\x1a\n"
READABLE = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]{24,}")  # a line of code, if it is none by chance
PRINTED = re.compile(r"[\t\n\r\x20-\x7e]{24,}")
MAX_TEXT = 2**24  # bytes that a compressed text may have; a longer one is no comment


@dataclass(frozen=True)
class Unpacked:
    """What a binary file holds.

    Attributes:
        parts: its compressed parts, unpacked. texts: what can be read in it. doubts: what cannot be looked into.
    """

    parts: tuple[bytes, ...] = ()
    texts: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@functools.lru_cache(maxsize=4)  # a package is searched for the secrets of each of its exercises
def unpacked(data: bytes) -> Unpacked:
    """The texts of a picture or an array file; nothing for any other file."""
    if data.startswith(b"PK\x03\x04"):
        return _archive(data)
    if data.startswith(b"\x93NUMPY"):
        texts, doubts = _array("", data)
        return Unpacked((), texts, doubts)
    parts = tuple(_chunks(data)) if data.startswith(PNG) else ()
    texts = tuple(text for part in (data, *parts) for text in _readable(part))
    return Unpacked(parts, texts)


def _archive(data: bytes) -> Unpacked:
    parts: list[bytes] = []
    texts: list[str] = []
    doubts: list[str] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            texts += [archive.comment.decode("latin-1"), *archive.namelist()]
            for name in archive.namelist():
                parts.append(archive.read(name))
                found, unclear = _array(name, parts[-1])
                texts += found
                doubts += unclear
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, OSError) as error:
        doubts.append(f" cannot be searched: {error}")
    return Unpacked(tuple(parts), tuple(texts), tuple(doubts))


def _array(name: str, data: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(texts, doubts) of one array; what is none is searched as it is."""
    if not data.startswith(b"\x93NUMPY"):
        return tuple(_readable(data)), ()
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except ValueError:
        where = f" ({name})" if name else ""
        return (), (f" holds objects in place of numbers{where}: nobody can look into them, and loading runs code",)
    if array.dtype.names is not None or array.dtype.kind == "V":
        return tuple(_readable(array.tobytes())), ()
    if array.dtype.kind == "U":
        return ("\n".join(array.ravel().tolist()),), ()
    if array.dtype.kind == "S":
        return (b"\n".join(array.ravel().tolist()).decode("latin-1"),), ()
    if array.dtype.itemsize == 1:
        return tuple(_readable(array.tobytes())), ()
    if array.dtype.kind in "iu" and array.size and array.min() >= 0 and array.max() < 0x110000:  # codes of characters
        return tuple(PRINTED.findall("".join(map(chr, array.ravel()[:MAX_TEXT].tolist())))), ()
    return (), ()


def _readable(data: bytes) -> Iterator[str]:
    for found in READABLE.findall(data):
        yield found.decode("utf-8", errors="replace")


def _chunks(data: bytes) -> Iterator[bytes]:
    """Compressed comments of a PNG picture, unpacked."""
    place = len(PNG)
    while place + 8 <= len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length
        if kind in (b"zTXt", b"iTXt"):
            start = body.find(b"x")  # how zlib's streams begin
            while start != -1:
                try:
                    yield zlib.decompressobj().decompress(body[start:], MAX_TEXT)
                    break
                except zlib.error:
                    start = body.find(b"x", start + 1)
