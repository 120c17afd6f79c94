"""The statement of an exercise as Markdown cells: pictures come along, links that lead nowhere become text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp")
FOLDER = "images"
_FENCE = re.compile(r"^[ \t]*(```|~~~)")
_LINK = re.compile(
    r"(?P<picture>!?)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]"  # the text may hold brackets of its own
    r"\((?P<target>[^()\s]+)(?P<title>\s+\"[^\"]*\")?\)"
)
_ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|#|//)", re.IGNORECASE)


def cells(path: Path, language: str = "") -> tuple[list[str], dict[str, Path]]:
    """The statement in pieces, one per heading of the second level.

    Links to files beside the statement lead nowhere on a student's server: pictures are given along, under `images/`,
    and other links become their text.

    Args:
        path: of README.md; it need not exist.
        language: such as "fr", for README.fr.md where there is one.

    Returns:
        Markdown texts, and the pictures that they show: name under `images/` -> file.
    """
    translated = path.with_name(f"{path.stem}.{language}{path.suffix}")
    path = translated if language and translated.is_file() else path
    if not path.is_file():
        return [], {}
    pictures: dict[str, Path] = {}

    def moved(found: re.Match[str]) -> str:
        text, target = found["text"], found["target"]
        if _ELSEWHERE.match(target):
            return found[0]
        file = (path.parent / target.split("#")[0]).resolve()
        if file.suffix.lower() not in PICTURES or not file.is_file():
            return f"*{text}*" if found["picture"] else text
        name = _free_name(file, pictures)
        pictures[name] = file
        return f"{found['picture']}[{text}]({FOLDER}/{name}{found['title'] or ''})"

    pieces: list[list[str]] = [[]]
    for line, inside in _lines(path.read_text(encoding="utf-8")):
        if line.startswith("## ") and not inside:
            pieces.append([])
        pieces[-1].append(line)
    texts = [_outside_fences("\n".join(piece).strip("\n"), lambda text: _LINK.sub(moved, text)) for piece in pieces]
    return [text for text in texts if text.strip()], pictures


def _free_name(file: Path, taken: dict[str, Path]) -> str:
    """The file's name; with its folder's name ahead where another picture is called so."""
    return file.name if taken.get(file.name, file) == file else f"{file.parent.name}-{file.name}"


def _lines(text: str) -> list[tuple[str, bool]]:
    """Lines, and whether each lies in a block of code."""
    found, fence = [], ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        found.append((line, bool(fence)))
        if mark:
            fence = "" if fence == mark[1] else fence or mark[1]
    return found


def _outside_fences(text: str, change: Callable[[str], str]) -> str:
    """Apply `change` to what is no block of code: links may run over line ends, so not line by line."""
    out: list[str] = []
    plain: list[str] = []
    for line, inside in _lines(text):
        opens = not inside and _FENCE.match(line) is not None
        if inside or opens:
            if plain:
                out.append(change("\n".join(plain)))
                plain = []
            out.append(line)
        else:
            plain.append(line)
    if plain:
        out.append(change("\n".join(plain)))
    return "\n".join(out)
