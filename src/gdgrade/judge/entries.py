"""Which functions and classes of a module a piece of work enters."""

from __future__ import annotations

import contextlib
import inspect
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entries:
    """Names of a module's functions and classes that were entered.

    Attributes:
        names: all of them; doors: those that code of other modules called.
    """

    module: types.ModuleType
    names: set[str] = field(default_factory=set)
    doors: set[str] = field(default_factory=set)

    def rule_out(self, name: str) -> bool:
        """Whether the work would have been the same with any other function or class of this name."""
        return name not in self.names and leaves_entries(self.module, name)


@contextlib.contextmanager
def entries(module: types.ModuleType) -> Iterator[Entries]:
    """Note what of the module this thread enters inside the block."""
    found, inside = Entries(module), vars(module)

    def called(frame: types.FrameType, event: str, arg: object) -> None:
        if event != "call" or frame.f_globals is not inside:
            return
        name = frame.f_code.co_qualname.split(".")[0]
        found.names.add(name)
        if frame.f_back is None or frame.f_back.f_globals is not inside:
            found.doors.add(name)

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        yield found
    finally:
        sys.setprofile(before)


def leaves_entries(module: types.ModuleType, name: str) -> bool:
    """Whether every use of the global `name` is noted: a function of the module, or a class that it builds itself.

    Constants, aliases, lambdas and what other modules define can be used without entering code of that name.
    """
    value = getattr(module, name, None)
    if isinstance(value, type):
        value = vars(value).get("__init__")
    code = getattr(inspect.unwrap(value) if callable(value) else None, "__code__", None)
    return code is not None and code.co_filename == module.__file__ and code.co_qualname.split(".")[0] == name
