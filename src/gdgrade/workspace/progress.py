"""What became of each part so far: one line per part in ``.gdgrade/progress.jsonl``, made to be merged by git.

The lines are sorted, so two machines that checked different parts change different lines. ``start`` writes a
``.gitattributes`` that has git keep the lines of both sides; where both have a line on the same part, the newer one
holds. Lines that are no JSON, such as the marks of a conflict that was merged elsewhere, are passed over.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdgrade.report.model import Report

FOLDER = ".gdgrade"
FILE = "progress.jsonl"
MERGE_RULE = f"/{FOLDER}/{FILE} merge=union"
MAX_BYTES = 2_000_000  # a course of fifty parts needs twenty thousand; more is not a file of ours
RECORDED = ("passed", "failed", "not_attempted", "waiting")  # undecided: nobody's verdict; not_run: none at all

Key = tuple[str, str]
"""Exercise id and part id."""


@dataclass(frozen=True)
class Verdict:
    """The last verdict on one part.

    Attributes:
        status: one of `RECORDED`.
        points, max_points: given, and of the part.
        judged: points of the checks that ran; less than max_points with --quick, or where hidden checks are elsewhere.
        file: what was checked, relative to the workspace, with slashes.
        sha256: of its bytes.
        at: when; aware.
    """

    exercise: str
    part: str
    status: str
    points: float
    max_points: float
    judged: float
    file: str
    sha256: str
    at: datetime


@dataclass
class Progress:
    """All verdicts, and how many hints were looked at; `others` are lines of kinds that this version does not know."""

    verdicts: dict[Key, Verdict] = field(default_factory=dict)
    hints: dict[Key, int] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)

    def to_text(self) -> str:
        """The file: one line per part and kind, sorted."""
        rows = [(key, _verdict_row(verdict)) for key, verdict in self.verdicts.items()]
        rows += [(key, {"exercise": key[0], "part": key[1], "hints": count}) for key, count in self.hints.items()]
        rows.sort(key=lambda row: (row[0][0], _natural(row[0][1]), "hints" in row[1]))
        lines = [json.dumps(row, allow_nan=False) for _, row in rows]
        return "".join(f"{line}\n" for line in [*lines, *sorted(set(self.others))])

    @classmethod
    def from_text(cls, text: str) -> Progress:
        """Read lines in any order, doubled ones and rubbish included: of two verdicts on a part the newer one holds."""
        found = cls()
        for line in text.splitlines():
            row = _object(line)
            if row is None:
                continue
            key = (row.get("exercise"), row.get("part"))
            if not (isinstance(key[0], str) and isinstance(key[1], str)):
                found.others.append(line)
            elif "hints" in row:
                count = row["hints"]
                if isinstance(count, int) and not isinstance(count, bool) and 0 < count < 100:
                    found.hints[key] = max(count, found.hints.get(key, 0))  # type: ignore[index, arg-type]
            elif "status" in row:
                verdict = _verdict(row)
                old = found.verdicts.get(key)  # type: ignore[arg-type]
                if verdict is not None and (old is None or _rank(verdict) > _rank(old)):
                    found.verdicts[verdict.exercise, verdict.part] = verdict
            else:
                found.others.append(line)
        return found

    def take(self, verdict: Verdict) -> None:
        """Put a new verdict in the place of the old one, unless it says less about the very same file."""
        key = (verdict.exercise, verdict.part)
        old = self.verdicts.get(key)
        less = old is not None and old.sha256 == verdict.sha256 and verdict.judged < old.judged - 1e-9
        if not less:
            self.verdicts[key] = verdict


def path_of(root: Path) -> Path:
    """The file of a workspace, which need not be there."""
    return root / FOLDER / FILE


def read(root: Path) -> Progress | None:
    """The progress kept in a workspace; None where none is kept.

    Raises:
        OSError: the file is there and cannot be read.
    """
    path = path_of(root)
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return Progress.from_text(stream.read(MAX_BYTES).decode("utf-8", errors="replace"))


def write(root: Path, progress: Progress) -> None:
    """Replace the file as a whole: whoever reads it meanwhile sees the old or the new one.

    Raises:
        OSError: it cannot be written.
    """
    path = path_of(root)
    handle, name = tempfile.mkstemp(prefix=f"{FILE}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(progress.to_text())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def record(root: Path, file: Path, report: Report, now: datetime | None = None) -> bool:
    """Keep what a check found about a file inside the workspace.

    Args:
        root: the course's folder.
        file: what was checked; verdicts on files elsewhere are not kept.
        now: aware; None: this moment.

    Returns:
        Whether anything was kept: not without a progress file.

    Raises:
        OSError: the progress file cannot be read or written.
    """
    try:
        inside = file.resolve().relative_to(root.resolve() / "exercises" / report.exercise.id)
    except ValueError:
        return False
    progress = read(root)
    if progress is None:
        return False
    moment = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    for part in report.parts:
        if part.status in RECORDED:
            progress.take(
                Verdict(
                    exercise=report.exercise.id,
                    part=part.id,
                    status=part.status,
                    points=part.points,
                    max_points=part.max_points,
                    judged=round(part.max_points - part.not_run, 6),
                    file=f"exercises/{report.exercise.id}/{inside.as_posix()}",
                    sha256=report.submission.sha256,
                    at=moment,
                )
            )
    write(root, progress)
    return True


def note_hint(root: Path, exercise: str, part: str, number: int) -> None:
    """Keep that a hint was looked at, where progress is kept at all.

    Raises:
        OSError: the progress file cannot be read or written.
    """
    progress = read(root)
    if progress is not None and progress.hints.get((exercise, part), 0) < number:
        progress.hints[exercise, part] = number
        write(root, progress)


def _verdict_row(verdict: Verdict) -> dict[str, Any]:
    return {**asdict(verdict), "at": verdict.at.isoformat()}


def _verdict(row: Mapping[str, Any]) -> Verdict | None:
    """A verdict, if every field is there and of its kind."""
    texts = {name: row.get(name) for name in ("exercise", "part", "status", "file", "sha256", "at")}
    numbers = {name: row.get(name) for name in ("points", "max_points", "judged")}
    if not all(isinstance(text, str) and len(text) <= 500 for text in texts.values()):
        return None
    if not all(isinstance(x, int | float) and not isinstance(x, bool) and 0 <= x < 1e6 for x in numbers.values()):
        return None
    try:
        at = datetime.fromisoformat(texts.pop("at"))  # type: ignore[arg-type]
    except ValueError:
        return None
    file = str(texts["file"])
    if texts["status"] not in RECORDED or at.tzinfo is None or file.startswith("/") or ".." in file.split("/"):
        return None
    return Verdict(**texts, **{name: float(x) for name, x in numbers.items()}, at=at)  # type: ignore[arg-type]


def _rank(verdict: Verdict) -> tuple[datetime, str]:
    """What decides between two verdicts on one part: the date, then anything that is the same on every machine."""
    return verdict.at, json.dumps(_verdict_row(verdict), sort_keys=True)


def _object(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _natural(part: str) -> tuple[tuple[int, str], ...]:
    """Sorts 5.10 behind 5.9."""
    return tuple((int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", part))
