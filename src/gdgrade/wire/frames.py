"""Frames: one JSON header and any number of raw byte blobs, each length-prefixed and bounded.

Layout, little endian::

    magic "GDF1" | u32 header bytes | u64 payload bytes | header (UTF-8 JSON object) | blobs, one after the other

The header's key ``blobs`` lists the blobs' sizes; their sum must equal the payload length. The reader believes no
number before it has compared it with its limits, and it never waits past its deadline, so a malformed, huge or
endless frame costs one exception and no more.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MAGIC = b"GDF1"
PREFIX = struct.Struct("<4sIQ")
MAX_BLOBS = 20_000
CHUNK = 1 << 20


@dataclass(frozen=True)
class WireLimits:
    """What one frame may weigh, in bytes."""

    header_bytes: int = 8 << 20
    payload_bytes: int = 256 << 20


class WireError(Exception):
    """The other side broke the protocol: bad magic, bad length, bad JSON, too large."""


class WireClosed(WireError):
    """The other side closed the connection before a whole frame had come."""


class WireTimeout(WireError):
    """No whole frame came before the deadline."""


Header = dict[str, Any]


@dataclass(frozen=True)
class Frame:
    """One decoded frame: a JSON object and its blobs."""

    header: Header
    blobs: tuple[bytes, ...] = ()


def pack(header: Header, blobs: Sequence[bytes | memoryview] = ()) -> list[bytes | memoryview]:
    """The pieces of a frame in sending order (no copy of the blobs is made)."""
    text = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}, separators=(",", ":")).encode()
    payload = sum(len(blob) for blob in blobs)
    return [PREFIX.pack(MAGIC, len(text), payload) + text, *blobs]


def send_frame(
    sock: socket.socket,
    header: Header,
    blobs: Sequence[bytes | memoryview] = (),
    *,
    deadline: float | None = None,
) -> None:
    """Send one frame; `deadline` is a `time.monotonic` instant.

    Raises:
        WireTimeout: the other side did not read in time.
        WireClosed: the other side is gone.
    """
    try:
        for piece in pack(header, blobs):
            view = memoryview(piece).cast("B")
            while view:
                _arm(sock, deadline)
                sent = sock.send(view[:CHUNK])
                view = view[sent:]
    except TimeoutError as error:
        raise WireTimeout("the other side does not read") from error
    except OSError as error:
        raise WireClosed(f"the connection broke while sending: {error.strerror}") from error


def receive_frame(sock: socket.socket, *, limits: WireLimits | None = None, deadline: float | None = None) -> Frame:
    """Read one whole frame and check every length in it.

    Args:
        sock: a connected stream socket.
        limits: the largest header and payload that are read.
        deadline: `time.monotonic` instant after which reading stops, whatever trickles in.

    Raises:
        WireClosed, WireTimeout, WireError: see their docstrings.
    """
    limits = limits or WireLimits()
    magic, header_bytes, payload_bytes = PREFIX.unpack(_receive(sock, PREFIX.size, deadline))
    if magic != MAGIC:
        raise WireError("a frame does not begin as a frame")
    if header_bytes > limits.header_bytes:
        raise WireError(f"a header of {header_bytes} bytes; at most {limits.header_bytes} are read")
    if payload_bytes > limits.payload_bytes:
        raise WireError(f"a payload of {payload_bytes} bytes; at most {limits.payload_bytes} are read")
    header = parse_header(_receive(sock, header_bytes, deadline))
    sizes = blob_sizes(header, payload_bytes)
    return Frame(header, tuple(bytes(_receive(sock, size, deadline)) for size in sizes))


def parse_header(text: bytes | bytearray) -> Header:
    """JSON object from bytes; anything else is a WireError."""
    try:
        header = json.loads(bytes(text))
    except (ValueError, RecursionError) as error:
        raise WireError("a header is not JSON") from error
    if not isinstance(header, dict):
        raise WireError("a header is not a JSON object")
    return header


def blob_sizes(header: Header, payload_bytes: int) -> list[int]:
    """The sizes of the blobs, checked against the payload's length; removes the key from the header."""
    sizes = header.pop("blobs", None)
    if not isinstance(sizes, list) or len(sizes) > MAX_BLOBS:
        raise WireError("a header without a proper list of blob sizes")
    if not all(type(size) is int and 0 <= size <= payload_bytes for size in sizes):
        raise WireError("a blob size that is no size")
    if sum(sizes) != payload_bytes:
        raise WireError("blob sizes that do not add up to the payload")
    return sizes


def _arm(sock: socket.socket, deadline: float | None) -> None:
    """Set the socket's time-out to what is left until the deadline."""
    if deadline is None:
        sock.settimeout(None)
        return
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    sock.settimeout(left)


def _receive(sock: socket.socket, count: int, deadline: float | None) -> bytearray:
    """Exactly `count` bytes. Memory grows with what really came, not with what was announced."""
    data = bytearray()
    try:
        while len(data) < count:
            _arm(sock, deadline)
            chunk = sock.recv(min(CHUNK, count - len(data)))
            if not chunk:
                raise WireClosed("the connection was closed in the middle of a frame" if data else "closed")
            data += chunk
    except TimeoutError as error:
        raise WireTimeout("no whole frame came in time") from error
    except OSError as error:
        raise WireClosed(f"the connection broke while receiving: {error.strerror}") from error
    return data
