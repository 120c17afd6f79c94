"""`gdgrade reset`: the handed-out file, or one part of it; the rest byte for byte, and the old file kept."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gdgrade.cli import main
from gdgrade.workspace.stubs import NotPythonError, StubError, tasks, with_part_reset

from .conftest import ENTRY

STUB = b'''"""Stub."""

import torch


def one(x):
    """First."""
    # TODO 5.1: begin.
    raise NotImplementedError("exercise 5.1: one is not written yet")


class Two(torch.nn.Module):
    """Second."""

    def __init__(self):
        # TODO 5.2: make layers.
        raise NotImplementedError("exercise 5.2: Two is not written yet")

    def forward(self, x):
        raise NotImplementedError("exercise 5.2: Two.forward is not written yet")
'''
MINE = b'''"""Mine."""
import math  # odd \xe2\x80\xa8 \x0c line ends


def helper(x):  return x


@torch.compile
@other(1,
       2)
def one(x):
    return helper(x) + 1   # trailing

class Two(torch.nn.Module):
    def forward(self, x):
        return x
\tCONSTANT = 3
'''.replace(b"\tCONSTANT", b"CONSTANT")


def reset(*args: str, root: Path) -> Result:
    return CliRunner().invoke(main, ["reset", *args, "--course", str(root)])


def test_tasks_of_a_stub() -> None:
    """Comments and errors name the parts; methods are told by their class."""
    assert [(task.part, task.name, task.todo, task.line) for task in tasks(STUB)] == [
        ("5.1", "one", "begin.", 8), ("5.2", "Two", "make layers.", 16), ("5.2", "Two.forward", "", 20),
    ]  # fmt: skip
    assert tasks(b"def broken(:") == []


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["unix", "windows"])
def test_one_part_and_nothing_else(newline: bytes) -> None:
    """The function goes with its decorators; every other byte stays, line ends included."""
    mine = MINE.replace(b"\n", newline)
    new, names = with_part_reset(mine, STUB, "5.1")
    assert names == ["one"]
    before, after = mine[: mine.index(b"@torch.compile")], mine[mine.index(b"class Two") - len(newline) :]
    stub = STUB[STUB.index(b"def one") : STUB.index(b"\n\nclass Two")].replace(b"\n", newline)
    assert new == before + stub + after
    new, names = with_part_reset(mine, STUB, "5.2")
    assert names == ["Two"]
    assert new.startswith(mine[: mine.index(b"class Two")])
    assert new.endswith(b"CONSTANT = 3" + newline)


def test_what_was_deleted_comes_back() -> None:
    """A function that the file lacks is added at its end; of two definitions the one that counts is replaced."""
    new, _ = with_part_reset(b"x = 1", STUB, "5.1")
    assert new.startswith(b"x = 1\n\n\ndef one(x):\n")
    twice = b"def one(x):\n    return 1\n\ndef one(x):\n    return 2"
    new, _ = with_part_reset(twice, STUB, "5.1")
    assert new.startswith(b'def one(x):\n    return 1\n\ndef one(x):\n    """First.')
    assert b"return 2" not in new


def test_what_cannot_be_cut() -> None:
    with pytest.raises(NotPythonError, match="line 2"):
        with_part_reset(b"x = 1\ndef one(:\n", STUB, "5.1")
    with pytest.raises(StubError):
        with_part_reset(MINE, STUB, "5.9")


def test_the_whole_file(solved: Path) -> None:
    """Put back, and the old one beside it under a dated name; twice in a second, two names."""
    old, stub = (
        (solved / ENTRY).read_bytes(),
        (solved / ".gdgrade/stubs" / ENTRY.removeprefix("exercises/")).read_bytes(),
    )
    assert reset("ex01", root=solved).exit_code == 0
    assert (solved / ENTRY).read_bytes() == stub
    (copy,) = (solved / ENTRY).parent.glob("*.bak")
    assert copy.read_bytes() == old
    assert "nothing was changed" in reset("ex01", root=solved).stdout
    assert len(list((solved / ENTRY).parent.glob("*.bak"))) == 1
    (solved / ENTRY).write_text("again = 1\n")
    assert reset("ex01", root=solved).exit_code == 0
    assert {path.read_bytes() for path in (solved / ENTRY).parent.glob("*.bak")} == {old, b"again = 1\n"}
    (solved / ENTRY).unlink()
    assert reset("ex01", root=solved).exit_code == 0
    assert (solved / ENTRY).read_bytes() == stub


def test_one_part_by_the_command(solved: Path) -> None:
    result = reset("ex01", "--part", "1.2", root=solved)
    assert result.exit_code == 0, result.output
    assert "put back: weighted_variance" in result.stdout
    text = (solved / ENTRY).read_text()
    assert "return (w[:, None] * x).sum(axis=0) / w.sum()" in text
    assert "exercise 1.2: weighted_variance is not written yet" in text
    assert "nothing was changed" in reset("ex01", "--part", "1.3", root=solved).stdout


def test_what_is_refused(solved: Path, unpacked: Path, checkout: Path) -> None:
    """An unknown part, a file with a slip in it, a folder that never kept the stub: exit code 2, nothing changed."""
    assert "its parts are 1.1, 1.2, 1.3" in reset("ex01", "--part", "7.7", root=solved).output
    (solved / ENTRY).write_text("def weighted_mean(:\n")
    result = reset("ex01", "--part", "1.1", root=solved)
    assert result.exit_code == 2
    assert "line 1" in result.output
    assert "gdgrade reset ex01" in result.output
    assert (solved / ENTRY).read_text() == "def weighted_mean(:\n"
    (unpacked / ".gdgrade/stubs" / ENTRY.removeprefix("exercises/")).unlink()
    assert reset("ex01", root=unpacked).exit_code == 2
    assert "nothing was changed" in reset("ex01", root=checkout).output
