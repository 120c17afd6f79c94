"""Turn a notebook into one Python source, cell by cell, without trusting a byte of it.

Read by hand with ``json`` alone: hostile and half-broken notebooks fail validation, and students' half-broken
notebooks still hold gradable code.
"""

from __future__ import annotations
import __future__

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gdgrade.course.errors import SubmissionError
from gdgrade.course.magics import neutralise

CellLine = tuple[int, int]  # (code cell, line in it), 1-based

MAX_CELLS = 5000
_FUTURE = re.compile(r"^from[ \t]+__future__[ \t]+import[ \t]+([A-Za-z_, \t]+?)[ \t]*(?:#.*)?$")
_BROKEN = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class NotebookSource:
    """Code of a notebook: the source, where its lines come from, and what was put right."""

    source: str
    lines: Mapping[int, CellLine]
    remarks: tuple[str, ...]


def looks_like_notebook(text: str) -> bool:
    """Whether a text that claims to be Python is a notebook's JSON."""
    return text.lstrip().startswith("{") and '"cells"' in text and '"cell_type"' in text


def notebook_source(text: str, name: str, max_bytes: int) -> NotebookSource:
    """Concatenate the code cells in order.

    Magics and shell lines become comments. A cell that is not Python is left out, as comments, so that the
    others survive; a remark says so. Outputs, metadata and Markdown are ignored. Line numbers are kept
    through ``lines``.

    Args:
        text: the JSON of the notebook.
        name: its name for messages, inert already.
        max_bytes: largest sum of the cells' code; compiling costs hundreds of bytes of memory per byte of
            source.

    Raises:
        SubmissionError: with cause ``not_json``, ``not_a_notebook``, ``no_code`` or ``too_large``.
    """
    cells = list(_code_cells(_parse(text, name), name))
    if sum(len(cell.encode("utf-8", "surrogatepass")) for cell in cells) > max_bytes:
        raise SubmissionError(f"The code of {name} is larger than {in_words(max_bytes)}.", "too_large")
    if not any(cell.strip() for cell in cells):
        raise SubmissionError(f"{name} has no code cell with anything in it.", "no_code")
    out: list[str] = []
    lines: dict[int, CellLine] = {}
    remarks: list[str] = []
    futures: set[str] = set()
    for number, cell in enumerate(cells, start=1):
        code, magics = neutralise(cell)
        if magics:
            remarks.append(f"Cell {number}: notebook commands were left out ({_some(magics)}).")
        code = _without_broken(code, number, remarks)
        trouble = _trouble(code)
        rows = code.split("\n")
        if trouble:
            remarks.append(f"Cell {number} is not valid Python and was left out: {trouble}.")
            rows = [f"# {row}" for row in rows]
        else:
            rows = [_take_future(row, futures) for row in rows]
        for inner, row in enumerate(rows, start=1):
            out.append(row)
            lines[len(out)] = (number, inner)
    if futures:
        # A future import holds for all later cells of a notebook, but may stand only at the head of a file.
        out.insert(0, f"from __future__ import {', '.join(sorted(futures))}")
        lines = {line + 1: origin for line, origin in lines.items()}
    return NotebookSource("\n".join(out) + "\n", lines, tuple(remarks))


def _parse(text: str, name: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError also covers integers of too many digits
        place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise SubmissionError(f"{name} is not a notebook: its JSON is damaged{place}.", "not_json") from None


def _code_cells(notebook: object, name: str) -> Iterator[str]:
    """Sources of the code cells, of today's format and of version 3 (worksheets, ``input``)."""
    if not isinstance(notebook, dict):
        raise SubmissionError(f"{name} is JSON, but not a notebook.", "not_a_notebook")
    sheets = notebook.get("worksheets")
    lists = [notebook.get("cells")] if not isinstance(sheets, list) else [
        sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)
    ]  # fmt: skip
    if not any(isinstance(cells, list) for cells in lists):
        raise SubmissionError(f"{name} is JSON, but not a notebook: it has no list of cells.", "not_a_notebook")
    found = 0
    for cells in lists:
        for cell in cells if isinstance(cells, list) else ():
            if not isinstance(cell, dict) or cell.get("cell_type") != "code":
                continue
            found += 1
            if found > MAX_CELLS:
                raise SubmissionError(f"{name} has more than {MAX_CELLS} code cells.", "too_large")
            yield _text(cell.get("source", cell.get("input", "")))


def _text(source: object) -> str:
    if isinstance(source, list):
        source = "".join(piece for piece in source if isinstance(piece, str))
    if not isinstance(source, str):
        return ""
    return source.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


def _without_broken(code: str, number: int, remarks: list[str]) -> str:
    """JSON can spell NUL, which no compiler takes even in a comment, and half a character, which no encoder takes."""
    if not _BROKEN.search(code):
        return code
    remarks.append(f"Cell {number}: broken characters were replaced.")
    return _BROKEN.sub("\ufffd", code)


def _trouble(code: str) -> str | None:
    """Why the cell does not compile, or None. Nothing is run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "<cell>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"line {error.lineno or 1}: {error.msg}"
    except (RecursionError, MemoryError, OverflowError):
        return "it is nested too deeply"
    return None


def _take_future(row: str, futures: set[str]) -> str:
    found = _FUTURE.match(row)
    names = {name.strip() for name in found[1].split(",")} if found else set()
    if not names or not names <= set(__future__.all_feature_names):
        return row  # the second case: a line of a docstring that only looks like an import
    futures |= names
    return f"pass  # {row}"


def _some(words: list[str]) -> str:
    shown = ", ".join(words[:3])
    return shown if len(words) <= 3 else f"{shown}, …"


def in_words(count: int) -> str:
    """A size in bytes for people: ``2 MB``, ``500 bytes``."""
    return f"{count / 1e6:g} MB" if count >= 100_000 else f"{count} bytes"
