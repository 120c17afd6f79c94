"""What a diagnosis compares, and that a mistake's run cannot change the judge."""

import types
from pathlib import Path
from typing import Any

import pytest
import torch

from gdgrade.checks import require
from gdgrade.judge import diagnosis
from gdgrade.judge.channel import LocalChannel
from gdgrade.judge.entries import entries, leaves_entries
from gdgrade.judge.matching import same_run
from gdgrade.judge.reference import load_reference, mistaken_reference
from gdgrade.judge.student import Notebook, Observation, Student
from gdgrade.mistakes import mistake
from gdgrade.worker.executor import Executor


def failed_with(error: str) -> Notebook:
    notebook = Notebook()
    notebook.seen.append(Observation("f", None, error=error))
    return notebook


def test_errors_of_different_classes_are_different_runs():
    """A function that is missing is not explained by a mistake that stumbles over a dtype."""
    missing = failed_with("StudentError: AttributeError: f is not defined in your file")
    assert same_run(missing, failed_with("StudentError: AttributeError: f has no such thing"))
    assert not same_run(missing, failed_with("StudentError: RuntimeError: float != double"))


def test_float32_in_a_local_run_stays_there():
    """The judge's default type is the same after a mistake was asked in float32."""
    module = types.ModuleType("module")
    exec("import torch\ndef f():\n    return torch.zeros(1)", module.__dict__)
    student = Student(LocalChannel(Executor(module=module)), "torch")
    before = torch.get_default_dtype()
    for name in ("float32", "float64"):
        with student.dtype(name):
            assert student.f().dtype == getattr(torch, name)
        assert torch.get_default_dtype() == before


REFERENCE = """
import functools
SCALE = 2.0
def first(x): return SCALE * x
def both(x): return first(x)
def second(x): return x + 1.0
@functools.cache
def third(x): return x - 1.0
class Net:
    def __init__(self): self.shift = 1.0
    def __call__(self, x): return x + self.shift
class Bare:
    def __call__(self, x): return x
"""


def made(tmp_path: Path) -> types.ModuleType:
    path = tmp_path / "reference.py"
    path.write_text(REFERENCE)
    return load_reference(path, "exercise")


def test_entries_name_what_was_entered_and_from_where(tmp_path):
    """Functions, decorated ones and classes by their global names; what was never called is not there."""
    module = made(tmp_path)
    with entries(module) as found:
        module.both(1.0), module.third(1.0), module.Net()(1.0)
    module.second(1.0)
    assert found.names == {"both", "first", "third", "Net"}
    assert found.doors == {"both", "third", "Net"}


def test_only_uses_that_leave_a_trace_can_be_excluded(tmp_path):
    """A constant, and a class without a constructor, may be used without entering anything."""
    module = made(tmp_path)
    names = ("first", "third", "Net", "SCALE", "Bare", "functools")
    assert [name for name in names if leaves_entries(module, name)] == ["first", "third", "Net"]


def test_many_mistakes_that_shipped_code_does_not_reach_are_not_tried(tmp_path, monkeypatch):
    """A shipped function says nothing of what it calls; one run of the reference does."""
    made(tmp_path)
    lines = ["from gdgrade.mistakes import mistake"]
    for number in range(20):
        lines += [f"@mistake(of='first', title='t', hint='h')\ndef wrong_{number}(ref, x): return x + {number}.5"]
    lines += ["@mistake(of='second', title='t', hint='h')\ndef twice(ref, x): return x + 2.0"]
    lines += ["@mistake(of='SCALE', title='t', hint='h', factory=True)\ndef scale(ref): return 3.0"]
    (tmp_path / "mistakes.py").write_text("\n".join(lines))
    tried = []

    def noted(path, exercise, mistake):
        tried.append(mistake.name)
        return mistaken_reference(path, exercise, mistake)

    monkeypatch.setattr(diagnosis, "mistaken_reference", noted)

    def shipped(module, x):
        return module.second(x)

    def check(student):
        require(student.run(shipped, student.module, 1.0) == 2.0, "another value")

    student = types.ModuleType("student")
    student.second = lambda x: x + 2.0
    rerun = diagnosis.Rerun(check, {}, None, 0, "numpy")
    seen, error = rerun.with_module(student)
    assert error is not None
    diagnostician = diagnosis.Diagnostician(tmp_path / "reference.py", tmp_path / "mistakes.py", "exercise")
    found = diagnostician.explain(rerun, seen, "a/b")
    assert [mistake.name for mistake in found] == ["twice"]
    assert tried == ["twice", "scale"]


@pytest.mark.parametrize("given", [{"title": None}, {"hint": 3}, {"hint": "  "}])
def test_a_mistake_needs_words(given: dict[str, Any]) -> None:
    """What is missing, and what was given in its place, is said where the mistake is written."""
    ((name, text),) = given.items()
    with pytest.raises(ValueError, match=f"its {name} is {text!r}"):
        mistake(of="f", **{"title": "t", "hint": "h", **given})
