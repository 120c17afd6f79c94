"""What `author check` found out about one exercise, as plain frozen data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Section:
    """One line of the table: what was looked at, how much of it, and what is wrong.

    Attributes:
        name: e.g. "planted wrong answers".
        summary: the figures in a few words.
        problems: what is not as it must be; none means sound.
        notes: worth knowing, no fault.
        figures: the numbers behind the summary, for JSON.
    """

    name: str
    summary: str
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        return not self.problems


@dataclass(frozen=True)
class Survivor:
    """A mutant that no check fails and that is not proven to be the reference in other words."""

    name: str
    diff: str
    difference: str


@dataclass(frozen=True)
class Verdict:
    """Everything about one exercise.

    Attributes:
        mode: quick or full.
        confusion: mistake -> {diagnosis: number of checks}; "" stands for no diagnosis.
        survivors: of the mutants.
        seconds: wall-clock time; judged: how many runs were not in the cache.
    """

    exercise: str
    title: str
    mode: str
    sections: tuple[Section, ...]
    confusion: dict[str, dict[str, int]] = field(default_factory=dict)
    survivors: tuple[Survivor, ...] = ()
    seconds: float = 0.0
    judged: int = 0

    @property
    def sound(self) -> bool:
        return all(section.sound for section in self.sections)

    def to_json(self) -> dict[str, Any]:
        """Plain data; the sections also say whether they are sound."""
        data = asdict(self)
        for section, entry in zip(self.sections, data["sections"], strict=True):
            entry["sound"] = section.sound
        return {**data, "sound": self.sound}


def section(
    name: str, summary: str, problems: Sequence[str] = (), notes: Sequence[str] = (), **figures: Any
) -> Section:
    """A section; the figures as keywords."""
    return Section(name, summary, tuple(problems), tuple(notes), figures)
