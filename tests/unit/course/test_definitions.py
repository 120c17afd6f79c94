"""What of a notebook is judged: everything that the asked functions need, and nothing else that it does."""

import ast
import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdgrade.course.definitions import Asked, asked_by, definitions
from gdgrade.course.loading import load_course
from gdgrade.course.manifest import Exercise
from gdgrade.course.submission import Submission, parse_submission

ROOT = Path(__file__).parents[3]
EXERCISES = [exercise for exercise in load_course(ROOT / "course.yml").exercises if exercise.entry_path.is_file()]
TINY = load_course(ROOT / "tests/cheats/courses/plain/course.yml").exercises[0]


def kept(source: str, *names: str, missing: Callable[[str], bool] | None = None) -> list[str]:
    """The kept lines."""
    made = definitions(source, Asked.names(*names), missing=missing)
    assert made is not None
    return [row for _number, row in made.rows]


# Lines that must go are marked.
NEEDS = {
    "helper": "def g(): pass\ndef f(): return g()",
    "constant": "N = 3\nM = 2 * N\nQ = 1  # goes\ndef f(): return M",
    "default": "N = 3\ndef f(x=N): pass",
    "decorator": "import functools\n@functools.cache\ndef f(): pass",
    "base": "class A: pass\nclass f(A): pass",
    "method": "N = 3\nclass f:\n    def g(self): return N",
    "inner": "N = 3\ndef f():\n    return [lambda: N for _ in 'ab']",
    "counter": "N = 3\ndef f():\n    global N\n    N += 1",
    "lambda": "N = 3\nf = lambda x: N",
    "alias": "def g(): pass\nf = g",
    "wrapped": "def w(g): return g\ndef f(): pass\nf = w(f)",
    "made": "def make(n): return n\nf = make(3)",
    "item": "C = {}\nC['a'] = 1\nD = {}  # goes\nD['a'] = 1  # goes\ndef f(): return C",
    "method_call": "C = []\nC.append(1)\nprint(C)  # goes\ndef f(): return C",
    "loop": "C = []\nfor i in 'ab':\n    C.append(i)\ndef f(): return C",
    "patched": "class f: pass\ndef g(self): pass\nf.g = g",
    "patched_by_name": "class f: pass\ndef g(self): pass\nsetattr(f, 'g', g)",
    "branch": "if 1 < 2:\n    N = 1\nelse:\n    N = 2\ndef f(): return N",
    "try_import": "try:\n    import a\nexcept ImportError:\n    a = None\ndef f(): return a",
    "submodule": "import a\nimport a.b\ndef f(): return a.b",
    "star": "from math import *\ndef f(): return pi",
    "setting": "import torch as t\nimport torch\ntorch.set_default_dtype(1)\ntorch.save(1)  # goes\ndef f(): return t",
    "text": 'N = """\nx\n"""\ndef f(): return N',
    "walrus": "print(N := 3)\ndef f(): return N",
    "recursive": "def g(): return f()\ndef f(): return g()",
}


@pytest.mark.parametrize("case", NEEDS, ids=str)
def test_what_a_function_needs_comes_along(case: str) -> None:
    """Imports, helpers, values, and what changes them."""
    assert kept(NEEDS[case], "f") == [row for row in NEEDS[case].split("\n") if not row.endswith("# goes")]


def test_statements_that_share_a_line() -> None:
    """Each is kept or left for itself, also behind letters of several bytes."""
    assert kept("a = 1; b = 2; c = 3\ndef f(): return a, c", "f") == ["a = 1; c = 3", "def f(): return a, c"]
    assert kept("é = 'éé'; b = 2\ndef f(): return b", "f") == ["b = 2", "def f(): return b"]


LEAVES = {
    "plots": "import matplotlib.pyplot as plt\nplt.plot([1])\nplt.rcParams['a'] = 1",
    "calls": "print(f())\nf()\nassert f() == 1",
    "trains": "losses = train(f)\nfor epoch in range(1000):\n    losses.append(f())",
    "local_names": "x = train()\nnoise = train()",  # f has a parameter and a local of these names
    "plot_of_results": "history = train()\ndef plot(): draw(history)",
    "fails": "1 / 0\nraise ValueError\nimport torch\ntorch.nothing",
    "loops": "while True:\n    pass",
    "ends": "import sys\nsys.exit()",
    "star": "from a_file_of_mine import *",
    "main": "if __name__ == '__main__':\n    f()",
    "engine": "import gdgrade\nverdict = gdgrade.check('ex05')\ngdgrade.check('ex05')",
    "seeds_of_others": "import numpy as np\nnp.random.seed(0)",
}


@pytest.mark.parametrize("case", LEAVES, ids=str)
def test_what_else_a_notebook_does_is_not_run_again(case: str) -> None:
    """Plots, trainings, trials and failures, before and after the definition."""
    function = "def f(x=0):\n    noise = x\n    return noise"
    for source in (f"{LEAVES[case]}\n{function}", f"{function}\n{LEAVES[case]}"):
        assert kept(source, "f") == function.split("\n")


def test_the_last_definition_counts() -> None:
    """Copied and rerun cells cost nothing; an older definition stays where something still sees it."""
    assert kept("def f(): return 1\n" * 50, "f") == ["def f(): return 1"]
    assert kept("def f(): return 1\ndef f(): return 2", "f") == ["def f(): return 2"]
    assert kept("def f(): return 1\ng = f\ndef f(): return g()", "f") == [
        "def f(): return 1",
        "g = f",
        "def f(): return g()",
    ]
    assert kept("N = train()\n" * 3 + "def train(): pass\ndef f(): return N", "f") == [
        "N = train()", "def train(): pass", "def f(): return N",
    ]  # fmt: skip
    assert kept("N = 1\nN += 1\ndef f(): return N", "f") == ["N = 1", "N += 1", "def f(): return N"]
    assert kept("N = 1\nN = N + 1\ndef f(): return N", "f") == ["N = 1", "N = N + 1", "def f(): return N"]


def test_an_import_that_fails() -> None:
    """A package that is missing is missed, as in a Python file; one that only plots need costs no time."""
    source = "import nowhere.at_all\nimport json\ndef f(): pass"
    assert kept(source, "f") == ["def f(): pass"]
    assert kept(source, "f", missing=lambda package: package == "nowhere") == ["import nowhere.at_all", "def f(): pass"]
    code = notebook_of(
        "import nowhere_at_all, math\nimport sympy\nimport matplotlib.pyplot as plt\ndef double(x): pass"
    ).code_for(TINY)
    assert code == "import nowhere_at_all, math\nimport sympy\n# import matplotlib.pyplot as plt\ndef double(x): pass\n"


def test_lines_stay_where_they_are() -> None:
    """Everything else becomes comments, text in quotes included."""
    source = 's = """\ndef f(): no\n"""\n\n# note\ndef f():\n    return 1\nprint(s)'
    made = definitions(source, Asked.names("f"))
    assert made is not None
    assert made.in_place(source) == '# s = """\n# def f(): no\n# """\n\n# note\ndef f():\n    return 1\n# print(s)'
    assert made.names == {"f": 6}


def test_asked_names_of_the_course() -> None:
    """All functions of every stub are asked for; a value that only a notebook has is not."""
    for exercise in EXERCISES:
        asked = asked_by(exercise)
        stub = ast.parse(exercise.entry_path.read_text())
        names = {node.name for node in stub.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        assert names <= asked.functions & asked.values
        assert "losses" not in asked.values


def notebook_of(source: str) -> Submission:
    """A notebook with one cell for every statement of a file."""
    lines = source.split("\n")
    nodes = ast.parse(source).body
    starts = [min([n.lineno, *(d.lineno for d in getattr(n, "decorator_list", ()))]) for n in nodes]
    ends = [*(start - 1 for start in starts[1:]), len(lines)]
    cells = ["\n".join(lines[a - 1 : b]) for a, b in zip(starts, ends, strict=True)]
    text = json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells], "nbformat": 4})
    return parse_submission(text.encode(), "answer.ipynb")


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_a_notebook_of_a_file_is_judged_as_the_file(exercise: Exercise) -> None:
    """Of reference, stub and every fourth planted answer all is kept but prints, texts, and what nothing kept reads."""
    for path in (
        exercise.reference_path,
        exercise.entry_path,
        *sorted((ROOT / "tests/submissions" / exercise.id).glob("*.py"))[::4],
    ):
        source = path.read_text()
        try:
            nodes = ast.parse(source).body
        except SyntaxError:
            continue
        if not nodes:
            continue
        code = ast.parse(notebook_of(source).code_for(exercise))
        there = {ast.dump(node) for node in code.body}
        read = {node.id for node in ast.walk(code) if isinstance(node, ast.Name)}
        for node in nodes:
            if ast.dump(node) in there or isinstance(node, ast.Expr):
                continue
            names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            names |= {(n.asname or n.name).split(".")[0] for n in ast.walk(node) if isinstance(n, ast.alias)}
            names |= {node.name} if isinstance(node, ast.FunctionDef | ast.ClassDef) else set()
            assert names, (path.name, ast.unparse(node))
            assert not names & read, (path.name, names)


STEPS = (
    "a = 1", "a = 2", "a = b", "a = (b, 'x')", "a += (1,)", "b = 3", "b = [a]", "b = []", "b.append(1)", "b[0] = 7",
    "a: int", "def g(): return a", "def g(): return ('g', b)", "def g(x=a): return x", "a = g()", "f = g", "f.mark = a",
    "b = [g() for _ in 'xy']", "def f(): return (a, b)", "def f(): return (g(), a)", "f = lambda: b",
    "def f(): return f.mark", "class C:\n    n = a\n    def m(self): return b", "def f(): return (C.n, C().m())",
    "C.n = b", "C.m = lambda self: a", "for a in (4, 5):\n    b = [a]", "if a == 1:\n    b = 9", "old = f", "f()",
    "del b", "def w(h): return lambda: (h(), a)", "f = w(f)", "def f(): return ('new', old())", "c = 1; a = 6; d = f",
    "import math; a = math.pi", "from math import e as a", "print(f())",
    "try:\n    b = a.real\nexcept Exception:\n    b = 0",
    "with open('/dev/null') as h:\n    a = 8",
)  # fmt: skip


@settings(max_examples=200)
@given(st.lists(st.sampled_from(STEPS), min_size=2, max_size=14))
def test_a_slice_means_the_same(steps: list[str]) -> None:
    """Whatever was run in whatever order: the function that is kept gives what the function of the whole gives."""
    whole: dict[str, Any] = {}
    ran = [step for step in ("a = b = 0", *steps) if runs(step, whole) and not step.startswith("del")]
    whole = {}
    for step in ran:
        runs(step, whole)
    made = definitions("\n".join(ran), Asked.names("f"))
    assert made is not None
    sliced: dict[str, Any] = {}
    exec("\n".join(row for _number, row in made.rows), sliced)
    assert value(sliced.get("f")) == value(whole.get("f"))


def runs(step: str, namespace: dict[str, Any]) -> bool:
    """Run one step; whether it went well."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(step, namespace)
    except Exception:
        return False
    return True


def value(function: Any) -> object:
    """What a function gives, or how it fails."""
    try:
        return repr(function())
    except Exception as error:
        return type(error)


@given(st.lists(st.sampled_from([*NEEDS.values(), *LEAVES.values()]), max_size=6))
def test_any_mixture_parses(sources: list[str]) -> None:
    """What is kept of any notebook is Python again, whatever stands in it."""
    source = "\n".join(sources)
    made = definitions(source, Asked.names("f"))
    assert made is not None
    ast.parse(made.in_place(source))
    ast.parse("\n".join(row for _number, row in made.rows))
