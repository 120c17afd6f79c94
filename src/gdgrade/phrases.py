"""Finished messages of a course in another language: recognised as a whole, or by the pattern they were made from.

A grader writes ``f"the decoder was asked for {len(z)} codes"``; its catalogue has the pattern "the decoder was asked
for {len_z} codes". A message that fits is put together anew from the translation, and what stood in the placeholders
is translated in turn.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

DEPTH = 4  # messages in messages
_FIELD = re.compile(r"(\{\{|\}\})|\{(\w+)\}")


class Phrases:
    """Translations by msgid; a msgid with placeholders is a pattern.

    Example:
        >>> phrases = Phrases({"{name}: got {shape}": "{shape} pour {name}", "the loss": "la perte"})
        >>> phrases("the loss: got (3, 2)")
        '(3, 2) pour la perte'
        >>> phrases("something else")
        'something else'
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        plain = {key: value for key, value in texts.items() if not _names(key)}
        self._plain = {_literal(key): _literal(value) for key, value in plain.items()}
        self._templates = {key: value for key, value in texts.items() if key not in plain}
        self._patterns: list[tuple[Pattern, str]] | None = None

    def __call__(self, text: str) -> str:
        """`text` translated as far as it is known."""
        return self._translated(text, DEPTH)

    def _translated(self, text: str, depth: int) -> str:
        body = text.strip()
        if not body or depth == 0:
            return text
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return before + self._body(body, depth) + after

    def _body(self, body: str, depth: int) -> str:
        if body in self._plain:
            return self._plain[body]
        for pattern, translation in self._compiled():
            found = pattern.match(body)
            if found is not None:
                values = {name: self._translated(value, depth - 1) for name, value in found.items()}
                return _filled(translation, values)
        return self._sentences(body, depth)

    def _sentences(self, body: str, depth: int) -> str:
        """A message of several sentences may be known one by one; a text with a parameter behind it, without it."""
        parts = re.split(r"(?<=[.!?]) (?=[A-Z])", body)
        if len(parts) > 1:
            return " ".join(self._translated(part, depth - 1) for part in parts)
        parameter = re.fullmatch(r"(.*\S)( \[[^\[\]]+\])", body, re.DOTALL)
        return self._translated(parameter[1], depth - 1) + parameter[2] if parameter else body

    def _compiled(self) -> list[tuple[Pattern, str]]:
        """Patterns, those with the most text of their own first."""
        if self._patterns is None:
            ordered = sorted(self._templates.items(), key=lambda item: (-len(_FIELD.sub("", item[0])), item[0]))
            self._patterns = [(Pattern(key), value) for key, value in ordered]
        return self._patterns


class Pattern:
    """A template turned round: what stood in its placeholders.

    Each literal piece is looked for from where the one before it ended, which finds a match if there is one and never
    goes back: a message with text of a student in it cannot make it slow, as it could a regular expression.
    """

    def __init__(self, template: str) -> None:
        self._names = _names(template)
        pieces, end = [""], 0
        for field in _FIELD.finditer(template):
            pieces[-1] += template[end : field.start()] + (field[1] or "")[:1]
            end = field.end()
            if field[2]:
                pieces.append("")
        pieces[-1] += template[end:]
        self._first, *self._between, self._last = pieces

    def match(self, text: str) -> dict[str, str] | None:
        """What the placeholders stand for, or None; one that comes twice must stand for the same."""
        end = len(text) - len(self._last)
        start = len(self._first)
        if not text.startswith(self._first) or not text.endswith(self._last) or start > end:
            return None
        values = []
        for piece in self._between:
            found = text.find(piece, start, end)
            if found < 0:
                return None
            values.append(text[start:found])
            start = found + len(piece)
        values.append(text[start:end])
        named = dict(zip(self._names, values, strict=True))
        return named if all(named[name] == value for name, value in zip(self._names, values, strict=True)) else None


def load_phrases(files: Iterable[Path]) -> Callable[[str], str]:
    """The phrases of compiled catalogues; files that are not there are left out, the first wins."""
    texts: dict[str, str] = {}
    for path in files:
        if path.is_file():
            with path.open("rb") as file:
                catalogue: Mapping[object, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
            texts = {key: value for key, value in catalogue.items() if isinstance(key, str) and key} | texts
    return Phrases(texts)


def _names(template: str) -> list[str]:
    return [name for _braces, name in _FIELD.findall(template) if name]


def _literal(template: str) -> str:
    return template.replace("{{", "{").replace("}}", "}")


def _filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its placeholders filled; values are text, never a template."""
    return _FIELD.sub(lambda field: field[1][0] if field[1] else values.get(field[2], field[0]), template)
