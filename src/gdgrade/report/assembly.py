"""From the results of the checks to a report: parts, totals, and what could not be judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gdgrade.course.late import LateDecision
from gdgrade.course.manifest import Exercise, Part
from gdgrade.language import _, course_text, language
from gdgrade.report.model import (
    CheckResult,
    Confinement,
    ExerciseRef,
    PartResult,
    PartStatus,
    Report,
    RunTimings,
    SeedInfo,
    SubmissionRef,
    Totals,
    Versions,
)


def assemble(
    exercise: Exercise,
    results: Iterable[CheckResult],
    *,
    submission: SubmissionRef,
    confinement: Confinement,
    versions: Versions,
    seeds: SeedInfo,
    remarks: Sequence[str] = (),
    late: LateDecision | None = None,
    timings: RunTimings | None = None,
) -> Report:
    """Sum the results up.

    Checks may come in any order; the report has them in the order of the manifest's parts, within a part as
    they came. A check of cause grader or infrastructure is never counted as lost: its points go to
    ``undecided``.

    Args:
        exercise: of the manifest; its parts say what there is to win.
        results: one per check that was asked for; parts without any count as not run.
        submission: which file.
        confinement: level and layers in force.
        versions: what the verdict may depend on.
        seeds: of the random inputs.
        remarks: about the file or the run.
        late: decision of the late policy, if there is a time of submission.
        timings: of the whole run.

    Raises:
        ValueError: if a result names a part that the manifest lacks, or if two results have the same id.
    """
    results = list(results)
    by_part: dict[str, list[CheckResult]] = {part.id: [] for part in exercise.parts}
    seen: set[str] = set()
    for result in results:
        if result.part not in by_part:
            known = ", ".join(by_part)
            raise ValueError(f"check {result.id!r} names part {result.part!r}; {exercise.id} has {known}")
        if result.id in seen:
            raise ValueError(f"two results for the check {result.id!r}")
        seen.add(result.id)
        by_part[result.part].append(result)
    parts = tuple(_part(part, by_part[part.id]) for part in exercise.parts)
    optional = {part.id: part.optional for part in exercise.parts}
    checks = tuple(
        check.model_copy(update={"optional": optional[check.part]}) for found in by_part.values() for check in found
    )
    return Report(
        exercise=ExerciseRef(id=exercise.id, title=course_text(exercise.title), short=exercise.short),
        submission=submission,
        parts=parts,
        checks=checks,
        totals=_totals(parts, 1.0 if late is None else late.factor),
        confinement=confinement,
        versions=versions,
        seeds=seeds,
        late=late,
        language=language(),
        remarks=(*remarks, *_overfull(exercise, by_part)),
        timings=timings or RunTimings(),
    )


def _part(part: Part, checks: Sequence[CheckResult]) -> PartResult:
    waits = dict.fromkeys(need for check in checks for need in check.waits_for)  # a set that keeps its order
    return PartResult(
        id=part.id,
        title=course_text(part.title),
        optional=part.optional,
        status=_status(checks),
        points=min(part.points, sum(check.points for check in checks)),
        max_points=part.points,
        undecided=min(part.points, sum(check.max_points for check in checks if check.undecided)),
        not_run=max(0.0, part.points - sum(check.max_points for check in checks)),
        passed=sum(check.outcome == "passed" for check in checks),
        failed=sum(check.outcome == "failed" for check in checks),
        skipped=sum(check.outcome == "skipped" for check in checks),
        errors=sum(check.outcome == "error" for check in checks),
        waits_for=tuple(waits),
    )


def _status(checks: Sequence[CheckResult]) -> PartStatus:
    if not checks:
        return "not_run"
    if all(check.outcome == "passed" for check in checks):
        return "passed"
    failed = [check for check in checks if check.outcome == "failed"]
    if failed and all(check.cause == "not_attempted" for check in failed):
        # A stub may pass a check that asks for nothing yet; the part as a whole is still not attempted
        # only if no check passed.
        return "failed" if any(check.outcome == "passed" for check in checks) else "not_attempted"
    if failed:
        return "failed"
    if any(check.undecided for check in checks):
        return "undecided"
    return "waiting"


def _totals(parts: Sequence[PartResult], factor: float) -> Totals:
    required = [part for part in parts if not part.optional]
    optional = [part for part in parts if part.optional]
    points = sum(part.points for part in required)
    bonus = sum(part.points for part in optional)
    return Totals(
        points=points,
        max_points=sum(part.max_points for part in required),
        bonus=bonus,
        max_bonus=sum(part.max_points for part in optional),
        undecided=sum(part.undecided for part in required),
        not_run=sum(part.not_run for part in required),
        final=(points + bonus) * factor,
        passed=sum(part.passed for part in parts),
        failed=sum(part.failed for part in parts),
        skipped=sum(part.skipped for part in parts),
        errors=sum(part.errors for part in parts),
    )


def _overfull(exercise: Exercise, by_part: dict[str, list[CheckResult]]) -> list[str]:
    """Parts whose checks are worth more than the manifest says: points beyond it are not given."""
    found = []
    for part in exercise.parts:
        total = sum(check.max_points for check in by_part[part.id])
        if total > part.points + 1e-9:
            text = _("The checks of part {part} add up to {total:g} points, the course file says {points:g}.")
            found.append(text.format(part=part.id, total=total, points=part.points))
    return found
