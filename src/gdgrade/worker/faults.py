"""What went wrong inside the student's code, as plain data for the judge."""

from __future__ import annotations

import inspect
import linecache
import traceback
from typing import Any

MAX_FRAMES = 12
MAX_MESSAGE = 2000
NO_MEMORY = (
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "bad_alloc",
    "std::bad_alloc",
)


def describe(error: BaseException, filename: str) -> dict[str, Any]:
    """The error's kind, type, message and the student's own lines of its traceback.

    Kinds: not_implemented, memory, syntax, import, recursion, exit, exception.
    """
    return {
        "kind": _stub_or(kind_of(error), error, filename),
        "type": type(error).__name__[:200],
        "message": _message(error),
        "frames": student_frames(error, filename),
    }


def kind_of(error: BaseException) -> str:
    """The kind of an error, for its cause and its message."""
    if isinstance(error, NotImplementedError):
        return "not_implemented"
    if isinstance(error, MemoryError) or _is_out_of_memory(error):
        return "memory"
    if isinstance(error, SyntaxError):
        return "syntax"
    if isinstance(error, ImportError):
        return "import"
    if isinstance(error, RecursionError):
        return "recursion"
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return "exit"
    return "exception"


def _stub_or(kind: str, error: BaseException, filename: str) -> str:
    """A NotImplementedError counts as an untouched stub only if the student's own line raised it."""
    if kind != "not_implemented":
        return kind
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    raised_here = trace is not None and trace.tb_frame.f_code.co_filename == filename
    return kind if raised_here else "exception"


def student_frames(error: BaseException, filename: str) -> list[list[Any]]:
    """The frames of the traceback that lie in the student's file: [file, line, function, code], innermost last."""
    frames = [
        [entry.filename[:300], entry.lineno or 0, entry.name[:200], (entry.line or "")[:500]]
        for entry in traceback.extract_tb(error.__traceback__, limit=-200)
        if entry.filename == filename
    ]
    if isinstance(error, SyntaxError) and error.filename == filename and error.lineno:
        line = error.text or linecache.getline(filename, error.lineno)
        frames.append([filename[:300], error.lineno, "", line.rstrip("\n")[:500]])
    return frames[-MAX_FRAMES:]


def signature_fault(function: Any, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """Why `function` cannot be called like this, or None. Found before the call, so the function is not to blame
    for a TypeError of its own."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        name = getattr(function, "__name__", type(function).__name__)
        frames = []
        code = getattr(function, "__code__", None)
        if code is not None:
            line = linecache.getline(code.co_filename, code.co_firstlineno).strip()
            frames = [[str(code.co_filename)[:300], code.co_firstlineno, str(name)[:200], line[:500]]]
        message = f"{name}{signature} cannot be called as the exercise calls it: {error}"
        return {"kind": "signature", "type": "TypeError", "message": message[:MAX_MESSAGE], "frames": frames}
    return None


def _is_out_of_memory(error: BaseException) -> bool:
    if not isinstance(error, RuntimeError | OSError):
        return False
    text = _message(error)
    return any(words in text for words in NO_MEMORY)


def _message(error: BaseException) -> str:
    try:
        return str(error)[:MAX_MESSAGE]
    except BaseException:
        return f"a {type(error).__name__} whose message cannot be read"
