"""A notebook becomes one Python source: whatever can be graded survives, and every line can be found again."""

import contextlib
import json
import linecache
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdgrade.course.errors import SubmissionError
from gdgrade.course.magics import neutralise
from gdgrade.course.notebook import notebook_source
from gdgrade.course.submission import read_submission


def notebook(*cells: object) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]})


def lines_of(cell: str) -> list[str]:
    return cell.rstrip("\n").split("\n")


def source(*cells: object) -> str:
    return notebook_source(notebook(*cells), "a.ipynb", 10_000).source


def test_code_cells_in_order() -> None:
    """Markdown, outputs and metadata are left out; sources may be text or lists of lines."""
    cells = [
        {"cell_type": "markdown", "source": "# title"},
        {"cell_type": "code", "source": "x = 1\n", "outputs": [{"data": {"image/png": "A" * 1000}}]},
        {"cell_type": "raw", "source": "raw"},
        {"cell_type": "code", "source": ["def f():\n", "    return x"], "metadata": None},
    ]
    made = notebook_source(json.dumps({"cells": cells, "nbformat": 4}), "a.ipynb", 1000)
    assert made.source == "x = 1\ndef f():\n    return x\n"
    assert made.lines == {1: (1, 1), 2: (2, 1), 3: (2, 2)}
    assert made.remarks == ()


def test_lines_lead_back_to_their_cell(tmp_path: Path) -> None:
    """A line of the source is named as cell and line, also when a future import was moved to the top."""
    path = tmp_path / "a.ipynb"
    path.write_text(notebook("x = 1", "from __future__ import annotations\ny = 2"))
    submission = read_submission(path)
    assert submission.source.split("\n")[0] == "from __future__ import annotations"
    line = submission.source.split("\n").index("y = 2") + 1
    assert submission.locate(line) == "cell 2, line 2"
    assert compile(submission.source, "a", "exec")


def test_a_broken_cell_does_not_take_the_others_along() -> None:
    """It is left out, line for line, with a remark that says where and why."""
    made = notebook_source(notebook("def f():\n    return 1", "def g(:\n    pass", "y = 3"), "a.ipynb", 1000)
    namespace: dict[str, object] = {}
    exec(made.source, namespace)
    assert namespace["y"] == 3
    assert made.source.count("\n") == 5
    assert made.remarks == ("Cell 2 is not valid Python and was left out: line 1: invalid syntax.",)


@pytest.mark.parametrize(
    "cell",
    ["return 1", "'unclosed", "if x:", "x = (1,", "a\0b", "(" * 500, "-" * 90_000 + "1", "  x = 1\n y = 2", "break"],
    ids=["return", "quote", "no-body", "bracket", "nul", "depth", "minus", "indent", "break"],
)
def test_cells_that_do_not_compile(cell: str) -> None:
    """Whatever the compiler refuses is isolated; neither the reader nor the rest suffers."""
    made = notebook_source(notebook("x = 1", cell, "y = 2"), "a.ipynb", 200_000)
    namespace: dict[str, object] = {}
    exec(made.source, namespace)
    assert (namespace["x"], namespace["y"]) == (1, 2)
    assert made.remarks[-1].startswith("Cell 2 is not valid Python and was left out: ")


def test_half_characters_are_replaced() -> None:
    """JSON can spell a lone surrogate, which no encoder takes."""
    made = notebook_source('{"cells": [{"cell_type": "code", "source": "x = \'\\ud800\'"}]}', "a.ipynb", 1000)
    assert made.source == "x = '\ufffd'\n"
    assert made.remarks == ("Cell 1: broken characters were replaced.",)


def test_version_3_of_the_format() -> None:
    """Old notebooks keep cells in worksheets and code under ``input``."""
    text = json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"]}]}, 3], "nbformat": 3})
    assert notebook_source(text, "a.ipynb", 1000).source == "x = 1\n"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("{", "not_json"),
        ("[" * 100_000, "not_json"),
        ('{"a": ' + "1" * 5000 + "}", "not_json"),
        ("[]", "not_a_notebook"),
        ("3", "not_a_notebook"),
        ("{}", "not_a_notebook"),
        ('{"cells": 3}', "not_a_notebook"),
        ('{"worksheets": [3]}', "not_a_notebook"),
        ('{"cells": []}', "no_code"),
        ('{"cells": [3, null, {"cell_type": 4}, {"cell_type": "code"}]}', "no_code"),
        ('{"cells": [{"cell_type": "code", "source": {"a": 1}}]}', "no_code"),
        (json.dumps({"cells": [{"cell_type": "code", "source": "x = 1\n" * 300}]}), "too_large"),
        (json.dumps({"cells": [{"cell_type": "code", "source": ""}] * 6000}), "too_large"),
    ],
    ids=[
        "cut", "deep", "digits", "list", "number", "empty", "cells", "sheets", "none", "junk", "source", "code", "many",
    ],
)  # fmt: skip
def test_what_is_no_notebook(text: str, cause: str) -> None:
    """Each kind of damage has its cause."""
    with pytest.raises(SubmissionError) as caught:
        notebook_source(text, "a.ipynb", 1000)
    assert caught.value.cause == cause


MAGICS = {
    "line": ("%matplotlib inline\nx = 1", "# %matplotlib inline\nx = 1", ["%matplotlib"]),
    "shell": ("!pip install torch\nx = 1", "# !pip install torch\nx = 1", ["!"]),
    "shell_continued": ("!pip install \\\n  torch\nx = 1", "# !pip install \\\n#   torch\nx = 1", ["!"]),
    "indented": ("if a:\n    %time b()\nx = 1", "if a:\n    pass  # %time b()\nx = 1", ["%time"]),
    "help": ("torch.sum?\n?torch\nx = 1", "# torch.sum?\n# ?torch\nx = 1", ["?", "?"]),
    "assigned": ("files = !ls\nx = 1", "files = None  # files = !ls\nx = 1", ["!"]),
    "assigned_magic": ("t = %timeit -o f()", "t = None  # t = %timeit -o f()", ["%timeit"]),
    "cell_python": ("%%time\nx = 1", "# %%time\nx = 1", ["%%time"]),
    "cell_shell": ("\n%%bash\nrm -rf /", "# \n# %%bash\n# rm -rf /", ["%%bash"]),
    "modulo": ("x = (5\n     % b)", "x = (5\n     % b)", []),
    "modulo_backslash": ("x = 5 \\\n  % b", "x = 5 \\\n  % b", []),
    "docstring": ('"""\n!no\nwhat?\n%no\n"""\nx = 1', '"""\n!no\nwhat?\n%no\n"""\nx = 1', []),
    "comment": ("# why?\nx = 1  # really?", "# why?\nx = 1  # really?", []),
    "not_equal": ("x = a != b", "x = a != b", []),
    "string_with_hash": ("x = '#'; y = (1,\n% 2)", "x = '#'; y = (1,\n% 2)", []),
    "quote_in_brackets": ("f('it\\'s (')\n%time g()", "f('it\\'s (')\n# %time g()", ["%time"]),
}


@pytest.mark.parametrize("name", MAGICS, ids=str)
def test_magics(name: str) -> None:
    """Commands of the notebook do nothing and keep their line; what only looks like one stays Python."""
    cell, expected, found = MAGICS[name]
    assert neutralise(cell) == (expected, found)


def test_magics_are_remarked() -> None:
    """The report says what was left out, the first three by name."""
    made = notebook_source(notebook("%a\n%b\n!c\n%d\nx = 1"), "a.ipynb", 1000)
    assert made.remarks == ("Cell 1: notebook commands were left out (%a, %b, !, …).",)


def test_our_own_commands_are_not_remarked() -> None:
    """Every notebook with an exercise has them."""
    made = notebook_source(notebook("%load_ext gdgrade\n%check 1.1\nx = 1\n%load_ext other"), "a.ipynb", 1000)
    assert made.remarks == ("Cell 1: notebook commands were left out (%load_ext).",)


def test_a_docstring_about_the_future_is_no_import() -> None:
    """Only real future imports move to the top."""
    assert source('s = """\nfrom __future__ import flying_cars\n"""').startswith("s = ")


def test_every_line_is_kept_in_this_project() -> None:
    """Real Python passes through unchanged, here the sources of the reader itself."""
    import gdgrade.course.magics as magics
    import gdgrade.course.submission as submission

    for module in (magics, submission):
        text = "".join(linecache.getlines(module.__file__)).rstrip("\n")
        assert neutralise(text) == (text, [])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "cell_type", "source", "worksheets", "input", "outputs"]), inner, max_size=5
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json(data: object) -> None:
    """Any JSON is a notebook or a SubmissionError."""
    with contextlib.suppress(SubmissionError):
        notebook_source(json.dumps(data), "a.ipynb", 1000)


@given(st.lists(st.text(alphabet="ab=()[]{}'\"\\#%!?\n \t:,1\ud800\0é", max_size=40), max_size=4))
def test_any_cells(cells: list[str]) -> None:
    """The source always has one line per line of the cells, found back, and compiles."""
    with contextlib.suppress(SubmissionError):
        made = notebook_source(notebook(*cells), "a.ipynb", 10_000)
        wanted = [(n, i) for n, cell in enumerate(cells, 1) for i in range(1, len(lines_of(cell)) + 1)]
        assert [made.lines[line] for line in range(1, made.source.count("\n") + 1)] == wanted
        made.source.encode("utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(made.source, "a.ipynb", "exec")
