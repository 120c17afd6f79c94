"""Coverage-guided fuzzing of what reads untrusted bytes, with atheris (libFuzzer).

    python fuzz/coverage_guided.py TARGET [seconds]      TARGET: frames, values, manifest, submission

A target may raise only its own documented error; anything else is a finding, which libFuzzer writes to
`out/fuzz/TARGET/`. Findings and runs are recorded in docs/fuzzing.md.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gdgrade"]):
    from gdgrade.course.errors import CourseError, SubmissionError
    from gdgrade.course.loading import load_course
    from gdgrade.course.submission import read_submission
    from gdgrade.wire.frames import WireError, WireLimits, receive_frame
    from gdgrade.wire.values import Decoder, to_library

FOLDER = Path(tempfile.mkdtemp(prefix="gdgrade-fuzz-"))
LIMITS = WireLimits(header_bytes=1 << 16, payload_bytes=1 << 16)


def frames(data: bytes) -> None:
    """Bytes from a worker's socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(data[:60_000])
        ours.close()
        with contextlib.suppress(WireError):
            receive_frame(theirs, limits=LIMITS, deadline=time.monotonic() + 5)


def values(data: bytes) -> None:
    """A JSON tree and one blob."""
    text, _, blob = data.partition(b"\x00")
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        return
    with contextlib.suppress(WireError):
        Decoder([blob], lambda array: to_library(array, "numpy")).decode(tree)


def manifest(data: bytes) -> None:
    """The text of a course.yml."""
    path = FOLDER / "course.yml"
    path.write_bytes(data)
    with contextlib.suppress(CourseError):
        load_course(path)


def submission(data: bytes) -> None:
    """A hand-in: the first byte chooses between Python and notebook."""
    path = FOLDER / ("hand_in.ipynb" if data[:1] < b"\x80" else "hand_in.py")
    path.write_bytes(data[1:])
    with contextlib.suppress(SubmissionError):
        read_submission(path)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "frames": frames,
    "values": values,
    "manifest": manifest,
    "submission": submission,
}
SEEDS: dict[str, list[bytes]] = {
    "frames": [b"GDF1\x0c\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00" + b'{"blobs":[1]}'[:12] + b"x"],
    "values": [
        b'{"!":"array","lib":"numpy","dtype":"float64","shape":[1],"blob":0}\x00' + bytes(8),
        b'{"!":"dict","v":[["a",{"!":"tuple","v":[1,{"!":"float","v":"nan"}]}]]}',
        b'{"!":"complex","v":[1,2]}',
        b'{"!":"int","v":"123456789012345678901234567890"}',
        b'{"!":"opaque","type":"T","why":"w"}',
    ],
    "manifest": [(Path(__file__).parents[1] / "course.yml").read_bytes()],
    "submission": [
        b'\x00{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"code","source":["%x\\n","a=1"]}]}',
        b"\xff# -*- coding: latin-1 -*-\ndef f(x):\r\n    return x\n",
    ],
}


def main() -> None:
    name = sys.argv[1]
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    corpus = Path("out/fuzz") / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", "-max_len=60000", "-timeout=20", f"-artifact_prefix={corpus}/finding-"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
