"""`author check` on files of the author's own that are at fault: each is named, nothing hangs and nothing is left."""

import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from gdgrade.author import lab_reference
from gdgrade.author.tasks import QUICK, Bench, spoken_only
from gdgrade.cli import main
from gdgrade.course.loading import load_course

EX = "ex01_statistics"
GRADERS = f"graders/{EX}"
REFERENCE = f"reference/{EX}/statistics_by_hand.py"
SMALL = dataclasses.replace(QUICK, seeds=1, chance=3, power=2, mutants=None, junk=1)
FIT = '''

def fit(x):
    """A number near the mean of x (n,), after ten steps of descent."""
    guess = 0.0
    for _ in range(10):
        guess = guess - 0.3 * (guess - x.mean())
    return guess
'''
TRAINED = '''"""Fitting."""

from gdgrade.checks import check, close


@check("1.3", points=0, training=True)
def test_fit(student, reference, draw):
    """The descent comes near."""
    x = draw.normal(9, mean=3.0)
    close(student.fit(x), reference.fit(x), "fit", rtol=1e-6)
'''


def append(root: Path, name: str, text: str) -> None:
    with (root / name).open("a", encoding="utf-8") as file:
        file.write(text)


def section_of(verdict, name: str):
    return next(section for section in verdict.sections if section.name == name)


def test_what_no_check_reaches_is_not_proven_equal(numpy_course: Path, verdict_on) -> None:
    """A function without a check, and without a call that could be compared, lets its mutants live."""
    append(numpy_course, REFERENCE, FIT)
    verdict = verdict_on(numpy_course, SMALL)
    alive = {survivor.difference for survivor in verdict.survivors if survivor.name.startswith("fit:")}
    assert alive == {"no check reaches it"}
    assert not any(name.startswith("fit:") for name in section_of(verdict, "mutants").figures["proven_equal"])


def test_what_only_trainings_reach_is_left_to_the_full_check(numpy_course: Path, verdict_on) -> None:
    """In --quick its mutants are neither killed nor equal; in --full the training judges them."""
    append(numpy_course, REFERENCE, FIT)
    append(numpy_course, f"{GRADERS}/test_fit.py", TRAINED)
    quick = section_of(verdict_on(numpy_course, SMALL), "mutants")
    assert quick.sound
    left = quick.figures["reached_by_trainings_only"]
    assert len(left) > 3
    assert "left to --full" in quick.summary
    full = verdict_on(numpy_course, dataclasses.replace(SMALL, every=True))
    mutants = section_of(full, "mutants")
    assert mutants.figures["reached_by_trainings_only"] == []
    assert mutants.figures["killed"] > quick.figures["killed"]
    assert {survivor.name for survivor in full.survivors} < set(left)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (f"{GRADERS}/mistakes.py", "\n\ndef broken(:\n", ("mistakes", "invalid syntax", "mistakes.py, line")),
        (f"{GRADERS}/mistakes.py", "\n\nno_such_name\n", (f"{EX}/mistakes.py:", "NameError")),
        (
            REFERENCE,
            "\n\nraise SystemExit(4)\n",
            ("the reference does not run", "statistics_by_hand.py:", "SystemExit"),
        ),
        (f"{GRADERS}/test_moments.py", "\n\nimport no_such_module\n", ("no_such_module",)),
    ],
)
def test_files_that_do_not_load(numpy_course: Path, name: str, text: str, words: tuple[str, ...]) -> None:
    """The verdict names the file; it is the exercise that is not sound, not the machine that failed."""
    append(numpy_course, name, text)
    result = CliRunner().invoke(main, ["author", "check", "--course", str(numpy_course), "--no-cache"])
    assert result.exit_code == 1, result.output
    shown = " ".join(result.output.split())
    for word in words:
        assert word in shown


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("    while True:\n        pass\n", "TooLong: more than 1 s"),
        ("    np.ones(10**9).sum()\n", "Unable to allocate"),
    ],
)
def test_a_reference_without_end(numpy_course: Path, verdict_on, line: str, words: str) -> None:
    """Endless loops and memory that nobody has are ended, and told."""
    path = numpy_course / REFERENCE
    before = '    """Weighted mean of each column'
    path.write_text(path.read_text().replace(before, f"{line}{before}"))
    course = numpy_course / "course.yml"
    course.write_text(course.read_text().replace("seconds: 10", "seconds: 1"))
    verdict = verdict_on(numpy_course, SMALL)
    problems = section_of(verdict, "reference").problems
    assert any("moments/mean" in problem and words in problem for problem in problems)


def test_fixtures_on_draw_and_checks_in_classes(numpy_course: Path, verdict_on) -> None:
    """A fixture of the graders may draw the inputs, and a check may be a method."""
    append(
        numpy_course,
        f"{GRADERS}/test_more.py",
        '''"""More of part 1.1."""

import pytest

from gdgrade.checks import agrees, check


@pytest.fixture
def sample(draw):
    return draw.normal(5, 2), 3 * draw.weights(5)


@check("1.1", points=0)
def test_of_a_fixture(student, reference, sample):
    """The mean of drawn data is right."""
    agrees(student.weighted_mean, reference.weighted_mean, *sample)


class TestMean:
    @check("1.1", points=0)
    def test_in_a_class(self, student, reference, draw):
        """The mean is right here as well."""
        agrees(student.weighted_mean, reference.weighted_mean, draw.normal(4, 3), 3 * draw.weights(4))
''',
    )
    header = ("fails: moments/mean", "fails: moments/mean, more/of_a_fixture, more/in_a_class")
    for path in (numpy_course / f"tests/submissions/{EX}").glob("wrong_*.py"):
        path.write_text(path.read_text().replace(*header))
    verdict = verdict_on(numpy_course, dataclasses.replace(QUICK, mutants=4, junk=1))
    assert [problem for section in verdict.sections for problem in section.problems] == []
    assert verdict.confusion["mean_not_divided"].keys() == {"mean_not_divided"}


def test_what_decides_and_what_is_only_said(numpy_course: Path) -> None:
    """Mistakes that no check imports can change no verdict; a check's helper can, whatever its name."""
    graders = numpy_course / GRADERS
    append(numpy_course, f"{GRADERS}/common_mistakes.py", "LIMIT = 3\n")
    assert {path.name for path in spoken_only(graders)} == {
        "mistakes.py", "common_mistakes.py", "equivalent_mutants.yml",
    }  # fmt: skip
    append(numpy_course, f"{GRADERS}/helper.py", "from common_mistakes import LIMIT\n")
    append(numpy_course, f"{GRADERS}/test_more.py", "def late():\n    import helper\n")
    assert {path.name for path in spoken_only(graders)} == {"mistakes.py", "equivalent_mutants.yml"}


@pytest.mark.parametrize("name", ["graders/shared_helper.py", f"{GRADERS}/numbers.json", "data/heights.npz"])
def test_the_cache_knows_every_file_that_decides(numpy_course: Path, name: str) -> None:
    """Helpers of all exercises and data sets count as the checks do."""
    course_file = numpy_course / "course.yml"
    course_file.write_text(course_file.read_text().replace("preload: [numpy]", "preload: [numpy]\n    data: [heights]"))
    path = numpy_course / name
    path.parent.mkdir(exist_ok=True)
    keys = []
    for text in ("one", "two"):
        path.write_text(text)
        course = load_course(course_file)
        bench = Bench(course, course.exercises[0])
        keys.append((bench.reference_run(0, "float64", quick=True).key, bench.stub_run().key))
    assert keys[0][0] != keys[1][0]
    assert keys[0][1] != keys[1][1]


def test_figures_that_never_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plots.py that loops is ended after its time of the processor, and the line is named."""
    monkeypatch.setattr(lab_reference, "MIN_FIGURE_SECONDS", 0.2)
    monkeypatch.setattr(lab_reference, "FIGURE_SECONDS", 0.2)
    (tmp_path / "plots.py").write_text("number = 0\nwhile True:\n    number += 1\n")
    lab: Any = object.__new__(lab_reference.ReferenceLab)
    lab.job, lab.wanted = SimpleNamespace(graders=tmp_path), {"share": 0.05}
    found = lab._figures()
    assert (found["there"], found["names"]) == (True, [])
    assert re.fullmatch(r"plots\.py:[23]: TooLong: more than 0\.2 s", found["error"])


@pytest.mark.parametrize(
    ("name", "before", "processes"),
    [
        (REFERENCE, '    """Weighted mean of each column', 3),  # a judge runs it
        (REFERENCE, '"""', 2),  # the server of judges loads it
    ],
)
def test_interrupted(numpy_course: Path, name: str, before: str, processes: int) -> None:
    """One Ctrl-C ends it within seconds, whatever the reference does, with exit code 130 and no process left."""
    path = numpy_course / name
    indent = before[: len(before) - len(before.lstrip())]
    path.write_text(path.read_text().replace(before, f"{indent}while True:\n{indent}    pass\n{before}", 1))
    command = [sys.executable, "-m", "gdgrade", "author", "check", "--no-cache", "--course", str(numpy_course)]
    # Where the tests themselves run in the background of a shell, SIGINT is ignored, and children inherit that.
    begin = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", begin, *command]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 120
    while len(left := descendants(running.pid)) < processes and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(left) >= processes, "no judge was started"
    asked = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert time.monotonic() - asked < 8  # a reference is given 10 s of processor time to load
    assert (running.returncode, "stopped" in said) == (130, True)
    while (alive := [pid for pid in left if _runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert alive == []


def descendants(pid: int) -> set[int]:
    """Process ids of all children and their children."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    found, todo = set(), [pid]
    while todo:
        parent = todo.pop()
        todo += [child for child, above in parents.items() if above == parent]
        found |= {child for child, above in parents.items() if above == parent}
    return found


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("name", "before", "after", "words"),
    [
        ("test_moments.py", '@check("1.2", points=1)\n', "", "test_moments.py:13: test_variance has no @check"),
        ("test_moments.py", "test_variance_of_far_data", "test_variance", "test_variance is defined again"),
        ("test_moments.py", '"1.1", points=2', '"1.1", point=2', "test_moments.py:6: TypeError: @check knows no point"),
        ("test_moments.py", '"1.1", points=2', '"1.1", points="2"', "points is a number, got '2'"),
        ("test_moments.py", '"1.1", points=2', "1.1, points=2", 'the part is a text, such as "1.1"'),
        ("test_bootstrap.py", ", alpha=1.25e-7", "", "up to 1.25e-07, @check says alpha=0"),
        ("mistakes.py", "def deviation", "def variance_around_plain_mean", "is defined again"),
        (
            "mistakes.py",
            "ref.weighted_mean((x - x.mean(axis=0)) ** 2, w)",
            "ref.weighted_variance(x, 0 * w)",
            "ref.weighted_variance is the mistake itself",
        ),
    ],
)
def test_slips_in_checks_and_mistakes(
    numpy_course: Path, verdict_on, name: str, before: str, after: str, words: str
) -> None:
    """Each is told in one sentence with its place, and is no reason for a traceback."""
    path = numpy_course / GRADERS / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    problems = [problem for section in verdict_on(numpy_course, SMALL).sections for problem in section.problems]
    assert any(words in problem for problem in problems), problems
    assert not any("^^^" in problem or "marks.py" in problem for problem in problems)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import sys\n\n\ndef figures(student, data, draw):\n    sys.exit(3)\n", "plots.py:5: SystemExit: 3"),
        ("def figures(student, data, draw):\n    return 1 / 0\n", "plots.py:2: ZeroDivisionError"),
        ("def figures(student, data, draw):\n    pass\n", "figures returns NoneType"),
        ("X = 1\n", "it defines no function figures"),
        ("def figures(\n", "plots.py:1: SyntaxError"),
    ],
)
def test_figures_that_cannot_be_drawn(numpy_course: Path, verdict_on, text: str, words: str) -> None:
    """The line of plots.py is told, and the rest of the exercise is examined."""
    append(numpy_course, f"{GRADERS}/plots.py", text)
    verdict = verdict_on(numpy_course, SMALL)
    assert [p for p in section_of(verdict, "figures").problems if words in p]
    assert section_of(verdict, "reference").sound


def test_a_check_without_end(numpy_course: Path, verdict_on) -> None:
    """A loop in a check itself is ended, also while the judges' server rehearses."""
    course = numpy_course / "course.yml"
    course.write_text(course.read_text().replace("seconds: 10", "seconds: 1"))
    append(
        numpy_course,
        f"{GRADERS}/test_bootstrap.py",
        '''

@check("1.3", points=0)
def test_endless(student):
    """It never ends."""
    while True:
        pass
''',
    )
    problems = section_of(verdict_on(numpy_course, SMALL), "reference").problems
    assert "bootstrap/endless: TooLong: more than 1 s" in problems


def test_a_stub_that_solves_a_later_part(numpy_course: Path, verdict_on) -> None:
    """It gives points to whoever has done the part before, also if the stub of that one gets none."""
    path = numpy_course / f"exercises/{EX}/statistics_by_hand.py"
    left = 'raise NotImplementedError("exercise 1.2: weighted_variance is not written yet")'
    assert left in path.read_text()
    path.write_text(path.read_text().replace(left, "return w @ (x - w @ x / w.sum()) ** 2 / w.sum()"))
    problems = section_of(verdict_on(numpy_course, SMALL), "stub").problems
    assert "moments/variance gives the stub 1 points" in problems
