"""The proxy: everything a check may do with a student's code, through a real confined worker."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from gdgrade.failures import GraderError, StudentError, WorkerLost
from gdgrade.judge.student import Student, recorder

MODULE = """
    import collections
    import dataclasses
    import numpy as np
    import torch

    Pair = collections.namedtuple("Pair", "first second")

    @dataclasses.dataclass
    class Result:
        value: float
        name: str

    class Strange(dict):
        pass

    class Loud(float):
        pass

    def echo(*args, **kwargs):
        return (*args, kwargs) if kwargs else args

    def named(x, scale=2.0):
        return Pair(x * scale, scale)

    def record():
        return Result(1.5, "a")

    def odd(): return Strange(a=1)
    def loud(): return Loud(2.5)
    def as_numpy(x): return x.numpy()
    def nothing(): return None
    def generator(): return (i for i in range(3))
    def fails(x):
        y = x + 1
        raise ValueError("because " + str(y))
    def draws(n, generator=None): return torch.randn(n, generator=generator)
    def apply(f, x, times):
        for _ in range(times):
            x = f(x)
        return x
    def in_place(x, other):
        x += 1
        return x
    @torch.no_grad()
    def in_place_without_grad(points):
        points += 1
        return points
    def default_type(): return str(torch.ones(1).dtype)
    def prints(): print("hello\\x1b[31m"); return 1

    class Net(torch.nn.Module):
        def __init__(self, width=3):
            super().__init__()
            self.layer = torch.nn.Linear(width, 1)
            self.width = width
        def forward(self, x):
            return self.layer(x)
        def double(self, x, *, plus=0):
            return 2 * x + plus

    def call_net(net, x): return net(x)
"""


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    """As during a check: float64 is the default type in the judge."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def student(student_of: Any) -> Student:
    made = student_of(MODULE)
    assert isinstance(made, Student)
    return made


def test_arguments_travel(student: Student) -> None:
    """Positional, keyword and default arguments, arrays of both kinds, nested data."""
    x = torch.arange(6.0).reshape(2, 3)
    args = student.echo(1, 2.5, "a", None, True, [1, (2, x)], {"k": x}, extra=x.int())
    assert args[:5] == (1, 2.5, "a", None, True)
    assert torch.equal(args[5][1][1], x)
    assert torch.equal(args[6]["k"], x)
    assert args[7]["extra"].dtype == torch.int32
    assert student.named(x).__class__ is tuple
    assert student.named(x, scale=3.0)[1] == 3.0


def test_results_in_disguise_are_plain(student: Student) -> None:
    """NamedTuples and dataclasses come as tuples, dict subclasses as dicts, float subclasses as floats."""
    assert student.record() == (1.5, "a")
    assert student.odd() == {"a": 1}
    value = student.loud()
    assert type(value) is float
    assert student.nothing() is None


def test_numpy_is_accepted_with_a_remark(student: Student) -> None:
    """A numpy result in a torch course becomes a tensor, and the report says so."""
    result = student.as_numpy(torch.ones(2))
    assert isinstance(result, torch.Tensor)
    assert any("numpy" in remark for remark in student.notebook.remarks)


def test_errors_carry_the_students_lines(student: Student) -> None:
    """An exception brings its type, message and the student's own line."""
    with pytest.raises(StudentError) as caught:
        student.fails(1)
    assert (caught.value.kind, caught.value.type) == ("exception", "ValueError")
    assert caught.value.message == "because 2"
    assert [(frame.function, frame.code) for frame in caught.value.frames] == [
        ("fails", 'raise ValueError("because " + str(y))')
    ]


def test_missing_and_wrong_signature_are_told_apart(student: Student) -> None:
    """A missing function and one that cannot be called as asked are different faults; the latter shows its own."""
    with pytest.raises(StudentError) as missing:
        student.langevin_step(1)
    assert missing.value.kind == "missing"
    assert "langevin_step" in missing.value.message
    with pytest.raises(StudentError) as wrong:
        student.named(1, factor=2)
    assert wrong.value.kind == "signature"
    assert "named(x, scale=2.0)" in wrong.value.message


def test_objects_stay_in_the_worker(student: Student) -> None:
    """A module is a handle: call it, call its methods, read attributes, set parameters, pass it back."""
    net = student.Net(width=2)
    names = dict(net.named_parameters())
    assert {name: tuple(value.shape) for name, value in names.items()} == {"layer.weight": (1, 2), "layer.bias": (1,)}
    net.set_parameters({"layer.weight": torch.tensor([[1.0, 2.0]]), "layer.bias": torch.tensor([3.0])})
    x = torch.tensor([[1.0, 1.0]])
    assert net(x).item() == 6
    assert net.double(x, plus=1).tolist() == [[3, 3]]
    assert net.get("width") == 2
    assert net.get("training") is True
    assert student.call_net(net, x).item() == 6
    assert set(net.state_dict()) == {"layer.weight", "layer.bias"}
    with pytest.raises(StudentError, match="no nonsense"):
        net.nonsense()


def test_callables_run_inside_and_are_recorded(student: Student) -> None:
    """A judge's function runs in the worker; the recorder tells how often and with what it was called."""
    offset = torch.tensor(1.0)
    spy = recorder(lambda x: x + offset)
    result = student.apply(spy, torch.zeros(2), 3)
    assert result.tolist() == [3, 3]
    assert spy.count == 3
    assert [call.args[0].tolist() for call in spy.calls] == [[0, 0], [1, 1], [2, 2]]
    module = recorder(torch.nn.Identity())
    student.apply(module, torch.ones(1), 2)
    assert module.count == 2
    assert module.calls[0].training is True


def test_code_can_run_beside_the_student(student: Student) -> None:
    """`run` ships a function that uses the student's module and handles, autograd included."""

    def gradient(module: Any, net: Any, x: Any) -> Any:
        x = x.clone().requires_grad_(True)
        return torch.autograd.grad(module.call_net(net, x).sum(), x)[0]

    net = student.Net(2)
    weights = dict(net.named_parameters())["layer.weight"]
    assert torch.equal(student.run(gradient, student.module, net, torch.ones(1, 2)), weights)


def test_shipped_code_that_meets_no_function_says_which(student: Student) -> None:
    """A name that the student's file lacks is missing, whoever asks for it; another attribute's lack is an error."""
    with pytest.raises(StudentError, match="nothing_here is not defined in your file") as caught:
        student.run(lambda module: module.nothing_here(1), student.module)
    assert caught.value.kind == "missing"
    with pytest.raises(StudentError, match="has no attribute") as caught:
        student.run(lambda module: (1).nothing_here, student.module)
    assert caught.value.kind == "exception"


def test_messages_do_not_name_shipped_code(student: Student) -> None:
    """A function of the judge's is noted by its name, and stands in no message: a student has no such function."""

    def judges_own(module: Any) -> Any:
        return module.call_net(None, 1)

    with pytest.raises(StudentError) as caught:
        student.run(judges_own, student.module)
    assert caught.value.function == ""
    assert student.notebook.seen[-1].name == "judges_own"


def test_generators_travel(student: Student) -> None:
    """A torch.Generator argument gives the same stream in the worker."""
    expected = torch.randn(4, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    assert torch.equal(student.draws(4, generator=torch.Generator().manual_seed(5)), expected)
    student.seed(3)
    first = student.draws(3)
    student.seed(3)
    assert torch.equal(student.draws(3), first)


def test_changes_in_place_are_noticed_and_stay_there(student: Student) -> None:
    """An argument changed in place is named by the student's own parameter; the judge's copy is untouched."""
    x = torch.zeros(2)
    student.in_place(x, torch.ones(1))
    assert student.mutated == ["x"]
    assert x.tolist() == [0, 0]


def test_changes_in_place_are_named_behind_a_decorator(student: Student) -> None:
    """`@torch.no_grad()` has parameters of its own names; what counts is the student's."""
    student.in_place_without_grad(torch.zeros(2))
    assert student.mutated == ["points"]


def test_default_type_follows_the_block(student: Student) -> None:
    """float64 is the default type in the worker; a with block changes it."""
    assert student.default_type() == "torch.float64"
    with student.dtype("float32"):
        assert student.default_type() == "torch.float32"
    assert student.default_type() == "torch.float64"


def test_unsendable_results_become_handles(student: Student) -> None:
    """A generator object is no data; it comes as a handle that is no value."""
    assert "generator" in repr(student.generator())


def test_the_reference_cannot_be_shipped(student: Student) -> None:
    """Passing a function of the reference module to the student is an error of the check, not a leak."""
    from gdgrade.worker.loading import load_source

    reference = load_source("def secret(x): return 42", "gdgrade_reference_test", "reference.py")
    with pytest.raises(GraderError, match="secret"):
        student.apply(reference.secret, torch.ones(1), 1)
    with pytest.raises(GraderError, match="gdgrade_reference_test"):
        student.apply(lambda x: reference.secret(x), torch.ones(1), 1)


def test_numpy_courses_need_no_torch_types(student_of: Any) -> None:
    """With library numpy, arrays stay numpy arrays."""
    student = student_of("def double(x): return 2 * x", library="numpy")
    result = student.double(np.arange(3.0))
    assert isinstance(result, np.ndarray)
    assert result.tolist() == [0, 2, 4]


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("while True: pass", "timeout"),
        ("import time; time.sleep(60)", "timeout"),
        ("return torch.ones(10**9, dtype=torch.float64)", "memory"),
        ("return np.ones(10**9)", "memory"),
        ("x = [0] * 10**9", "memory"),
        ("import os; os._exit(3)", "crash"),
        ("import ctypes; ctypes.string_at(0)", "crash"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "crash"),
        (
            "import os\n    for fd in range(3, 64):\n        try: os.write(fd, b'junk' * 9)\n        except OSError: 0",
            "crash",
        ),
        ("import os\n    for fd in range(3, 64):\n        try: os.close(fd)\n        except OSError: pass", "crash"),
    ],
)
def test_a_lost_worker_has_a_cause(student_of: Any, body: str, cause: str) -> None:
    """Hanging, eating memory and dying are told apart, and each costs about the limit at most."""
    student = student_of(f"import torch\nimport numpy as np\ndef f():\n    {body}\n", seconds=1.5, memory_mib=256)
    with pytest.raises(WorkerLost) as lost:
        student.f()
    assert lost.value.cause == cause
    with pytest.raises(WorkerLost):
        student.f()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("import sys; sys.exit(0)", "exit"),
        ("raise KeyboardInterrupt", "exit"),
        ("return f()", "recursion"),
        ("import nonexistent_package", "import"),
        ("raise NotImplementedError('exercise 1.1')", "not_implemented"),
        ("return [f.__code__] * 300_000", "unsendable"),
        ("return 'x' * 10**6", "unsendable"),
        ("x = []; x.append(x); return x", "unsendable"),
    ],
)
def test_errors_have_a_kind(student_of: Any, body: str, kind: str) -> None:
    """Each way of not giving an answer has a kind of its own; the worker lives on."""
    student = student_of(f"def f():\n    {body}\ndef g(): return 1\n")
    with pytest.raises(StudentError) as caught:
        student.f()
    assert caught.value.kind == kind
    assert student.g() == 1


def test_printing_without_end_is_forgotten(student_of: Any) -> None:
    """100 MB of prints keep a few kilobytes and cost no points."""
    student = student_of("def f():\n    for _ in range(1000): print('x' * 100_000)\n    return 1")
    assert student.f() == 1
    assert len(student._channel.output) < 20_000


def test_data_sets_are_within_reach(student_of) -> None:
    """A student's file may load the course's data with gdgrade.data, however gdgrade was installed."""
    student = student_of(
        """
        from gdgrade.data import load

        IMAGES = load("mnist-small")

        def size():
            return len(IMAGES["x_train"])
        """
    )
    assert student.size() == 6000
