"""Which processor the jobs of a batch keep to."""

import os
import threading

import pytest

from gdgrade.batch.slots import Slots, processors_for
from gdgrade.processes.launcher import Settings, WorkerLimits, Zygote


def test_each_job_keeps_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """In turn over the processors that this process may use; where there is a single one, nothing is to be chosen."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 1}, raising=False)
    assert processors_for(1) == [1]
    assert processors_for(2) == [1, 3]
    assert processors_for(3) == [1, 3, 1]
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {5}, raising=False)
    assert processors_for(2) == [None, None]


def test_no_more_are_judged_at_once_than_there_are_slots() -> None:
    """Three threads and two slots: two are inside at a time, each on a processor of its own, and all come to an end."""
    slots, inside, most, lock = Slots(2), [], [], threading.Lock()

    def judge() -> None:
        for _ in range(20):
            with slots.one() as processor:
                with lock:
                    inside.append(processor)
                    most.append(len(inside))
                    assert len(set(inside)) == len(inside) or None in inside
                with lock:
                    inside.remove(processor)

    threads = [threading.Thread(target=judge) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(most) == 60
    assert max(most) <= 2


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
