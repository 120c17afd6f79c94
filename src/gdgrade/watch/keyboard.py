"""Single keys from a terminal, which is given back as it was, however the program ends."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

ENDING = ("SIGTERM", "SIGHUP")
# Arrows, function keys and the like, which come as several characters.
ESCAPES = re.compile(rb"\x1b(\[[0-9;?]*[ -/]*[@-~]|O.|.)?")


@contextlib.contextmanager
def single_keys(fd: int, tell: Callable[[str], None]) -> Iterator[None]:
    """Inside the block, `tell` is called (in a thread) with each key that is pressed; nothing is echoed.

    Ctrl-C still interrupts, Ctrl-Z still stops. The signals by which a program is asked to end become SystemExit in
    the block. On hanging up, the key is "q". Needs a POSIX terminal; use it in the main thread.

    Args:
        fd: descriptor of the terminal.
    """
    import termios
    import tty

    before = termios.tcgetattr(fd)

    def restore() -> None:
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(fd, termios.TCSADRAIN, before)

    def stopped(number: int, frame: FrameType | None) -> None:
        restore()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # sleeps here until SIGCONT
        signal.signal(signal.SIGTSTP, stopped)
        tty.setcbreak(fd)

    stop = threading.Event()
    reader = threading.Thread(target=_read, args=(fd, tell, stop), daemon=True, name="keys")
    atexit.register(restore)
    handler = signal.signal(signal.SIGTSTP, stopped)
    try:
        tty.setcbreak(fd)
        reader.start()
        yield
    finally:
        stop.set()
        restore()
        signal.signal(signal.SIGTSTP, handler)
        reader.join(timeout=1)
        atexit.unregister(restore)


@contextlib.contextmanager
def ends_in_order() -> Iterator[None]:
    """Inside the block, signals that ask the program to end raise SystemExit in the main thread."""

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    known = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
    before: dict[Any, Any] = {number: signal.signal(number, end) for number in known}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _read(fd: int, tell: Callable[[str], None], stop: threading.Event) -> None:
    while not stop.is_set():
        ready, _, _ = select.select([fd], [], [], 0.2)
        if not ready:
            continue
        try:
            data = os.read(fd, 64)
        except OSError:
            data = b""
        if not data:
            tell("q")
            return
        for key in ESCAPES.sub(b"", data).decode("utf-8", "ignore"):
            tell(key)
