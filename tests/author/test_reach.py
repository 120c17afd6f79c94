"""Which checks of planted answers are judged, and which are known from another answer with the same code."""

from pathlib import Path

from gdgrade.author.planted import read_planted
from gdgrade.author.reach import Check, Code, checks_to_try

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
