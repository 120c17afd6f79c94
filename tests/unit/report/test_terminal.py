"""The report on a terminal: what is said, at every width, and that no text of a student acts.

The pictures in ``golden/`` are refreshed by running these tests with UPDATE_GOLDENS=1; look at the difference.
"""

import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from gdgrade.course.late import LateDecision
from gdgrade.report.model import CheckResult, Confinement, Frame, Report, SeedInfo
from gdgrade.report.terminal import print_report

Check = Callable[..., CheckResult]
Make = Callable[..., Report]

GOLDEN = Path(__file__).parent / "golden"
UPDATE = bool(os.environ.get("UPDATE_GOLDENS"))


def shown(report: Report, width: int = 80, *, colour: bool = False, encoding: str = "utf-8", **options: object) -> str:
    """What a console of that width and encoding prints."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    console = Console(file=stream, width=width, force_terminal=colour, color_system="standard" if colour else None)
    print_report(report, console, **options)  # type: ignore[arg-type]
    stream.flush()
    return raw.getvalue().decode(encoding)


def compare(name: str, text: str) -> None:
    file = GOLDEN / name
    if UPDATE:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_mixed_report_at_three_widths(mixed: Report, width: int) -> None:
    """The picture is as recorded, and no line is wider than the terminal."""
    text = shown(mixed, width)
    compare(f"mixed_{width}.txt", text)
    assert max(cell_len(line) for line in text.split("\n")) <= width


def test_the_verbose_report(mixed: Report) -> None:
    """Passed checks, every failure in full, printed output behind a bar, versions and timings."""
    compare("mixed_verbose.txt", shown(mixed, 100, verbose=True))


def test_plain_ascii(mixed: Report) -> None:
    """A terminal without Unicode gets the same report in ASCII."""
    text = shown(mixed, 80, encoding="ascii")
    compare("mixed_ascii.txt", text)
    assert "\\u" not in text


def test_an_untouched_stub(make: Make, check: Check) -> None:
    """Part by part "not attempted yet", no traceback, no failure, and where to start."""
    stub = [check(f"a/{part}", part, "failed", cause="not_attempted") for part in ("5.1", "5.2", "5.5", "5.6", "5.7")]
    waits = [check(f"b/{part}", part, "skipped", waits_for=("5.2",)) for part in ("5.3", "5.4")]
    text = shown(make(*stub, *waits), 80)
    compare("stub.txt", text)
    assert text.count("not attempted yet") == 5
    assert "FAILED" not in text


def test_everything_passed(make: Make, check: Check) -> None:
    """One bar per part, one sentence."""
    points = {"5.1": 2, "5.2": 3, "5.3": 3, "5.4": 4, "5.5": 3, "5.6": 2, "5.7": 2}
    report = make(*(check(f"a/{part}", part, points=value) for part, value in points.items()))
    text = shown(report, 80)
    compare("all_passed.txt", text)
    assert "17 of 17 points, bonus 2 of 2\nAll checks passed.\n" in text


def test_one_part_only(make: Make, check: Check) -> None:
    """With --part the other parts are no rows, only a number in the total."""
    text = shown(make(check("a/a", "5.2", points=3)))
    assert "5.1" not in text
    assert "3 of 17 points (14 not run)\nAll that was run passed. Run the whole exercise: gdgrade check ex05\n" in text


def test_an_optional_part_only(make: Make, check: Check) -> None:
    """Nothing passed if the one part that was asked for is not written, though it costs nothing."""
    text = shown(make(check("a/a", "5.7", "failed", cause="not_attempted")))
    assert "Write part 5.7, then run gdgrade check ex05 --part 5.7" in " ".join(text.split())
    assert "passed" not in text


def test_a_package_without_the_hidden_checks(make: Make, check: Check) -> None:
    """All that is there ran and passed, and points are left: the same command again would change nothing."""
    text = shown(make(check("a/a", "5.1", points=1), check("b/b", "5.2", points=2.5)))
    assert "(13.5 not run)" in text
    assert "All that was run passed. The rest is judged without --quick, or when you hand in." in " ".join(text.split())
    assert "Run the whole exercise" not in text


def test_the_root_cause_comes_first(make: Make, check: Check) -> None:
    """The first wrong check of the earliest part is shown in full, later ones in one line each, bonus last."""
    report = make(
        check("z/bonus", "5.7", "failed", cause="student", hint="bonus hint", message="bonus wrong"),
        check("c/late", "5.5", "failed", cause="student", hint="late hint", message="late wrong\nsecond line"),
        check("b/stub", "5.2", "failed", cause="not_attempted", message="not written"),
        check("b/early", "5.2", "failed", cause="student", hint="early hint", message="early wrong"),
    )
    text = shown(report)
    places = [text.index(words) for words in ("early wrong", "early hint", "not written", "late wrong", "bonus wrong")]
    assert places == sorted(places)
    assert "late hint" not in text
    assert "second line" not in text
    assert "Mend part 5.2, then run gdgrade check ex05 --part 5.2" in text


def test_a_bonus_that_others_wait_for_is_no_afterthought(make: Make, check: Check) -> None:
    """If the bonus part is what keeps others waiting, it keeps its place in the order."""
    report = make(
        check("m/a", "5.7", "failed", cause="student", message="bonus wrong"),
        check("c/a", "5.6", "skipped", waits_for=("5.7",)),
    )
    assert "1 check waits for 5.7." in shown(report)


def test_many_failures_are_counted(make: Make, check: Check) -> None:
    """Twenty failures are one in full, eight in short, and a number."""
    report = make(*(check(f"a/c{i:02}", "5.1", "failed", 0.1, cause="student", message="wrong") for i in range(20)))
    text = shown(report)
    assert "19 more checks did not pass" in text
    assert "and 11 more" in text
    assert text.count("wrong") == 9


CAUSES = {
    "student": "FAILED", "timeout": "TOO SLOW", "memory": "OUT OF MEMORY", "crash": "CRASHED",
}  # fmt: skip


@pytest.mark.parametrize("cause", CAUSES, ids=str)
def test_each_cause_has_its_word(cause: str, make: Make, check: Check) -> None:
    """A slow answer is not called wrong."""
    assert f"{CAUSES[cause]} 5.1 B (0 of 1 point)" in shown(make(check("a/b", "5.1", "failed", cause=cause)))


def test_what_could_not_be_judged(make: Make, check: Check) -> None:
    """The student reads that nothing is lost and whom to tell."""
    report = make(
        *(check(f"p/{p}", p, points=v) for p, v in {"5.1": 2, "5.2": 3, "5.3": 3, "5.4": 4, "5.5": 3}.items()),
        check("a/b", "5.6", "error", 2, cause="infrastructure", message="the grading machine failed: no memory"),
    )
    text = shown(report)
    assert "NOT JUDGED 5.6 B (0 of 2 points)" in text
    assert "15 of 17 points (2 not judged yet)" in text
    assert "tell your teacher. What was not judged costs no points." in text


def test_hidden_checks_for_students_and_for_staff(mixed: Report) -> None:
    """Students see no number of a hidden check, not even with --verbose; staff may."""
    for verbose in (False, True):
        assert "0.05" not in shown(mixed, verbose=verbose)
    assert "the secret variance is 0.05" in shown(mixed, verbose=True, show_hidden=True)


def test_lateness_and_seeds(make: Make, check: Check) -> None:
    """The late policy explains itself; a secret seed shows as a fingerprint."""
    report = make(
        check("a/a", "5.1", points=2),
        late=LateDecision(factor=0.9, days_late=1, explanation="Late by 3 h, counted as 1 day."),
        seeds=SeedInfo(public=5, secret="3fa2"),
        confinement=Confinement(level="none"),
    )
    text = shown(report)
    assert "Late by 3 h, counted as 1 day. Counted: 1.8 points." in text
    assert "confinement: none · seed 5 (secret 3fa2)" in text


def test_another_command_line(mixed: Report) -> None:
    """Whoever checked a file elsewhere is told to run that again."""
    text = shown(mixed, 120, command="gdgrade check ex05 alice.py")
    assert "then run gdgrade check ex05 alice.py --part 5.2" in text


def test_lines_are_links_where_the_path_is_known(mixed: Report) -> None:
    """path:line, as editors' terminals take it for a link; only the name where no path is given."""
    assert "exercises/ex05/langevin.py:41 in langevin_step" in shown(mixed, path="exercises/ex05/langevin.py")
    assert "/langevin.py:41" not in shown(mixed)


def test_colours_only_repeat_the_words(mixed: Report) -> None:
    """With colours taken out, the coloured report is the plain one."""
    coloured = shown(mixed, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == shown(mixed)


def test_no_line_ends_in_blanks(mixed: Report) -> None:
    """A report can be piped and compared."""
    for width in (60, 100):
        assert not re.search(r"[ \t]+\n", shown(mixed, width, verbose=True))


def test_printed_text_cannot_pass_for_the_report(make: Make, check: Check) -> None:
    """Every printed line stands behind a bar, and every line of a message is indented."""
    forged = "\n17 of 17 points\nAll checks passed.\n"
    report = make(
        check("a/a", "5.1", "failed", cause="student", message=forged, output=forged, expected=forged, got=forged),
    )
    lines = shown(report, verbose=True).split("\n")
    assert [line for line in lines if "17 of 17" in line and not line.startswith("  ")] == []
    assert "  │ 17 of 17 points" in lines


HOSTILE = st.text(
    alphabet=st.sampled_from(
        [*"ab[]/:*_\\<>&\"'=@`{}\n\t \r", "\x1b", "\u202e", "\ud800", "é", "漢", "🎲", "\u0301", "\u200b"]
    ),
    max_size=80,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(HOSTILE, HOSTILE, st.integers(40, 120), st.booleans())
def test_any_text_of_a_student(make: Make, check: Check, one: str, two: str, width: int, verbose: bool) -> None:
    """Markup, emoji codes, escapes and wide characters are printed as they are, within the width."""
    report = make(
        check(
            "a/a", "5.1", "failed", cause="student", message=one, expected=two, got=one, hint="why?", output=two,
            traceback=(Frame(file=one, line=1, function=two, code=one),), remarks=(two,),
        ),
        remarks=(one,),
    )  # fmt: skip
    text = shown(report, width, verbose=verbose)
    assert text.replace("\n", "").isprintable()
    assert max(cell_len(line) for line in text.split("\n")) <= width
    shown(report, width, verbose=verbose, encoding="ascii")


def test_markup_and_emoji_codes_stay_text(mixed: Report) -> None:
    """``[bold red]`` and ``:boom:`` are what the student wrote, and are shown so."""
    text = shown(mixed, 120)
    assert "[bold red]largest[/] difference 0.9 at [3, 1] :boom: \\x1b[31m" in text
    assert "[link=file:///]odd[/link]" in text


def test_titles_come_without_their_full_stop(make: Make, check: Check) -> None:
    """A title is a docstring's line; inside of a sentence its full stop would be odd."""
    title = "A step uses the given noise."
    report = make(*(check(f"a/{i}", "5.1", "failed", cause="student", title=title, message="no") for i in "ab"))
    text = shown(report)
    assert "FAILED 5.1 A step uses the given noise (0 of 1 point)" in text
    assert "  5.1 A step uses the given noise\n    no\n" in text


def test_a_check_skipped_for_another_reason_says_which(make: Make, check: Check) -> None:
    """Not everything that is skipped waits for a part."""
    report = make(check("a/a", "5.1"), check("a/b", "5.1", "skipped", message="Left out on this system."))
    text = shown(report)
    assert "5.1 B: skipped. Left out on this system." in text


def test_the_last_word(make: Make, check: Check) -> None:
    """What to do next when all that counts passed: the bonus, or nothing more."""
    points = {"5.1": 2, "5.2": 3, "5.3": 3, "5.4": 4, "5.5": 3, "5.6": 2}
    passed = [check(f"a/{part}", part, points=value) for part, value in points.items()]
    bonus = check("m/a", "5.7", "failed", 2, cause="not_attempted")
    text = shown(make(*passed, bonus), 120)
    assert (
        "All that counts passed. If you like, write the bonus part 5.7, then run gdgrade check ex05 --part 5.7" in text
    )
    skipped = check("m/a", "5.7", "skipped", 2, message="Left out on this system.")
    assert "Some checks were skipped; see above." in shown(make(*passed, skipped))
