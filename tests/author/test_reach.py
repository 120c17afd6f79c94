"""Which checks of planted answers are judged, and which are known from another answer with the same code."""

from pathlib import Path

import pytest

from gdgrade.author.planted import read_planted
from gdgrade.author.reach import Check, Code, checks_to_try
from gdgrade.sourcecode import changed_bodies

REFERENCE = '''
import math

SCALE = 2.0


def half(x):
    """Half of it."""
    return x / SCALE


def area(r):
    return math.pi * r * r


def both(x):
    return half(x) + area(x)
'''
CHECKS = {
    "half/value": Check("1", (), ("half",)),
    "area/value": Check("2", (), ("area",)),
    "both/value": Check("3", ("1",), ("both",)),
    "both/anything": Check("3", (), None),
}


def plant(folder: Path, name: str, header: str, source: str) -> None:
    (folder / name).write_text(f"# {header}\n{source}")


def chosen(folder: Path) -> dict[str, tuple[str, ...]]:
    entries = [read_planted(path) for path in sorted(folder.glob("*.py"))]
    names = checks_to_try(REFERENCE, entries, CHECKS, {"1": (), "2": (), "3": ()})
    return {entry.path.stem: tried for entry, tried in zip(entries, names, strict=True)}


def test_same_code_has_one_key() -> None:
    """Comments, docstrings and other functions do not matter; what is called, directly or not, does."""
    code = Code(REFERENCE)
    spoken = Code(REFERENCE.replace('"""Half of it."""', "# no word about it"))
    assert code.key(["half"]) == spoken.key(["half"]) != code.key(["area"])
    changed = Code(REFERENCE.replace("x / SCALE", "x * SCALE"))
    assert code.key(["area"]) == changed.key(["area"])
    assert code.key(["both"]) != changed.key(["both"])


def test_what_is_outside_functions_counts_always() -> None:
    """A constant, an import, or one more public name may change any verdict; a private helper may not."""
    code = Code(REFERENCE)
    for other in ("SCALE = 3.0", "import cmath", "def more():\n    pass"):
        assert Code(REFERENCE + "\n" + other).key(["area"]) != code.key(["area"])
    assert Code(REFERENCE + "\ndef _more():\n    pass").key(["area"]) == code.key(["area"])


def test_files_that_cannot_be_read_off_count_whole() -> None:
    """With eval, globals or the like, and where it is not Python, the whole text decides."""
    dynamic = REFERENCE + "\ndef _twice(name):\n    return globals()[name]\n"
    assert Code(dynamic).key(["area"]) != Code(dynamic.replace("x / SCALE", "x * SCALE")).key(["area"])
    assert Code("def f(:").key(["f"]) != Code("def g(:").key(["f"])
    assert Code(REFERENCE.replace("r * r", "r.eval()")).key(["half"]) == Code(REFERENCE).key(["half"])


def test_only_new_code_is_judged(tmp_path: Path) -> None:
    """A wrong answer is judged where it fails, and where no answer before had the same code."""
    wrong = REFERENCE.replace("r * r", "r")
    plant(tmp_path, "a_wrong.py", "wrong: linear | fails: area/value, both/anything", wrong)
    other = REFERENCE.replace("x / SCALE", "x * 0.5")
    plant(tmp_path, "b_right.py", "right: multiplies", other)
    plant(tmp_path, "c_both.py", "wrong: both | fails: area/value", other.replace("r * r", "r"))
    assert chosen(tmp_path) == {
        "a_wrong": ("area/value", "both/value", "both/anything"),
        "b_right": ("half/value", "both/value", "both/anything"),
        "c_both": ("area/value", "both/value", "both/anything"),
    }


def test_what_is_skipped_is_not_taken_for_tried(tmp_path: Path) -> None:
    """Where part 1 fails the checks that need it are not judged, and the next answer must still be."""
    both = REFERENCE.replace("half(x) + area(x)", "area(x) + half(x)")
    broken = both.replace("x / SCALE", "x")
    plant(tmp_path, "a_wrong.py", "wrong: not halved | fails: half/value", broken)
    plant(tmp_path, "b_wrong.py", "wrong: the same, in another file | fails: area/value", broken.replace("r * r", "r"))
    found = chosen(tmp_path)
    assert "both/value" in found["a_wrong"]  # judged there as skipped
    assert "both/value" in found["b_wrong"]


def test_an_answer_that_is_the_reference_is_judged_all_the_same(tmp_path: Path) -> None:
    """No planted file is left unjudged."""
    plant(tmp_path, "right.py", "right: word for word", REFERENCE)
    assert chosen(tmp_path) == {"right": tuple(CHECKS)}


CLASSES = '''
import torch


class Flow:
    LAYERS = 2

    def __init__(self, depth):
        self.depth = depth

    @torch.no_grad()
    def forward(self, x):
        return x + self.depth

    def inverse(self, y):
        return self.shift(y)

    def shift(self, y):
        """Down."""
        return y - self.depth


@remember
def table(n):
    return list(range(n))


def made():
    return Flow(3)


READY = made()
'''


def test_what_differs_in_bodies_alone_is_named() -> None:
    """Methods by class and name, whatever harmless decorator they have; helpers of new code are no matter."""
    assert changed_bodies(CLASSES, CLASSES) == frozenset()
    assert changed_bodies(CLASSES, CLASSES.replace('"""Down."""', "# down")) == frozenset()
    other = (
        CLASSES.replace("x + self.depth", "_moved(x)").replace("y - self.depth", "y") + "\ndef _moved(x): return x\n"
    )
    assert changed_bodies(CLASSES, other) == {"Flow.forward", "Flow.shift"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LAYERS = 2", "LAYERS = 3"),
        ("def inverse(self, y)", "def inverse(self, y=None)"),
        ("    def shift", "    def __getattr__(self, name):\n        return None\n\n    def shift"),
        ("return Flow(3)", "return Flow(4)"),  # runs while the file is loaded
        ("list(range(n))", "list(range(n + 1))"),  # a decorated one may have run before
        ("x + self.depth", "eval('x')"),
        ("READY = made()", "def _made():\n    return 1\n\n\nmade = _made\nREADY = made()"),
        ("READY", "READY READY"),
    ],
)
def test_anything_else_may_change_every_run(old: str, new: str) -> None:
    """Constants, signatures, new methods, what runs at loading or once, code that reads code: nothing is inferred."""
    assert old in CLASSES
    assert changed_bodies(CLASSES, CLASSES.replace(old, new)) is None


def test_a_run_that_executes_nothing_changed_is_the_reference_s(tmp_path: Path) -> None:
    """A check that builds a flow and never inverts it need not see the answers that only invert in another way."""
    checks = {
        "flow/forward": Check("1", (), ("Flow",), {"Flow.__init__", "Flow.forward"}),
        "flow/inverse": Check("1", (), ("Flow",), {"Flow.__init__", "Flow.inverse", "Flow.shift"}),
        "flow/unknown": Check("1", (), ("Flow",), None),
    }
    plant(tmp_path, "wrong.py", "wrong: up | fails: flow/inverse", CLASSES.replace("y - self.depth", "y + self.depth"))
    names = checks_to_try(CLASSES, [read_planted(tmp_path / "wrong.py")], checks, {"1": ()})
    assert names == [("flow/inverse", "flow/unknown")]
