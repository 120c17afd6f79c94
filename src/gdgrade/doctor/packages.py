"""Python and the packages: there, of the tested versions, not hidden by a file of the same name, and working."""

from __future__ import annotations

import concurrent.futures
import importlib.metadata
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gdgrade.doctor.finding import Finding
from gdgrade.doctor.trying import try_module
from gdgrade.language import _
from gdgrade.report.text import clean_text

OLDEST = (3, 11)
# Distribution -> (module, a line that shows that it works). The compiled ones, which break in their own ways.
TRIED = {
    "numpy": ("numpy", "import numpy; assert numpy.ones(2).sum() == 2"),
    "scipy": ("scipy", "import scipy.linalg, scipy.stats"),
    "torch": ("torch", "import torch; assert float(torch.ones(2).sum()) == 2; threads = torch.get_num_threads()"),
    "POT": ("ot", "import ot"),
    "matplotlib": ("matplotlib", "import matplotlib.figure"),
}


def canonical(name: str) -> str:
    """A distribution's name in the one spelling that all of its spellings share."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(path: Path) -> dict[str, str]:
    """Canonical name -> exact version, of a requirements or constraints file; empty if it is not there."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    pins = {}
    for line in text.splitlines():
        name, equals, version = line.partition("#")[0].partition(";")[0].strip().partition("==")
        if equals:
            pins[canonical(name.strip())] = version.strip()
    return pins


def needed() -> list[str]:
    """Names of the distributions that gdgrade needs; empty if it was not installed but runs from its source."""
    try:
        lines = importlib.metadata.requires("gdgrade") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    names = [re.match(r"[A-Za-z0-9._-]+", line) for line in lines if "extra ==" not in line]
    return [found[0] for found in names if found is not None]


def python() -> Finding:
    """The interpreter."""
    version = platform.python_version()
    inside = _("in the environment {path}").format(path=sys.prefix)
    where = inside if sys.prefix != sys.base_prefix else sys.executable
    detail = f"{version}, {where}"
    if sys.version_info[:2] < OLDEST:
        mend = "python3.11 -m venv .venv && source .venv/bin/activate && pip install -r requirements.txt"
        return Finding("python", "Python", "problem", detail, mend)
    return Finding("python", "Python", "ok", detail)


def versions(pins: Mapping[str, str], listed: str) -> Finding:
    """Every package that gdgrade needs, against the tested versions.

    Args:
        pins: canonical name -> version.
        listed: the file that they come from; empty for none.
    """
    title, names = _("Packages"), needed()
    if not names:
        return Finding("packages", title, "warning", _("gdgrade was not installed"), "pip install -e .")
    missing, other = [], []
    for name in ["gdgrade", *names]:
        pin = pins.get(canonical(name), "")
        exact = f'"{name}=={pin}"' if pin else name
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append((name, exact))
            continue
        if pin and version.partition("+")[0] != pin.partition("+")[0]:  # 2.13.0+cpu is 2.13.0
            other.append((f"{name} {version} ({pin})", exact))
    if missing:
        detail = _("missing: {names}").format(names=", ".join(name for name, _exact in missing))
        mend = "pip install " + " ".join(exact for _name, exact in missing)
        return Finding("packages", title, "problem", detail, mend)
    if other:
        detail = _("other versions than the tested ones (in brackets): {names}").format(
            names=", ".join(name for name, _exact in other)
        )
        return Finding("packages", title, "warning", detail, "pip install " + " ".join(exact for _name, exact in other))
    if not pins:
        return Finding("packages", title, "ok", _("{count} are there").format(count=len(names)))
    return Finding("packages", title, "ok", _("{count} are there, as in {file}").format(count=len(names), file=listed))


def working(pins: Mapping[str, str]) -> Iterator[tuple[Finding, dict[str, Any]]]:
    """The compiled packages, each tried in a process of its own; with what was tried, for its number of threads."""
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        tried = {name: pool.submit(try_module, module, code) for name, (module, code) in TRIED.items()}
        for name, future in tried.items():
            yield _working(name, future.result(), pins), future.result()


def _working(name: str, seen: Mapping[str, Any], pins: Mapping[str, str]) -> Finding:
    module, pin = TRIED[name][0], pins.get(canonical(name), "")
    exact = f'"{name}=={pin}"' if pin else name
    file = seen.get("file")
    home = _home(name, module)
    if file and home is not None and not Path(file).resolve().is_relative_to(home):
        detail = _("{file} hides the package of that name").format(file=file)
        if seen["error"]:
            detail += f": {clean_text(seen['error'], 200)}"
        return Finding(name, name, "problem", detail, f"mv {file} {file}.away")
    if home is None and not file:
        return Finding(name, name, "problem", _("it is not installed"), f"pip install {exact}")
    if seen["error"]:
        detail = _("it does not work: {error}").format(error=clean_text(seen["error"], 200))
        return Finding(name, name, "problem", detail, f"pip install --force-reinstall --no-deps {exact}")
    return Finding(name, name, "ok", _("it works"))


def _home(name: str, module: str) -> Path | None:
    """The folder in which the installed package has its module; None if it is not installed."""
    try:
        found = Path(str(importlib.metadata.distribution(name).locate_file(module)))
    except importlib.metadata.PackageNotFoundError:
        return None
    return found.resolve()
