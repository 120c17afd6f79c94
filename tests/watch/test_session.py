"""What follows from a save, a verdict, a key: decisions, without any process or file."""

from typing import Any

from gdgrade.watch.board import Board, CheckInfo
from gdgrade.watch.session import (
    Abandon,
    NotLoading,
    PartDecided,
    Quit,
    Session,
    Show,
    Start,
    Trouble,
    Unchanged,
    Wish,
)

SOURCE = "def f():\n    return 1\n\ndef g():\n    return 2\n"
CHECKS = [CheckInfo("t/f", "1"), CheckInfo("t/f_again", "1"), CheckInfo("t/g", "2")]


def outcome(name: str, word: str = "passed", **more: Any) -> dict[str, Any]:
    plain = {"waits_for": [], "matches": [], "mistake": None, "traceback": [], "timings": {"seconds": 0.01}}
    function = name.split("/")[1].split("_")[0]
    return {"id": f"ex/{name}", "outcome": word, "cause": "none", **plain, "entered": [function], **more}


def started(session: Session, source: str = SOURCE) -> Start:
    (start,) = (action for action in session.saved(source) if isinstance(action, Start))
    return start


def done(session: Session, start: Start) -> Any:
    return session.finished(start.ticket, [outcome(name) for name in start.names], True)


def watching() -> Session:
    """A session whose file is judged."""
    session = Session(Board(CHECKS))
    assert done(session, started(session)) == [Show()]
    return session


def test_a_save_during_a_run_replaces_it() -> None:
    """Several saves in a row: each run is abandoned, and only the newest text's results count."""
    session = Session(Board(CHECKS))
    first = started(session)
    actions = session.saved(SOURCE.replace("1", "3"))
    assert actions[0] == Abandon(first.ticket)
    second = started(session, SOURCE.replace("1", "4"))
    assert second.ticket > first.ticket
    assert done(session, first) == session.decided(first.ticket, "t/f", "failed") == []
    assert done(session, second) == [Show()]


def test_a_comment_during_a_run_does_not_disturb_it() -> None:
    """The code that is being judged is still the code."""
    session = Session(Board(CHECKS))
    first = started(session)
    assert session.saved(SOURCE + "# done?\n") == []
    assert done(session, first) == [Show()]


def test_a_save_that_changes_nothing_says_so() -> None:
    assert watching().saved(SOURCE + "\n# a comment\n") == [Unchanged()]


def test_parts_are_told_when_all_their_checks_are() -> None:
    session = Session(Board(CHECKS))
    start = started(session)
    assert start.parts == ("1", "2")
    assert session.decided(start.ticket, "t/f", "passed") == []
    assert session.decided(start.ticket, "t/g", "skipped") == [PartDecided("2", 0, 0, 1)]
    assert session.decided(start.ticket, "t/f_again", "failed") == [PartDecided("1", 1, 1, 0)]
    assert session.decided(start.ticket, "t/f_again", "failed") == []  # told once


def test_a_file_that_does_not_load_keeps_the_verdicts() -> None:
    """After the slip is mended nothing is run that was judged before it."""
    session = watching()
    start = started(session, "def f(:\n")
    assert start.names == ("t/f",)  # one check is enough to tell
    slip = outcome("t/f", "failed", message="your file is not valid Python")
    assert session.finished(start.ticket, [slip], False) == [NotLoading(slip)]
    assert session.saved(SOURCE) == [Show()]


def test_a_file_that_goes_and_comes_back() -> None:
    """Missing during a run: the run is given up. Back with another function: only that is judged."""
    session = watching()
    start = started(session, SOURCE.replace("1", "3"))
    assert session.missing("There is no file.") == [Abandon(start.ticket), Trouble("There is no file.")]
    assert session.pressed("\r") == [Trouble("There is no file.")]
    assert session.saved(SOURCE) == [Show()]
    assert started(session, SOURCE.replace("2", "3")).names == ("t/g",)


def test_a_lost_run_is_repeated_at_the_next_save() -> None:
    """The machine's trouble is said, costs no verdict, and the same text is judged when it is saved again."""
    session = watching()
    start = started(session, SOURCE.replace("2", "3"))
    assert session.lost(start.ticket, "no memory") == [Trouble("no memory")]
    assert started(session, SOURCE.replace("2", "3")).names == ("t/g",)


def test_keys() -> None:
    """enter runs everything; h, p and l ask for something; q leaves; others do nothing."""
    session = watching()
    (start,) = session.pressed("\n")
    assert isinstance(start, Start)
    assert start.names == ("t/f", "t/f_again", "t/g")
    assert session.pressed("h") == [Wish("hint")]
    assert session.pressed("P") == [Wish("plot")]
    assert session.pressed("l") == [Wish("list")]
    assert session.pressed("x") == []
    assert session.pressed("q") == [Abandon(start.ticket), Quit()]
    assert Session(Board(CHECKS)).pressed("\n") == []


def test_a_verdict_that_never_settles_is_given_up() -> None:
    """Should a check be out of date again and again on one text, watching does not spin."""
    session = Session(Board([CheckInfo("t/a", "1"), CheckInfo("t/b", "2")]))
    actions, runs = session.saved(SOURCE), 0
    while starts := [action for action in actions if isinstance(action, Start)]:
        runs += 1
        assert runs < 10
        # It says each time that it waits for a part that stands.
        found = [outcome("t/a"), outcome("t/b", "skipped", waits_for=["1"])]
        actions = session.finished(starts[0].ticket, found, True)
    assert actions == [Show()]
    assert runs == 3
