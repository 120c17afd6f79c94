"""Where a student stands: the course's parts with their last verdicts, deadlines, and what to do next."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from gdgrade.course.late import LateDecision, penalty
from gdgrade.course.manifest import Course, Exercise, LatePolicy, Part
from gdgrade.workspace import stubs
from gdgrade.workspace.progress import Progress, Verdict


@dataclass(frozen=True)
class PartState:
    """One part.

    Attributes:
        verdict: the last one; None: never checked.
        stale: the file has changed since, or is gone.
        hints: how many were looked at.
    """

    part: Part
    verdict: Verdict | None
    stale: bool
    hints: int

    @property
    def status(self) -> str:
        """The last verdict's status, or "open"."""
        return self.verdict.status if self.verdict is not None else "open"

    @property
    def points(self) -> float:
        return min(self.verdict.points, self.part.points) if self.verdict is not None else 0.0

    @property
    def elsewhere(self) -> float:
        """Points of checks that did not run here: left out, or hidden and with the teacher."""
        return max(0.0, self.part.points - self.verdict.judged) if self.verdict is not None else 0.0


@dataclass(frozen=True)
class ExerciseState:
    """One exercise with its parts, in the order of the statement, and the late policy applied now.

    Attributes:
        left: until the deadline, negative after it; None without one.
        late: what handing in now would cost.
    """

    exercise: Exercise
    parts: tuple[PartState, ...]
    left: timedelta | None
    late: LateDecision

    @cached_property
    def points(self) -> float:
        return sum(state.points for state in self.parts if not state.part.optional)

    @cached_property
    def bonus(self) -> float:
        return sum(state.points for state in self.parts if state.part.optional)

    @property
    def stale(self) -> bool:
        return any(state.stale for state in self.parts)

    @property
    def passed(self) -> int:
        """How many parts, optional ones left out, have passed."""
        return sum(state.status == "passed" for state in self.parts if not state.part.optional)

    @property
    def required(self) -> int:
        return sum(not state.part.optional for state in self.parts)


@dataclass(frozen=True)
class Step:
    """What to write next.

    Attributes:
        tasks: the stub's tasks of the part; none for a part that only runs what others ask for.
        lines: where each task is found in the student's file, 1-based; None: no such function there.
    """

    state: ExerciseState
    part: PartState
    tasks: tuple[stubs.Task, ...]
    lines: tuple[int | None, ...]


def overview(course: Course, progress: Progress, now: datetime) -> list[ExerciseState]:
    """All exercises, in the order of the course."""
    return [state_of(exercise, course.late, course.root, progress, now) for exercise in course.exercises]


def state_of(exercise: Exercise, policy: LatePolicy, root: Path, progress: Progress, now: datetime) -> ExerciseState:
    """One exercise.

    Args:
        root: of the workspace, to which verdicts name their files.
        now: aware.
    """
    hashes: dict[str, str | None] = {}

    def stale(verdict: Verdict) -> bool:
        if verdict.file not in hashes:
            hashes[verdict.file] = _sha256(root / verdict.file)
        return hashes[verdict.file] != verdict.sha256

    parts = []
    for part in exercise.parts:
        verdict = progress.verdicts.get((exercise.id, part.id))
        changed = verdict is not None and stale(verdict)
        parts.append(PartState(part, verdict, changed, progress.hints.get((exercise.id, part.id), 0)))
    left = None if exercise.deadline is None else exercise.deadline - now
    return ExerciseState(exercise, tuple(parts), left, penalty(exercise.deadline, now, policy))


def next_step(states: Sequence[ExerciseState], root: Path) -> Step | None:
    """The first part that has not passed: required ones first, and exercises that are still worth something first.

    Returns:
        None when every part has passed.
    """
    for state, part in _open_parts(states):
        stub = stubs.pristine(state.exercise, root) or b""
        tasks = tuple(task for task in stubs.tasks(stub) if task.part == part.part.id)
        try:
            source = state.exercise.entry_path.read_bytes()
        except OSError:
            source = b""
        return Step(state, part, tasks, tuple(stubs.line_of(source, task) for task in tasks))
    return None


def _open_parts(states: Sequence[ExerciseState]) -> Iterator[tuple[ExerciseState, PartState]]:
    for optional in (False, True):
        for worthless in (False, True):
            for state in states:
                if (state.late.factor == 0) is not worthless:
                    continue
                passed = {part.part.id for part in state.parts if part.status == "passed"}
                waiting = []
                for part in state.parts:
                    if part.part.optional is not optional or part.part.id in passed:
                        continue
                    if passed.issuperset(part.part.needs):
                        yield state, part
                    else:
                        waiting.append((state, part))
                yield from waiting


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
