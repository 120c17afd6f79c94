"""Frames: what is malformed, huge or endless is refused, and never hangs or eats memory."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdgrade.wire.frames import (
    MAGIC,
    PREFIX,
    WireClosed,
    WireError,
    WireLimits,
    WireTimeout,
    pack,
    receive_frame,
    send_frame,
)

SMALL = WireLimits(header_bytes=1000, payload_bytes=1000)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def raw(header: bytes, payload: bytes = b"", *, magic: bytes = MAGIC, announced: int | None = None) -> bytes:
    return PREFIX.pack(magic, len(header), len(payload) if announced is None else announced) + header + payload


def test_round_trip(pair: tuple[socket.socket, socket.socket]) -> None:
    """A header and its blobs arrive as they were sent, empty blobs included."""
    ours, theirs = pair
    send_frame(ours, {"op": "call", "x": [1, None]}, [b"abc", b"", b"\x00\xff"])
    frame = receive_frame(theirs)
    assert frame.header == {"op": "call", "x": [1, None]}
    assert frame.blobs == (b"abc", b"", b"\x00\xff")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (raw(b"{}", magic=b"HTTP"), "does not begin as a frame"),
        (PREFIX.pack(MAGIC, 2**32 - 1, 0), "at most 1000 are read"),
        (PREFIX.pack(MAGIC, 2, 2**63), "at most 1000 are read"),
        (raw(b"[1, 2]"), "not a JSON object"),
        (raw(b"{"), "not JSON"),
        (raw(b"\xff\xfe{}"), "not JSON"),
        (raw(b"[" * 999), "not JSON"),
        (raw(b"{}"), "list of blob sizes"),
        (raw(b'{"blobs": 3}'), "list of blob sizes"),
        (raw(b'{"blobs": [-1]}'), "no size"),
        (raw(b'{"blobs": [true]}', b"x"), "no size"),
        (raw(b'{"blobs": [0.5]}', b"x"), "no size"),
        (raw(b'{"blobs": [1e3]}', b"x"), "no size"),
        (raw(b'{"blobs": [99]}', b"x"), "no size"),
        (raw(b'{"blobs": [1]}', b"xy"), "do not add up"),
        (raw(b'{"blobs": [1, 2]}', b"xy"), "do not add up"),
    ],
)
def test_malformed_frames_are_refused(pair: tuple[socket.socket, socket.socket], data: bytes, words: str) -> None:
    """Each malformed frame is a WireError that says what is wrong, whatever lengths it announces."""
    ours, theirs = pair
    ours.sendall(data)
    with pytest.raises(WireError, match=words):
        receive_frame(theirs, limits=SMALL, deadline=time.monotonic() + 5)


def test_a_frame_that_trickles_meets_the_deadline(pair: tuple[socket.socket, socket.socket]) -> None:
    """The deadline is for the whole frame: bytes that keep coming slowly do not extend it."""
    ours, theirs = pair
    stop = threading.Event()

    def trickle() -> None:
        data = raw(b'{"blobs": []}' + b" " * 900)
        for byte in data:
            if stop.wait(0.02):
                return
            try:
                ours.send(bytes([byte]))
            except OSError:
                return

    thread = threading.Thread(target=trickle)
    thread.start()
    start = time.monotonic()
    with pytest.raises(WireTimeout):
        receive_frame(theirs, deadline=start + 0.3)
    assert time.monotonic() - start < 5
    stop.set()
    thread.join()


def test_a_closed_connection_is_told_apart(pair: tuple[socket.socket, socket.socket]) -> None:
    """Closing in the middle of a frame is WireClosed."""
    ours, theirs = pair
    ours.sendall(raw(b'{"blobs": [5]}', b"abc", announced=5))
    ours.close()
    with pytest.raises(WireClosed):
        receive_frame(theirs, deadline=time.monotonic() + 5)


def test_sending_to_one_who_does_not_read_times_out(pair: tuple[socket.socket, socket.socket]) -> None:
    """A receiver that never reads cannot block the sender for ever."""
    ours, _ = pair
    with pytest.raises(WireTimeout):
        send_frame(ours, {}, [bytes(50_000_000)], deadline=time.monotonic() + 0.3)


def test_an_announced_size_costs_no_memory(pair: tuple[socket.socket, socket.socket]) -> None:
    """Memory grows with what came: a frame that announces 256 MB and sends nothing is a timeout, not an allocation."""
    import tracemalloc

    ours, theirs = pair
    header = b'{"blobs": [268435456]}'
    ours.sendall(PREFIX.pack(MAGIC, len(header), 268435456) + header)
    tracemalloc.start()
    with pytest.raises(WireTimeout):
        receive_frame(theirs, deadline=time.monotonic() + 0.2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


@given(st.binary(max_size=400))
def test_random_bytes_never_raise_anything_else(data: bytes) -> None:
    """Whatever bytes come, the reader answers with a WireError or a frame."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(data)
        ours.close()
        with contextlib.suppress(WireError):
            receive_frame(theirs, limits=SMALL, deadline=time.monotonic() + 5)


@given(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9), max_size=4),
    st.lists(st.binary(max_size=30), max_size=4),
)
def test_packing_is_inverted_by_reading(header: dict[str, object], blobs: list[bytes]) -> None:
    """What `pack` makes, `receive_frame` reads back."""
    header.pop("blobs", None)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"".join(bytes(piece) for piece in pack(header, blobs)))
        frame = receive_frame(theirs, deadline=time.monotonic() + 5)
    assert frame.header == json.loads(json.dumps(header))
    assert list(frame.blobs) == blobs
