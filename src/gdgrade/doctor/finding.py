"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """What was seen, and what to do about it.

    Attributes:
        name: the same in every language, for programs.
        title: for people.
        state: a problem keeps exercises from being checked rightly; a warning may.
        detail: what was seen, in one line.
        mend: commands that mend it, one per line; empty where all is well.
    """

    name: str
    title: str
    state: State
    detail: str
    mend: str = ""
