"""Reports to render: a mixed one with everything in it, and a way to make others."""

from collections.abc import Callable
from typing import Any

import pytest

from gdgrade.course.loading import course_from_text
from gdgrade.course.manifest import Exercise
from gdgrade.report.assembly import assemble
from gdgrade.report.model import (
    CheckResult,
    CheckTimings,
    Confinement,
    Frame,
    Report,
    RunTimings,
    SeedInfo,
    SubmissionRef,
    Versions,
)

COURSE = """\
course: {id: tiny, title: "A tiny course", revision: "1"}
exercises:
  - id: ex05_langevin
    title: Langevin dynamics and scores on 2D toys
    entry: langevin.py
    parts:
      - {id: "5.1", title: "Log-density and score of a mixture", points: 2}
      - {id: "5.2", title: "Langevin step", points: 3}
      - {id: "5.3", title: "Langevin sampler", points: 3, needs: ["5.2"]}
      - {id: "5.4", title: "Annealed Langevin dynamics", points: 4, needs: ["5.2", "5.3"]}
      - {id: "5.5", title: "Denoising score matching", points: 3}
      - {id: "5.6", title: "Implicit score matching", points: 2}
      - {id: "5.7", title: "MALA step", points: 2, optional: true}
"""

Make = Callable[..., Report]


@pytest.fixture
def exercise() -> Exercise:
    """An exercise of seven parts, the last one optional."""
    return course_from_text(COURSE, "course.yml").exercises[0]


def check(name: str, part: str, outcome: str = "passed", points: float = 1, **more: Any) -> CheckResult:
    """One result; a passed one has its points."""
    given = points if outcome == "passed" else 0
    title = more.pop("title", name.split("/")[-1].replace("_", " ").capitalize())
    data = {"id": f"ex05_langevin/{name}", "part": part, "title": title, "outcome": outcome, **more}
    return CheckResult(points=given, max_points=points, **data)


@pytest.fixture(name="check")
def check_fixture() -> Callable[..., CheckResult]:
    """``check(name, part, outcome, points, **fields)``."""
    return check


@pytest.fixture
def make(exercise: Exercise) -> Make:
    """``make(*checks, **fields)``: a report of that exercise."""

    def build(*checks: CheckResult, **more: Any) -> Report:
        fields: dict[str, Any] = {
            "submission": SubmissionRef(name="langevin.py", sha256="0" * 64),
            "confinement": Confinement(level="best", layers=("landlock: on", "seccomp: on")),
            "versions": Versions(
                gdgrade="0.1", course="1", python="3.11.7", platform="Linux x86_64", torch="2.13.0", numpy="2.4.0"
            ),
            "seeds": SeedInfo(public=20260901),
            **more,
        }
        return assemble(exercise, checks, **fields)

    return build


@pytest.fixture
def mixed(make: Make) -> Report:
    """Passed, failed, hidden, skipped, not attempted, broken and slow checks, and hostile text."""
    return make(
        check("density/log_prob", "5.1", timings=CheckTimings(seconds=0.031, peak_memory_mib=12)),
        check("density/score", "5.1", remarks=("Works only in float32.",)),
        check("step/moves_uphill", "5.2", alpha=1.25e-7, seed=42, output="step 1\n20 of 20 points\x1b[2J\n"),
        check(
            "step/given_noise",
            "5.2",
            "failed",
            cause="student",
            title="A step uses the given noise",
            message="x after one step: the values differ, [bold red]largest[/] difference 0.9 at [3, 1] "
            ":boom: \x1b[31m",
            expected="[0.1234, -1.2,\n 3.1]",
            got="[0.7, nan]",
            hint="How does the spread of the noise change when you halve the step?",
            mistake="noise_times_eta",
            mistake_kind="mistake",
            traceback=(
                Frame(file="langevin.py", line=57, function="langevin_sample", code="    x = langevin_step(x)"),
                Frame(file="langevin.py", line=41, function="langevin_step", code="        return x + eta * noise"),
            ),
        ),
        check(
            "step/fresh_noise",
            "5.2",
            "failed",
            visibility="hidden",
            cause="student",
            message="the secret variance is 0.05",
            expected="0.05",
            got="0.1",
            seed=777,
        ),
        check("sample/given_noises", "5.3", "skipped", waits_for=("5.2",)),
        check("sample/trajectory", "5.3", "skipped", waits_for=("5.2",)),
        check("annealed/given_noises", "5.4", "skipped", waits_for=("5.2", "5.3")),
        check("dsm/given_noise", "5.5", "failed", cause="not_attempted", message="dsm_loss is not written yet"),
        check("ism/linear", "5.6", "error", cause="grader", message="the check itself is broken: KeyError"),
        check("ism/curved", "5.6", remarks=("Works only in float32.", "[link=file:///]odd[/link]")),
        check("mala/box", "5.7", "failed", cause="timeout", message="mala_step took longer than 20 s"),
        remarks=("The file is in UTF-16; save it as UTF-8.",),
        timings=RunTimings(started_at="2026-12-01T10:00:00+00:00", seconds=2.5),
    )
