"""What a judge is told: one exercise, one submission, seeds and limits, as plain data that crosses a socket."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PartInfo:
    """A part of an exercise: `needs` are ids of parts it builds on; an optional part gives bonus points."""

    id: str
    title: str
    points: float
    needs: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Job:
    """One submission to be judged.

    Attributes:
        root: the course's folder.
        exercise: its id, such as "ex05_langevin".
        entry: the student's file name; its stem names the module.
        source: the student's code; display: how its file is called in messages.
        library: "torch" or "numpy".
        public_seed, secret_seed: seed material of public and hidden checks.
        seconds, memory_mib: limits of the student's code per check; submission_seconds: of all checks together.
        only_part: judge this part (and nothing else), or None.
        quick: leave out checks marked as training.
        only_checks: short names of the checks to judge; empty: all.
        stop_early: end at the first check that does not pass.
        diagnose: compare failures with the known mistakes.
        confine: strict, best or none; start_method: fork or spawn.
        language: of the messages, titles and hints.
        extra: {"lab": {"name": "module:Class", ...}}: an investigation of the checks themselves instead of a verdict
            on the source; see `gdgrade.author.lab`. {"broken": {part: cause}, "known_mistakes": [name]}: what is known
            already of checks that this job leaves out. {"shared_worker": true}: one worker for all checks, into which
            the file is loaded anew for each, as where workers cannot be forked; quicker, and less apart. {"in_turn":
            true}: no worker is made ready ahead of its check, so that the job keeps one processor busy and not more.
            {"processor": 3}: judge and workers run on that one. {"recall": folder}: what mistakes show with these
            draws, where it is known; see `gdgrade.judge.recall`.
    """

    root: str
    exercise: str
    entry: str
    source: str
    display: str
    parts: tuple[PartInfo, ...]
    library: str = "torch"
    public_seed: int = 0
    secret_seed: str | None = None
    seconds: float = 20.0
    memory_mib: int = 1024
    submission_seconds: float = 300.0
    only_part: str | None = None
    quick: bool = False
    only_checks: tuple[str, ...] = ()
    stop_early: bool = False
    diagnose: bool = True
    preload: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    confine: str = "best"
    start_method: str = "fork"
    data_folder: str | None = None
    language: str = "en"
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def graders(self) -> Path:
        return Path(self.root) / "graders" / self.exercise

    @property
    def reference(self) -> Path:
        return Path(self.root) / "reference" / self.exercise / self.entry

    @property
    def tape(self) -> Path:
        """Recorded answers of the reference, in a student's package; see `gdgrade.judge.tape`."""
        return Path(self.root) / "tape" / self.exercise

    @property
    def catalogues(self) -> tuple[Path, Path]:
        """Where translations of the checks' and of the course's texts lie; see `gdgrade.language.use`."""
        return self.graders / "locale", Path(self.root) / "locale"

    @property
    def module(self) -> str:
        return Path(self.entry).stem

    @property
    def submission_hash(self) -> str:
        return hashlib.sha256(self.source.encode()).hexdigest()

    def material(self, visibility: str) -> str:
        """Seed material: hidden checks use the secret seed where there is one."""
        if visibility == "hidden" and self.secret_seed is not None:
            return f"secret:{self.secret_seed}"
        return f"public:{self.public_seed}"

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "parts": [asdict(part) for part in self.parts]}  # `asdict` would copy all the rest

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Job:
        parts = tuple(PartInfo(**{**part, "needs": tuple(part["needs"])}) for part in data["parts"])
        tuples = {name: tuple(data[name]) for name in ("preload", "forbidden", "only_checks")}
        return cls(**{**data, "parts": parts, **tuples})
