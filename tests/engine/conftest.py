"""Workers and little courses for tests of the engine."""

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gdgrade.judge.channel import WorkerChannel
from gdgrade.judge.job import Job, PartInfo
from gdgrade.judge.student import Student
from gdgrade.judging import run
from gdgrade.processes.launcher import Settings, WorkerLimits, Zygote


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """One zygote with torch imported, for all tests of the session."""
    made = Zygote(Settings(preload=("torch",)))
    made.wait_ready()
    yield made
    made.close()


MakeStudent = Callable[..., Student]


@pytest.fixture
def student_of(zygote: Zygote) -> Iterator[MakeStudent]:
    """A function: source text -> the proxy of that code in a confined worker."""
    channels: list[WorkerChannel] = []

    def make(source: str, *, seconds: float = 20, memory_mib: int = 512, library: str = "torch") -> Student:
        limits = WorkerLimits(cpu_seconds=int(seconds) + 2, memory_bytes=memory_mib << 20)
        channel = WorkerChannel(zygote, limits, seconds)
        channels.append(channel)
        channel.send_load(textwrap.dedent(source), "answer", "answer.py", library)
        channel.load_reply()
        return Student(channel, library)

    yield make
    for channel in channels:
        channel.end()


class Course:
    """A course of one exercise in a temporary folder."""

    def __init__(self, root: Path, zygote: Zygote) -> None:
        self.root = root
        self.zygote = zygote
        self.parts: tuple[PartInfo, ...] = (PartInfo("1.1", "first", 2),)
        for kind in ("graders", "reference"):
            (root / kind / "ex01_tiny").mkdir(parents=True)

    def write(self, reference: str = "", checks: str = "", mistakes: str = "") -> None:
        graders = self.root / "graders/ex01_tiny"
        (self.root / "reference/ex01_tiny/tiny.py").write_text(textwrap.dedent(reference))
        (graders / "test_it.py").write_text(textwrap.dedent(checks))
        if mistakes:
            (graders / "mistakes.py").write_text(textwrap.dedent(mistakes))

    def job(self, source: str, **changes: Any) -> Job:
        fields: dict[str, Any] = {"parts": self.parts, "preload": ("torch",), "seconds": 10.0, **changes}
        source = textwrap.dedent(source)
        return Job(str(self.root), "ex01_tiny", "tiny.py", source, "tiny.py", **fields)

    def judge(self, source: str, **changes: Any) -> dict[str, Any]:
        """Outcomes by the checks' function names."""
        job = self.job(source, **changes)
        result = run(job, None if job.start_method == "spawn" else self.zygote)
        assert result["errors"] == [], result
        return {outcome["id"].split("/")[-1]: outcome for outcome in result["outcomes"]}


@pytest.fixture
def course(tmp_path: Path, zygote: Zygote) -> Course:
    return Course(tmp_path, zygote)
