"""The worker's life: answer requests on one socket until the judge hangs up."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import sys
from typing import Any

from gdgrade.wire.frames import Header, WireError, receive_frame, send_frame
from gdgrade.worker.capture import CappedText
from gdgrade.worker.executor import Executor


def serve(sock: socket.socket, hello: Header) -> None:
    """Announce the confinement that was reached, then answer request after request.

    The greeting is sent before any of the student's code is read, so the judge may believe it.
    """
    output = CappedText()
    sys.stdout = sys.stderr = output
    sys.__stdout__ = sys.__stderr__ = None  # type: ignore[misc]
    executor = Executor(output)
    sock.settimeout(None)
    send_frame(sock, {"hello": 1, **hello})
    gc.enable()
    with contextlib.suppress(WireError):
        while True:
            frame = receive_frame(sock)
            header, blobs = executor.execute(frame)
            send_frame(sock, header, blobs)


def single_threaded() -> None:
    """One thread for torch, whatever the environment said: workers share the cores with each other."""
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


def clean_environment(scratch: str | None) -> None:
    """Leave only what libraries need; nothing of the user's environment stays."""
    os.environ.clear()
    os.environ.update(
        {
            "LANG": "C.UTF-8",
            "PATH": "/usr/bin:/bin",
            "USER": "student",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "MPLBACKEND": "agg",
        }
    )
    home_in(scratch or "/nonexistent")


def home_in(folder: str) -> None:
    """Name the one folder that a worker may write to, wherever a library asks for one."""
    os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR", "TORCHINDUCTOR_CACHE_DIR"), folder))
