"""A text stream that keeps the first part of what is printed and forgets the rest."""

from __future__ import annotations

import io


class CappedText(io.TextIOBase):
    """Stands in for `sys.stdout` and `sys.stderr`; printing 10 GB costs no memory.

    Args:
        limit: how many characters are kept between two calls of `take`.
    """

    encoding = "utf-8"

    def __init__(self, limit: int = 8192) -> None:
        self._limit = limit
        self._kept: list[str] = []
        self._length = 0
        self._lost = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        room = self._limit - self._length
        if room > 0:
            kept = text[:room]
            self._kept.append(kept)
            self._length += len(kept)
        self._lost += max(0, len(text) - max(room, 0))
        return len(text)

    def take(self) -> str:
        """What was printed since the last call, with a note of what was cut."""
        text = "".join(self._kept)
        if self._lost:
            text += f"\n[{self._lost} more characters]"
        self._kept, self._length, self._lost = [], 0, 0
        return text
