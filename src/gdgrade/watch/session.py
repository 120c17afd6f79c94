"""What to do when a file was saved, a check was decided, or a key was pressed: decisions only, no deeds.

Each method takes one event and returns the actions that follow, in order. Whoever carries them out reports back with
the ticket of the `Start` that an event belongs to; what comes of an abandoned run is ignored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gdgrade.watch.board import Board, Text

MOST_RUNS = 3  # of one check on one text; a verdict that will not settle must not keep the machine busy
KEYS = {"\r": "all", "\n": "all", "h": "hint", "p": "plot", "l": "list", "q": "quit"}


@dataclass(frozen=True)
class Start:
    """Judge these checks on this source, given what is known of the others; `quick`: none of them takes long."""

    ticket: int
    source: str
    names: tuple[str, ...]
    parts: tuple[str, ...]
    quick: bool
    broken: Mapping[str, str]
    known_mistakes: tuple[str, ...]


@dataclass(frozen=True)
class Abandon:
    """End the run with this ticket."""

    ticket: int


@dataclass(frozen=True)
class PartDecided:
    """All checks of a part that the run holds are decided: this many passed, did not pass, were not judged."""

    part: str
    passed: int
    failed: int
    waiting: int


@dataclass(frozen=True)
class Show:
    """Show the report; `running`: parts that are still out of date."""

    running: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotLoading:
    """The file cannot be loaded; the outcome says why. The verdicts of before are kept."""

    outcome: Mapping[str, Any]


@dataclass(frozen=True)
class Trouble:
    """There is no file to judge, or judging does not work: a sentence. The verdicts of before are kept."""

    message: str


@dataclass(frozen=True)
class Unchanged:
    """The save changed nothing that a check can see."""


@dataclass(frozen=True)
class Wish:
    """A key that asks for something beside judging: hint, plot or list."""

    what: str


@dataclass(frozen=True)
class Quit:
    """Leave."""


Action = Start | Abandon | PartDecided | Show | NotLoading | Trouble | Unchanged | Wish | Quit


@dataclass
class _Run:
    ticket: int
    text: Text
    names: tuple[str, ...]
    undecided: dict[str, set[str]]  # part -> its checks that are not decided yet
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)


class Session:
    """The state of watching one file.

    Args:
        board: verdicts; it also knows which checks there are.
    """

    def __init__(self, board: Board) -> None:
        self.board = board
        self.text: Text | None = None
        self._run: _Run | None = None
        self._tickets = 0
        self._runs: Counter[str] = Counter()
        self._fit = False  # whether there is a file that loads, as far as is known
        self._gone = ""  # why there is no file

    def saved(self, source: str) -> list[Action]:
        """The file holds `source` now."""
        before, self.text, self._gone = self.text, Text.of(source), ""
        self._runs.clear()
        visible = before is None or not self._fit or before.code.changed(self.text.code) != []
        self._fit = True
        if not visible and self._run is not None:
            return []  # the run that goes on judges this very code
        actions = self._abandon()
        following = self._next()
        if not visible and not any(isinstance(action, Start) for action in following):
            return [*actions, Unchanged()]
        return [*actions, *following]

    def missing(self, message: str) -> list[Action]:
        """There is no file, or none that can be read."""
        self._fit, self._gone = False, message
        return [*self._abandon(), Trouble(message)]

    def decided(self, ticket: int, name: str, outcome: str) -> list[Action]:
        """One check of a run is decided, while others go on."""
        run = self._current(ticket)
        if run is None:
            return []
        part = next((part for part, names in run.undecided.items() if name in names), None)
        if part is None:
            return []
        run.undecided[part].discard(name)
        counts = run.outcomes.setdefault(part, Counter())
        counts[outcome] += 1
        if run.undecided[part]:
            return []
        waiting = counts["skipped"] + counts["error"]
        return [PartDecided(part, counts["passed"], counts["failed"], waiting)]

    def finished(self, ticket: int, outcomes: Sequence[Mapping[str, Any]], loaded: bool) -> list[Action]:
        """A run has ended with these outcomes; `loaded`: whether the file could be loaded."""
        run = self._current(ticket)
        if run is None:
            return []
        self._run = None
        if not loaded and outcomes:
            self._fit = False
            failed = [outcome for outcome in outcomes if outcome["outcome"] != "skipped"]
            return [NotLoading(failed[0] if failed else outcomes[0])]
        self.board.take(run.text, outcomes)
        following = self._next()
        if any(isinstance(action, Start) for action in following):
            assert self.text is not None
            return [*following, Show(tuple(self.board.parts_of(self.board.stale(self.text))))]
        return following

    def lost(self, ticket: int, message: str) -> list[Action]:
        """A run could not be brought to its end, for a reason that lies in the machine."""
        if self._current(ticket) is None:
            return []
        self._run = None
        return [Trouble(message)]

    def pressed(self, key: str) -> list[Action]:
        """A key was pressed; unknown ones do nothing."""
        what = KEYS.get(key.lower())
        if what == "quit":
            return [*self._abandon(), Quit()]
        if what == "all":
            return self._all()
        return [] if what is None else [Wish(what)]

    # ------------------------------------------------------------------------------------------------------------

    def _all(self) -> list[Action]:
        if self.text is None or self._gone:
            return [Trouble(self._gone)] if self._gone else []
        self.board.forget()
        self._runs.clear()
        self._fit = True
        return [*self._abandon(), *self._next()]

    def _next(self) -> list[Action]:
        """Run what is out of date, the quick checks first; show the report if nothing is."""
        assert self.text is not None
        names = [name for name in self.board.next_batch(self.text) if self._runs[name] < MOST_RUNS]
        if not names:
            return [Show()]
        if not self.text.code.parsed:
            names = names[:1]  # enough to have the slip told
        self._runs.update(names)
        self._tickets += 1
        parts = self.board.parts_of(names)
        undecided: dict[str, set[str]] = {part: set() for part in parts}
        for name in names:
            undecided[self.board.parts_of([name])[0]].add(name)
        self._run = _Run(self._tickets, self.text, tuple(names), undecided)
        broken, known = self.board.broken(self.text), tuple(self.board.known_mistakes(self.text))
        quick = self.board.quick(names)
        return [Start(self._tickets, self.text.source, tuple(names), tuple(parts), quick, broken, known)]

    def _abandon(self) -> list[Action]:
        running, self._run = self._run, None
        return [] if running is None else [Abandon(running.ticket)]

    def _current(self, ticket: int) -> _Run | None:
        return self._run if self._run is not None and self._run.ticket == ticket else None
