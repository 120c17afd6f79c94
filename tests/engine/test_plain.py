"""Checks that are called without pytest's protocol, and those that must not be."""

import pytest

ANSWER = """
    def double(x):
        return 2 * x
"""
# pytest names the running test in this variable, so a check can see who called it.
HEAD = """
    import os
    import pytest
    from gdgrade.checks import agrees, check, require

    def by_pytest():
        return "PYTEST_CURRENT_TEST" in os.environ
"""
PLAIN = """
    @check("1.1", points=1)
    def test_alone(student, reference, draw):
        require(not by_pytest(), "called by pytest")
        agrees(student.double, reference.double, draw.normal(3))

    @check("1.1", points=1)
    @pytest.mark.parametrize("scale", [1.0, 3.0])
    @pytest.mark.parametrize("size", [2])
    def test_with_parameters(student, draw, size, scale):
        require(not by_pytest(), "called by pytest")
        x = draw.normal(size, scale=scale)
        require(bool((student.double(x) == 2 * x).all()), "not doubled")

    @check("1.1", points=1)
    def test_wrong(student):
        require(not by_pytest(), "called by pytest")
        assert student.double(3) == 7, "six is wanted"
"""
OTHERS = """
    @pytest.fixture
    def seven(student):
        yield student.double(3.5)

    @pytest.fixture
    def size(request):
        return 2 * request.param

    @check("1.1", points=1)
    def test_own_fixture(seven):
        require(by_pytest() and seven == 7, "not by pytest")

    @check("1.1", points=1)
    @pytest.mark.parametrize("size", [4], indirect=True)
    def test_indirect(student, size):
        require(by_pytest() and size == 8, "not by pytest")

    @check("1.1", points=1)
    def test_request(student, request):
        require(by_pytest() and request.node.name == "test_request", "not by pytest")

    @check("1.1", points=1)
    @pytest.mark.usefixtures("seven")
    def test_used(student):
        require(by_pytest(), "not by pytest")

    class TestGroup:
        @check("1.1", points=1)
        def test_in_class(self, student):
            require(by_pytest() and student.double(1) == 2, "not by pytest")

    @check("1.1", points=1)
    def test_plain_after_others(student):
        require(not by_pytest(), "called by pytest")
"""
AUTOUSE = """
    @pytest.fixture(autouse=True)
    def prepared():
        os.environ["PREPARED"] = "1"

    @check("1.1", points=1)
    def test_autouse(student):
        require(by_pytest() and os.environ["PREPARED"] == "1", "not by pytest")
"""
SET_UP = """
    def setup_module():
        os.environ["SET_UP"] = "1"

    @check("1.1", points=1)
    def test_module(student):
        require(by_pytest() and os.environ["SET_UP"] == "1", "not by pytest")
"""


def test_plain_checks_are_called_directly(course) -> None:
    """With parameters too; a failure's outcome is what pytest's road gives."""
    course.write(ANSWER, HEAD + PLAIN)
    outcomes = course.judge(ANSWER)
    assert {name: outcome["outcome"] for name, outcome in outcomes.items()} == {
        "alone": "passed",
        "with_parameters[2-1.0]": "passed",
        "with_parameters[2-3.0]": "passed",
        "wrong": "failed",
    }
    assert outcomes["wrong"]["cause"] == "student"
    assert "six is wanted" in outcomes["wrong"]["message"]


@pytest.mark.parametrize("checks", [OTHERS, AUTOUSE, SET_UP], ids=["others", "autouse", "set_up"])
def test_what_needs_pytest_goes_through_it(course, checks: str) -> None:
    """Fixtures of the graders, indirect parameters, `request`, classes, set-up of a module."""
    course.write(ANSWER, HEAD + checks)
    outcomes = course.judge(ANSWER)
    assert outcomes
    assert {name: (outcome["outcome"], outcome["message"]) for name, outcome in outcomes.items()} == dict.fromkeys(
        outcomes, ("passed", "")
    )


def test_both_roads_give_the_same_report(course) -> None:
    """A check that takes a fixture of its own for no purpose is judged like its plain twin, failure and all."""
    checks = """
    @pytest.fixture
    def idle():
        return None

    @check("1.1", points=1)
    def test_it(student, reference, draw{idle}):
        agrees(student.double, reference.double, draw.normal(3))
    """
    wrong = "def double(x):\n    return 3 * x\n"
    found = []
    for idle in ("", ", idle"):
        course.write(ANSWER, HEAD + checks.replace("{idle}", idle))
        outcome = course.judge(wrong)["it"]
        found.append({name: value for name, value in outcome.items() if name != "timings"})
    assert found[0] == found[1]
    assert found[0]["outcome"] == "failed"
    assert found[0]["expected"]
