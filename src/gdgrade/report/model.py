"""The report of one graded submission: plain frozen data with a JSON schema.

Whatever text a student may have written passes through ``clean_text`` on the way in, so no sink ever meets a
control character. Whatever depends on the clock or the machine's load lies under keys named ``timings`` and
nowhere else.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gdgrade.course.late import LateDecision
from gdgrade.report.text import clean_text

SCHEMA_VERSION: Literal["1"] = "1"
SCHEMA_ID = "https://gdgrade.invalid/schema/report-1.json"

Outcome = Literal["passed", "failed", "skipped", "error"]
Cause = Literal[
    "none", "student", "not_attempted", "timeout", "memory", "crash", "grader", "infrastructure"
]  # fmt: skip
MACHINE_CAUSES: frozenset[Cause] = frozenset({"grader", "infrastructure"})
HIDDEN_MESSAGE = "A hidden check did not pass. Its inputs and expected values are not shown."


def _line(limit: int) -> Any:
    return AfterValidator(lambda text: clean_text(text, limit))


def _block(limit: int) -> Any:
    return AfterValidator(lambda text: clean_text(text, limit, newlines=True))


Name = Annotated[str, _line(200)]
Sentence = Annotated[str, _line(1000)]
Paragraph = Annotated[str, _block(4000)]
Excerpt = Annotated[str, _block(2000)]
Output = Annotated[str, _block(20_000)]
# Adding zero turns -0.0 into 0.0, which would be another JSON text for the same report.
Points = Annotated[float, Field(ge=0, allow_inf_nan=False), AfterValidator(lambda value: round(value, 9) + 0.0)]
Measured = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Frame(_Frozen):
    """One line of the student's own code in a traceback.

    Attributes:
        file: display name of the file, with the cell for notebooks.
        line: 1-based.
        function: name of the function, ``<module>`` at top level.
        code: text of the line; may be empty.
    """

    file: Name
    line: Annotated[int, Field(ge=0)]
    function: Name = ""
    code: Annotated[str, _line(300)] = ""


class CheckTimings(_Frozen):
    """Measurements of one check: wall-clock seconds in all and in student code, peak memory in MiB (2**20
    bytes)."""

    seconds: Measured | None = None
    student_seconds: Measured | None = None
    peak_memory_mib: Measured | None = None


class RunTimings(_Frozen):
    """Measurements of the whole run: start (ISO 8601), wall-clock seconds, of which start-up, peak MiB."""

    started_at: Name | None = None
    seconds: Measured | None = None
    startup_seconds: Measured | None = None
    peak_memory_mib: Measured | None = None


class CheckResult(_Frozen):
    """What became of one check.

    Attributes:
        id: ``<exercise>/<test file>/<function>``.
        part: e.g. ``"5.2"``.
        title: first line of the check's docstring.
        outcome: failed: the submission is wrong; error: the grader or the machine is.
        cause: why it did not pass; skipped for want of another part has cause ``none``, or the machine's
            cause when that part could not be judged.
        points: given, at most ``max_points``.
        message: what is wrong, for the student.
        waits_for: parts that must pass first (skipped checks).
        mistake: name of the known mistake that gives the same numbers.
        mistake_kind: a formula that is wrong, or one that is right by another convention.
        expected, got: short excerpts; None where there is nothing to show.
        traceback: the student's own frames, outermost first.
        alpha: probability that a right submission fails this check.
        seed: of its random inputs.
        visibility: hidden checks show their title only; see ``Report.redacted``.
        optional: belongs to an optional part.
        remarks: what was unusual and cost nothing.
        output: what the student's code printed.
    """

    id: Name
    part: Name
    title: Sentence
    outcome: Outcome
    cause: Cause = "none"
    points: Points = 0.0
    max_points: Points
    message: Paragraph = ""
    waits_for: tuple[Name, ...] = ()
    hint: Paragraph = ""
    mistake: Name | None = None
    mistake_kind: Literal["mistake", "convention"] | None = None
    expected: Excerpt | None = None
    got: Excerpt | None = None
    traceback: tuple[Frame, ...] = ()
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.0
    seed: int | None = None
    visibility: Literal["public", "hidden"] = "public"
    optional: bool = False
    remarks: tuple[Sentence, ...] = ()
    output: Output = ""
    timings: CheckTimings = CheckTimings()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        allowed: dict[Outcome, frozenset[Cause]] = {
            "passed": frozenset({"none"}),
            "failed": frozenset({"student", "not_attempted", "timeout", "memory", "crash"}),
            "skipped": frozenset({"none", "grader", "infrastructure"}),
            "error": MACHINE_CAUSES,
        }
        if self.cause not in allowed[self.outcome]:
            raise ValueError(f"outcome {self.outcome!r} cannot have the cause {self.cause!r}")
        if self.points > self.max_points:
            raise ValueError(f"points {self.points:g} exceed max_points {self.max_points:g}")
        if self.points and self.outcome in ("skipped", "error"):
            raise ValueError(f"a check with outcome {self.outcome!r} gives no points")
        return self

    @property
    def undecided(self) -> bool:
        """Whether grader or machine kept it from being judged: its points are neither given nor lost."""
        return self.cause in MACHINE_CAUSES


PartStatus = Literal["passed", "failed", "not_attempted", "waiting", "undecided", "not_run"]


class PartResult(_Frozen):
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


class Totals(_Frozen):
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


class ExerciseRef(_Frozen):
    """Which exercise: id, title, and the short name for the command line."""

    id: Name
    title: Sentence
    short: Name = ""


class SubmissionRef(_Frozen):
    """Which file: display name and SHA-256 of its bytes."""

    name: Name
    sha256: Name
    kind: Literal["py", "ipynb"] = "py"


class Confinement(_Frozen):
    """How the student's code was confined: a level in one or two words, and the layers in force."""

    level: Name
    layers: tuple[Name, ...] = ()


class Versions(_Frozen):
    """Versions that a verdict may depend on; None: not imported."""

    gdgrade: Name
    course: Name
    python: Name
    platform: Name
    torch: Name | None = None
    numpy: Name | None = None


class SeedInfo(_Frozen):
    """The public seed, and a fingerprint of the secret one (None: none was used)."""

    public: int
    secret: Name | None = None


class Report(_Frozen):
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
        return self.model_copy(update={"checks": tuple(map(_redact, self.checks))})

    def without_timings(self) -> Report:
        """The report without measurements: equal for two runs of the same submission, seed and machine."""
        checks = tuple(check.model_copy(update={"timings": CheckTimings()}) for check in self.checks)
        return self.model_copy(update={"checks": checks, "timings": RunTimings()})

    def to_json(self, *, indent: int | None = 2) -> str:
        """JSON text with sorted keys, one newline at the end."""
        import json

        data = self.model_dump(mode="json")
        return json.dumps(data, indent=indent, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Report:
        """Read back what ``to_json`` wrote.

        Raises:
            pydantic.ValidationError: if it is not a report of this schema.
        """
        return cls.model_validate_json(text)


def _redact(check: CheckResult) -> CheckResult:
    if check.visibility == "public":
        return check
    # A timeout or a missing function tells nothing about the inputs, and the student needs to know it.
    blame = check.outcome == "failed" and check.cause == "student"
    return check.model_copy(
        update={
            "message": HIDDEN_MESSAGE if blame else check.message,
            "expected": None, "got": None, "traceback": (), "output": "", "seed": None, "remarks": (),
        }
    )  # fmt: skip


def schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a report's JSON, for ``gdgrade schema report``."""
    body = Report.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **body}
