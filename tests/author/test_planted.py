"""First lines of planted answers."""

from pathlib import Path

import pytest

from gdgrade.author.planted import HeaderError, never_trained, read_planted, unknown_checks, with_trainings

CHECKS = {"blend/values": {"training": False}, "path/points": {"training": False}, "net/learns": {"training": True}}


def planted(folder: Path, first: str | bytes) -> Path:
    path = folder / "wrong_x.py"
    path.write_bytes(first if isinstance(first, bytes) else f"{first}\n".encode())
    return path


def test_names_that_no_check_has(tmp_path: Path) -> None:
    """A slip in a name is reported with the name that was meant, also beside names that are right."""
    entry = read_planted(planted(tmp_path, "# wrong: a slip | fails: blend/values, blend/valeus"))
    assert unknown_checks([entry], CHECKS) == ["wrong_x.py: there is no check blend/valeus; did you mean blend/values?"]
    entry = read_planted(planted(tmp_path, "# wrong: fine | fails: blend/values, net/learns"))
    assert unknown_checks([entry], CHECKS) == []
    entry = read_planted(planted(tmp_path, "# wrong: trains | fails: net/learns"))
    assert unknown_checks([entry], CHECKS) == []
    assert never_trained([entry], CHECKS) == [
        "wrong_x.py names only checks that train, without `run: full`: only --full judges it"
    ]
    assert never_trained(with_trainings([entry], CHECKS), CHECKS) == []
    entry = read_planted(planted(tmp_path, "# wrong: trains | fails: net/learns | run: full"))
    assert never_trained([entry], CHECKS) == []


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("# wrong: x | fails: a/b | run: ful", "run: ful is unknown"),
        ("# wrong: x | fails: a/b | cause: tiemout", "cause: tiemout is unknown"),
        (b"# wrong: x | fails: a/b\n\n# \xe9\n", "wrong_x.py is not UTF-8 (byte 0xe9 at line 3); save it as UTF-8"),
    ],
)
def test_words_that_nobody_knows(tmp_path: Path, first: str | bytes, words: str) -> None:
    """A field's value that means nothing, and a file that is no UTF-8."""
    with pytest.raises(HeaderError) as error:
        read_planted(planted(tmp_path, first))
    assert words in str(error.value)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    """As the judge does with a student's file."""
    assert read_planted(planted(tmp_path, b"\xef\xbb\xbf# right: marked\n")).right
