"""Verdicts kept by content: what was judged once with the same files, engine and options is not judged again."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# What can change a verdict. The command line, the renderers and the stores cannot.
_ENGINE = (
    "judge", "worker", "wire", "compare", "confine", "processes", "data",
    "agreement.py", "checks.py", "mistakes.py", "failures.py", "author/lab.py", "author/lab_reference.py",
    "author/lab_mistakes.py", "author/lab_equivalence.py", "author/lab_twice.py",
)  # fmt: skip
_LIBRARIES = ("torch", "numpy", "scipy", "pytest", "cloudpickle", "POT")


class Cache:
    """A folder with one JSON file per key.

    Args:
        folder: created when something is put in; None: nothing is kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, key: str) -> Any | None:
        """What was put under the key, or None."""
        if self._folder is None:
            return None
        try:
            return json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def put(self, key: str, value: Any) -> None:
        """Keep a value; written aside and renamed, so that two runs may share the folder."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError):  # a full disk makes the next run slow, not wrong
            self._folder.mkdir(parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(number, "w", encoding="utf-8") as file:
                json.dump(value, file)
            Path(name).replace(self._folder / f"{key}.json")


def default_cache(root: Path) -> Cache:
    """The user's cache folder, a subfolder per course folder."""
    import platformdirs

    name = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    return Cache(Path(platformdirs.user_cache_dir("gdgrade")) / "author" / name)


def key_of(*pieces: object) -> str:
    """A key of texts, numbers and plain data."""
    text = json.dumps(pieces, sort_keys=True, default=str, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def content_of(paths: Iterable[Path], root: Path) -> str:
    """A hash of files and of all files in folders, by their names below `root` and their bytes."""
    digest = hashlib.sha256()
    for path in sorted(_files(paths)):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(root)}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


@functools.cache
def engine() -> str:
    """A hash of the judging parts of gdgrade, of Python's version and of those of the libraries that decide with it."""
    package = Path(__file__).resolve().parents[1]
    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return key_of(content_of([package / name for name in _ENGINE], package), versions)


def _files(paths: Iterable[Path]) -> set[Path]:
    found = set()
    for path in paths:
        inside = path.rglob("*") if path.is_dir() else [path]
        found |= {file for file in inside if file.is_file() and "__pycache__" not in file.parts}
    return found
