"""The idx format in which MNIST and its successors are published.

Two zero bytes, one byte for the type, one for the number of axes; each axis as a 32-bit big-endian number;
then the values, big-endian, last axis fastest.
"""

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdgrade.data.errors import DataError

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(source: bytes | str | Path) -> NDArray[Any]:
    """Read an idx file, plain or gzipped, into an array in the machine's byte order.

    Args:
        source: the path, or the bytes themselves.

    Raises:
        DataError: if the file cannot be read, or its header and its length disagree.

    >>> read_idx(bytes([0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 7, 8, 9]))
    array([[7, 8, 9]], dtype=uint8)
    """
    name = "this idx data" if isinstance(source, bytes) else str(source)
    try:
        raw = source if isinstance(source, bytes) else Path(source).read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name} cannot be read: {error}") from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _TYPES:
        raise DataError(f"{name} is not in idx format: it starts with {raw[:4].hex(' ') or 'nothing'}")
    dtype, axes = np.dtype(_TYPES[raw[2]]), raw[3]
    start = 4 + 4 * axes
    shape = tuple(int.from_bytes(raw[i : i + 4], "big") for i in range(4, start, 4))
    expected = start + math.prod(shape) * dtype.itemsize
    if len(raw) != expected:
        raise DataError(f"{name} has {len(raw)} bytes, but its header announces {expected}, shape {shape}")
    values = np.frombuffer(raw, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="))  # a copy: writable, and independent of the bytes
