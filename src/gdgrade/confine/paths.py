"""Which files a worker may read: Python and its libraries, without the packages an exercise forbids."""
# Plain strings: the kernel's rules, sys.path and sysconfig all speak in them.
# ruff: noqa: PTH100, PTH110, PTH112, PTH113, PTH118, PTH119, PTH120, PTH123, PTH208

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Iterable

from gdgrade.confine.landlock import READ, READ_DIR, Rule, rule

_SYSTEM = (
    "/usr/lib", "/lib", "/lib64", "/usr/lib64", "/usr/share/zoneinfo", "/etc/localtime", "/etc/ld.so.cache",
    "/dev/urandom", "/dev/zero", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu",
)  # fmt: skip


def default_readable() -> tuple[str, ...]:
    """What Python, numpy and torch need: interpreter, standard library, site-packages, time zones.

    And `gdgrade.data` with its data sets, for students' files: where gdgrade is installed from a checkout, both lie
    outside of site-packages. The rest of gdgrade stays closed there; a worker has imported what it needs of it.

    Not in it: home folders (but for the user's own site-packages, where Python uses one), /etc, /proc of
    any process, the course, the submission. Only existing paths, symbolic links resolved, no duplicates.
    """
    found = [sysconfig.get_path(key) for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    found += [
        sysconfig.get_config_var("LIBDIR"),
        os.path.join(sys.base_prefix, "lib"),
        *site.getsitepackages(),
    ]
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    checkout = os.path.dirname(os.path.dirname(package))
    found.append(os.path.join(package, "data"))
    if os.path.isfile(os.path.join(checkout, "pyproject.toml")):
        found.append(os.path.join(checkout, "data"))
    user_site = site.getusersitepackages() if site.ENABLE_USER_SITE else None
    if user_site in sys.path:
        found.append(user_site)
    real = (os.path.realpath(path) for path in (*found, *_SYSTEM) if path)
    return tuple(dict.fromkeys(path for path in real if os.path.exists(path)))


def read_rules(readable: Iterable[str], forbidden: Iterable[str]) -> list[Rule]:
    """Landlock rules that make `readable` readable, but for the files of the `forbidden` packages.

    A folder that holds a forbidden package is opened child by child. Its names can still be listed
    (Python's import system needs that); the contents of the forbidden children cannot be read.

    Args:
        readable: files and folders; missing ones are skipped.
        forbidden: top-level import names, e.g. ("ot", "scipy").
    """
    roots = _outermost(os.path.realpath(path) for path in readable if os.path.exists(path))
    closed = forbidden_paths(roots, forbidden)
    rules: list[Rule] = []
    for root in roots:
        rules += _open_around(root, closed)
    return rules


def forbidden_paths(roots: Iterable[str], names: Iterable[str]) -> frozenset[str]:
    """Files and folders of the named packages (metadata included) in every site-packages below `roots`.

    Where a package lies in a site-packages folder that is not on sys.path (that of the Python under a
    virtual environment, say), the worker has no use for the folder, and all of it is closed.
    """
    wanted = frozenset(names)
    if not wanted:
        return frozenset()
    closed: set[str] = set()
    in_use = {os.path.realpath(path) for path in sys.path if path}
    for folder in _package_folders(roots):
        found = [os.path.join(folder, entry) for entry in _names(folder) if _belongs_to(folder, entry, wanted)]
        if found and folder not in in_use:
            closed.add(folder)
            continue
        closed |= {path for entry in found for path in (entry, os.path.realpath(entry))}
        bytecode = os.path.join(folder, "__pycache__")  # of single-file modules
        closed |= {os.path.join(bytecode, entry) for entry in _names(bytecode) if entry.split(".")[0] in wanted}
    return frozenset(closed)


def _outermost(paths: Iterable[str]) -> list[str]:
    """Drop duplicates and paths below another one of the list."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not kept or not _is_below(path, kept[-1]):
            kept.append(path)
    return kept


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _names(folder: str) -> list[str]:
    """Names in a folder; none if it cannot be listed."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _package_folders(roots: Iterable[str]) -> set[str]:
    """site-packages and dist-packages folders at or below the roots, and readable folders of sys.path."""
    roots = tuple(roots)
    found = {os.path.realpath(p) for p in sys.path if p and any(_is_below(os.path.realpath(p), r) for r in roots)}
    for root in roots:
        libraries = [root, os.path.join(root, "lib")]
        versions = [os.path.join(lib, name) for lib in libraries for name in _names(lib) if name.startswith("python")]
        for kind in ("site-packages", "dist-packages"):
            found |= {os.path.realpath(os.path.join(place, kind)) for place in (root, *versions)}
        if os.path.basename(root) in ("site-packages", "dist-packages"):
            found.add(root)
    return {folder for folder in found if os.path.isdir(folder)}


def _belongs_to(folder: str, entry: str, names: frozenset[str]) -> bool:
    """Whether an entry of a site-packages folder is, or describes, one of the packages.

    Covers `scipy`, `scipy.libs`, `six.py`, `_x.cpython-311-x86_64-linux-gnu.so`, POT's `pot-0.9.dist-info`.
    """
    if entry.split(".")[0] in names:
        return True
    if entry.endswith((".dist-info", ".egg-info")):
        return not names.isdisjoint(_import_names(os.path.join(folder, entry)))
    return False


def _import_names(metadata: str) -> set[str]:
    """Top-level import names of an installed distribution: from top_level.txt, else from RECORD."""
    try:
        with open(os.path.join(metadata, "top_level.txt"), encoding="utf-8") as lines:
            return {line.strip() for line in lines if line.strip()}
    except OSError:
        pass
    try:
        with open(os.path.join(metadata, "RECORD"), encoding="utf-8") as lines:
            tops = {line.split(",")[0].split("/")[0] for line in lines}
    except OSError:
        return set()
    return {top.split(".")[0] for top in tops if top and not top.endswith((".dist-info", ".data"))}


def _open_around(path: str, closed: frozenset[str]) -> list[Rule]:
    """Rules that open `path` but for the closed paths below it."""
    if path in closed:
        return []
    if not any(_is_below(c, path) for c in closed):
        return [rule(path, READ)]
    rules: list[Rule] = [(path, READ_DIR)]
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            if os.path.realpath(entry.path) not in closed:
                rules += _open_around(entry.path, closed)
    return rules
