"""Turn a notebook into one Python source, cell by cell, without trusting a byte of it.

Read by hand with ``json`` alone: hostile and half-broken notebooks fail validation, and students' half-broken
notebooks still hold gradable code.
"""

from __future__ import annotations
import __future__

import ast
import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gdgrade.course.errors import SubmissionError
from gdgrade.course.magics import neutralise
from gdgrade.language import _
from gdgrade.report.text import clean_text
from gdgrade.sourcecode import python_tree

CellLine = tuple[int, int]  # (code cell, line in it), 1-based

MAX_CELLS = 5000
_FUTURE = re.compile(r"^from[ \t]+__future__[ \t]+import[ \t]+([A-Za-z_, \t]+?)[ \t]*(?:#.*)?$")
_DISPLAY = re.compile(r"\bdisplay\(")
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
    notebook = _parse(text, name)
    cells = list(_code_cells(notebook, name))
    if sum(len(cell.encode("utf-8", "surrogatepass")) for cell in cells) > max_bytes:
        raise SubmissionError(
            _("The code of {name} is larger than {size}.").format(name=name, size=in_words(max_bytes)), "too_large"
        )
    if not any(cell.strip() for cell in cells):
        raise SubmissionError(_("{name} has no code cell with anything in it.").format(name=name), "no_code")
    joined = join_cells(list(enumerate(cells, start=1)))
    language = _other_language(notebook)
    if language:
        remark = _("The notebook says that it is for {language}; it was read as Python.").format(language=language)
        joined = replace(joined, remarks=(remark, *joined.remarks))
    return joined


def join_cells(cells: Sequence[tuple[int, str]]) -> NotebookSource:
    """One source from the texts of code cells, each with the number by which its author knows it.

    See `notebook_source` for what is put right on the way.
    """
    out: list[str] = []
    lines: dict[int, CellLine] = {}
    remarks: list[str] = []
    futures: set[str] = set()
    for number, cell in cells:
        code, magics = neutralise(cell)
        if magics:
            remarks.append(
                _("Cell {number}: notebook commands were left out ({commands}).").format(
                    number=number, commands=_some(magics)
                )
            )
        code = _without_broken(code, number, remarks)
        trouble = _trouble(code)
        if trouble:
            code, trouble = _without_awaits(code, number, remarks, trouble)
        rows = code.split("\n")
        if trouble:
            remarks.append(
                _("Cell {number} is not valid Python and was left out: {trouble}.").format(
                    number=number, trouble=trouble
                )
            )
            rows = [f"# {row}" for row in rows]
        else:
            rows = [_take_future(row, futures) for row in rows]
        for inner, row in enumerate(rows, start=1):
            out.append(row)
            lines[len(out)] = (number, inner)
    # A future import holds for all later cells of a notebook, but may stand only at the head of a file.
    head = [f"from __future__ import {', '.join(sorted(futures))}"] if futures else []
    if any(_DISPLAY.search(cell) for _number, cell in cells):
        head.append("display = print")  # notebooks have it without an import
    lines = {line + len(head): origin for line, origin in lines.items()}
    out = head + out
    return NotebookSource("\n".join(out) + "\n", lines, tuple(remarks))


def _parse(text: str, name: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError also covers integers of too many digits
        place = " " + _("(line {line})").format(line=error.lineno) if isinstance(error, json.JSONDecodeError) else ""
        raise SubmissionError(
            _("{name} is not a notebook: its JSON is damaged{place}.").format(name=name, place=place), "not_json"
        ) from None


def _code_cells(notebook: object, name: str) -> Iterator[str]:
    """Sources of the code cells, of today's format and of version 3 (worksheets, ``input``)."""
    if not isinstance(notebook, dict):
        raise SubmissionError(_("{name} is JSON, but not a notebook.").format(name=name), "not_a_notebook")
    sheets = notebook.get("worksheets")
    lists = [notebook.get("cells")] if not isinstance(sheets, list) else [
        sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)
    ]  # fmt: skip
    if not any(isinstance(cells, list) for cells in lists):
        raise SubmissionError(
            _("{name} is JSON, but not a notebook: it has no list of cells.").format(name=name), "not_a_notebook"
        )
    found = 0
    for cells in lists:
        for cell in cells if isinstance(cells, list) else ():
            if not isinstance(cell, dict) or cell.get("cell_type") != "code":
                continue
            found += 1
            if found > MAX_CELLS:
                raise SubmissionError(
                    _("{name} has more than {count} code cells.").format(name=name, count=MAX_CELLS), "too_large"
                )
            yield _text(cell.get("source", cell.get("input", "")))


def _other_language(notebook: object) -> str | None:
    """The language that the metadata name, unless it is Python or there is none."""
    found = notebook
    for key in ("metadata", "kernelspec", "language"):
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, str) or found.lower().startswith("python"):
        return None
    return clean_text(found, 30)


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
    remarks.append(_("Cell {number}: broken characters were replaced.").format(number=number))
    return _BROKEN.sub("\ufffd", code)


def _trouble(code: str) -> str | None:
    """Why the cell does not compile, or None. Nothing is run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "<cell>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return _("line {line}: {message}").format(line=error.lineno or 1, message=error.msg)
    except (RecursionError, MemoryError, OverflowError):
        return _("it is nested too deeply")
    return None


def _without_awaits(code: str, number: int, remarks: list[str], trouble: str) -> tuple[str, str | None]:
    """A notebook may await at the top level, a module may not: such statements become comments, the others stay."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            statements = python_tree(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return code, trouble
    rows = code.split("\n")
    awaiting = [statement for statement in statements if _trouble(_alone(statement, rows))]
    for statement in awaiting:
        for index in range(statement.lineno - 1, statement.end_lineno or statement.lineno):
            rows[index] = f"# {rows[index]}"
    rest = "\n".join(rows)
    still = _trouble(rest)
    if still or not awaiting:
        return code, trouble
    remarks.append(
        _("Cell {number}: what awaits outside of a function was left out (line {line}).").format(
            number=number, line=awaiting[0].lineno
        )
    )
    return rest, None


def _alone(statement: ast.stmt, rows: list[str]) -> str:
    """The text of the statement's lines, decorators left out."""
    return "\n".join(rows[statement.lineno - 1 : statement.end_lineno])


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
