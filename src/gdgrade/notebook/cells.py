"""The code that was run in this session, as a submission: by name, whatever cell it stands in.

The history of the session says what was run, in which order; the names of the session say what of it still holds: a
cell that failed half-way has defined nothing below the line that failed, and a deleted function is no answer.
"""

from __future__ import annotations

import hashlib
import inspect
import linecache
import os
import sys
import types
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from gdgrade.course.definitions import Asked, Slice, definitions
from gdgrade.course.magics import neutralise
from gdgrade.course.notebook import CellLine, join_cells
from gdgrade.course.submission import Submission
from gdgrade.language import _
from gdgrade.notebook.errors import CheckError
from gdgrade.report.text import clean_text

Cells = Sequence[tuple[int, str]]


def shell() -> Any:
    """The IPython shell that runs the notebook.

    Raises:
        CheckError: there is none.
    """
    found = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if found is None:
        raise CheckError(_("this works in a notebook; in a terminal use: gdgrade check"))
    return found


def submission_of(shell: Any, asked: Asked, wanted: str) -> Submission:
    """What the cells that were run define of an exercise.

    Args:
        shell: the IPython shell.
        asked: names that the exercise asks for.
        wanted: the exercise in words, for the error.

    Raises:
        CheckError: none of them is defined.
    """
    cells = [(number, text) for number, text in enumerate(shell.history_manager.input_hist_raw) if text.strip()]
    return collect(cells, shell.user_ns, asked, name=_notebook_name(shell.user_ns), wanted=wanted)


def collect(cells: Cells, namespace: Mapping[str, object], asked: Asked, *, name: str, wanted: str) -> Submission:
    """The submission that cells make, given in the order in which they were run.

    Args:
        cells: (execution count, text as it was typed).
        namespace: the session's names.
        asked: names that the exercise asks for.
        name: of the notebook.
        wanted: the exercise in words, for the error.

    Raises:
        CheckError: none of the names is defined in a cell, or one comes from a file.
    """
    joined = join_cells(cells)
    kept = definitions(joined.source, asked, holds=_Standing(cells, joined.lines, namespace))
    if kept is None or not kept.names:
        raise CheckError(
            _("no function of {exercise} is defined yet; run the cells that define them first").format(exercise=wanted)
        )
    _refuse_files(kept, namespace, wanted)
    source = "\n".join(row for _number, row in kept.rows) + "\n"
    lines: dict[int, CellLine] = {
        line: joined.lines[number]
        for line, (number, _row) in enumerate(kept.rows, start=1)
        if number in joined.lines
    }  # fmt: skip
    digest = hashlib.sha256(source.encode()).hexdigest()
    return Submission(source, name, "ipynb", digest, lines)


class _Standing:
    """Says whether a name still stands for what a statement made of it."""

    def __init__(self, cells: Cells, lines: Mapping[int, CellLine], namespace: Mapping[str, object]) -> None:
        self._lines = lines
        self._namespace = namespace
        self._with_magics = {number for number, text in cells if neutralise(text)[1]}

    def __call__(self, name: str, line: int, text: str) -> bool | None:
        if name not in self._namespace:
            return line not in self._lines  # what `join_cells` itself put in does not come from the session
        if not text.startswith(("def ", "async def ", "class ", "@")):
            return None
        code = _code_of(self._namespace[name], name)
        if code is None or line not in self._lines:
            return None
        cell, first = self._lines[line]
        rows = linecache.getlines(code.co_filename)
        there = "".join(rows[first - 1 : first + text.count("\n")]).rstrip("\n")
        if there == text.rstrip("\n"):
            return True
        # Magics were rewritten, here and by IPython, so that texts tell nothing; neither does a file out of reach.
        return None if not rows or cell in self._with_magics else False


def _code_of(value: object, name: str) -> types.CodeType | None:
    """Some code of the function or class that was written under this name; None where it cannot be told.

    A decorator that hides what it wraps leaves a function of another name.
    """
    try:
        value = inspect.unwrap(value)  # type: ignore[arg-type]
    except (ValueError, AttributeError):
        return None
    if isinstance(value, type):
        methods = (getattr(member, "__func__", member) for member in vars(value).values())
        return next((m.__code__ for m in methods if isinstance(m, types.FunctionType) and _of(m, value)), None)
    code = getattr(value, "__code__", None)
    return code if isinstance(code, types.CodeType) and code.co_name == name else None


def _of(method: types.FunctionType, owner: type) -> bool:
    """Whether the method was written in the body of its class: dataclasses add others, and so do people."""
    return method.__qualname__ == f"{owner.__qualname__}.{method.__name__}" and bool(
        linecache.getlines(method.__code__.co_filename)
    )


def _refuse_files(kept: Slice, namespace: Mapping[str, object], wanted: str) -> None:
    """An imported function of one's own file is not in any cell, and its file is out of a worker's reach."""
    installed = tuple({sys.prefix, sys.base_prefix, str(Path(os.__file__).parent)})
    for name in kept.names:
        value = namespace.get(name)
        if not isinstance(value, (types.FunctionType, type)):
            continue
        module = sys.modules.get(value.__module__)
        path = getattr(module, "__file__", None)
        if value.__module__ != "__main__" and path and not path.startswith(installed):
            raise CheckError(
                _("{name} comes from the file {file}; check that one: gdgrade check {exercise} {file}").format(
                    name=name, file=clean_text(os.path.relpath(path), 200), exercise=wanted
                )
            )


def _notebook_name(namespace: Mapping[str, object]) -> str:
    """The notebook's file name, where the server or the editor tells it."""
    path = os.environ.get("JPY_SESSION_NAME") or namespace.get("__vsc_ipynb_file__") or ""
    return clean_text(PurePath(str(path)).name, 120) or "notebook"
