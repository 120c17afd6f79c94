"""CSV files of other programs, filled in place: what is not filled stays as it was, byte for byte."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

BOM = "\ufeff"
# A text that begins so is a formula to spreadsheets; a quote ahead makes it a text again (OWASP, CSV injection).
_FORMULA = re.compile(r"^[\s\x00]*[=+\-@\t\r|%]")


class SheetError(Exception):
    """A file that is not what it should be; the text says what is missing."""


def defused(text: str) -> str:
    """A text that no spreadsheet takes for a formula.

    Example:
        >>> defused('=HYPERLINK("http://x")')
        '\\'=HYPERLINK("http://x")'
        >>> defused("3 points")
        '3 points'
    """
    return "'" + text if _FORMULA.match(text) else text


@dataclass
class Record:
    """One record: its cells, and the text it came from; `dirty` when a cell was changed."""

    cells: list[str]
    raw: str
    dirty: bool = False

    def put(self, column: int, text: str) -> None:
        """Change a cell; an equal text changes nothing."""
        while len(self.cells) <= column:
            self.cells.append("")
        if self.cells[column] != text:
            self.cells[column] = text
            self.dirty = True

    def cell(self, column: int | None) -> str:
        return self.cells[column].strip() if column is not None and column < len(self.cells) else ""


@dataclass
class Sheet:
    """A CSV file in memory.

    Attributes:
        records: the header is the first one.
        delimiter, ending: as found in the file; bom: whether it began with a byte order mark.
    """

    records: list[Record]
    delimiter: str
    ending: str
    bom: bool
    header: list[str] = field(default_factory=list)

    def column(self, *names: str) -> int | None:
        """Number of the first column with one of the names, whatever their case; None if there is none."""
        wanted = [name.lower() for name in names]
        return next((i for i, name in enumerate(self.header) if name.strip().lower() in wanted), None)

    def text(self) -> str:
        """The file's new content."""
        out = [self._line(record.cells) if record.dirty else record.raw for record in self.records]
        return (BOM if self.bom else "") + "".join(out)

    def _line(self, cells: list[str]) -> str:
        buffer = io.StringIO()
        csv.writer(buffer, delimiter=self.delimiter, lineterminator=self.ending).writerow(cells)
        return buffer.getvalue()


def read_sheet(path: Path) -> Sheet:
    """Read a CSV file.

    Raises:
        SheetError: it is no text in UTF-8, or empty.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SheetError(f"{path} cannot be read as UTF-8: {error}") from error
    bom = text.startswith(BOM)
    text = text.removeprefix(BOM)
    if not text.strip():
        raise SheetError(f"{path} is empty")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    ending = "\r\n" if "\r\n" in text else "\n"
    records = [Record(next(csv.reader([raw], delimiter=delimiter), []), raw) for raw in _raw_records(text)]
    return Sheet(records, delimiter, ending, bom, [cell.strip() for cell in records[0].cells])


def _raw_records(text: str) -> list[str]:
    """The text of each record with its line end; a quoted cell may hold line breaks."""
    found: list[str] = []
    held = ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):  # splitlines would also break at form feeds and the like
        held += line
        if held.count('"') % 2 == 0:
            found.append(held)
            held = ""
    return [*found, held] if held else found


def number(value: float, comma: bool, digits: int = 2) -> str:
    """A number with that many decimals, at most, and the decimal mark of the file.

    Example:
        >>> number(7.5, comma=True), number(8.0, comma=False)
        ('7,50', '8.00')
    """
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if comma else text
