"""What a course page says about all grades: distributions, pass rates, frequent mistakes, causes, the slowest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from gdgrade.batch.grades import Grade
from gdgrade.course.manifest import Exercise

BINS = 10


@dataclass(frozen=True)
class CheckRate:
    """How one check went: passed, failed, skipped (waits for a part), undecided; of `total`."""

    id: str
    title: str
    part: str
    passed: int
    failed: int
    skipped: int
    undecided: int

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.skipped + self.undecided

    @property
    def share(self) -> float:
        """Of those judged, the share that passed, in percent."""
        judged = self.passed + self.failed
        return 100.0 * self.passed / judged if judged else 0.0


@dataclass(frozen=True)
class Summary:
    """One exercise over all students.

    Attributes:
        histogram: counts of final points in ten equal bins of the maximum; more than the maximum goes to the last.
        mean, median: of the final points; None without grades.
        mistakes: recognised mistakes, most frequent first, with the number of students.
        causes: of checks that did not pass, with the number of checks.
        slowest: file's student and seconds.
    """

    exercise: str
    title: str
    max_points: float
    students: int
    graded: int
    people: int
    late: int
    histogram: tuple[int, ...]
    mean: float | None
    median: float | None
    checks: tuple[CheckRate, ...] = ()
    mistakes: tuple[tuple[str, int], ...] = ()
    causes: tuple[tuple[str, int], ...] = ()
    slowest: tuple[tuple[str, float], ...] = field(default=())


def summarise(exercise: Exercise, grades: Sequence[Grade]) -> Summary:
    """The summary of one exercise; `grades` are of that exercise only."""
    finals = sorted(grade.final for grade in grades if grade.final is not None)
    histogram = [0] * BINS
    for value in finals:
        share = value / exercise.max_points if exercise.max_points else 0.0
        histogram[min(BINS - 1, int(share * BINS))] += 1
    middle = len(finals) // 2
    median = None if not finals else (finals[middle] + finals[-middle - 1]) / 2
    reports = [(grade, grade.report) for grade in grades if grade.report is not None]
    mistakes: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    for _, report in reports:
        mistakes.update({check.mistake for check in report.checks if check.mistake})
        causes.update(check.cause for check in report.checks if check.cause != "none")
    timed = [(grade.student, report.timings.seconds or 0.0) for grade, report in reports]
    return Summary(
        exercise=exercise.id, title=exercise.title, max_points=exercise.max_points, students=len(grades),
        graded=len(finals), people=sum(grade.needs_person for grade in grades),
        late=sum(1 for grade in grades if grade.late is not None and grade.late.days_late > 0),
        histogram=tuple(histogram), mean=sum(finals) / len(finals) if finals else None, median=median,
        checks=tuple(_rates(grades)), mistakes=tuple(mistakes.most_common(12)), causes=tuple(causes.most_common()),
        slowest=tuple(sorted(timed, key=lambda pair: -pair[1])[:8]),
    )  # fmt: skip


def _rates(grades: Sequence[Grade]) -> list[CheckRate]:
    counts: dict[str, Counter[str]] = {}
    about: dict[str, tuple[str, str]] = {}
    for grade in grades:
        for check in grade.report.checks if grade.report is not None else ():
            counts.setdefault(check.id, Counter())["undecided" if check.undecided else check.outcome] += 1
            about[check.id] = (check.title, check.part)
    return [
        CheckRate(name, *about[name], count["passed"], count["failed"], count["skipped"], count["undecided"])
        for name, count in counts.items()
    ]
