"""A tiny torch course, judged by judges that are forked from one that is ready, so that a wrong answer costs little."""

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gdgrade.judge.job import Job, PartInfo
from gdgrade.processes.judges import JudgePool
from gdgrade.processes.launcher import Settings

REFERENCE = """
import torch
from torch import nn


def step(x, score_fn, eta, noise):
    return x + eta / 2 * score_fn(x) + eta**0.5 * noise


def moments(x):
    return x.mean(dim=0), x.var(dim=0)


def total(x):
    return x.square().sum()


def make_net(width):
    return nn.Linear(2, width)
"""
CHECKS = '''
import torch
from gdgrade.checks import agrees, check, require


def pull(x):
    return -x


class Shift(torch.nn.Module):
    """A network that is given to the student."""

    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(2, 2)

    def forward(self, x):
        return self.inner(x)


def slope(module, x):
    import torch

    x = x.clone().requires_grad_(True)
    return torch.autograd.grad(module.total(x), x)[0]


def output_of(net, x):
    return net(x)


@check("1", points=1)
def test_step(student, reference, draw):
    """One step."""
    x, noise = draw.normal(64, 2), draw.normal(64, 2)
    agrees(student.step, reference.step, x, pull, 0.5, noise, means="one vector per particle")


@check("2", points=1)
def test_moments(student, reference, draw):
    """Mean and variance."""
    agrees(student.moments, reference.moments, draw.normal(9, 2), means=("one mean per axis", "one variance per axis"))


@check("3", points=1)
def test_slope(student, reference, draw):
    """The gradient of the sum of squares."""
    x = draw.normal(5, 2)
    require(torch.allclose(student.run(slope, student.module, x), 2 * x), "the gradient is wrong")


@check("4", points=1)
def test_given_net(student, reference, draw):
    """A step with a network for a score."""
    agrees(student.step, reference.step, draw.normal(8, 2), Shift(), 0.5, draw.normal(8, 2))


@check("5", points=1)
def test_net(student, draw):
    """A network of the right width."""
    require(student.run(output_of, student.make_net(3), draw.normal(4, 2)).shape == (4, 3), "the width is wrong")
'''


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course's folder; its path has the parts that may be in no message."""
    root = tmp_path_factory.mktemp("gdgrade") / "course"
    for folder, name, text in (("reference", "tiny.py", REFERENCE), ("graders", "test_it.py", CHECKS)):
        (root / folder / "ex01_tiny").mkdir(parents=True)
        (root / folder / "ex01_tiny" / name).write_text(text)
    return root


@pytest.fixture(scope="session")
def pool(root: Path) -> Iterator[JudgePool]:
    made = JudgePool(job(root, ""), Settings(preload=("torch",)))
    yield made
    made.close()


def job(root: Path, source: str, **changes: Any) -> Job:
    parts = tuple(PartInfo(str(number), f"part {number}", 1) for number in range(1, 6))
    fields: dict[str, Any] = {"parts": parts, "preload": ("torch",), "seconds": 20.0, "memory_mib": 512, **changes}
    return Job(str(root), "ex01_tiny", "tiny.py", source, "tiny.py", **fields)


@pytest.fixture(scope="session")
def reference() -> str:
    """A right answer."""
    return REFERENCE


@pytest.fixture(scope="session")
def judged_all(root: Path, pool: JudgePool) -> Callable[..., list[dict[str, Any]]]:
    """A function: source text -> the outcomes of all checks on that file."""

    def judge(source: str, **changes: Any) -> list[dict[str, Any]]:
        result = pool.judge(job(root, textwrap.dedent(source), **changes))
        assert not result["errors"], result
        return list(result["outcomes"])

    return judge


@pytest.fixture(scope="session")
def judged(judged_all: Callable[..., list[dict[str, Any]]]) -> Callable[..., dict[str, Any]]:
    """A function: check, source text -> the outcome of that check on that file."""

    def judge(check: str, source: str, **changes: Any) -> dict[str, Any]:
        (outcome,) = judged_all(source, only_checks=(f"it/{check}",), **changes)
        return outcome

    return judge
