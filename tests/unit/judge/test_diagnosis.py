"""What a diagnosis compares, and that a mistake's run cannot change the judge."""

import types

import torch

from gdgrade.judge.channel import LocalChannel
from gdgrade.judge.matching import same_run
from gdgrade.judge.student import Notebook, Observation, Student
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
