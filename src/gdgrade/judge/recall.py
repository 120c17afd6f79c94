"""What each mistake shows in each check, kept on disk for the judges of one examination.

The runs of mistakes do not depend on the submission. Where many submissions are judged with the same draws and the
mistakes were tried before, a judge need not run them again to name one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from gdgrade.judge.student import Notebook
from gdgrade.judge.tape import CheckTape, Tape, read_tape, write_tape


def keep(folder: Path, shown: Mapping[str, Mapping[str, Notebook]]) -> None:
    """Write down what was seen of mistakes.

    Args:
        folder: where; it may be there already.
        shown: short name of a check -> mistake -> what the check saw of it, for the mistakes that fail it.
    """
    for short, notebooks in shown.items():
        write_tape(Tape(0, {short: CheckTape(notebooks=dict(notebooks))}), _place(folder, short), compressed=False)


def recall(folder: Path, short: str, library: str) -> dict[str, Notebook] | None:
    """What `keep` wrote of one check, with arrays as those of `library`; None: the mistakes were not tried on it.

    Raises:
        GraderError: the files are damaged.
    """
    place = _place(folder, short)
    return read_tape(place, library).checks[short].notebooks if place.is_dir() else None


def _place(folder: Path, short: str) -> Path:
    return folder / quote(short, safe="")
