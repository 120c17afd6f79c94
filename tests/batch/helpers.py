"""Hand-ins and reports without processes."""

from collections.abc import Mapping
from datetime import datetime

from gdgrade.batch.collect import HandIn
from gdgrade.course.manifest import Course
from gdgrade.course.submission import parse_submission
from gdgrade.report.assembly import assemble
from gdgrade.report.checkresult import CheckResult
from gdgrade.report.model import Confinement, Report, SeedInfo, SubmissionRef, Versions


def hand_in(
    student: str, text: str, *, name: str = "", submitted: datetime | None = None,
    identifiers: Mapping[str, str] | None = None,
) -> HandIn:  # fmt: skip
    data = text.encode()
    return HandIn(
        student, name or student, "ex01_target", f"{student}/target.py", data, parse_submission(data, "target.py"),
        submitted=submitted, time_source="test" if submitted else "", identifiers=identifiers or {}, layout="folders",
    )  # fmt: skip


def make_report(course: Course, *, points: float, message: str = "the numbers differ", hint: str = "") -> Report:
    """A report of the tiny course: a first check of all parts' points, of which `points` are given."""
    exercise = course.exercises[0]
    checks, left = [], points
    for part in exercise.parts:
        given = min(part.points, left)
        left -= given
        passed = given == part.points
        checks.append(
            CheckResult(
                id=f"{exercise.id}/it/part_{part.id.replace('.', '_')}", part=part.id, title=f"Check of {part.title}.",
                outcome="passed" if passed else "failed", cause="none" if passed else "student", points=given,
                max_points=part.points, message="" if passed else message, hint="" if passed else hint,
                mistake=None if passed or not hint else "tripled",
            )
        )  # fmt: skip
    return assemble(
        exercise, checks, submission=SubmissionRef(name="target.py", sha256="0" * 64),
        confinement=Confinement(level="A"), seeds=SeedInfo(public=1),
        versions=Versions(gdgrade="0", course="1", python="3.11", platform="Linux"),
    )  # fmt: skip


def report_json(course: Course, *, points: float) -> str:
    return make_report(course, points=points).to_json(indent=None)
