"""Trying code in a process of its own: what breaks there, crashes or never ends does so without us."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

SECONDS = 120.0

_MODULE = """\
import importlib.util, json, sys
name = sys.argv[1]
spec = importlib.util.find_spec(name)
said = {"file": spec.origin if spec is not None else None}
print(json.dumps(said), flush=True)
space = {}
exec(sys.argv[2], space)
print(json.dumps({**said, "threads": space.get("threads")}), flush=True)
"""


def try_module(name: str, code: str) -> dict[str, Any]:
    """Import a module and run a few lines with it.

    Args:
        code: may leave a number in the variable `threads`.

    Returns:
        ``file``: where the module lies, None if nowhere; ``error``: empty if all went well; ``threads``.
    """
    return try_code(_MODULE, name, code)


def try_code(code: str, *args: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run Python code that prints JSON objects, one per line.

    Returns:
        The last object, with ``error``: empty if the code ended well, else its last words.
    """
    command = [sys.executable, "-P", "-c", code, *args]  # -P: the current folder is not on the path, as for `gdgrade`
    try:
        done = subprocess.run(  # noqa: S603 - our own code
            command, capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        return {"error": f"it does not end within {SECONDS:g} s"}
    except OSError as error:
        return {"error": f"Python cannot be started: {error.strerror}"}
    said: dict[str, Any] = {}
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        said = found if isinstance(found, dict) else said
    if done.returncode == 0:
        return {**said, "error": ""}
    words = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    if done.returncode < 0:
        return {**said, "error": f"it crashes (signal {-done.returncode})"}
    return {**said, "error": words[-1].strip() if words else f"it ends with code {done.returncode}"}
