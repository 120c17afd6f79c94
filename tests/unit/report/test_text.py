"""Whatever a student prints is inert, bounded and visible."""

import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gdgrade.report.text import MAX_COMBINING, clean_text

HOSTILE = {
    "ansi": ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
    "osc_title": ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
    "c1": ("\x9b31m", "\\x9b31m"),
    "carriage_return": ("0 points\r20 points", "0 points\\r20 points"),
    "backspace": ("a\b\x7f", "a\\x08\\x7f"),
    "nul": ("a\0b", "a\\x00b"),
    "bidi": ("\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"),
    "zero_width": ("a\u200bb\u200d\ufeff\u2060", "a\\u200bb\\u200d\\ufeff\\u2060"),
    "tags": ("\U000e0041", "\\U000e0041"),
    "surrogate": ("\ud800", "\\ud800"),
    "separators": ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
    "private": ("\ue000", "\\ue000"),
    "spaces": ("a\u00a0b\u3000c\u2003d", "a b c d"),
    "tab": ("a\tb", "a    b"),
    "line_breaks": ("a\nb\r\nc", "a b c"),
    "tower": ("z" + "\u0301" * 50, "z" + "\u0301" * MAX_COMBINING),
    "french": ("déjà vu, Σ = 1/√2 · 🎲", "déjà vu, Σ = 1/√2 · 🎲"),
    "markup": ("[bold]<b>**x**</b>[/bold]", "[bold]<b>**x**</b>[/bold]"),
}


@pytest.mark.parametrize("name", HOSTILE, ids=str)
def test_hostile_characters_become_visible(name: str) -> None:
    """Each as a Python escape, and ordinary text in any language unchanged."""
    text, expected = HOSTILE[name]
    assert clean_text(text) == expected


def test_line_breaks_are_kept_on_request() -> None:
    """For messages and printed output, where CR LF is one break; a lone CR still cannot overwrite a line."""
    assert clean_text("a\r\nb\nc\rd", newlines=True) == "a\nb\nc\\rd"


def test_the_length_is_bounded() -> None:
    """What is cut ends in an ellipsis; a text of just the limit is not cut."""
    assert clean_text("x" * 10, 10) == "x" * 10
    assert clean_text("x" * 11, 10) == "x" * 9 + "…"
    assert clean_text("\x1b" * 10, 10) == "\\x1b\\x1b\\…"
    assert clean_text("x", 1) == "x"
    assert clean_text("xy", 1) == "…"
    with pytest.raises(ValueError, match="limit"):
        clean_text("x", 0)


class Watched(str):
    """A text that knows how much of it was looked at."""

    seen = 0

    def __getitem__(self, key: object) -> str:
        piece = super().__getitem__(key)  # type: ignore[index]
        Watched.seen += len(piece)
        return piece

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("the whole text was walked over")


def test_gigantic_texts_cost_nothing() -> None:
    """Only a window of the text is looked at, twice the limit or a thousand characters wide."""
    assert len(clean_text(Watched("\x1b" * 10_000_000), 100)) == 100
    assert Watched.seen <= 1001


def test_dropped_marks_do_not_hide_a_cut() -> None:
    """A text that shrinks because marks are dropped still shows that its rest was cut."""
    cleaned = clean_text("a" + "\u0301" * 5000 + "the end", 100)
    assert cleaned.endswith("…")
    assert len(cleaned) <= 100


@given(st.text(alphabet=st.characters(), max_size=60), st.integers(1, 50), st.booleans())
@example("\r\n\ud800\u0301\u0301\u0301\u0301", 3, True)
def test_any_text(text: str, limit: int, newlines: bool) -> None:
    """Always short enough, encodable, printable, and unchanged by a second pass."""
    cleaned = clean_text(text, limit, newlines=newlines)
    assert len(cleaned) <= limit
    cleaned.encode("utf-8")
    assert cleaned.replace("\n", "" if newlines else "\n").isprintable()
    assert clean_text(cleaned, limit, newlines=newlines) == cleaned


def test_every_character_alone() -> None:
    """Over all of Unicode: what comes out is printable, and printable characters but odd spaces stay."""
    for code in range(0x110000):
        char = chr(code)
        cleaned = clean_text(char)
        assert cleaned.isprintable()
        if char.isprintable():
            assert cleaned == char
        elif unicodedata.category(char) not in ("Zs",) and char not in "\n\t":
            assert cleaned.startswith("\\")
