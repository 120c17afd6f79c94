"""A handed-in notebook made such that nbgrader can read it: broken parts go, graded cells are as released."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gdgrade.nbgrader.source import SCHEMA
from gdgrade.report.text import clean_text

_KINDS = ("code", "markdown", "raw")
MAX_ATTACHMENTS = 2_000_000  # characters, of one cell


@dataclass(frozen=True)
class Master:
    """A cell as released: what nbgrader's gradebook keeps of it."""

    name: str
    kind: str
    source: str
    checksum: str | None
    locked: bool
    grade: bool = False
    solution: bool = False
    task: bool = False
    points: float = 0.0

    def about(self) -> dict[str, Any]:
        """nbgrader's metadata of the cell."""
        about: dict[str, Any] = {
            "schema_version": SCHEMA, "grade_id": self.name, "grade": self.grade, "solution": self.solution,
            "locked": self.locked, "task": self.task, "cell_type": self.kind, "checksum": self.checksum,
        }  # fmt: skip
        return {**about, "points": self.points} if self.grade or self.task else about


def mend(notebook: Any, masters: Sequence[Master]) -> tuple[dict[str, Any], list[str]]:
    """A valid notebook (format 4.5) with the student's cells.

    Locked cells get their released text, duplicates lose their role (the last one keeps it, as in nbgrader), and what
    was graded and is missing is added at the end. Outputs, widgets and metadata that others made up are dropped.

    Args:
        notebook: parsed JSON, of any shape; worksheets of format 3 too.
        masters: the released cells.

    Returns:
        The notebook, and one sentence for each thing that was put right.
    """
    known = {master.name: master for master in masters}
    said: list[str] = []
    cells: list[dict[str, Any]] = []
    taken: set[str] = set()
    for cell in reversed(list(_cells(notebook))):
        master = known.get(_name(cell))
        if master is not None and master.name in taken:
            said.append(f"The cell {master.name} was there more than once; the last one counts.")
            master = None
        if master is not None:
            taken.add(master.name)
        cells.append(_mended(cell, master, said))
    cells.reverse()
    for master in masters:
        if master.name not in taken and (master.grade or master.task):
            said.append(f"The cell {master.name} was missing; it was added at the end.")
            cells.append(_mended({"cell_type": master.kind, "source": master.source}, master, said))
    used: set[str] = set()
    for number, cell in enumerate(cells):
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        plain = re.sub(r"[^A-Za-z0-9_-]", "-", name)[:64]
        cell["id"] = plain if plain and plain not in used else f"cell-{number}"
        used.add(cell["id"])
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, sorted(set(said))


def without_outputs(data: bytes) -> bytes:
    """The JSON of a notebook without outputs and attachments, for one that is too large because of them.

    Raises:
        ValueError: it is not a notebook's JSON.
    """
    notebook = json.loads(data)
    for cell in _cells(notebook):
        for key in ("outputs", "attachments"):
            cell.pop(key, None)
    if isinstance(notebook, dict):
        notebook.pop("metadata", None)
    return json.dumps(notebook).encode()


def parsed(data: bytes) -> Any:
    """The notebook's JSON; where it is none, nothing: a notebook without cells."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return {}


def _cells(notebook: Any) -> Iterable[dict[str, Any]]:
    if not isinstance(notebook, dict):
        return []
    sheets = notebook.get("worksheets")
    lists = (
        [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        if isinstance(sheets, list)
        else [notebook.get("cells")]
    )
    return [cell for cells in lists if isinstance(cells, list) for cell in cells if isinstance(cell, dict)]


def _name(cell: Mapping[str, Any]) -> str:
    """nbgrader's name of a cell, of any version of its metadata."""
    metadata = cell.get("metadata")
    about = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = about.get("grade_id") if isinstance(about, dict) else None
    return name if isinstance(name, str) else ""


def _mended(cell: Mapping[str, Any], master: Master | None, said: list[str]) -> dict[str, Any]:
    kind = cell.get("cell_type")
    kind = kind if isinstance(kind, str) and kind in _KINDS else "raw"
    source = _text(cell.get("source", cell.get("input", "")))
    metadata: dict[str, Any] = {}
    if master is not None:
        if kind != master.kind:
            said.append(f"The cell {master.name} is of kind {master.kind} again.")
            kind = master.kind
        if master.locked and source != master.source:
            said.append(f"The read-only cell {master.name} had been changed; it is as released.")
            source = master.source
        metadata = {"nbgrader": master.about()}
    made: dict[str, Any] = {"cell_type": kind, "metadata": metadata, "source": source}
    if kind == "code":
        made |= {"outputs": [], "execution_count": None}
    elif _attached(cell.get("attachments")):
        made["attachments"] = cell["attachments"]
    return made


def _attached(value: Any) -> bool:
    """Whether a cell's attachments are what they must be, and not too many."""
    if not isinstance(value, dict):
        return False
    bundles = list(value.values())
    if not all(
        isinstance(bundle, dict) and all(isinstance(text, str) for text in bundle.values()) for bundle in bundles
    ):
        return False
    return sum(len(text) for bundle in bundles for text in bundle.values()) <= MAX_ATTACHMENTS


def _text(source: Any) -> str:
    """A cell's text: what encoders refuse is made visible, the rest is the student's."""
    if isinstance(source, list):
        source = "".join(piece for piece in source if isinstance(piece, str))
    if not isinstance(source, str):
        return ""
    if re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", source):
        return clean_text(source, max(1, 4 * len(source)), newlines=True)
    return source
