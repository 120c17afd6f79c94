"""What lateness costs: a pure function of deadline, time of submission and policy."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from gdgrade.course.manifest import LatePolicy
from gdgrade.language import _, ngettext

_DAY = timedelta(days=1)


class LateDecision(BaseModel):
    """The outcome of the late policy.

    Attributes:
        factor: what the points are multiplied with, in [0, 1].
        days_late: started days (24 hours each) after the deadline, extension included; 0 when in time or in
            grace.
        explanation: one sentence for the student.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    factor: float
    days_late: int
    explanation: str


def penalty(
    deadline: datetime | None, submitted: datetime, policy: LatePolicy, extension_days: float = 0.0
) -> LateDecision:
    """Decide what a submission loses for being late.

    Lateness counts from the deadline (plus extension) in started days of 24 hours; the grace only decides
    whether it counts at all, so one minute beyond it costs a day like one hour beyond it. The cut-off is
    reached when more than ``cutoff_days`` have passed.

    Args:
        deadline: aware; None means never late.
        submitted: aware.
        policy: of the course.
        extension_days: granted to this student; may be a fraction, not negative.

    Raises:
        ValueError: for a naive time or a negative extension.
    """
    if submitted.tzinfo is None or (deadline is not None and deadline.tzinfo is None):
        raise ValueError("deadline and time of submission need a time zone")
    if not 0 <= extension_days <= 3650:
        raise ValueError(f"extension_days must lie in 0..3650, got {extension_days}")
    if deadline is None:
        return LateDecision(factor=1.0, days_late=0, explanation=_("No deadline."))
    due = deadline + timedelta(days=extension_days)
    extended = " " + _("(deadline extended by {days})").format(days=_days(extension_days)) if extension_days else ""
    late = submitted - due
    if late <= timedelta(0):
        return LateDecision(factor=1.0, days_late=0, explanation=_("In time{extended}.").format(extended=extended))
    if late <= timedelta(minutes=policy.grace_minutes):
        words = _("Late by {amount}, within the {minutes:g} minutes of grace{extended}.").format(
            amount=_amount(late), minutes=policy.grace_minutes, extended=extended
        )
        return LateDecision(factor=1.0, days_late=0, explanation=words)
    days = -(-late // _DAY)  # ceiling, in whole microseconds
    cutoff = policy.cutoff_days
    if cutoff is not None and late > timedelta(days=cutoff):
        words = _("Late by {amount}, after the cut-off of {days}{extended}.").format(
            amount=_amount(late), days=_days(cutoff), extended=extended
        )
        return LateDecision(factor=0.0, days_late=days, explanation=words)
    factor = round(max(0.0, 1 - policy.per_day * days), 10)  # 1 - 3 * 0.1 is 0.7, not 0.7000000000000001
    cost = (
        _("{percent:.4g} % of the points are lost").format(percent=100 * (1 - factor))
        if factor < 1
        else _("nothing is lost")
    )
    words = _("Late by {amount}, counted as {days}: {cost}{extended}.").format(
        amount=_amount(late), days=_days(days), cost=cost, extended=extended
    )
    return LateDecision(factor=factor, days_late=days, explanation=words)


def _days(count: float) -> str:
    """``1 day``, ``2.5 days``."""
    return ngettext("{count:g} day", "{count:g} days", 1 if count == 1 else 2).format(count=count)


def _amount(late: timedelta) -> str:
    """``3 d 4 h``, ``2 h 5 min``, ``12 min``, ``8 s``: two units are enough for people."""
    seconds = int(late.total_seconds())
    units = [(_("d"), seconds // 86400), ("h", seconds // 3600 % 24), ("min", seconds // 60 % 60)]
    while units and units[0][1] == 0:
        units.pop(0)
    shown = [f"{value} {unit}" for unit, value in units[:2] if value]
    return " ".join(shown) or f"{max(1, seconds)} s"
