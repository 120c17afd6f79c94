"""Sentences that more than one renderer says about a report, and what they are made from."""

from __future__ import annotations

from collections.abc import Iterable

from gdgrade.language import N_, _, language, listed, ngettext
from gdgrade.report.model import CheckResult, PartResult, Report

CAUSE_WORDS = {
    "student": N_("FAILED"),
    "not_attempted": N_("NOT WRITTEN"),
    "timeout": N_("TOO SLOW"),
    "memory": N_("OUT OF MEMORY"),
    "crash": N_("CRASHED"),
    "grader": N_("NOT JUDGED"),
    "infrastructure": N_("NOT JUDGED"),
    "none": N_("SKIPPED"),
}


def points_of(got: float, most: float) -> str:
    """``1 of 2 points``."""
    # The English word follows `most` alone (0.5 of 1 point, 0.5 of 0.5 points), the French one `got` (1 point sur 20).
    counted = got if language() == "fr" else most
    text = ngettext("{got} of {most} point", "{got} of {most} points", 1 if is_one(counted) else 2)
    return text.format(got=number(got), most=number(most))


def is_one(amount: float) -> bool:
    """Whether the language in use has the singular with this amount: up to below 2 in French, 1 alone in English."""
    return amount < 2 if language() == "fr" else amount == 1


def number(value: float) -> str:
    """``2.5``, or ``2,5`` in French."""
    text = f"{value:g}"
    return text.replace(".", ",") if language() == "fr" else text


def heading(check: CheckResult) -> str:
    """``5.2 A step uses the given noise``: part and title, which is a docstring's line, without its full stop."""
    return f"{check.part} {check.title.removesuffix('.')}"


def part_note(part: PartResult) -> str | None:
    """What stands in place of a progress bar, or None where there is progress to show."""
    if part.status == "not_attempted":
        return _("not attempted yet")
    if part.status == "waiting":
        return waits_for(part.waits_for) if part.waits_for else _("skipped")
    if part.status == "not_run":
        return _("not run")
    if part.status == "undecided" and part.points == 0:
        return _("not judged yet")
    return None


def waits_for(needs: Iterable[str]) -> str:
    """``waits for 5.2, 5.3``."""
    return _("waits for {parts}").format(parts=", ".join(needs))


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
            sentences.append(
                _("{check}: skipped. {reason}").format(check=heading(check), reason=check.message).rstrip()
            )
    waits = [
        ngettext("{count} check waits for {parts}.", "{count} checks wait for {parts}.", count).format(
            count=count, parts=listed(needs)
        )
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
    said = (_("{parts}: {remark}").format(parts=listed(parts), remark=remark) for remark, parts in made.items())
    return [*report.remarks, *said]


def total_sentence(report: Report) -> str:
    """``7 of 20 points, bonus 1 of 2 (3 not judged yet)``."""
    totals = report.totals
    text = points_of(totals.points, totals.max_points)
    if totals.bonus:
        text += _(", bonus {got} of {most}").format(got=number(totals.bonus), most=number(totals.max_bonus))
    extra = []
    if totals.undecided:
        extra.append(_("{points} not judged yet").format(points=number(totals.undecided)))
    if totals.not_run:
        extra.append(_("{points} not run").format(points=number(totals.not_run)))
    return f"{text} ({', '.join(extra)})" if extra else text


def next_sentence(report: Report, command: str) -> tuple[str, str | None]:
    """What to do next, and the command for it."""
    failed = failures(report)
    if failed:
        part = failed[0].part
        text = _("Write the rest of part {part}, then run")
        if failed[0].cause != "not_attempted":
            text = _("Mend part {part}, then run")
        return text.format(part=part), f"{command} --part {part}"
    open_parts = [part for part in report.parts if part.status == "not_attempted"]
    alone = sum(part.status != "not_run" for part in report.parts) == 1 < len(report.parts)  # --part
    required = [part.id for part in open_parts if alone or not part.optional]
    if required:
        return _("Write part {part}, then run").format(part=required[0]), f"{command} --part {required[0]}"
    undecided = [check for check in report.checks if check.undecided]
    if undecided and all(check.outcome == "skipped" for check in undecided):
        return _("All that can be judged here passed. What was not judged costs no points."), None
    if undecided:
        return _("Nothing for you to do: tell your teacher. What was not judged costs no points."), None
    if any(part.not_run and not part.optional for part in report.parts):
        if alone:
            return _("All that was run passed. Run the whole exercise:"), command
        # A whole run where hidden checks are elsewhere looks like one with --quick: running either again is no use.
        return _("All that was run passed. The rest is judged without --quick, or when you hand in."), None
    if open_parts:
        bonus = open_parts[0].id
        text = _("All that counts passed. If you like, write the bonus part {part}, then run")
        return text.format(part=bonus), f"{command} --part {bonus}"
    if any(check.outcome == "skipped" for check in report.checks):
        return _("Some checks were skipped; see above."), None
    return _("All checks passed."), None
