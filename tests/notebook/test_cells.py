"""What a session's cells define, in a real IPython shell: by name, as it stands when it is asked for."""

import atexit
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.io import capture_output
from traitlets.config import Config

from gdgrade.course.definitions import Asked
from gdgrade.course.submission import Submission
from gdgrade.notebook.cells import submission_of
from gdgrade.notebook.errors import CheckError

ASKED = Asked.names("f", "g", "Net")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A shell that leaves no trace: its history in memory, its folder a temporary one."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    config = Config({"HistoryManager": {"hist_file": ":memory:"}, "InteractiveShell": {"colors": "nocolor"}})
    made = InteractiveShell(config=config)
    yield made
    atexit.unregister(made.atexit_operations)
    made.atexit_operations()


def taken(shell: InteractiveShell, *cells: str) -> Submission:
    """Run the cells, whatever they do; then what a check takes."""
    with capture_output():
        for cell in cells:
            shell.run_cell(cell, store_history=True)
    return submission_of(shell, ASKED, "ex01")


def source(shell: InteractiveShell, *cells: str) -> str:
    return taken(shell, *cells).source


def test_by_name_from_any_cell(shell: InteractiveShell) -> None:
    """Helpers, imports and constants come along; trials, plots and magics stay behind."""
    made = taken(
        shell, "%time import math\nN = 2", "import json\nprint(json)", "1 / 0", "def f(x):\n    return N * math.pi",
        "!echo hello\nf(1)", "f?", "losses = [f(1)]",
    )  # fmt: skip
    assert made.source == "N = 2\ndef f(x):\n    return N * math.pi\n"  # the import was an argument of a magic
    assert [made.lines[line] for line in (1, 2, 3)] == [(1, 2), (4, 1), (4, 2)]
    assert made.kind == "ipynb"


def test_the_last_definition_that_was_run(shell: InteractiveShell) -> None:
    """Also after copies, reruns, and a way back to an older cell."""
    first, second = "def f():\n    return 1", "def f():\n    return 2"
    assert source(shell, first, second) == second + "\n"
    assert source(shell, first) == first + "\n"


def test_a_cell_that_failed_before_its_definition(shell: InteractiveShell) -> None:
    """It has defined nothing below the line that failed; what stands above it counts."""
    assert source(shell, "def f():\n    return 1", "1 / 0\ndef f():\n    return 2") == "def f():\n    return 1\n"
    assert "def g" in source(shell, "def g():\n    return 1\n1 / 0")
    classes = [f"class Net:\n    def run(self):\n        return '{answer}'" for answer in ("old", "new")]
    assert "old" in source(shell, classes[0], f"1 / 0\n{classes[1]}")
    assert "old" not in source(shell, classes[1])


def test_a_cell_that_is_no_python(shell: InteractiveShell) -> None:
    """The others are taken."""
    assert source(shell, "def f():\n    return 1", "def f(:\n    return 2") == "def f():\n    return 1\n"


def test_deleted_names(shell: InteractiveShell) -> None:
    """A function that was deleted is no answer any more."""
    with pytest.raises(CheckError, match="^no function of ex01 is defined yet"):
        taken(shell, "def f():\n    return 1", "del f")


def test_nothing_defined(shell: InteractiveShell) -> None:
    """One clear line."""
    with pytest.raises(CheckError, match="^no function of ex01 is defined yet; run the cells that define them first$"):
        taken(shell, "x = 1")


def test_decorated_functions(shell: InteractiveShell) -> None:
    """With or without a trace of what is wrapped, the last definition counts."""
    hiding = "def hide(g):\n    def inner(*a):\n        return g(*a)\n    return inner"
    cell = "@hide\ndef f():\n    return {}"
    made = source(shell, hiding, cell.format(1), cell.format(2))
    assert "return 2" in made
    assert "return 1" not in made
    made = source(shell, "import functools", "@functools.cache\ndef g():\n    return 3")
    assert "@functools.cache\ndef g()" in made


def test_an_import_that_failed_is_left_out(shell: InteractiveShell) -> None:
    """The session goes on without it, so does the check."""
    assert source(shell, "import nowhere_at_all", "def f():\n    return 1") == "def f():\n    return 1\n"


def test_a_cell_with_a_magic_for_its_body(shell: InteractiveShell) -> None:
    """Definitions below %%time and %%capture are taken."""
    assert source(shell, "%%time\ndef f():\n    return 1") == "def f():\n    return 1\n"


def test_magics_inside_functions(shell: InteractiveShell) -> None:
    """They do nothing."""
    made = source(shell, "def f():\n    %matplotlib inline\n    files = !ls\n    return 1")
    compile(made, "a", "exec")
    assert "return 1" in made


def test_await_at_the_top(shell: InteractiveShell) -> None:
    """A notebook may; what is defined beside it is taken."""
    cell = "import asyncio\nawait asyncio.sleep(0)\ndef f():\n    return 1"
    assert source(shell, cell) == "def f():\n    return 1\n"


def test_future_imports_and_display(shell: InteractiveShell) -> None:
    """What holds in a notebook without being said holds for the check too."""
    made = source(shell, "from __future__ import annotations", "def f(x: Unknown):\n    display(x)\n    return x")
    assert made.split("\n")[:2] == ["from __future__ import annotations", "display = print"]


def test_the_engine_redefined(shell: InteractiveShell) -> None:
    """Names of ours in the session are just names."""
    made = source(shell, "gdgrade = None\nget_ipython = None\ncheck = 3", "def f():\n    return 1")
    assert made == "def f():\n    return 1\n"


def test_a_function_of_a_file(shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is out of reach of a check; the line says how to check the file."""
    (tmp_path / "my_answer.py").write_text("def f():\n    return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        CheckError, match=r"^f comes from the file .*my_answer\.py; check that one: gdgrade check ex01 "
    ):
        taken(shell, "from my_answer import f")
    monkeypatch.delitem(sys.modules, "my_answer")


def test_many_runs_stay_small(shell: InteractiveShell) -> None:
    """A history of many runs is judged as one run of it."""
    cells = ["N = 3", "def g():\n    return N", "def f():\n    return g()", "f()"]
    for _ in range(15):
        made = taken(shell, *cells)
    assert made.source == "N = 3\ndef g():\n    return N\ndef f():\n    return g()\n"


def test_the_name_of_the_notebook(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the server tells it, made harmless; else just "notebook"."""
    assert taken(shell, "def f(): pass").display_name == "notebook"
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/ex05\x1b[31m.ipynb")
    assert taken(shell).display_name.endswith(".ipynb")
    assert "\x1b" not in taken(shell).display_name
    assert json.dumps(taken(shell).display_name).isascii()
