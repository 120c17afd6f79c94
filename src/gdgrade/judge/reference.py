"""The reference and the known mistakes of an exercise, as modules of the judge."""

from __future__ import annotations

import functools
import sys
import types
from pathlib import Path

from gdgrade.failures import GraderError
from gdgrade.mistakes import Mistake, collect
from gdgrade.worker.loading import load_source


def load_reference(path: Path, exercise: str, tag: str = "plain") -> types.ModuleType:
    """The reference solution as a module of its own; each `tag` is a separate copy.

    Raises:
        GraderError: the file is missing or does not run.
    """
    try:
        source = path.read_text(encoding="utf-8")
    except OSError as error:
        raise GraderError(f"the reference cannot be read: {error}") from error
    try:
        return load_source(source, f"gdgrade_reference_{exercise}_{tag}", str(path))
    except Exception as error:
        raise GraderError(f"the reference does not run: {type(error).__name__}: {error}") from error


def load_mistakes(path: Path, exercise: str) -> list[Mistake]:
    """The mistakes of `graders/<exercise>/mistakes.py`; none if there is no such file."""
    if not path.exists():
        return []
    name = f"gdgrade_mistakes_{exercise}"
    folder = str(path.parent)
    sys.path.insert(0, folder)  # mistakes.py may share helpers with the checks beside it
    try:
        module = load_source(path.read_text(encoding="utf-8"), name, str(path))
    except Exception as error:
        raise GraderError(f"{path.name} does not run: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(folder)
    return collect(module)


def mistaken_reference(path: Path, exercise: str, mistake: Mistake) -> types.ModuleType:
    """A copy of the reference in which the mistake is made."""
    module = load_reference(path, exercise, f"with_{mistake.name}")
    if not hasattr(module, mistake.of):
        raise GraderError(f"mistake {mistake.name} replaces {mistake.of}, which the reference does not define")
    if mistake.factory:
        replacement = mistake.function(module)
    else:
        original = getattr(module, mistake.of)
        replacement = functools.partial(mistake.function, module)
        functools.update_wrapper(replacement, original)
    setattr(module, mistake.of, replacement)
    return module
