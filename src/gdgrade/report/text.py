"""Make text inert that a student may have written: messages, names, printed output, source lines.

Whatever is shown or stored goes through ``clean_text``. Markup of a sink (HTML, Markdown, CSV formulas, rich
markup) is that sink's business; here is only what no sink should ever see: characters that move a cursor,
reorder or hide text, break an encoder, or make a page of one word.
"""

from __future__ import annotations

import unicodedata

DEFAULT_LIMIT = 4000  # characters
MAX_COMBINING = 3  # marks stacked on one letter; more is a tower that overlays other lines
TAB = "    "


def clean_text(text: str, limit: int = DEFAULT_LIMIT, *, newlines: bool = False) -> str:
    r"""Text without anything that acts; idempotent.

    Printable characters stay. Control characters, ANSI escapes, bidirectional overrides, zero-width
    characters, lone surrogates, private and unassigned code points become visible as Python escapes
    (``\x1b``, ``\u202e``). Unusual spaces become a space, a tab four.

    Args:
        text: anything that is a str, also with lone surrogates.
        limit: largest length of the result in characters, at least 1; what is cut is replaced by one "…".
        newlines: keep line breaks (``\r\n`` counts as one); else each becomes a space.

    Returns:
        A string that any encoder takes, of at most ``limit`` characters.

    Raises:
        ValueError: if ``limit`` is below 1.

    Example:
        >>> clean_text("red \x1b[31m alert")
        'red \\x1b[31m alert'
    """
    if limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}")
    # No character becomes shorter than one, but for stacked marks and \r\n; so a slice ahead bounds the work
    # on gigantic texts. Twice the limit, at least 1000: room for what is dropped.
    window = text[: max(2 * limit, 1000) + 1]
    if not (window.isascii() and window.isprintable()):
        window = _escaped(window, newlines)
    cut = len(window) > limit or len(text) > max(2 * limit, 1000) + 1
    return window[: limit - 1] + "…" if cut else window


def _escaped(text: str, newlines: bool) -> str:
    pieces: list[str] = []
    marks = 0
    for char in text.replace("\r\n", "\n"):
        if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
            marks += 1
            if marks <= MAX_COMBINING:
                pieces.append(char)
            continue
        marks = 0
        pieces.append(_inert(char, newlines))
    return "".join(pieces)


def _inert(char: str, newlines: bool) -> str:
    if char == "\n":
        return "\n" if newlines else " "
    if char == "\t":
        return TAB
    # isprintable is False for the categories Cc, Cf, Cs, Co, Cn, Zl, Zp and for all spaces but U+0020.
    if char.isprintable():
        return char
    if unicodedata.category(char) == "Zs":
        return " "
    return char.encode("unicode_escape").decode("ascii")
