"""From results to parts and totals; what grader or machine spoilt is never counted as lost."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdgrade.course.late import LateDecision
from gdgrade.course.manifest import Exercise, Part
from gdgrade.report.assembly import assemble
from gdgrade.report.model import CheckResult, Confinement, Report, SeedInfo, SubmissionRef, Versions

Check = Callable[..., CheckResult]
Make = Callable[..., Report]


def status(report: Report, part: str) -> str:
    return next(p.status for p in report.parts if p.id == part)


def test_the_mixed_report(mixed: Report) -> None:
    """Every status at once, and sums that agree with the checks."""
    assert [(part.id, part.status, part.points) for part in mixed.parts] == [
        ("5.1", "passed", 2),
        ("5.2", "failed", 1),
        ("5.3", "waiting", 0),
        ("5.4", "waiting", 0),
        ("5.5", "not_attempted", 0),
        ("5.6", "undecided", 1),
        ("5.7", "failed", 0),
    ]
    totals = mixed.totals
    assert (totals.points, totals.max_points, totals.bonus, totals.max_bonus) == (4, 17, 0, 2)
    assert (totals.undecided, totals.not_run, totals.final) == (1, 6, 4)
    assert (totals.passed, totals.failed, totals.skipped, totals.errors) == (4, 4, 3, 1)
    assert (mixed.points, mixed.max_points, mixed.bonus) == (4, 17, 0)


def test_checks_stand_in_the_order_of_the_course(make: Make, check: Check) -> None:
    """Whatever order they finished in; within a part that order is kept."""
    report = make(check("c/c", "5.3"), check("a/z", "5.1"), check("b/b", "5.2"), check("a/a", "5.1"))
    assert [c.id.removeprefix("ex05_langevin/") for c in report.checks] == ["a/z", "a/a", "b/b", "c/c"]


def test_an_error_of_the_grader_is_not_lost(make: Make, check: Check) -> None:
    """Its points are undecided, also when a check was only skipped because of it."""
    report = make(
        check("a/a", "5.1", points=2),
        check("b/a", "5.2", "error", points=3, cause="grader"),
        check("c/a", "5.3", "skipped", points=3, cause="grader", waits_for=("5.2",)),
    )
    assert (report.totals.points, report.totals.undecided, report.totals.errors) == (2, 6, 1)
    assert (status(report, "5.2"), status(report, "5.3")) == ("undecided", "undecided")


def test_what_was_not_asked_for_is_not_lost_either(make: Make, check: Check) -> None:
    """--part leaves parts out, --quick single checks."""
    report = make(check("b/a", "5.2", points=2))
    assert status(report, "5.1") == "not_run"
    assert report.totals.not_run == 17 - 2
    assert next(p.not_run for p in report.parts if p.id == "5.2") == 1


def test_a_part_is_not_attempted_only_as_a_whole(make: Make, check: Check) -> None:
    """One function written out of two is a failed part."""
    stub = check("a/a", "5.1", "failed", cause="not_attempted")
    assert status(make(stub), "5.1") == "not_attempted"
    assert status(make(stub, check("a/b", "5.1")), "5.1") == "failed"
    assert status(make(stub, check("a/b", "5.1", "failed", cause="student")), "5.1") == "failed"
    assert status(make(stub, check("a/b", "5.1", "skipped", waits_for=("5.2",))), "5.1") == "not_attempted"


def test_bonus_points_stay_outside_the_maximum(make: Make, check: Check) -> None:
    """They are added at the end."""
    totals = make(check("a/a", "5.1", points=2), check("m/a", "5.7", points=2)).totals
    assert (totals.points, totals.max_points, totals.bonus, totals.final) == (2, 17, 2, 4)


def test_optional_comes_from_the_manifest(make: Make, check: Check) -> None:
    """A check of an optional part is optional, whatever it says."""
    assert make(check("m/a", "5.7")).checks[0].optional
    assert not make(check("a/a", "5.1", optional=True)).checks[0].optional


def test_lateness_multiplies_the_final_points_only(make: Make, check: Check) -> None:
    """Points as earned stay visible beside what counts."""
    late = LateDecision(factor=0.9, days_late=1, explanation="Late by 3 h.")
    totals = make(check("a/a", "5.1", points=2), late=late).totals
    assert (totals.points, totals.final) == (2, 1.8)


def test_checks_worth_more_than_their_part_are_named(make: Make, check: Check) -> None:
    """Points beyond the manifest are not given, and a remark says whose mistake it is."""
    report = make(check("a/a", "5.1", points=2), check("a/b", "5.1", points=1.5))
    assert report.points == 2
    assert report.remarks == ("The checks of part 5.1 add up to 3.5 points, the course file says 2.",)


def test_impossible_results_are_refused(make: Make, check: Check) -> None:
    """A part that the manifest lacks, and two results for one check, are mistakes of the caller."""
    with pytest.raises(ValueError, match=r"names part '5\.9'; ex05_langevin has 5\.1"):
        make(check("a/a", "5.9"))
    with pytest.raises(ValueError, match="two results for the check 'ex05_langevin/a/a'"):
        make(check("a/a", "5.1"), check("a/a", "5.1"))


RESULTS = st.tuples(
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from(
        [("passed", "none"), ("failed", "student"), ("failed", "not_attempted"), ("failed", "timeout"),
         ("skipped", "none"), ("skipped", "grader"), ("error", "grader"), ("error", "infrastructure")]
    ),
    st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0]),
)  # fmt: skip


@given(st.lists(RESULTS, max_size=12), st.floats(0, 1))
def test_no_point_is_counted_twice(results: list[tuple[str, tuple[str, str], float]], factor: float) -> None:
    """Given, undecided and not run never exceed what there is, and every part has one of the known states."""
    exercise = Exercise(
        id="ex01_a",
        title="t",
        entry="a.py",
        parts=tuple(Part(id=name, title="t", points=2.0, optional=name == "3") for name in "123"),
    )
    checks = [
        CheckResult.model_validate(
            {"id": str(index), "part": part, "title": "t", "outcome": outcome, "cause": cause,
             "points": points if outcome == "passed" else 0.0, "max_points": points}
        )
        for index, (part, (outcome, cause), points) in enumerate(results)
    ]  # fmt: skip
    report = assemble(
        exercise,
        checks,
        submission=SubmissionRef(name="a.py", sha256="0"),
        confinement=Confinement(level="none"),
        versions=Versions(gdgrade="0", course="1", python="3", platform="any"),
        seeds=SeedInfo(public=0),
        late=LateDecision(factor=factor, days_late=1, explanation=""),
    )
    totals = report.totals
    assert 0 <= totals.points <= totals.max_points
    assert 0 <= totals.bonus <= totals.max_bonus
    assert totals.final <= totals.points + totals.bonus + 1e-9
    assert totals.passed + totals.failed + totals.skipped + totals.errors == len(checks)
    for part in report.parts:
        mine = [c for c in checks if c.part == part.id]
        assert (part.status == "not_run") == (not mine)
        assert (part.status == "passed") == (bool(mine) and all(c.outcome == "passed" for c in mine))
        if sum(c.max_points for c in mine) <= part.max_points:
            assert part.points + part.undecided + part.not_run <= part.max_points + 1e-9
    assert (report.exit_code == 3) == any(c.undecided for c in checks)
    assert Report.from_json(report.to_json()) == report
