"""Parts of scipy that a submission imports: once before its workers are forked, not anew in each of them.

A worker needs 0.3 s and more for such an import, and each check has a worker of its own.
"""

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Collection

# Nothing else is ever imported on a submission's behalf: these names are ours, the submission only says which.
PARTS = ("cluster", "fft", "integrate", "interpolate", "linalg", "ndimage", "optimize", "signal", "sparse", "spatial",
         "special", "stats")  # fmt: skip
_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t][^\n#]*\bscipy\b[^\n#]*", re.MULTILINE)


def parts_of_scipy(source: str) -> tuple[str, ...]:
    """Which of `PARTS` the import lines of a source name.

    Example:
        >>> parts_of_scipy("import numpy as np\\nfrom scipy import special, constants\\nimport scipy.optimize as so")
        ('optimize', 'special')
    """
    words = set(re.findall(r"\w+", " ".join(_IMPORT.findall(source))))
    return tuple(part for part in PARTS if part in words)


_tried: set[str] = set()


def import_parts(parts: Collection[str], forbidden: Collection[str]) -> bool:
    """Import what is there of these `PARTS`; whether any was imported now. What is missing is tried once."""
    new = [part for part in parts if part in PARTS and part not in _tried]
    if not new or any(name.split(".")[0] == "scipy" for name in forbidden):
        return False
    for part in new:
        _tried.add(part)
        with contextlib.suppress(Exception):  # the student's own import says what is wrong with it
            importlib.import_module(f"scipy.{part}")
    return True
