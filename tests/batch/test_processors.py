"""Which processor the jobs of a batch keep to."""

import os

import pytest

from gdgrade.batch.grading import processors_for
from gdgrade.processes.launcher import Settings, WorkerLimits, Zygote


def test_one_each_where_there_are_enough_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """In turn over the processors that this process may use; with idle ones, or a single one, jobs run anywhere."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 1}, raising=False)
    assert processors_for(1) == [None]
    assert processors_for(2) == [1, 3]
    assert processors_for(3) == [1, 3, 1]
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {5}, raising=False)
    assert processors_for(2) == [None, None]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes cannot be kept to a processor here")
def test_a_worker_runs_where_its_judge_does() -> None:
    """The judge's processor is its workers' as well, and an impossible one changes nothing."""
    before = os.sched_getaffinity(0)
    zygote = Zygote(Settings(preload=()))
    try:
        zygote.wait_ready()
        zygote.keep_to(max(before) + 1000)
        assert os.sched_getaffinity(0) == before
        zygote.keep_to(min(before))
        worker = zygote.worker(WorkerLimits(cpu_seconds=5, memory_bytes=256 << 20))
        worker.sock.recv(1)  # it has announced itself
        assert os.sched_getaffinity(worker.pid) == {min(before)}
        worker.end()
    finally:
        os.sched_setaffinity(0, before)
        zygote.close()
