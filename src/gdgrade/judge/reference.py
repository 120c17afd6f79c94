"""The reference and the known mistakes of an exercise, as modules of the judge."""

from __future__ import annotations

import functools
import sys
import traceback
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
    except (OSError, UnicodeDecodeError) as error:
        raise GraderError(f"the reference cannot be read: {path}: {error}") from error
    try:
        return load_source(source, f"gdgrade_reference_{exercise}_{tag}", str(path))
    except (Exception, SystemExit) as error:
        raise GraderError(f"the reference does not run: {_told(error, path)}") from error


def load_mistakes(path: Path, exercise: str) -> list[Mistake]:
    """The mistakes of `graders/<exercise>/mistakes.py`; none if there is no such file."""
    if not path.exists():
        return []
    name = f"gdgrade_mistakes_{exercise}"
    folder = str(path.parent)
    sys.path.insert(0, folder)  # mistakes.py may share helpers with the checks beside it
    try:
        return collect(load_source(path.read_text(encoding="utf-8"), name, str(path)))
    except (Exception, SystemExit) as error:
        raise GraderError(f"the known mistakes do not load: {_told(error, path)}") from error
    finally:
        sys.path.remove(folder)


def _told(error: BaseException, path: Path) -> str:
    """An error with the line of the file that it comes from."""
    words = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        return words  # these have their file and line in their text
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path.parent.name}/{path.name}{f':{lines[-1]}' if lines else ''}: {words}"


def slip_of(error: BaseException, folder: Path) -> str:
    """An error with the last line below `folder` that it comes from: "ex05_langevin/test_step.py:12: NameError: x"."""
    words = f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        places.append((error.filename or "", error.lineno))
    mine = [(Path(name), line) for name, line in places if Path(name).is_relative_to(folder)]
    return f"{mine[-1][0].relative_to(folder)}:{mine[-1][1]}: {words}" if mine else words


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
