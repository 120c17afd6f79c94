"""The report of one graded submission: plain frozen data with a JSON schema.

Whatever text a student may have written passes through ``clean_text`` on the way in, so no sink ever meets a
control character. Whatever depends on the clock or the machine's load lies under keys named ``timings`` and
nowhere else.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from gdgrade.course.late import LateDecision
from gdgrade.report.checkresult import HIDDEN_MESSAGE as HIDDEN_MESSAGE
from gdgrade.report.checkresult import MACHINE_CAUSES as MACHINE_CAUSES
from gdgrade.report.checkresult import Cause as Cause
from gdgrade.report.checkresult import CheckResult as CheckResult
from gdgrade.report.checkresult import CheckTimings as CheckTimings
from gdgrade.report.checkresult import Frame as Frame
from gdgrade.report.checkresult import Frozen, Measured, Name, Points, Sentence, redact
from gdgrade.report.checkresult import Outcome as Outcome

SCHEMA_VERSION: Literal["1"] = "1"
SCHEMA_ID = "https://gdgrade.invalid/schema/report-1.json"


class RunTimings(Frozen):
    """Measurements of the whole run: start (ISO 8601), wall-clock seconds, of which start-up, peak MiB."""

    started_at: Name | None = None
    seconds: Measured | None = None
    startup_seconds: Measured | None = None
    peak_memory_mib: Measured | None = None


PartStatus = Literal["passed", "failed", "not_attempted", "waiting", "undecided", "not_run"]


class PartResult(Frozen):
    """What became of one part.

    Attributes:
        status: passed: every check did; not_attempted: every check that ran met an unwritten function;
            waiting: every check waits for another part; undecided: nothing failed, but grader or machine kept
            some check from being judged; not_run: no check was asked for; failed: the rest.
        points, max_points: given, and of the manifest.
        undecided: points of the checks that could not be judged.
        not_run: points of the checks that were not asked for (``--part``, ``--quick``).
        waits_for: parts that it waits for.
    """

    id: Name
    title: Sentence
    optional: bool = False
    status: PartStatus
    points: Points
    max_points: Points
    undecided: Points = 0.0
    not_run: Points = 0.0
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    errors: int = 0
    waits_for: tuple[Name, ...] = ()


class Totals(Frozen):
    """Sums over the parts.

    Attributes:
        points, max_points: of the parts that are not optional.
        bonus, max_bonus: of the optional parts.
        undecided: points, bonus left out, that are neither given nor lost: a person looks at them.
        not_run: points, bonus left out, of checks that were not asked for.
        final: (points + bonus) times the factor of the late policy; provisional while ``undecided`` is not 0.
    """

    points: Points
    max_points: Points
    bonus: Points = 0.0
    max_bonus: Points = 0.0
    undecided: Points = 0.0
    not_run: Points = 0.0
    final: Points
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    errors: int = 0


class ExerciseRef(Frozen):
    """Which exercise: id, title, and the short name for the command line."""

    id: Name
    title: Sentence
    short: Name = ""


class SubmissionRef(Frozen):
    """Which file: display name and SHA-256 of its bytes."""

    name: Name
    sha256: Name
    kind: Literal["py", "ipynb"] = "py"


class Confinement(Frozen):
    """How the student's code was confined: a level in one or two words, and the layers in force."""

    level: Name
    layers: tuple[Name, ...] = ()


class Versions(Frozen):
    """Versions that a verdict may depend on; None: not imported."""

    gdgrade: Name
    course: Name
    python: Name
    platform: Name
    torch: Name | None = None
    numpy: Name | None = None


class SeedInfo(Frozen):
    """The public seed, and a fingerprint of the secret one (None: none was used)."""

    public: int
    secret: Name | None = None


class Report(Frozen):
    """The verdict on one submission. Build it with ``assembly.assemble``."""

    schema_version: Literal["1"] = SCHEMA_VERSION
    exercise: ExerciseRef
    submission: SubmissionRef
    parts: tuple[PartResult, ...]
    checks: tuple[CheckResult, ...]
    totals: Totals
    confinement: Confinement
    versions: Versions
    seeds: SeedInfo
    late: LateDecision | None = None
    language: Name = "en"
    remarks: tuple[Sentence, ...] = ()
    timings: RunTimings = RunTimings()

    @property
    def points(self) -> float:
        """Points given, bonus left out."""
        return self.totals.points

    @property
    def max_points(self) -> float:
        """Points of the exercise, bonus left out."""
        return self.totals.max_points

    @property
    def bonus(self) -> float:
        """Points given for optional parts."""
        return self.totals.bonus

    @property
    def exit_code(self) -> int:
        """0: all passed; 1: some failed; 3: grader or machine kept some check from being judged.

        An optional part that was not attempted, and what waits for it, is no failure.
        """
        if any(check.undecided for check in self.checks):
            return 3
        unasked = ("not_attempted", "waiting")
        spared = {part.id for part in self.parts if part.optional and part.status in unasked}
        return int(any(check.outcome != "passed" and check.part not in spared for check in self.checks))

    def redacted(self) -> Report:
        """The report as the student may see it: hidden checks keep title, outcome, cause, points and hint."""
        return self.model_copy(update={"checks": tuple(map(redact, self.checks))})

    def without_timings(self) -> Report:
        """The report without measurements: equal for two runs of the same submission, seed and machine."""
        checks = tuple(check.model_copy(update={"timings": CheckTimings()}) for check in self.checks)
        return self.model_copy(update={"checks": checks, "timings": RunTimings()})

    def to_json(self, *, indent: int | None = 2) -> str:
        """JSON text with sorted keys, one newline at the end."""
        data = self.model_dump(mode="json")
        return json.dumps(data, indent=indent, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Report:
        """Read back what ``to_json`` wrote.

        Raises:
            pydantic.ValidationError: if it is not a report of this schema.
        """
        return cls.model_validate_json(text)


def schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a report's JSON, for ``gdgrade schema report``."""
    body = Report.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **body}
