"""Explanations of errors, without any process: what is believed of a worker, and what is kept from a student."""

import pytest

from gdgrade.failures import SourceLine, StudentError
from gdgrade.judge.explain import explanation, given_sentence, memory_sentence, without_internals


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('File "/opt/venv/lib/python3.11/site-packages/gdgrade/worker/serve.py", line 4', 'File "...", line 4'),
        ("/srv/course/graders/ex05_langevin/test_step.py:12", "...:12"),
        ("/srv/course/reference/ex05_langevin/langevin.py", "..."),
        (r"C:\Users\a\gdgrade\worker\spies.py", "..."),
        ("<module 'gdgrade.worker.serve'>", "<module '...'>"),
        ("gdgrade_reference_ex05_plain.f", "..."),
        ("/home/alice/data/digits.npz", "/home/alice/data/digits.npz"),
        ("x / y / graders", "x / y / graders"),
        ("no path at all", "no path at all"),
    ],
)
def test_internals_are_taken_out(text: str, shown: str) -> None:
    """Paths and modules of the grader, the course's secrets and libraries; the student's own paths stay."""
    assert without_internals(text) == shown


def test_a_long_text_of_slashes_is_read_quickly() -> None:
    """Whatever a worker sends as a message costs a bounded time."""
    for text in ("/" * 2000, "/a" * 1000, "/gdgrade" * 250, "a/" * 1000 + "gdgrade", "C:" * 1000):
        without_internals(text)


def test_details_of_a_worker_are_believed_in_part() -> None:
    """Only the known keys, only text, only so much of it."""
    sent = {"kind": "exception", "type": "NameError", "message": "name 'a' is not defined", "frames": []}
    error = StudentError.from_wire({**sent, "details": {"near": "b" * 999, "given": 7, "other": "x"}}, "f")
    assert error.details == {"near": "b" * 200}
    for strange in (None, [], "text", {"near": None}):
        assert StudentError.from_wire({**sent, "details": strange}, "f").details == {}


def test_what_speaks_for_itself_is_not_explained() -> None:
    """An error that the student raises is theirs; a name like none gets no advice."""
    assert explanation(StudentError("exception", "ValueError", "eta must be positive")) == ""
    assert explanation(StudentError("exception", "NameError", "name 'qqq' is not defined")) == ""
    assert given_sentence(StudentError("exception", "ValueError", "", (), "f", {"given": "pull"})) == ""  # no own line


def test_hooks_of_the_grader_are_not_called_given() -> None:
    """torch runs into `__torch_dispatch__` by itself; a network that the student was handed is named."""
    line = SourceLine("ddpm.py", 94, "forward", "return torch.cat([u, a], 1)")
    told = [
        given_sentence(StudentError("exception", "RuntimeError", "", (line,), "UNet", {"given": name}))
        for name in ("__torch_dispatch__", "pull")
    ]
    assert told[0] == ""
    assert "pull" in told[1]


@pytest.mark.parametrize(
    ("message", "amount"),
    [
        (
            "[enforce fail at alloc_cpu.cpp:121] err == 0. you tried to allocate 1073741824 bytes. Error code 12",
            "1 GiB",
        ),
        ("Unable to allocate 74.5 GiB for an array with shape (100000, 100000)", "74.5 GiB"),
    ],
)
def test_memory_is_told_in_one_unit(message: str, amount: str) -> None:
    assert memory_sentence(message, 512) == f"{amount} of memory wanted at once; 512 MiB are allowed"


def test_memory_without_a_number() -> None:
    assert memory_sentence("std::bad_alloc", 512) == "more than 512 MiB of memory wanted: std::bad_alloc"
