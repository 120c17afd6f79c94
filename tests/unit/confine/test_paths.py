"""Which files a worker may read, and packages an exercise forbids."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gdgrade.confine import Policy, confine, default_readable, prepare
from gdgrade.confine.landlock import READ, READ_DIR
from gdgrade.confine.paths import forbidden_paths, read_rules


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A site-packages folder with packages of every kind, on sys.path."""
    folder = tmp_path / "lib" / "python3.11" / "site-packages"
    for name in (
        "alpha",
        "alpha.libs",
        "Alpha_Dist-1.0.dist-info",
        "alphabet",
        "beta",
        "beta-2.0.dist-info",
        "__pycache__",
    ):
        (folder / name).mkdir(parents=True)
    for name in ("alpha", "alphabet", "beta"):
        (folder / name / "__init__.py").write_text(f"name = {name!r}\n", encoding="utf-8")
        (folder / name / "inner.py").write_text("", encoding="utf-8")
    (folder / "alpha.libs" / "libalpha.so").write_text("", encoding="utf-8")
    (folder / "Alpha_Dist-1.0.dist-info" / "RECORD").write_text(
        "alpha/__init__.py,,\nalpha/inner.py,,\n", encoding="utf-8"
    )
    (folder / "beta-2.0.dist-info" / "top_level.txt").write_text("beta\n", encoding="utf-8")
    for name in ("single", "other"):
        (folder / f"{name}.py").write_text(f"name = {name!r}\n", encoding="utf-8")
        (folder / "__pycache__" / f"{name}.cpython-311.pyc").write_bytes(b"")
    (folder / "alias").symlink_to(folder / "alpha")
    monkeypatch.syspath_prepend(folder)
    for name in ("alpha", "alphabet", "beta", "single", "other"):  # another test may have made a module of this name
        monkeypatch.delitem(sys.modules, name, raising=False)
    return folder


def test_forbidden_paths_are_found(packages):
    """Package, bundled libraries, metadata of another name, and a single module with its bytecode; no neighbour."""
    found = forbidden_paths([str(packages)], ["alpha", "single"])
    assert {Path(p).relative_to(packages).as_posix() for p in found} == {
        "alpha",
        "alpha.libs",
        "Alpha_Dist-1.0.dist-info",
        "single.py",
        "__pycache__/single.cpython-311.pyc",
    }


def test_unused_site_packages_with_a_forbidden_package_is_closed_whole(packages, monkeypatch):
    """A second site-packages, such as that of the Python below a virtual environment, is not opened child by child."""
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(packages)])
    root = packages.parent.parent
    assert forbidden_paths([str(root)], ["alpha"]) == {str(packages)}


def test_rules_go_around_what_is_forbidden(packages):
    """Without a forbidden package one rule opens the folder; with one its neighbours get rules of their own."""
    assert read_rules([str(packages)], []) == [(str(packages), READ)]
    rules = dict(read_rules([str(packages), str(packages / "beta")], ["alpha"]))
    assert rules[str(packages)] == READ_DIR
    assert rules[str(packages / "beta")] == READ
    assert rules[str(packages / "alphabet")] == READ
    assert str(packages / "alias") not in rules
    assert not [path for path in rules if Path(path).name.lower().startswith("alpha") and "alphabet" not in path]


def test_forbidden_package_cannot_be_read_but_its_neighbour_imports(packages, in_fork, policy, place, landlock_abi):
    """The worker imports the neighbour, cannot import the package, and cannot read its files in another way."""
    wanted = Policy("best", (*default_readable(), str(packages)), policy.limits, forbidden=("alpha", "single"))
    prepared = prepare(wanted)

    def attempt(name):
        try:
            return __import__(name).name
        except ImportError:
            return "ImportError"

    def work(channel):
        reached = confine(prepared, scratch=str(place / "scratch"), keep_fds=[channel])
        honest = [attempt("alphabet"), attempt("beta"), attempt("other")]
        polite = [attempt("alpha"), attempt("single")]
        del sys.modules["alpha"], sys.modules["single"]  # what a cheat would do next
        around = []
        for path in ("alpha/__init__.py", "alpha/inner.py", "alpha.libs/libalpha.so", "single.py",
                     "__pycache__/single.cpython-311.pyc", "Alpha_Dist-1.0.dist-info/RECORD"):  # fmt: skip
            try:
                around.append((packages / path).read_bytes().decode())
            except PermissionError:
                around.append("closed")
        return {"honest": honest, "polite": polite, "around": around, "layer": reached.layers["forbidden"]}

    ended = in_fork(work)
    seen = ended.value
    assert seen, ended
    assert seen["honest"] == ["alphabet", "beta", "other"]
    assert seen["polite"] == ["ImportError", "ImportError"]
    assert seen["around"] == ["closed"] * 6
    assert seen["layer"] == "on: alpha, single"
    assert in_fork(lambda channel: attempt("alpha")).value == "alpha"


def test_default_covers_python_and_nothing_private():
    """Standard library and site-packages are readable; home, /etc/passwd, /proc, temporary files are not."""
    readable = default_readable()
    below = lambda path: any(path == r or path.startswith(r + "/") for r in readable)  # noqa: E731
    assert below(os.path.realpath(os.__file__))
    assert below(os.path.realpath(pytest.__file__)) or "site-packages" not in pytest.__file__
    for private in ("/etc/passwd", "/proc/self/environ", "/tmp/x", str(Path.home()), str(Path.home() / ".ssh")):
        assert not below(private), private
    assert len(set(readable)) == len(readable)
