"""`import gdgrade` costs nothing until something of it is used."""

import subprocess
import sys

import pytest

import gdgrade

HEAVY = ("IPython", "numpy", "torch", "pydantic", "jinja2", "rich", "gdgrade.judging")


def test_import_is_light() -> None:
    """Neither the import nor a question for names loads anything."""
    program = f"import sys, gdgrade; dir(gdgrade); print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_names() -> None:
    """What notebooks use is there; what is not there is an ordinary AttributeError."""
    assert callable(gdgrade.check)
    assert callable(gdgrade.load_ipython_extension)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        gdgrade.nothing  # noqa: B018


def test_outside_of_a_notebook() -> None:
    """In a plain program one line says what to use instead."""
    done = subprocess.run(
        [sys.executable, "-c", "import gdgrade; gdgrade.check('ex05')"], capture_output=True, text=True
    )  # fmt: skip
    assert done.stderr.strip().split("\n")[-1].endswith("this works in a notebook; in a terminal use: gdgrade check")
