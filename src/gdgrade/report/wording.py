"""Sentences that more than one renderer says about a report, and what they are made from."""

from __future__ import annotations

from collections.abc import Iterable

from gdgrade.report.model import CheckResult, PartResult, Report

CAUSE_WORDS = {
    "student": "FAILED",
    "not_attempted": "NOT WRITTEN",
    "timeout": "TOO SLOW",
    "memory": "OUT OF MEMORY",
    "crash": "CRASHED",
    "grader": "NOT JUDGED",
    "infrastructure": "NOT JUDGED",
    "none": "SKIPPED",
}


def points_of(got: float, most: float) -> str:
    """``1 of 2 points``."""
    return f"{got:g} of {most:g} {'point' if most == 1 else 'points'}"


def heading(check: CheckResult) -> str:
    """``5.2 A step uses the given noise``: part and title, which is a docstring's line, without its full stop."""
    return f"{check.part} {check.title.removesuffix('.')}"


def many(count: int, thing: str) -> str:
    """``1 check``, ``3 checks``."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def listed(words: Iterable[str]) -> str:
    """``5.1, 5.2 and 5.4``."""
    words = list(words)
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def part_note(part: PartResult) -> str | None:
    """What stands in place of a progress bar, or None where there is progress to show."""
    if part.status == "not_attempted":
        return "not attempted yet"
    if part.status == "waiting":
        return f"waits for {', '.join(part.waits_for)}" if part.waits_for else "skipped"
    if part.status == "not_run":
        return "not run"
    if part.status == "undecided" and part.points == 0:
        return "not judged yet"
    return None


def failures(report: Report) -> list[CheckResult]:
    """Failed checks, the root cause first: parts are in the order of the course, so it is the first one.

    Functions that are not written yet are no failures as long as their whole part is untouched.
    """
    untouched = {part.id for part in report.parts if part.status == "not_attempted"}
    failed = [check for check in report.checks if check.outcome == "failed" and check.part not in untouched]
    waited_for = {need for check in report.checks for need in check.waits_for}
    part_order = {part.id: index for index, part in enumerate(report.parts)}
    # Within the earliest failing part: what was written and is wrong goes before what is not written. Bonus
    # parts come last, unless something waits for them.
    spared = {part.id for part in report.parts if part.optional and part.id not in waited_for}
    return sorted(
        failed,
        key=lambda check: (check.part in spared, part_order[check.part], check.cause == "not_attempted"),
    )


def waiting_sentences(report: Report) -> list[str]:
    """``3 checks wait for 5.1.``; checks that were skipped for another reason with that reason."""
    groups: dict[tuple[str, ...], int] = {}
    sentences: list[str] = []
    for check in report.checks:
        if check.outcome != "skipped" or check.undecided:
            continue
        if check.waits_for:
            groups[check.waits_for] = groups.get(check.waits_for, 0) + 1
        else:
            sentences.append(f"{heading(check)}: skipped. {check.message}".rstrip())
    waits = [
        f"{many(count, 'check')} {'waits' if count == 1 else 'wait'} for {listed(needs)}."
        for needs, count in groups.items()
    ]
    return waits + sentences


def remark_sentences(report: Report) -> list[str]:
    """Remarks about the file, then those of checks, each once with the parts it was made in."""
    made: dict[str, list[str]] = {}
    for check in report.checks:
        for remark in check.remarks:
            parts = made.setdefault(remark, [])
            if check.part not in parts:
                parts.append(check.part)
    return [*report.remarks, *(f"{listed(parts)}: {remark}" for remark, parts in made.items())]


def total_sentence(report: Report) -> str:
    """``7 of 20 points, bonus 1 of 2 (3 not judged yet)``."""
    totals = report.totals
    text = points_of(totals.points, totals.max_points)
    if totals.bonus:
        text += f", bonus {totals.bonus:g} of {totals.max_bonus:g}"
    extra = []
    if totals.undecided:
        extra.append(f"{totals.undecided:g} not judged yet")
    if totals.not_run:
        extra.append(f"{totals.not_run:g} not run")
    return f"{text} ({', '.join(extra)})" if extra else text


def next_sentence(report: Report, command: str) -> tuple[str, str | None]:
    """What to do next, and the command for it."""
    failed = failures(report)
    if failed:
        part = failed[0].part
        verb = "Write the rest of" if failed[0].cause == "not_attempted" else "Mend"
        return f"{verb} part {part}, then run", f"{command} --part {part}"
    open_parts = [part for part in report.parts if part.status == "not_attempted"]
    required = [part.id for part in open_parts if not part.optional]
    if required:
        return f"Write part {required[0]}, then run", f"{command} --part {required[0]}"
    if any(check.undecided for check in report.checks):
        return "Nothing for you to do: tell your teacher. What was not judged costs no points.", None
    if any(part.not_run and not part.optional for part in report.parts):
        return "All that was run passed. Run the whole exercise:", command
    if open_parts:
        bonus = open_parts[0].id
        return f"All that counts passed. If you like, write the bonus part {bonus}, then run", (
            f"{command} --part {bonus}"
        )
    if any(check.outcome == "skipped" for check in report.checks):
        return "Some checks were skipped; see above.", None
    return "All checks passed.", None
