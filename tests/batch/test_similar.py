"""Copies with other names are found, independent answers and the stub are not; it stays a list, never a verdict."""

from pathlib import Path

import pytest

from gdgrade.batch.sidebyside import marked
from gdgrade.batch.similar import grouped, pairs

REFERENCE = Path(__file__).parents[2] / "reference/ex05_langevin/langevin.py"
STUB = Path(__file__).parents[2] / "exercises/ex05_langevin/langevin.py"
OTHER = Path(__file__).parents[2] / "reference/ex06_sinkhorn/sinkhorn.py"

pytest.importorskip("copydetect", reason="needs the extra [similarity]")


def test_a_renamed_copy_is_found() -> None:
    """Other names and comments hide nothing; another answer and the bare stub are no match."""
    text = REFERENCE.read_text()
    copied = text.replace("noise", "epsilon").replace("means", "centres") + "\n# all my own work\n"
    found = pairs({"a": text, "b": copied, "c": OTHER.read_text(), "d": STUB.read_text()}, STUB.read_text(), 0.6)
    assert [(pair.one, pair.two) for pair in found] == [("a", "b")]
    assert found[0].share > 0.8
    assert all(0 <= start < end <= len(text) for start, end in found[0].places[0])


def test_the_stub_is_left_out() -> None:
    """Two files that share only what everybody was given are not alike."""
    stub = STUB.read_text()
    one = stub + "\ndef helper(a):\n    return [value * 3 for value in a if value]\n"
    two = stub + "\ndef other():\n    while True:\n        print('x')\n"
    assert pairs({"a": one, "b": two}, stub, 0.3) == []


def test_groups_hang_together() -> None:
    """A is like B and B like C: one group of three, as strong as its weakest link."""
    from gdgrade.batch.similar import Pair

    found = [Pair("a", "b", 0.9, ((), ())), Pair("b", "c", 0.8, ((), ()))]
    groups = {keys: share for keys, share in grouped(["a", "b", "c", "d"], found) if len(keys) > 1}
    assert groups == {("a", "b", "c"): 0.8}


def test_marks() -> None:
    """Overlapping places are marked once, and nothing of the text is lost."""
    pieces = marked("abcdef", [(3, 9), (1, 4)])
    assert "".join(text for text, _ in pieces) == "abcdef"
    assert "".join(text for text, mark in pieces if mark) == "bcdef"
