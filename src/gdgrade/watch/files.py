"""Notices that a file was saved, however its editor saves: in place, by rename, by deleting and writing anew."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gdgrade.course.errors import SubmissionError
from gdgrade.course.submission import Submission, read_submission

STEP_MS = 10  # how long it must be quiet after an event
GRACE_SECONDS = 0.4  # between the two halves of a save, a file may be missing or empty for a moment
LOOK_MS = 1000  # also look without an event: folders are replaced, and network file systems tell nothing
Tell = Callable[[tuple[Any, ...]], None]


class FileWatch:
    """Tells of the file's state, at the beginning and whenever it is another one:

    ``("saved", submission)``, or ``("missing", message)`` if it cannot be read.

    Args:
        path: of the file; it need not exist.
        tell: called in a thread of its own.
    """

    def __init__(self, path: Path, tell: Tell) -> None:
        self._path, self._tell = path, tell
        self._stop = threading.Event()
        self._told: str | None = None  # the hash, or the message, that was told last
        self._thread = threading.Thread(target=self._work, daemon=True, name="files")
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=5)

    def _work(self) -> None:
        self._look()
        while not self._stop.is_set():
            try:
                self._watch()
            except OSError:  # the folder is gone, or this system cannot watch it
                self._stop.wait(LOOK_MS / 1000)
                self._look()

    def _watch(self) -> None:
        import watchfiles

        places = self._places()
        folders = sorted({str(place.parent) for place, _ in places})
        names = {place.name for place, _ in places}
        changes = watchfiles.watch(
            *folders,
            watch_filter=lambda change, changed: Path(changed).name in names,
            step=STEP_MS,
            debounce=10 * STEP_MS,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
            stop_event=self._stop,
            recursive=False,
            raise_interrupt=False,
        )
        self._look()  # what happened before the watch was set up
        seen = _stamp(self._path)
        for found in changes:
            now = _stamp(self._path)
            if found or now != seen:
                seen = now
                self._look()
            if not found and self._places() != places:  # a link leads elsewhere now, or a folder is another one
                return

    def _places(self) -> list[tuple[Path, int]]:
        """The file, and what it is a link to, if it is one; each with the number of its folder on the disk.

        Raises:
            OSError: there is no such folder.
        """
        path = self._path.absolute()
        return [(place, place.parent.stat().st_ino) for place in dict.fromkeys((path, path.resolve()))]

    def _look(self) -> None:
        """Tell of the file's state if it is news; a file in the middle of being saved gets a moment."""
        until = time.monotonic() + GRACE_SECONDS
        while True:
            state = self._state()
            if isinstance(state, Submission) or time.monotonic() > until or self._stop.is_set():
                break
            time.sleep(0.02)
        mark = state.sha256 if isinstance(state, Submission) else state
        if mark == self._told:
            return
        self._told = mark
        self._tell(("saved", state) if isinstance(state, Submission) else ("missing", state))

    def _state(self) -> Submission | str:
        try:
            return read_submission(self._path, follow_symlinks=True)
        except SubmissionError as error:
            return str(error)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
