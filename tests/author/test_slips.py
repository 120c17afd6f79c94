"""What `author check` reads off an exercise's files: names, comments, titles, checks that ask nobody."""

import ast
from pathlib import Path
from types import SimpleNamespace

import pytest

from gdgrade.author import paper, slips
from gdgrade.course.loading import load_course
from gdgrade.judge.job import PartInfo
from gdgrade.judge.marks import CheckMark
from gdgrade.judge.plugin import all_needs, in_dependency_order

EX = "ex01_statistics"
REFERENCE = """
def score(x, mean, scale=1.0):
    half = (x - mean) / scale**2
    return -half.sum(axis=0)


class Flow:
    def __init__(self, layers):
        self.layers = layers

    def inverse(self, z):
        return z


def helper(x):
    return x + 1
"""
STUB = """
def score(x, mean, scale=1.0):
    raise NotImplementedError("1.1")


class Flow:
    def __init__(self, layers):
        raise NotImplementedError("1.2")

    def inverse(self, z):
        raise NotImplementedError("1.2")
"""


def facts(**more: object) -> dict[str, object]:
    return {"points": 1, "error": "", "calls": ["score"], "enters": ["score"], "described": True, **more}


def signatures(stub: str, called: set[str]) -> list[str]:
    return list(slips.other_signatures(ast.parse(stub), ast.parse(REFERENCE), called))


def test_a_stub_that_is_as_the_reference() -> None:
    """A helper of the reference that no check calls, and a parameter that it adds, are no fault."""
    assert signatures(STUB, {"score", "Flow"}) == []
    assert signatures(STUB.replace("1.0", "1."), {"score"}) == []
    assert signatures(STUB.replace(", scale=1.0", ""), {"score"}) == []
    assert signatures("from mine import Flow, score\n", {"score", "Flow"}) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("x, mean", "mean, x", "score takes (mean, x, scale=1.0) in the stub and (x, mean, scale=1.0)"),
        ("mean, ", "mu, ", "score takes (x, mu, scale=1.0)"),
        ("=1.0", "=2.0", "scale=2.0"),
        ("self, z", "self, y", "Flow.inverse takes (self, y)"),
        ("class Flow", "class Flaw", "checks call Flow"),
        ("def score", "def scores", "checks call score"),
    ],
)
def test_a_stub_that_is_other(old: str, new: str, words: str) -> None:
    """Names, order, defaults and what is missing."""
    (problem,) = signatures(STUB.replace(old, new), {"score", "Flow"})
    assert words in problem


def test_names_that_checks_call(tmp_path: Path) -> None:
    """What is shipped to the submission counts by its text; what torch calls within a network does not."""
    (tmp_path / "test_score.py").write_text(
        "def test_a(student):\n    student.run(lambda m: m.Flow(2), student.module)\n"
    )
    exercise = SimpleNamespace(graders_dir=tmp_path)
    checks = {"score/a": facts(calls=["score"], enters=["Flow", "Block"])}
    assert slips.names_called(exercise, checks) == {"score", "Flow"}


def test_comments_and_titles_that_tell(tmp_path: Path) -> None:
    """Code of the reference in a comment (also over two lines) and in a title; what the stub gives away may be said."""
    code = slips.secret_code(ast.parse(REFERENCE), ast.parse(STUB))
    stub = STUB + "# half = (x - mean) /\n#   scale ** 2\n\n# divide by the square of scale\n"
    (problem,) = slips.in_comments(stub, code)
    assert problem.startswith("line 12 of the stub")
    (tmp_path / "test_score.py").write_text(
        'def test_a():\n    """It is -half.sum(axis=0)."""\n\ndef test_b():\n    """Sum."""\n'
    )
    exercise = SimpleNamespace(graders_dir=tmp_path)
    (problem,) = slips.in_titles(exercise, code)
    assert problem.startswith("test_score.py:1: the title holds code")
    assert (
        list(
            slips.in_comments(
                "# (x - mean) / scale**2\n", slips.secret_code(ast.parse(REFERENCE), ast.parse(REFERENCE))
            )
        )
        == []
    )


def test_titles_of_conventions_are_shown() -> None:
    """The title of a plain mistake is for staff; that of a convention is for students."""
    entry = {"name": "m", "hint": "Why?", "title": "it is (x - mean) / scale ** 2", "kind": "mistake"}
    assert paper.hints([entry], REFERENCE).sound
    (problem,) = paper.hints([entry | {"kind": "convention"}], REFERENCE).problems
    assert problem.startswith("the title of m holds code")


def test_checks_that_ask_nobody(tmp_path: Path) -> None:
    """Points for nothing are found; a look at a constant, no points and a training that was left out are no fault."""
    (tmp_path / "test_a.py").write_text("def test_one(student):\n    assert 1 + 1 == 2\n")
    (tmp_path / "test_b.py").write_text("def test_one(student):\n    assert student.value('ALPHA') == 2\n")
    silent = facts(calls=[], enters=[])
    checks = {"a/one": silent, "b/one": silent, "a/none": silent | {"points": 0}, "a/left": silent | {"enters": None}}
    checks["a/called"] = facts(calls=["slope"], enters=[])
    assert list(slips.never_asking(SimpleNamespace(graders_dir=tmp_path), checks)) == [
        "a/one gives points and never calls the submission"
    ]


def test_files_that_are_not_utf8(numpy_course: Path) -> None:
    """Named with byte and line, and a byte order mark as what it is."""
    course = load_course(numpy_course / "course.yml")
    stub = numpy_course / f"exercises/{EX}/statistics_by_hand.py"
    reference = numpy_course / f"reference/{EX}/statistics_by_hand.py"
    stub.write_bytes(b"\xef\xbb\xbf" + stub.read_bytes())
    reference.write_bytes(b"# one\n# \xe9\n" + reference.read_bytes())
    problems = paper.missing_files(course, course.exercises[0]).problems
    assert any("begins with a byte order mark" in problem and "the stub" in problem for problem in problems)
    assert any("is not UTF-8 (byte 0xe9 at line 2); save it as UTF-8: the reference" in problem for problem in problems)


def test_words_of_the_template_are_named(numpy_course: Path) -> None:
    """The line of the table says where REPLACE is left."""
    course = load_course(numpy_course / "course.yml")
    assert "REPLACE" not in paper.missing_files(course, course.exercises[0]).summary
    hints = numpy_course / f"exercises/{EX}/hints.yml"
    hints.write_text("# one\n# REPLACE: or delete\n")
    section = paper.missing_files(course, course.exercises[0])
    assert section.sound
    assert section.summary.endswith(f"REPLACE is left in exercises/{EX}/hints.yml:2")


def test_a_mistake_that_ends_in_a_name_error(numpy_course: Path) -> None:
    """A name that nothing defines is found without running anything; closures, builtins and imports are no fault."""
    path = numpy_course / f"graders/{EX}/mistakes.py"
    assert list(slips.undefined_in(path)) == []
    path.write_text(
        "import math\n\nSCALE = 2\n\n\ndef good(ref, x):\n    y = SCALE * math.pi\n"
        "    return [(lambda a: a + y + len(x))(b) for b in x]\n\n\ndef bad(ref, x):\n    return x * scale\n"
    )
    assert list(slips.undefined_in(path)) == ["mistakes.py:11: bad uses scale, which is not defined"]
    course = load_course(numpy_course / "course.yml")
    assert not paper.missing_files(course, course.exercises[0]).sound


def test_checks_that_wait_for_each_other(numpy_course: Path) -> None:
    """A check that needs a part which needs the check's own part can never be judged in order."""
    (exercise,) = load_course(numpy_course / "course.yml").exercises
    entry = {"part": "1.1", "points": 2.0, "needs": [], "alpha": 0.0, "chance": 0.0}
    checks = {
        "a/one": entry,
        "a/two": {**entry, "part": "1.2"},
        "a/three": {**entry, "part": "1.3", "points": 3.0},
    }
    assert paper.points(exercise, checks).sound
    circle = paper.points(exercise, {**checks, "a/one": {**entry, "needs": ["1.2"]}})
    assert circle.problems == ("parts and checks need each other in a circle: 1.1 -> 1.2 -> 1.1",)


def test_parts_come_after_what_their_checks_need() -> None:
    """The order of judging follows the needs of parts and of single checks."""
    parts = {name: PartInfo(name, name, 1.0) for name in ("1", "2", "3")}
    needs = all_needs(parts, [CheckMark(part="1", points=1.0, needs=("3",))])
    assert in_dependency_order(needs) == ["3", "1", "2"]
