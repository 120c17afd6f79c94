"""JUnit XML that other tools can read, whatever the checks said."""

from collections.abc import Callable
from xml.etree import ElementTree as ET

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gdgrade.report.junit import to_junit
from gdgrade.report.model import CheckResult, Report

Check = Callable[..., CheckResult]
Make = Callable[..., Report]


def parsed(report: Report, **options: bool) -> ET.Element:
    return ET.fromstring(to_junit(report, **options).encode("utf-8"))


def test_counts_agree_with_the_elements(mixed: Report) -> None:
    """Of every suite and of the whole: tests, failures, errors, skipped."""
    root = parsed(mixed)
    assert {k: root.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "12", "failures": "4", "errors": "1", "skipped": "3",
    }  # fmt: skip
    for element in (root, *root.iter("testsuite")):
        cases = list(element.iter("testcase"))
        assert element.get("tests") == str(len(cases))
        for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert element.get(key) == str(len(list(element.iter(tag))))


def test_one_suite_per_part_and_one_case_per_check(mixed: Report) -> None:
    """Names are those of the report; times are in seconds."""
    root = parsed(mixed)
    assert [suite.get("name") for suite in root][:2] == ["5.1 Log-density and score of a mixture", "5.2 Langevin step"]
    first = root[0][0]
    assert (first.get("classname"), first.get("name")) == ("ex05_langevin.5_1", "density/log_prob")
    assert first.get("time") == "0.031"


def test_causes_and_details(mixed: Report) -> None:
    """A failure carries cause, message, expected, got, hint and the student's line; a skip says what it waits for."""
    root = parsed(mixed)
    failure = root.find(".//testcase[@name='step/given_noise']/failure")
    assert failure is not None
    assert failure.get("type") == "student"
    assert (failure.get("message") or "").startswith("x after one step")
    for words in ("0 of 1 point", "expected: [0.1234", "got: [0.7, nan]", "hint: How does", "langevin.py:41"):
        assert words in (failure.text or "")
    skipped = root.find(".//testcase[@name='annealed/given_noises']/skipped")
    assert skipped is not None
    assert skipped.get("message") == "waits for 5.2, 5.3"
    slow = root.find(".//testcase[@name='mala/box']/failure")
    assert slow is not None
    assert slow.get("type") == "timeout"


def test_what_could_not_be_judged_is_an_error(make: Make, check: Check) -> None:
    """Also a check that was only skipped because of the machine."""
    root = parsed(make(check("a/a", "5.1", "skipped", cause="infrastructure", message="rdkit is not installed")))
    assert (root.get("errors"), root.get("skipped")) == ("1", "0")


def test_hidden_checks_stay_hidden(mixed: Report) -> None:
    """Unless staff asks."""
    assert "0.05" not in to_junit(mixed)
    assert "0.05" in to_junit(mixed, show_hidden=True)


def test_parts_that_were_not_run_are_no_suites(make: Make, check: Check) -> None:
    """A suite without cases confuses readers."""
    assert len(parsed(make(check("a/a", "5.2")))) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.text(alphabet=st.characters(), max_size=60))
def test_any_text_is_well_formed(make: Make, check: Check, text: str) -> None:
    """Control characters, brackets, surrogates and non-characters leave valid XML."""
    report = make(
        check("a/" + text, "5.1", "failed", cause="student", message=text, expected=text, output=text, title=text)
    )
    assert parsed(report).get("failures") == "1"
