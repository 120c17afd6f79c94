"""The judge on little courses: outcomes, causes, order, diagnosis, and what must never cost a point."""

from pathlib import Path
from typing import Any

import pytest

from gdgrade.judge.job import PartInfo

REFERENCE = """
    import torch

    def step(x, f, eta, noise):
        return x + eta / 2 * f(x) + eta ** 0.5 * noise

    def walk(f, x, eta, noises):
        for noise in noises:
            x = step(x, f, eta, noise)
        return x
"""
CHECKS = """
    import torch
    from gdgrade.checks import agrees, check, recorder, require

    def pull(x):
        return -x

    @check("1.1", points=2)
    def test_step(student, reference, draw):
        \"\"\"One step with given noise.\"\"\"
        agrees(student.step, reference.step, draw.normal(5, 2), pull, 0.3, draw.normal(5, 2))

    @check("1.2", points=1, visibility="hidden")
    def test_walk(student, reference, draw):
        \"\"\"A walk of three steps.\"\"\"
        spy = recorder(pull)
        agrees(student.walk, reference.walk, spy, draw.normal(4, 2), 0.1, draw.normal(3, 4, 2))
        require(spy.count == 3, "the force is needed once per step")
"""
MISTAKES = """
    from gdgrade.mistakes import mistake

    @mistake(of="step", title="noise times eta", hint="How does the noise scale when the step is halved?")
    def noise_times_eta(ref, x, f, eta, noise):
        return x + eta / 2 * f(x) + eta * noise

    @mistake(of="step", title="doubled step", hint="Which of two conventions?", kind="convention")
    def doubled_step(ref, x, f, eta, noise):
        return x + eta * f(x) + (2 * eta) ** 0.5 * noise

    @mistake(of="walk", title="only one step", hint="How many steps are there?")
    def one_step(ref, f, x, eta, noises):
        return ref.step(x, f, eta, noises[0])
"""
RIGHT = """
    import math
    def step(x, f, eta, noise):
        return x + 0.5 * eta * f(x) + math.sqrt(eta) * noise
    def walk(f, x, eta, noises):
        for n in noises:
            x = step(x, f, eta, n)
        return x
"""
HANGING = "def step(x, f, eta, noise):\n        while len(x) == 5: pass"


@pytest.fixture
def langevin(course: Any) -> Any:
    course.parts = (PartInfo("1.1", "step", 2), PartInfo("1.2", "walk", 1, needs=("1.1",)))
    course.write(REFERENCE, CHECKS, MISTAKES)
    return course


def test_a_right_answer_passes(langevin: Any) -> None:
    """Another algebra of the same formula gets all points."""
    found = langevin.judge(RIGHT)
    assert [(name, entry["outcome"], entry["points"]) for name, entry in found.items()] == [
        ("step", "passed", 2),
        ("walk", "passed", 1),
    ]


def test_the_same_submission_gives_the_same_result(langevin: Any) -> None:
    """Two runs differ in nothing but timings."""
    first, second = (langevin.judge(RIGHT.replace("math.sqrt(eta)", "eta")) for _ in range(2))
    for result in (first, second):
        for entry in result.values():
            entry.pop("timings")
    assert first == second


@pytest.mark.parametrize(
    ("formula", "name", "kind"),
    [
        ("x + eta / 2 * f(x) + noise * eta", "noise_times_eta", "mistake"),
        ("x + eta * f(x) + math.sqrt(2 * eta) * noise", "doubled_step", "convention"),
    ],
)
def test_a_known_mistake_is_named(langevin: Any, formula: str, name: str, kind: str) -> None:
    """A wrong formula in other words gets the hint of the mistake it makes, and dependent checks are skipped."""
    found = langevin.judge(RIGHT.replace("x + 0.5 * eta * f(x) + math.sqrt(eta) * noise", formula))
    assert (found["step"]["outcome"], found["step"]["cause"]) == ("failed", "student")
    assert (found["step"]["mistake"], found["step"]["mistake_kind"]) == (name, kind)
    assert found["step"]["hint"]
    assert found["step"]["expected"]
    assert (found["walk"]["outcome"], found["walk"]["waits_for"]) == ("skipped", ["1.1"])


def test_an_unknown_mistake_is_not_guessed(langevin: Any) -> None:
    """A wrong answer that is no known mistake gets no hint."""
    found = langevin.judge(RIGHT.replace("0.5 * eta", "0.6 * eta"))
    assert found["step"]["outcome"] == "failed"
    assert found["step"]["mistake"] is None
    assert found["step"]["hint"] == ""


def test_hidden_checks_keep_their_numbers(langevin: Any) -> None:
    """A failed hidden check shows no expected or got values."""
    found = langevin.judge(RIGHT.replace("x = step(x, f, eta, n)", "x = step(x, f, eta, n) + 1"))
    assert found["walk"]["outcome"] == "failed"
    assert found["walk"]["expected"] == found["walk"]["got"] == ""


def test_a_stub_is_not_attempted(langevin: Any) -> None:
    """NotImplementedError of the student's own is the cause not_attempted, without a traceback of ours."""
    stub = "def step(x, f, eta, noise):\n    raise NotImplementedError('exercise 1.1: step is not written yet')\n"
    found = langevin.judge(stub)
    assert found["step"]["cause"] == "not_attempted"
    assert "not written yet" in found["step"]["message"]


def test_a_check_that_hangs_costs_that_check_only(langevin: Any) -> None:
    """After a timeout the next check goes on with a fresh worker."""
    langevin.parts = (PartInfo("1.1", "step", 2), PartInfo("1.2", "walk", 1))
    found = langevin.judge(RIGHT.replace("def step(x, f, eta, noise):", HANGING),
                           seconds=1.0)  # fmt: skip
    assert (found["step"]["outcome"], found["step"]["cause"]) == ("failed", "timeout")
    assert found["walk"]["outcome"] == "passed"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def step(:\n", "not valid Python"),
        ("import no_such_package\n", "an import fails"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("import sys\nsys.exit(0)\n", "leave the program"),
    ],
)
def test_a_file_that_does_not_load_fails_every_check(langevin: Any, source: str, words: str) -> None:
    """The reason is told, with the student's line, and nothing is an error of the grader."""
    langevin.parts = (PartInfo("1.1", "step", 2), PartInfo("1.2", "walk", 1))
    found = langevin.judge(source)
    for entry in found.values():
        assert (entry["outcome"], entry["cause"]) == ("failed", "student")
        assert words in entry["message"]
        assert entry["traceback"][-1]["file"] == "tiny.py"


def test_a_file_that_hangs_on_import_costs_one_limit(langevin: Any) -> None:
    """Loading is tried once; every check then has the cause timeout."""
    import time

    start = time.monotonic()
    found = langevin.judge("while True: pass", seconds=1.0)
    assert found["step"]["cause"] == "timeout"
    assert time.monotonic() - start < 10


JUNK = [
    "None", "float('nan')", "float('inf')", "[]", "{}", "''", "'a'", "b''", "1j", "torch.zeros(0)", "object()",
    "torch.zeros(1, 2, 3, 4, 5)", "torch.zeros(5, 2, dtype=torch.int64)", "torch.ones(5, 2, dtype=torch.complex128)",
    "torch.eye(2).to_sparse()", "torch.empty(5, 2, device='meta')", "torch.full((5, 2), float('nan'))",
    "torch.ones(5, 2, requires_grad=True)", "(i for i in range(3))", "lambda: 1", "torch", "type", "[[1], [2, 3]]",
    "step", "10**400", "-10**400", "torch.nn.Linear(2, 2)", "range(5)", "(None, None)", "{'a': object()}", "...",
    "torch.ones(5, 2).bfloat16()", "torch.ones(5, 2, dtype=torch.bool)", "NotImplemented", "Exception('x')", "{1, 2}",
]  # fmt: skip


@pytest.mark.parametrize("junk", JUNK)
def test_junk_never_gives_points_or_breaks_the_judge(langevin: Any, junk: str) -> None:
    """Whatever a function returns, the check fails for the student's cause with a readable message."""
    found = langevin.judge(f"import torch\ndef step(x, f, eta, noise):\n    return {junk}\n")
    assert (found["step"]["outcome"], found["step"]["cause"]) == ("failed", "student")
    assert found["step"]["points"] == 0
    assert 5 < len(found["step"]["message"]) < 700
    assert "gdgrade" not in found["step"]["message"]


def test_a_broken_check_costs_nothing(langevin: Any) -> None:
    """An error of the check itself is the grader's cause; checks that wait for it are undecided too."""
    langevin.write(REFERENCE, CHECKS.replace("agrees(student.step", "1 / 0; agrees(student.step"), MISTAKES)
    found = langevin.judge(RIGHT)
    assert (found["step"]["outcome"], found["step"]["cause"]) == ("error", "grader")
    assert (found["walk"]["outcome"], found["walk"]["cause"]) == ("skipped", "grader")


def test_an_answer_the_check_cannot_digest_is_the_students(langevin: Any) -> None:
    """A check that trips over a strange answer, but not over the reference's, is failed and not an error."""
    langevin.write(REFERENCE, CHECKS.replace("agrees(student.step, reference.step,", "_ = 1 + student.step("), MISTAKES)
    assert langevin.judge("def step(*a): return 'text'")["step"]["outcome"] == "failed"


def test_plain_asserts_do_not_show_hidden_numbers(langevin: Any) -> None:
    """pytest's explanation of a plain assert stays in the judge; the author's own message is shown."""
    langevin.write(
        REFERENCE,
        """
        from gdgrade.checks import check
        @check("1.1", points=1)
        def test_a(student):
            assert student.step(1, 2, 3, 4) == 424242
        @check("1.1", points=1)
        def test_b(student):
            assert student.step(1, 2, 3, 4) == 424242, "the step is wrong"
        """,
    )
    found = langevin.judge("def step(*a): return 1")
    assert "424242" not in found["a"]["message"]
    assert found["b"]["message"] == "the step is wrong"


def test_ambiguous_mistakes_accuse_nobody(langevin: Any) -> None:
    """Two mistakes with the same numbers on a check: no hint, unless another check singles one out."""
    twins = (
        MISTAKES
        + """
    @mistake(of="step", title="noise times eta, twin", hint="Another question?")
    def twin(ref, x, f, eta, noise):
        return x + eta / 2 * f(x) + eta * noise
    """
    )
    langevin.write(REFERENCE, CHECKS, twins)
    found = langevin.judge(RIGHT.replace("math.sqrt(eta)", "eta"))
    assert sorted(found["step"]["matches"]) == ["noise_times_eta", "twin"]
    assert found["step"]["mistake"] is None


def test_only_the_asked_part_runs(langevin: Any) -> None:
    """`only_part` and `quick` leave checks out."""
    assert list(langevin.judge(RIGHT, only_part="1.2")) == ["walk"]
    langevin.write(REFERENCE, CHECKS.replace('"1.2", points=1', '"1.2", points=1, training=True'), MISTAKES)
    assert list(langevin.judge(RIGHT, quick=True)) == ["step"]


def test_float32_only_code_passes_with_a_remark(langevin: Any) -> None:
    """Code that is right but hard-wired to float32 passes, and is told so."""
    single = RIGHT.replace("math.sqrt(eta) * noise", "math.sqrt(eta) * noise.to(torch.float32)").replace(
        "import math", "import math, torch")  # fmt: skip
    single = single.replace("return x + 0.5", "x = x.to(torch.float32)\n        return x + 0.5")
    found = langevin.judge(single)
    assert found["step"]["outcome"] == "passed", found["step"]
    assert any("float32" in remark for remark in found["step"]["remarks"])


def test_changing_an_argument_fails(langevin: Any) -> None:
    """In-place changes of the caller's arrays are named."""
    found = langevin.judge(RIGHT.replace("return x + 0.5 * eta * f(x)", "x += 0.5 * eta * f(x)\n        return x"))
    assert "in place" in found["step"]["message"]
    assert " x " in found["step"]["message"]


def test_students_cannot_see_each_others_checks(langevin: Any) -> None:
    """State that one check leaves behind is gone in the next: every check has a fresh worker."""
    langevin.parts = (PartInfo("1.1", "step", 2), PartInfo("1.2", "walk", 1))
    found = langevin.judge(RIGHT.replace("import math", "import math\n    calls = []").replace(
        "def walk(f, x, eta, noises):", "def walk(f, x, eta, noises):\n        if calls: 1 / 0").replace(
        "return x + 0.5", "calls.append(1)\n        return x + 0.5"))  # fmt: skip
    assert found["walk"]["outcome"] == "passed"


def test_spawned_workers_give_the_same_verdicts(langevin: Any) -> None:
    """Without fork the same job has the same outcomes, with one worker that loads the file anew for each check."""
    wrong = RIGHT.replace("math.sqrt(eta)", "eta")
    forked, spawned = langevin.judge(wrong), langevin.judge(wrong, start_method="spawn")
    keys = ("outcome", "cause", "points", "message", "mistake", "seed")
    assert {n: [e[k] for k in keys] for n, e in forked.items()} == {n: [e[k] for k in keys] for n, e in spawned.items()}


def test_spawned_workers_are_replaced_when_lost(langevin: Any) -> None:
    """A timeout under spawn costs that check only."""
    langevin.parts = (PartInfo("1.1", "step", 2), PartInfo("1.2", "walk", 1))
    found = langevin.judge(
        RIGHT.replace("def step(x, f, eta, noise):", HANGING),
        seconds=1.0, start_method="spawn")  # fmt: skip
    assert found["step"]["cause"] == "timeout"
    assert found["walk"]["outcome"] == "passed"


def test_nothing_is_left_in_scratch(langevin: Any, tmp_path: Path) -> None:
    """What a submission writes into its scratch folder is gone afterwards."""
    found = langevin.judge(RIGHT.replace("import math", "import math, os, tempfile\n"
                                         "    open(os.path.join(tempfile.gettempdir(), 'left'), 'w').write('x')\n"
                                         "    print(tempfile.gettempdir())"))  # fmt: skip
    place = found["step"]["output"].strip()
    assert found["step"]["outcome"] == "passed"
    assert "gdgrade-" in place
    assert not Path(place).exists()
