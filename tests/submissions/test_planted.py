"""Every planted submission gets exactly the verdict that its first line promises, on all checks, trainings included.

`author check --quick` (test_sound.py) judges each planted answer on the checks that its own code can reach, and one
training per exercise; this is the whole of it, which takes a quarter of an hour: `make planted`.
One test per exercise: a pool of judges collects its checks once and judges its planted files two at a time.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gdgrade.author.planted import Planted, disagreements, planted_files, short
from gdgrade.course.loading import load_course
from gdgrade.course.manifest import Exercise
from gdgrade.course.submission import read_submission
from gdgrade.judge.job import Job
from gdgrade.judging import Options, make_job, settings_for
from gdgrade.processes.judges import JudgePool

pytestmark = pytest.mark.planted
ROOT = Path(__file__).resolve().parents[2]
COURSE = load_course(ROOT / "course.yml")
EXERCISES = [exercise.id for exercise in COURSE.exercises]
AT_A_TIME = 2


def job_of(exercise: Exercise, path: Path, *, quick: bool) -> Job:
    """The job of judging a file, as `gdgrade check` makes it."""
    return make_job(COURSE, exercise, read_submission(path), Options(quick=quick))


@pytest.fixture(params=EXERCISES)
def exercise(request: pytest.FixtureRequest) -> Exercise:
    return COURSE.exercise(request.param)


@pytest.fixture
def pools(exercise: Exercise) -> Iterator[dict[bool, JudgePool]]:
    """Pools without and with training checks."""
    made: dict[bool, JudgePool] = {}
    for full in (False, True):
        template = job_of(exercise, exercise.reference_path, quick=not full)
        made[full] = JudgePool(template, settings_for(exercise))
    yield made
    for pool in made.values():
        pool.close()


def planted_of(exercise: Exercise) -> list[Planted]:
    return planted_files(ROOT / "tests/submissions" / exercise.id)


def test_verdicts_are_as_promised(exercise: Exercise, pools: Any) -> None:
    """The reference passes, trainings included; wrong answers fail just the named checks, diagnosed as themselves."""

    def broken_promises(planted: Planted) -> list[str]:
        result = pools[planted.full].judge(job_of(exercise, planted.path, quick=not planted.full))
        problems = [*result["errors"], *disagreements(planted, result["outcomes"])]
        return [f"{planted.path.name}: {problem}" for problem in problems]

    cases = planted_of(exercise)
    reference = pools[True].judge(job_of(exercise, exercise.reference_path, quick=False))
    assert [entry for entry in reference["outcomes"] if entry["outcome"] != "passed"] == []
    known = {short(entry) for entry in reference["outcomes"]}
    assert [(planted.path.name, planted.fails - known) for planted in cases if planted.fails - known] == []
    assert sum(planted.right for planted in cases) >= 4
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        found = [problem for problems in threads.map(broken_promises, cases) for problem in problems]
    assert found == []


def test_stub_scores_nothing(exercise: Exercise, pools: Any) -> None:
    """The untouched stub gets no point; each part is called not attempted, without a hint."""
    for entry in pools[False].judge(job_of(exercise, exercise.entry_path, quick=True))["outcomes"]:
        assert entry["points"] == 0
        assert (entry["outcome"], entry["cause"]) in {("failed", "not_attempted"), ("skipped", "none")}, entry
        assert not entry["hint"]
        assert not entry["matches"]
