"""What went wrong inside the student's code, as plain data for the judge."""

from __future__ import annotations

import builtins
import difflib
import inspect
import linecache
import sysconfig
import traceback
from collections.abc import Iterable
from typing import Any

from gdgrade.language import _
from gdgrade.worker import spies

_LIBRARIES = ("site-packages", "dist-packages", sysconfig.get_paths()["stdlib"])
MAX_FRAMES = 12
MAX_MESSAGE = 2000
NO_MEMORY = (
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "bad_alloc",
    "std::bad_alloc",
)


class OutOfTime(BaseException):
    """The time of a request is used up; raised where the student's code is at that moment."""


def describe(error: BaseException, filename: str) -> dict[str, Any]:
    """The error's kind, type, message and the student's own lines of its traceback.

    Kinds: not_implemented, memory, syntax, import, recursion, exit, timeout, exception. Details: "near", a known name
    like the one that was not found; "given", the function of the check in which it was raised.
    """
    return {
        "kind": _stub_or(kind_of(error), error, filename),
        "type": type(error).__name__[:200],
        "message": _message(error),
        "frames": student_frames(error, filename),
        "details": _details(error, filename),
    }


def kind_of(error: BaseException) -> str:
    """The kind of an error, for its cause and its message."""
    if isinstance(error, OutOfTime):
        return "timeout"
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
        why = _why_not(signature, args, kwargs, error)
        frames = []
        code = getattr(function, "__code__", None)
        if code is not None:
            line = linecache.getline(code.co_filename, code.co_firstlineno).strip()
            frames = [[str(code.co_filename)[:300], code.co_firstlineno, str(name)[:200], line[:500]]]
        text = _("{name}{signature} cannot be called as the exercise calls it: {why}. Keep the statement's parameters.")
        message = text.format(name=name, signature=signature, why=why)
        return {"kind": "signature", "type": "TypeError", "message": message[:MAX_MESSAGE], "frames": frames}
    return None


def _why_not(signature: inspect.Signature, args: list[Any], kwargs: dict[str, Any], error: TypeError) -> str:
    """Why arguments do not fit a signature, in a beginner's words."""
    parameters = signature.parameters.values()
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    open_ended = {p.kind for p in parameters}
    if len(args) > len(places) and inspect.Parameter.VAR_POSITIONAL not in open_ended:
        return _("{passed} arguments are passed, it takes {takes}").format(passed=len(args), takes=len(places))
    unknown = [name for name in kwargs if name not in signature.parameters]
    if unknown and inspect.Parameter.VAR_KEYWORD not in open_ended:
        return _("it has no parameter {name}").format(name=unknown[0])
    lacking = [p.name for p in places[len(args) :] if p.default is p.empty and p.name not in kwargs]
    if lacking:
        return _("nothing is passed for its parameter {name}").format(name=lacking[0])
    return str(error)


def near_name(name: str, known: Iterable[str]) -> str:
    """The known name that is most like `name`, or ""."""
    public = [other for other in known if not other.startswith("__") and other != name]
    same = [other for other in public if other.lower() == name.lower()]
    return next(iter(same or difflib.get_close_matches(name, public, n=1, cutoff=0.7)), "")


def _details(error: BaseException, filename: str) -> dict[str, str]:
    try:
        found = {"near": _near(error), "given": _given(error, filename)}
    except Exception:  # an object of the student whose attributes cannot be listed, say
        return {}
    return {key: text[:200] for key, text in found.items() if text}


def _near(error: BaseException) -> str:
    """For a name or attribute that does not exist: the one that may have been meant."""
    if isinstance(error, AttributeError) and error.name:
        return near_name(error.name, dir(error.obj))
    name = getattr(error, "name", None)
    if not isinstance(error, NameError) or isinstance(error, UnboundLocalError) or not name:
        return ""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    frame = trace.tb_frame
    return near_name(name, [*frame.f_locals, *frame.f_globals, *dir(builtins)])


def _given(error: BaseException, filename: str) -> str:
    """The function right below the student's innermost line, if it is neither the student's nor a library's."""
    steps = traceback.walk_tb(error.__traceback__)
    entries = [(frame.f_code.co_filename, frame.f_code.co_name) for frame, line in steps]
    last = max((place for place, entry in enumerate(entries) if entry[0] == filename), default=None)
    for file, name in entries[last + 1 :] if last is not None else []:
        # A module that was given is called through torch, and a recorded function through our recorder.
        if file != spies.__file__ and not file.startswith("<") and not any(place in file for place in _LIBRARIES):
            return name
    return ""


def _is_out_of_memory(error: BaseException) -> bool:
    if not isinstance(error, RuntimeError | OSError):
        return False
    text = _message(error)
    return any(words in text for words in NO_MEMORY)


def _message(error: BaseException) -> str:
    try:
        return str(error)[:MAX_MESSAGE]
    except BaseException:
        return _("a {type} whose message cannot be read").format(type=type(error).__name__)
