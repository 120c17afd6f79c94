"""The report: frozen, versioned, deterministic but for its timings, and inert."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from gdgrade.report.model import HIDDEN_MESSAGE, CheckResult, CheckTimings, Report, RunTimings, schema

Check = Callable[..., CheckResult]
Make = Callable[..., Report]


def keys_of(value: object, inside_timings: bool = False) -> set[str]:
    """All keys of a JSON value that lie outside of any ``timings``."""
    if isinstance(value, list):
        return set().union(*map(keys_of, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, inner in value.items():
        if key != "timings":
            found |= {key} | keys_of(inner)
    return found


def test_the_schema_describes_the_json(mixed: Report) -> None:
    """A report validates against its exported schema, and the schema is itself a valid one."""
    jsonschema.Draft202012Validator.check_schema(schema())
    validator = jsonschema.Draft202012Validator(schema())
    data = json.loads(mixed.to_json())
    validator.validate(data)
    data["checks"][0]["outcome"] = "maybe"
    assert not validator.is_valid(data)


def test_the_schema_is_closed(mixed: Report) -> None:
    """A key that the schema does not know is an error, at the top and inside."""
    data = json.loads(mixed.to_json())
    validator = jsonschema.Draft202012Validator(schema())
    assert not validator.is_valid({**data, "extra": 1})
    assert not validator.is_valid({**data, "totals": {**data["totals"], "extra": 1}})
    assert not validator.is_valid({**data, "schema_version": "2"})


def test_json_and_back(mixed: Report) -> None:
    """Nothing is lost on the way through JSON, and the text is the same every time."""
    text = mixed.to_json()
    assert Report.from_json(text) == mixed
    assert Report.from_json(text).to_json() == text
    assert text.endswith("}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_only_timings_differ_between_runs(mixed: Report, make: Make, check: Check) -> None:
    """Without timings two runs are equal, and no measurement stands anywhere else."""
    slow = mixed.model_copy(
        update={
            "timings": RunTimings(started_at="later", seconds=99.0),
            "checks": tuple(
                c.model_copy(update={"timings": CheckTimings(seconds=9.0, student_seconds=8.0)}) for c in mixed.checks
            ),
        }
    )
    assert slow != mixed
    assert slow.without_timings() == mixed.without_timings()
    assert slow.without_timings().to_json() == mixed.without_timings().to_json()
    outside = keys_of(json.loads(mixed.to_json()))
    assert not {key for key in outside if "seconds" in key or "memory" in key or "started" in key}


def test_nothing_a_student_wrote_can_act(mixed: Report) -> None:
    """No control character is left in any string of a report."""
    for text in _strings(json.loads(mixed.to_json())):
        assert text.replace("\n", "").isprintable()


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    return [text for item in inner for text in _strings(item)]


def test_lone_surrogates_are_accepted_and_shown(check: Check) -> None:
    """Half a character in a message is an escape, not an error of the grader."""
    result = check("a/b", "5.1", "failed", cause="student", message="x \ud800", output="\udfff")
    assert (result.message, result.output) == ("x \\ud800", "\\udfff")


def test_long_texts_are_cut(check: Check) -> None:
    """Ten megabytes of printed text leave twenty thousand characters."""
    result = check("a/b", "5.1", output="x\n" * 5_000_000, message="y" * 10**6)
    assert len(result.output) == 20_000
    assert len(result.message) == 4000


@pytest.mark.parametrize(
    "fields",
    [
        {"outcome": "passed", "cause": "student"},
        {"outcome": "failed", "cause": "none"},
        {"outcome": "failed", "cause": "grader"},
        {"outcome": "error", "cause": "student"},
        {"outcome": "error", "cause": "none"},
        {"outcome": "skipped", "cause": "timeout"},
        {"outcome": "skipped", "cause": "none", "points": 1.0},
        {"outcome": "passed", "cause": "none", "points": 3.0},
        {"outcome": "passed", "cause": "none", "points": float("nan")},
        {"outcome": "passed", "cause": "none", "points": -1.0},
        {"outcome": "passed", "cause": "none", "extra": 1},
        {"outcome": "perhaps", "cause": "none"},
    ],
    ids=str,
)
def test_contradictions_are_refused(fields: dict[str, Any]) -> None:
    """An outcome has its causes, points stay below the maximum, keys are known."""
    with pytest.raises(ValidationError):
        CheckResult.model_validate({"id": "a", "part": "5.1", "title": "t", "max_points": 2.0, **fields})


def test_points_are_clean_numbers(check: Check) -> None:
    """Sums of tenths and negative zero do not leak into the JSON."""
    assert check("a/b", "5.1", points=0.1 + 0.2).points == 0.3
    assert str(CheckResult(id="a", part="1", title="t", outcome="passed", points=-0.0, max_points=1).points) == "0.0"


def test_exit_codes(make: Make, check: Check) -> None:
    """0 all passed; 1 some failed or wait; 3 something could not be judged, also beside failures."""
    passed = check("a/a", "5.1")
    failed = check("a/b", "5.2", "failed", cause="student")
    skipped = check("a/c", "5.3", "skipped", waits_for=("5.2",))
    broken = check("a/d", "5.5", "error", cause="infrastructure")
    absent = check("a/e", "5.6", "skipped", cause="infrastructure", message="rdkit is not installed")
    assert make(passed).exit_code == 0
    assert make(passed, failed).exit_code == 1
    assert make(passed, skipped).exit_code == 1
    assert make(passed, broken).exit_code == 3
    assert make(passed, failed, broken).exit_code == 3
    assert make(passed, absent).exit_code == 3


def test_an_untouched_bonus_is_no_failure(make: Make, check: Check) -> None:
    """An optional part that nobody attempted leaves the exit code at 0; one that is wrong does not."""
    passed = check("a/a", "5.1")
    untouched = check("m/a", "5.7", "failed", cause="not_attempted")
    wrong = check("m/b", "5.7", "failed", cause="student")
    assert make(passed, untouched).exit_code == 0
    assert make(passed, untouched, wrong).exit_code == 1


def test_students_do_not_see_hidden_checks(mixed: Report) -> None:
    """Redacted, a hidden check keeps title, outcome, points and hint; its numbers are nowhere in the JSON."""
    hidden = next(c for c in mixed.redacted().checks if c.visibility == "hidden")
    assert (hidden.message, hidden.expected, hidden.got, hidden.seed) == (HIDDEN_MESSAGE, None, None, None)
    assert (hidden.title, hidden.outcome) == ("Fresh noise", "failed")
    assert "0.05" in mixed.to_json()
    assert "0.05" not in mixed.redacted().to_json()
    assert "777" not in mixed.redacted().to_json()


def test_a_hidden_timeout_says_so(check: Check, make: Make) -> None:
    """That a function is missing or slow gives nothing away and helps."""
    slow = check("a/b", "5.1", "failed", cause="timeout", visibility="hidden", message="took longer than 20 s")
    assert make(slow).redacted().checks[0].message == "took longer than 20 s"


def test_a_report_cannot_be_changed(mixed: Report) -> None:
    """Reports are frozen."""
    with pytest.raises(ValidationError):
        mixed.remarks = ()  # type: ignore[misc]
