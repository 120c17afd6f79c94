"""What is known about a file that changes: verdicts, and which of them still hold for the newest text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gdgrade.judge.student import WHOLE_FILE
from gdgrade.sourcecode import Code

SLOW_SECONDS = 0.5  # a check that took longer waits until the quick ones are decided
Outcome = Mapping[str, Any]


@dataclass(frozen=True)
class CheckInfo:
    """What can be said of a check before it is run.

    Attributes:
        name: its short name; part: it belongs to.
        needs: parts without which it is not judged, its part's own included.
        training: it trains a network.
        alpha: probability that it fails a right answer; 0 for exact checks.
    """

    name: str
    part: str
    needs: tuple[str, ...] = ()
    training: bool = False
    alpha: float = 0.0


@dataclass(frozen=True)
class Text:
    """One state of the student's file: its Python text, cut into lines and definitions."""

    source: str
    lines: tuple[str, ...]
    code: Code

    @classmethod
    def of(cls, source: str) -> Text:
        return cls(source, tuple(source.split("\n")), Code(source))


@dataclass(frozen=True)
class _Kept:
    """A verdict and the code that it is about: a hash of what the check can reach from what it asked for."""

    outcome: Outcome
    key: str


class Board:
    """Verdicts on one file, as the file changes.

    A verdict holds as long as the code that its check reached is the same, since checks draw the same inputs every
    time; and as long as the parts that it needs stand as they stood.

    Args:
        checks: all that may be judged, in the order of the report.
        optional: parts that may be left unwritten.
    """

    def __init__(self, checks: Sequence[CheckInfo], optional: Iterable[str] = ()) -> None:
        self._checks = {check.name: check for check in checks}
        self._optional = frozenset(optional)
        self._kept: dict[str, _Kept] = {}

    def forget(self) -> None:
        """No verdict holds any more."""
        self._kept = {}

    def take(self, text: Text, outcomes: Iterable[Outcome]) -> None:
        """Keep verdicts that were made on `text`."""
        for outcome in outcomes:
            name = str(outcome["id"]).split("/", 1)[1]
            self._kept[name] = _Kept(outcome, _key(text, outcome))

    def outcomes(self, text: Text) -> list[Outcome]:
        """The verdicts that hold for `text`, in the order of the report."""
        stale = set(self.stale(text))
        return [self._kept[name].outcome for name in self._checks if name not in stale]

    def stale(self, text: Text) -> list[str]:
        """Checks without a verdict that holds for `text`, in the order of the report."""
        fresh = self._fresh(text)
        broken, known = self._broken(fresh), self._known(fresh)
        stands = {name for name in fresh if self._stands(name, broken, known)}
        return [name for name in self._checks if name not in stands]

    def next_batch(self, text: Text) -> list[str]:
        """Of the stale checks those to run first: the quick ones, as long as there are any."""
        stale = self.stale(text)
        for slowness in range(3):
            batch = [name for name in stale if self._slowness(name) == slowness]
            if batch:
                return batch
        return []

    def quick(self, names: Iterable[str]) -> bool:
        """Whether none of these checks is expected to take long."""
        return all(self._slowness(name) == 0 for name in names)

    def broken(self, text: Text) -> dict[str, str]:
        """Parts that are not right, with the cause, by the verdicts that hold for `text`."""
        return self._broken(self._fresh(text))

    def known_mistakes(self, text: Text) -> list[str]:
        """Mistakes that a check has singled out, by the verdicts that hold for `text`."""
        return self._known(self._fresh(text))

    def parts_of(self, names: Iterable[str]) -> list[str]:
        """The parts of these checks, in the order of the report."""
        wanted = set(names)
        return list(dict.fromkeys(check.part for check in self._checks.values() if check.name in wanted))

    # -- which verdicts hold -------------------------------------------------------------------------------------

    def _fresh(self, text: Text) -> dict[str, Outcome]:
        """Verdicts made on the same code, whose quoted lines are still where they were."""
        return {
            name: kept.outcome
            for name, kept in self._kept.items()
            if name in self._checks and kept.key == _key(text, kept.outcome) and _quotes_truly(text, kept.outcome)
        }

    def _broken(self, fresh: Mapping[str, Outcome]) -> dict[str, str]:
        """As the judge counts them: the first check of a part that did not pass gives the cause."""
        broken: dict[str, str] = {}
        for name, check in self._checks.items():
            outcome = fresh.get(name)
            if outcome is None or outcome["outcome"] == "passed":
                continue
            if check.part in self._optional and outcome["cause"] == "not_attempted":
                continue
            broken.setdefault(check.part, outcome["cause"])
        return broken

    def _known(self, fresh: Mapping[str, Outcome]) -> list[str]:
        return sorted({outcome["matches"][0] for outcome in fresh.values() if len(outcome["matches"]) == 1})

    def _stands(self, name: str, broken: Mapping[str, str], known: Sequence[str]) -> bool:
        outcome = self._kept[name].outcome
        blocker = next((part for part in self._checks[name].needs if part in broken), None)
        if blocker is not None or outcome["outcome"] == "skipped":
            return outcome["outcome"] == "skipped" and list(outcome["waits_for"]) == [blocker]
        matches = outcome["matches"]
        if len(matches) > 1:  # another check may have told its possible mistakes apart in the meantime
            left = [name for name in matches if name in known]
            return bool(outcome["mistake"] == (left[0] if len(left) == 1 else None))
        return True

    def _slowness(self, name: str) -> int:
        check, kept = self._checks[name], self._kept.get(name)
        if check.training:
            return 2
        seconds = 0.0 if kept is None else kept.outcome["timings"].get("seconds") or 0.0
        return int(check.alpha > 0 or seconds > SLOW_SECONDS)  # what draws samples mostly draws many


def _key(text: Text, outcome: Outcome) -> str:
    entered = outcome["entered"]
    return text.code.key(None if WHOLE_FILE in entered else entered, offered=False)


def _quotes_truly(text: Text, outcome: Outcome) -> bool:
    """Whether the lines of the traceback are still there; a text above them may have grown."""
    for frame in outcome["traceback"]:
        place, code = frame["line"] - 1, frame["code"].strip()
        if code and not (0 <= place < len(text.lines) and text.lines[place].strip()[: len(code)] == code):
            return False
    return True
