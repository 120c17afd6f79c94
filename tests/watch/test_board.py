"""Verdicts that are kept while a file changes are those that judging everything anew would give."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdgrade.judge.student import WHOLE_FILE
from gdgrade.watch.board import Board, CheckInfo, Text
from gdgrade.watch.session import Session, Start

# A file of four functions: `inner` is called by `left` and `right`; `top` calls `left`. Each has a value to be edited,
# and a check is right when its function returns what it returned at first.
NAMES = ("inner", "left", "right", "top")
CALLS = {"inner": "", "left": " + inner()", "right": " + inner()", "top": " + left()"}
NEEDS = {"inner": (), "left": ("inner",), "right": (), "top": ("left", "right")}
RIGHT = {"inner": 1, "left": 11, "right": 11, "top": 21}
CHECKS = [CheckInfo(f"t/{name}", name, NEEDS[name]) for name in NAMES]


def written(values: Mapping[str, int], constant: int = 0, comment: str = "") -> str:
    parts = [f"def {name}():\n    return {values[name]} + CONSTANT{CALLS[name]}\n" for name in NAMES]
    return f"# {comment}\nCONSTANT = {constant}\n" + "\n".join(parts)


def judged(source: str, names: Iterable[str], broken: Mapping[str, str]) -> list[dict[str, Any]]:
    """A judge of that exercise, as gdgrade's is: parts in order, and what waits is not run."""
    space: dict[str, Any] = {}
    exec(source, space)
    broken, outcomes = dict(broken), []
    for check in CHECKS:
        if check.name not in names:
            continue
        blocker = next((part for part in check.needs if part in broken), None)
        entered = () if blocker else (check.part,)
        value = None if blocker else space[check.part]()
        word = "skipped" if blocker else "passed" if value == RIGHT[check.part] else "failed"
        if word != "passed":
            broken.setdefault(check.part, "student")
        outcomes.append(outcome(check.name, word, entered, waits_for=[blocker] if blocker else [], value=value))
    return outcomes


def outcome(name: str, word: str, entered: Iterable[str], **more: Any) -> dict[str, Any]:
    plain = {"waits_for": [], "matches": [], "mistake": None, "traceback": [], "timings": {"seconds": 0.01}}
    cause = "student" if word == "failed" else "none"
    return {"id": f"ex/{name}", "outcome": word, "cause": cause, **plain, "entered": list(entered), **more}


def settled(session: Session, source: str) -> int:
    """Save `source`, judge whatever is asked for; returns how many checks were run."""
    ran, actions = 0, session.saved(source)
    while starts := [action for action in actions if isinstance(action, Start)]:
        (start,) = starts
        ran += len(start.names)
        actions = session.finished(start.ticket, judged(start.source, start.names, start.broken), True)
    return ran


@given(
    st.lists(st.tuples(st.sampled_from([*NAMES, "CONSTANT", "comment"]), st.integers(0, 2)), min_size=1, max_size=12)
)
def test_kept_verdicts_are_those_of_a_fresh_run(edits: list[tuple[str, int]]) -> None:
    """Whatever is edited in whatever order, right or wrong: the report is the one of a full check."""
    session = Session(Board(CHECKS))
    values, constant, comment = {"inner": 1, "left": 10, "right": 10, "top": 10}, 0, 0
    settled(session, written(values))
    for place, number in edits:
        if place == "CONSTANT":
            constant = number
        elif place == "comment":
            comment = number
        else:
            values = {**values, place: number if place == "inner" else 9 + number}
        source = written(values, constant, str(comment))
        settled(session, source)
        fresh = judged(source, [check.name for check in CHECKS], {})
        assert session.text is not None
        assert session.board.outcomes(session.text) == fresh


def test_only_what_can_have_changed_is_run() -> None:
    """An edit of one function runs the checks that reach it; a comment runs none; a constant runs all."""
    session, values = Session(Board(CHECKS)), {"inner": 1, "left": 10, "right": 10, "top": 10}
    assert settled(session, written(values)) == 4
    assert settled(session, written({**values, "right": 11})) == 2  # itself; top waits for it now
    assert settled(session, written(values)) == 2
    assert settled(session, written(values, comment="thought about it")) == 0
    assert settled(session, written(values) + "def helper():\n    return 1\n") == 0
    assert settled(session, written(values, constant=1)) == 4
    assert session.saved(written(values, constant=1))  # the same again is answered, by nothing to do


def test_a_check_that_saw_the_whole_file_runs_after_every_change() -> None:
    """A function that was shipped with the student's module may have read anything in it."""
    board, text = Board([CheckInfo("t/all", "1")]), Text.of("def f():\n    return 1\n")
    board.take(text, [outcome("t/all", "passed", [WHOLE_FILE])])
    assert board.stale(text) == []
    assert board.stale(Text.of(text.source + "\n# a comment\n")) == []
    assert board.stale(Text.of(text.source + "\ndef g():\n    return 1\n")) == ["t/all"]


@pytest.mark.parametrize("before", ["", "# one more line\n"])
def test_a_quoted_line_must_still_be_there(before: str) -> None:
    """A failure quotes line numbers: when lines above are added, it is judged again, or the numbers would lie."""
    source = "def f():\n    return 1 / 0\n"
    frame = {"file": "a.py", "line": 2, "function": "f", "code": "return 1 / 0"}
    board = Board([CheckInfo("t/f", "1")])
    board.take(Text.of(source), [outcome("t/f", "failed", ["f"], traceback=[frame])])
    assert board.stale(Text.of(before + source)) == (["t/f"] if before else [])


def test_an_ambiguous_mistake_is_judged_again_when_another_check_names_it() -> None:
    """Two mistakes fit check a; check b then singles one of them out, so a gets its hint in one more run."""
    board = Board([CheckInfo("t/a", "1"), CheckInfo("t/b", "2")])
    text = Text.of("def f():\n    return 1\n\ndef g():\n    return 2\n")
    board.take(text, [outcome("t/a", "failed", ["f"], matches=["one", "two"])])
    board.take(text, [outcome("t/b", "passed", ["g"])])
    assert board.stale(text) == []
    board.take(text, [outcome("t/b", "failed", ["g"], matches=["two"])])
    assert board.known_mistakes(text) == ["two"]
    assert board.stale(text) == ["t/a"]
    board.take(text, [outcome("t/a", "failed", ["f"], matches=["one", "two"], mistake="two")])
    assert board.stale(text) == []


def test_an_optional_part_that_is_not_written_holds_nothing_up() -> None:
    """As in the judge: what needs an untouched bonus part is still judged."""
    checks = [CheckInfo("t/bonus", "1"), CheckInfo("t/next", "2", ("1",))]
    text = Text.of("")
    for optional, broken in ((["1"], {}), ([], {"1": "not_attempted"})):
        board = Board(checks, optional)
        board.take(text, [{**outcome("t/bonus", "failed", ["f"]), "cause": "not_attempted"}])
        assert board.broken(text) == broken


def test_quick_checks_come_first_and_trainings_last() -> None:
    """A check that takes long or draws samples waits; a training waits for all."""
    checks = [
        CheckInfo("t/train", "1", training=True),
        CheckInfo("t/samples", "1", alpha=1e-7),
        CheckInfo("t/exact", "1"),
        CheckInfo("t/slow", "1"),
    ]
    board, text = Board(checks), Text.of("def f():\n    return 1\n")
    assert board.next_batch(text) == ["t/exact", "t/slow"]
    board.take(text, [outcome("t/exact", "passed", []), outcome("t/slow", "passed", [], timings={"seconds": 2.0})])
    assert board.next_batch(text) == ["t/samples"]
    board.take(text, [outcome("t/samples", "passed", [])])
    assert board.next_batch(text) == ["t/train"]
    other = Text.of("X = 1\n" + text.source)
    assert board.next_batch(other) == ["t/exact"]  # the slow one's time is known now
