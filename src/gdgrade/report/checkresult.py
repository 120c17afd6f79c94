"""What became of one check: plain frozen data, with all text made inert on the way in."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gdgrade.language import N_, _
from gdgrade.report.text import clean_text

Outcome = Literal["passed", "failed", "skipped", "error"]
Cause = Literal[
    "none", "student", "not_attempted", "timeout", "memory", "crash", "grader", "infrastructure"
]  # fmt: skip
MACHINE_CAUSES: frozenset[Cause] = frozenset({"grader", "infrastructure"})
HIDDEN_MESSAGE = N_("A hidden check did not pass. Its inputs and expected values are not shown.")


def _inert(limit: int, *, newlines: bool = False) -> BeforeValidator:
    # Before, not after: pydantic refuses a str with lone surrogates, and a student may print one.
    return BeforeValidator(
        lambda value: clean_text(value, limit, newlines=newlines) if isinstance(value, str) else value
    )


Name = Annotated[str, _inert(200)]
Sentence = Annotated[str, _inert(1000)]
Paragraph = Annotated[str, _inert(4000, newlines=True)]
Excerpt = Annotated[str, _inert(2000, newlines=True)]
Output = Annotated[str, _inert(20_000, newlines=True)]
# Adding zero turns -0.0 into 0.0, which would be another JSON text for the same report.
Points = Annotated[float, Field(ge=0, allow_inf_nan=False), AfterValidator(lambda value: round(value, 9) + 0.0)]
Measured = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Frozen(BaseModel):
    """Plain data that does not change, with no keys beside those named."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Frame(Frozen):
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
    code: Annotated[str, _inert(300)] = ""


class CheckTimings(Frozen):
    """Measurements of one check: wall-clock seconds in all and in student code, peak memory in MiB."""

    seconds: Measured | None = None
    student_seconds: Measured | None = None
    peak_memory_mib: Measured | None = None


class CheckResult(Frozen):
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


def redact(check: CheckResult) -> CheckResult:
    """The check as the student may see it: a hidden one keeps title, outcome, cause, points and hint."""
    if check.visibility == "public":
        return check
    # A timeout or a missing function tells nothing about the inputs, and the student needs to know it.
    blame = check.outcome == "failed" and check.cause == "student"
    return check.model_copy(
        update={
            "message": _(HIDDEN_MESSAGE) if blame else check.message,
            "expected": None, "got": None, "traceback": (), "output": "", "seed": None, "remarks": (),
        }
    )  # fmt: skip
