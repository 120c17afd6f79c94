"""Grades: the verdict on a hand-in, the late policy, and what a person decided, in this order."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gdgrade.batch.grading import shown_as
from gdgrade.batch.manual import Decision, decisions, extensions
from gdgrade.batch.store import Store
from gdgrade.course.late import LateDecision, penalty
from gdgrade.course.manifest import Course, Exercise
from gdgrade.language import _, ngettext
from gdgrade.report.model import Report


@dataclass(frozen=True)
class Grade:
    """What a student has for an exercise.

    Attributes:
        report: on the file, with the late policy applied; None: not graded, see `problem`.
        problem: what a person must look at; empty: nothing.
        state: graded, undecided (parts of it), unreadable, failed (the machine), pending.
        run, verdict: where it comes from.
    """

    student: str
    name: str
    exercise: str
    file: str
    sha256: str | None
    max_points: float
    report: Report | None = None
    problem: str = ""
    submitted: datetime | None = None
    time_source: str = ""
    late: LateDecision | None = None
    decisions: tuple[Decision, ...] = ()
    identifiers: Mapping[str, str] = field(default_factory=dict)
    layout: str = ""
    run: int = 0
    verdict: int | None = None

    @property
    def decided(self) -> float | None:
        """Points that a person set, the last word on them; None: nobody did."""
        return next((one.points for one in reversed(self.decisions) if one.points is not None), None)

    @property
    def final(self) -> float | None:
        """Points after everything; None while there are none: never a zero that nobody earned."""
        base = self.decided
        adjust = sum(one.adjust for one in self.decisions)
        if base is not None:
            # What was adjusted before the points were set is part of them.
            last = max(index for index, one in enumerate(self.decisions) if one.points is not None)
            adjust = sum(one.adjust for one in self.decisions[last:])
        elif self.report is not None:
            base = self.report.totals.final
        elif not self.decisions:
            return None
        return max(0.0, round((base or 0.0) + adjust, 6))

    @property
    def state(self) -> str:
        if self.decided is not None:
            return "graded"
        if self.report is None:
            return "unreadable" if self.sha256 is None else "failed" if self.problem else "pending"
        return "undecided" if self.report.exit_code == 3 else "graded"

    @property
    def needs_person(self) -> bool:
        """Whether it stands in the queue for a person."""
        return self.state in ("unreadable", "failed", "undecided")

    @property
    def comment(self) -> str:
        """Sentences for the student: the late policy's, and those of people."""
        words = [self.late.explanation] if self.late is not None and self.late.days_late else []
        return "\n".join([*words, *(decision_words(one) for one in self.decisions)])


def decision_words(decision: Decision) -> str:
    """A decision in one sentence: `-1 point: late talk`."""
    if decision.points is not None:
        return _("Points set to {points:g}: {why}").format(points=decision.points, why=decision.why)
    if decision.adjust:
        text = ngettext("{points:+g} point: {why}", "{points:+g} points: {why}", 1 if abs(decision.adjust) == 1 else 2)
        return text.format(points=decision.adjust, why=decision.why)
    return decision.why


def grades(
    store: Store, course: Course, *, run: int | None = None, exercise: str | None = None, student: str | None = None
) -> list[Grade]:
    """Grades by student and exercise; see `each_grade`."""
    return list(each_grade(store, course, run=run, exercise=exercise, student=student))


def each_grade(
    store: Store, course: Course, *, run: int | None = None, exercise: str | None = None, student: str | None = None
) -> Iterator[Grade]:
    """Grades one by one, by student and exercise: for thousands, whose reports together would fill the memory.

    Args:
        run: of this run only, for comparisons; None: the latest hand-in of each student for each exercise.
        exercise: the id of the only one that is wanted.
        student: the identifier or the name of the only one that is wanted.
    """
    latest = "h.id IN (SELECT max(id) FROM hand_ins GROUP BY student, exercise)"
    rows = store.db.execute(
        f"""SELECT h.*, v.problem AS trouble, v.missing FROM hand_ins h LEFT JOIN verdicts v ON v.id = h.verdict
            WHERE {latest if run is None else "h.run = :run"} AND (:exercise IS NULL OR h.exercise = :exercise)
            AND (:student IS NULL OR :student IN (h.student, h.name))""",  # noqa: S608 - no value of a user's
        {"run": run, "exercise": exercise, "student": student},
    ).fetchall()
    order = {one.id: number for number, one in enumerate(course.exercises)}
    rows = sorted((row for row in rows if row["exercise"] in order), key=lambda r: (r["student"], order[r["exercise"]]))
    decided, granted = decisions(store), extensions(store)

    @functools.lru_cache(maxsize=64)  # one file of many students is read once, if they are not far apart
    def report_on(verdict: int) -> Report | None:
        text = store.report_json(verdict)
        return None if text is None else Report.from_json(text)

    for row in rows:
        one = course.exercise(row["exercise"])
        report = None if row["verdict"] is None else report_on(row["verdict"])
        submitted = datetime.fromisoformat(row["submitted"]) if row["submitted"] else None
        late = _late(course, one, submitted, row["student"], granted)
        if report is not None:
            report = with_late(shown_as(report, row["file"].rsplit("/", 1)[-1]), late)
        yield Grade(
            student=row["student"], name=row["name"], exercise=row["exercise"], file=row["file"],
            sha256=row["sha256"], max_points=one.max_points, report=report,
            problem=row["problem"] or row["trouble"] or _wanting(row["missing"]),
            submitted=submitted, time_source=row["time_source"], late=late,
            decisions=tuple(decided.get((row["student"], row["exercise"]), ())),
            identifiers=json.loads(row["identifiers"]), layout=row["layout"], run=row["run"],
            verdict=row["verdict"],
        )  # fmt: skip


def _wanting(missing: str | None) -> str:
    """What a person can do about checks that were skipped for want of packages."""
    return f"some checks need {missing.replace(',', ', ')}: install it, then --resume" if missing else ""


def with_late(report: Report, late: LateDecision | None) -> Report:
    """The report with the late policy's factor in its totals."""
    factor = 1.0 if late is None else late.factor
    final = round((report.totals.points + report.totals.bonus) * factor, 9)
    return report.model_copy(update={"late": late, "totals": report.totals.model_copy(update={"final": final})})


def _late(
    course: Course,
    exercise: Exercise,
    submitted: datetime | None,
    student: str,
    granted: Mapping[tuple[str, str], float],
) -> LateDecision | None:
    if submitted is None:
        return None
    days = max(granted.get((student, exercise.id), 0.0), granted.get((student, ""), 0.0))
    return penalty(exercise.deadline, submitted, course.late, days)
