"""Who handed in what: the layouts in which learning platforms export hand-ins.

| layout | path of a file |
| --- | --- |
| moodle | `Ada Lovelace_12345_assignsubmission_file_/langevin.py`, or the same joined by `_` without folders |
| canvas | `lovelaceada_123_456_langevin-1.py`, `lovelaceada_LATE_123_456_langevin.py` |
| gradescope | `submission_987/langevin.py` beside `submission_metadata.yml` |
| nbgrader | `submitted/ada/ex05_langevin/langevin.ipynb` with a `timestamp.txt` beside it |
| folders | `ada/langevin.py`, `ada/ex05/langevin.py` |
| flat | `ada_ex05.py`, or another pattern |
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import yaml

from gdgrade.batch.sources import BROKEN, SourceFile
from gdgrade.report.text import clean_text

_MOODLE = re.compile(r"^(?P<name>[^_].*?)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)_?(?P<rest>.*)$")
_CANVAS = re.compile(r"^(?P<name>[^_]+)(?:_LATE)?_(?P<user>\d+)_(?P<submission>\d+)_(?P<file>.+)$")
METADATA = "submission_metadata.yml"
TIMESTAMP = "timestamp.txt"
DEFAULT_PATTERN = "{student}_{exercise}"


@dataclass(frozen=True)
class Placed:
    """What the place of a file says.

    Attributes:
        student: short key, unique within the source.
        name: what people read.
        wanted: the text that names the exercise: a path, or a word.
        submitted, time_source: when, and who says so; None where nobody does.
        identifiers: numbers and addresses that exports look students up by.
    """

    student: str
    name: str
    wanted: str
    layout: str
    submitted: datetime | None = None
    time_source: str = ""
    identifiers: Mapping[str, str] = field(default_factory=dict)


class Misplaced(Exception):
    """The place of a file does not say whose it is; the text is the reason."""


class Layouts:
    """Reads places of files.

    Args:
        files: of one source, for the metadata among them.
        pattern: of names in a flat folder, with `{student}` and `{exercise}`.

    Raises:
        ValueError: the pattern lacks `{student}`.
    """

    def __init__(self, files: Sequence[SourceFile], pattern: str = DEFAULT_PATTERN) -> None:
        self._flat = _flat_pattern(pattern)
        self._metadata = {file.parts[:-1]: _metadata(file) for file in files if file.name == METADATA}
        self._stamps = {file.parts[:-1]: file for file in files if file.name == TIMESTAMP}
        self.furniture = (METADATA, TIMESTAMP)

    def place(self, file: SourceFile) -> Placed:
        """Student and exercise of a file.

        Raises:
            Misplaced: with the reason.
        """
        parts = file.parts
        for index, part in enumerate(parts):
            found = _MOODLE.match(part)
            if found:
                return self._moodle(file, found, parts[index + 1 :])
        for folder, table in self._metadata.items():
            if parts[: len(folder)] == folder and len(parts) > len(folder) + 1:
                return self._gradescope(parts[len(folder) :], table)
        if "submitted" in parts[:-2] or parts[:-1] in self._stamps:
            placed = self._nbgrader(file)
            if placed is not None:
                return placed
        # A handed-in archive was opened into a folder of its own name.
        found = _CANVAS.match(parts[-1]) or (_CANVAS.match(parts[0]) if file.archived else None)
        if found:
            wanted = found["file"] if found.string == parts[-1] else "/".join(parts[1:])
            identifiers = {"canvas": found["user"]}
            when, source = _archived(file, "Canvas's archive")
            return Placed(f"{found['name']}_{found['user']}", found["name"], wanted, "canvas", when, source,
                          identifiers)  # fmt: skip
        if len(parts) > 1:
            return Placed(parts[0], parts[0], "/".join(parts[1:]), "folders")
        return self._by_name(file)

    def _moodle(self, file: SourceFile, found: re.Match[str], inner: tuple[str, ...]) -> Placed:
        if found["kind"] != "file":
            raise Misplaced(f"Moodle's {found['kind']}, not a handed-in file")
        wanted = "/".join(inner) or found["rest"]
        when, source = _archived(file, "Moodle's archive")
        identifiers = {"moodle": found["id"]}
        return Placed(f"{found['name']}_{found['id']}", found["name"], wanted, "moodle", when, source, identifiers)

    def _gradescope(self, parts: tuple[str, ...], table: Mapping[str, Any]) -> Placed:
        entry = table.get(parts[0])
        if not isinstance(entry, dict):
            raise Misplaced(f"{METADATA} has no entry {parts[0]}")
        people = entry.get(":submitters") or entry.get("submitters") or []
        person = people[0] if isinstance(people, list) and people and isinstance(people[0], dict) else {}

        def get(key: str) -> str:
            return clean_text(str(person.get(f":{key}") or person.get(key) or ""), 200)

        student = get("sid") or get("email") or get("name")
        if not student:
            raise Misplaced(f"{METADATA} names nobody for {parts[0]}")
        created = entry.get(":created_at", entry.get("created_at"))
        when = created if isinstance(created, datetime) else _time(str(created)) if created else None
        when = when.replace(tzinfo=UTC) if when is not None and when.tzinfo is None else when
        identifiers = {"email": get("email"), "sid": get("sid"), "gradescope": parts[0].removeprefix("submission_")}
        return Placed(student, get("name") or student, "/".join(parts[1:]), "gradescope", when, METADATA, identifiers)

    def _nbgrader(self, file: SourceFile) -> Placed | None:
        parts = file.parts
        start = parts.index("submitted") + 1 if "submitted" in parts[:-2] else 0
        inner = parts[start:]
        if len(inner) < 3:
            return None
        stamp = self._stamps.get(parts[: start + 2])
        when = None
        if stamp is not None:
            try:
                when = _time(stamp.read()[:200].decode("utf-8", "replace").strip())
            except BROKEN:
                when = None
        return Placed(inner[0], inner[0], "/".join(inner[1:]), "nbgrader", when, TIMESTAMP if when else "")

    def _by_name(self, file: SourceFile) -> Placed:
        stem = file.name.rsplit(".", 1)[0]
        found = self._flat.fullmatch(stem)
        if found is None:
            raise Misplaced("its name does not say whose it is; see --pattern")
        groups = found.groupdict()
        return Placed(groups["student"], groups["student"], groups.get("exercise") or "", "flat")


def _archived(file: SourceFile, source: str) -> tuple[datetime | None, str]:
    """The time that a platform's archive keeps; on disk it is the time of unpacking, which says nothing."""
    return (file.modified, source) if file.archived and file.modified is not None else (None, "")


def _flat_pattern(pattern: str) -> re.Pattern[str]:
    if pattern.count("{student}") != 1 or pattern.count("{exercise}") > 1:
        raise ValueError(f"the pattern {pattern!r} must hold {{student}} once, and {{exercise}} at most once")
    pieces = re.split(r"(\{student\}|\{exercise\})", pattern)
    words = {"{student}": "(?P<student>.+)", "{exercise}": "(?P<exercise>[^_]+(?:_[^_]+)?)"}
    lazy = {**words, "{exercise}": "(?P<exercise>.+?)"} if pattern.startswith("{exercise}") else words
    return re.compile("".join(lazy.get(piece, re.escape(piece)) for piece in pieces))


def _metadata(file: SourceFile) -> Mapping[str, Any]:
    """Gradescope's table. Its keys are Ruby symbols, which YAML reads as texts with a colon ahead."""
    try:
        table = yaml.load(file.read(), Loader=_loader())  # noqa: S506 - the C or Python *safe* loader
    except (*BROKEN, yaml.YAMLError):
        return {}
    return table if isinstance(table, dict) else {}


def _loader() -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _time(text: str) -> datetime | None:
    """A time of nbgrader (`2026-12-14 22:01:09.123 UTC`) or in ISO 8601; without a zone it is UTC."""
    text = re.sub(r"\s*(UTC|GMT|Z)$", "+00:00", text.strip())
    text = re.sub(r"\s+([+-]\d\d:?\d\d)$", r"\1", text)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
