"""Source text to module, without a file."""

from __future__ import annotations

import functools
import linecache
import sys
import types


def load_source(
    source: str, name: str, filename: str, *, overrides: dict[str, object] | None = None
) -> types.ModuleType:
    """Execute `source` as a module.

    Args:
        source: Python text.
        name: the module's name; it is registered in `sys.modules`, so that dataclasses and pickling work.
        filename: shown in tracebacks; the text is put into `linecache`, since there may be no such file.
        overrides: names that replace the module's own after it ran; its functions then call these.

    Raises:
        whatever the source raises, SyntaxError included.
    """
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    module = types.ModuleType(name)
    module.__file__ = filename
    module.__dict__["__builtins__"] = __builtins__
    sys.modules[name] = module
    exec(_compiled(source, filename), module.__dict__)  # noqa: S102 - running what was handed in is the purpose
    module.__dict__.update(overrides or {})
    return module


@functools.lru_cache(maxsize=4)
def _compiled(source: str, filename: str) -> types.CodeType:
    """Compiled once: a judge loads the reference anew for every mistake that it tries."""
    return compile(source, filename, "exec", dont_inherit=True)


def forget_compiled() -> None:
    """Drop what was compiled so far."""
    _compiled.cache_clear()
