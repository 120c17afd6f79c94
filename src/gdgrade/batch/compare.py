"""Two runs side by side: who changed, in which check, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gdgrade.batch.grades import Grade
from gdgrade.report.model import Report


@dataclass(frozen=True)
class Change:
    """What is different for one student and exercise; `why` names the likely reason."""

    student: str
    exercise: str
    before: float | None
    after: float | None
    checks: tuple[str, ...]
    why: str


def changes(before: Sequence[Grade], after: Sequence[Grade]) -> list[Change]:
    """All differences of points or outcomes between two runs, also who is in one of them only."""
    old = {(grade.student, grade.exercise): grade for grade in before}
    new = {(grade.student, grade.exercise): grade for grade in after}
    found: list[Change] = []
    for key in sorted(old.keys() | new.keys()):
        one, two = old.get(key), new.get(key)
        if one is None or two is None:
            present = one or two
            assert present is not None
            why = "handed in only in the second run" if one is None else "not in the second run"
            found.append(Change(*key, one.final if one else None, two.final if two else None, (), why))
            continue
        checks = tuple(_checks(one.report, two.report))
        if checks or one.final != two.final or one.state != two.state:
            found.append(Change(*key, one.final, two.final, checks, _why(one, two)))
    return found


def _checks(one: Report | None, two: Report | None) -> list[str]:
    before = {check.id: check for check in one.checks} if one else {}
    after = {check.id: check for check in two.checks} if two else {}
    lines = []
    for check in [*after, *(name for name in before if name not in after)]:
        old, new = before.get(check), after.get(check)
        words = [f"{item.outcome}" + (f" ({item.cause})" if item.cause != "none" else "") if item else "absent"
                 for item in (old, new)]  # fmt: skip
        if words[0] != words[1]:
            lines.append(f"{check.split('/', 1)[-1]}: {words[0]} -> {words[1]}")
    return lines


def _why(one: Grade, two: Grade) -> str:
    if one.sha256 != two.sha256:
        return "another file was handed in"
    if one.verdict == two.verdict:
        return "the late policy, or a person's decision"
    if one.report is None or two.report is None:
        return "one of the runs could not grade it"
    versions = (one.report.versions, two.report.versions)
    if versions[0].course != versions[1].course:
        return f"course revision {versions[0].course} -> {versions[1].course}"
    if one.report.seeds != two.report.seeds:
        return "other seeds"
    if versions[0] != versions[1]:
        return "another version of gdgrade, Python or a library"
    return "the checks or the reference changed"
