"""Automatic mutants: what is changed, that each is a program, and which are excused."""

import ast
import textwrap

import pytest

from gdgrade.author.mutants import Excused, ExcusesError, mutants_of, read_excuses, sample, stale

SOURCE = '''
import torch


def loss(x, y, scale=2.0):
    """A docstring with 3 numbers."""
    if scale <= 0:
        raise ValueError("scale must be positive, got 0")
    with torch.no_grad():
        total = (x - y).square().sum(dim=1)
    for i in range(3):
        total = total + i
    return -total.mean() / scale


def other(a: int = 1):
    return a and torch.sqrt(a)
'''


def changes(source: str) -> dict[str, list[str]]:
    """Change -> the new lines that it made."""
    found: dict[str, list[str]] = {}
    for mutant in mutants_of(textwrap.dedent(source)):
        added = [line[1:].strip() for line in mutant.diff.splitlines() if line.startswith("+") and line[:3] != "+++"]
        found.setdefault(mutant.change, []).extend(added)
    return found


@pytest.mark.parametrize(
    ("body", "change", "line"),
    [
        ("return a + b", "operator changed", "return a - b"),
        ("return a + b", "right term missing", "return a"),
        ("return a - b", "operands swapped", "return b - a"),
        ("return a / b", "divisor missing", "return a"),
        ("return a ** 2", "power missing", "return a"),
        ("return -a", "minus missing", "return a"),
        ("return 3 * a", "4 for 3", "return 4 * a"),
        ("return 0.5 * a", "1 for 0.5", "return 1.0 * a"),
        ("return a < b", "comparison changed", "return a <= b"),
        ("return a.sum(1)", "mean for sum", "return a.mean(1)"),
        ("return a.sum(dim=1)", "dim missing", "return a.sum()"),
        ("return a.square()", "square dropped", "return a"),
        ("return np.sqrt(a)", "sqrt dropped", "return a"),
        ("return a.detach()", "detach dropped", "return a"),
        ("return a + b", "a hundredth more", "return (a + b) * 1.01"),
        ("return f(a)", "detach added", "return f(a).detach()"),
        ("return f(a, b)", "arguments swapped", "return f(b, a)"),
        ("return [a for _ in range(b)]", "range +1", "return [a for _ in range(b + 1)]"),
        ("return a if b else c", "always the other case", "return c"),
        ("return a[:, None]", "indices swapped", "return a[None, :]"),
        ("a += b", "operator changed", "a -= b"),
        ("return a and b", "and / or exchanged", "return a or b"),
    ],
)
def test_each_operator(body: str, change: str, line: str) -> None:
    """Every kind of slip is made."""
    assert line in changes(f"def f(a, b, c):\n    {body}\n")[change]


def test_a_block_without_gradients_is_opened() -> None:
    """`with no_grad()` is removed, and turned into its opposite."""
    found = changes(SOURCE)
    assert "with torch.enable_grad():" in found["enable_grad for no_grad"]
    assert "no_grad removed" in found


def test_only_tensors_are_cut_off_from_autograd() -> None:
    """In a numpy course, and where plain Python is returned, `.detach()` would break anything, so it proves nothing."""
    made = {mutant.change for mutant in mutants_of(SOURCE)}
    assert made - {mutant.change for mutant in mutants_of(SOURCE, "numpy")} == {"detach added"}
    for value in ("a.item()", "float(a)", "a.tolist()", "[b for b in a]", "len(a)"):
        assert "detach added" not in changes(f"def f(a):\n    return {value}\n"), value


def test_layers_are_not_scaled() -> None:
    """A network's layer may give a hundredth more: the change is made in functions alone."""
    method = "class C:\n    def forward(self, a, b):\n        return a + b\n"
    assert "operator changed" in changes(method)
    assert "a hundredth more" not in changes(method)


def test_mutants_are_programs_and_differ() -> None:
    """Each compiles, none is the reference, no two are the same, and guards and docstrings stay alone."""
    mutants = mutants_of(SOURCE)
    sources = [mutant.source for mutant in mutants]
    assert len(set(sources)) == len(sources) > 25
    plain = ast.dump(ast.parse(SOURCE))
    for source in sources:
        assert ast.dump(ast.parse(source)) != plain
        assert "scale <= 0" in source
        assert "got 0" in source


def test_a_sample_is_fixed_and_leaves_no_function_out() -> None:
    """The same seed gives the same choice; each function has its share."""
    mutants = mutants_of(SOURCE)
    chosen = sample(mutants, 6, 1)
    assert chosen == sample(mutants, 6, 1)
    assert len(chosen) == 6
    assert {mutant.function for mutant in chosen} == {"loss", "other"}
    assert sample(mutants, 10_000, 1) == mutants


def test_excuses(tmp_path) -> None:
    """A listed line excuses its mutants, for one change or for all, and needs a reason."""
    path = tmp_path / "equivalent_mutants.yml"
    assert read_excuses(path) == []
    path.write_text("- {function: other, line: 'return a and torch.sqrt(a)', reason: positive}\n")
    (excused,) = read_excuses(path)
    covered = [mutant for mutant in mutants_of(SOURCE) if excused.covers(mutant)]
    assert {mutant.function for mutant in covered} == {"other"}
    one = Excused("other", "return a and torch.sqrt(a)", "sqrt dropped", "why")
    assert [mutant.change for mutant in mutants_of(SOURCE) if one.covers(mutant)] == ["sqrt dropped"]
    path.write_text("- {function: other, line: x}\n")
    with pytest.raises(ExcusesError, match="reason is missing"):
        read_excuses(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"3\n", "must be a list"),
        (b"just text\n", "must be a list"),
        (b"# \xe9\n", "is not UTF-8 \\(byte 0xe9 at line 1\\)"),
    ],
)
def test_excuses_of_another_form(tmp_path, content: bytes, words: str) -> None:
    """No list, no text: said in words."""
    path = tmp_path / "equivalent_mutants.yml"
    path.write_bytes(content)
    with pytest.raises(ExcusesError, match=words):
        read_excuses(path)


def test_excuses_that_excuse_nothing() -> None:
    """A line that was changed since, or a slip, is reported; a remark behind the line need not be copied."""
    source = "def f(a, b):\n    c = a < b  # as in the paper\n    return c\n"
    good = Excused("f", "c = a < b", None, "why")
    old = Excused("f", "c = a <= b", "comparison changed", "why")
    (problem,) = stale([good, old], mutants_of(source))
    assert problem.startswith("equivalent_mutants.yml, entry 2 (function f, line 'c = a <= b', change 'comparison")
    assert "the nearest line is 'c = a < b'" in problem
