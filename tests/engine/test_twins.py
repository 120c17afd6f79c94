"""Zygotes that are forked by a zygote: one for each job of a batch."""

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from gdgrade.judge.channel import WorkerChannel
from gdgrade.processes.judges import JudgePool
from gdgrade.processes.launcher import LaunchError, Settings, WorkerLimits, Zygote, ZygoteClient
from gdgrade.processes.processors import keep_to

LIMITS = WorkerLimits(cpu_seconds=5, memory_bytes=256 << 20)
ANSWER = "def double(x):\n    return 2 * x\n"
CHECKS = """
    from gdgrade.checks import agrees, check

    @check("1.1", points=2)
    def test_double(student, reference, draw):
        agrees(student.double, reference.double, draw.normal(3))
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes cannot be kept to a processor")


@pytest.fixture
def processor() -> int:
    return min(os.sched_getaffinity(0))


def state_of(pid: int) -> list[str]:
    """What the kernel says of a process after its name: state, parent, ..."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def user_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def gone(pid: int) -> bool:
    """Whether a process ends within five seconds; one that nobody has reaped yet counts."""
    for _ in range(500):
        try:
            if state_of(pid)[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False


def parent_of(pid: int) -> int:
    return int(state_of(pid)[1])


def test_a_twin_forks_confined_workers(zygote: Zygote, processor: int) -> None:
    """They answer, run where the twin runs, are as confined as others, and have a user of their own."""
    twin = zygote.twin(processor)
    channel = WorkerChannel(twin, LIMITS, 5)
    other = WorkerChannel(zygote, LIMITS, 5)
    try:
        for one in (channel, other):
            one.send_load(ANSWER, "answer", "answer.py", "torch")
        assert channel.load_reply() == {**other.load_reply(), "layers": channel.confinement["layers"]}
        assert set(channel.confinement["layers"]) == set(other.confinement["layers"])
        pids = [one._worker.pid for one in (channel, other) if one._worker is not None]
        assert os.sched_getaffinity(pids[0]) == {processor}
        assert parent_of(pids[0]) != parent_of(pids[1])
        if os.geteuid() == 0:
            assert user_of(pids[0]) != user_of(pids[1])
    finally:
        channel.end()
        other.end()
        twin.close()


def test_a_twin_ends_with_its_client_and_takes_its_workers_along(zygote: Zygote, processor: int) -> None:
    twin = zygote.twin(processor)
    worker = twin.worker(LIMITS)
    worker.sock.recv(1)
    ours = parent_of(worker.pid)
    twin.close()
    assert gone(worker.pid)
    assert gone(ours)
    worker.sock.close()


def test_a_twin_ends_with_the_zygote(processor: int) -> None:
    """Even if that one is killed and cleans nothing up."""
    zygote = Zygote(Settings(preload=()))
    zygote.wait_ready()
    twin = zygote.twin(processor)
    worker = twin.worker(LIMITS)
    worker.sock.recv(1)
    ours = parent_of(worker.pid)
    os.kill(parent_of(ours), signal.SIGKILL)
    assert gone(ours)
    assert gone(worker.pid)
    with pytest.raises(LaunchError):
        twin.worker(LIMITS)
    twin.close()
    worker.sock.close()
    zygote.close()


def test_a_hung_up_client_of_a_twin_costs_others_nothing(zygote: Zygote, processor: int) -> None:
    twin = zygote.twin(processor)
    clients = []
    for _ in range(2):
        ours, theirs = socket.socketpair()
        with theirs:
            twin.adopt(theirs)
        clients.append(ZygoteClient(ours))
    workers = [client.worker(LIMITS) for client in clients]
    clients[0].close()
    assert gone(workers[0].pid)
    assert workers[1].sock.recv(1)
    workers[1].end()
    for worker in workers:
        worker.sock.close()
    clients[1].close()
    twin.close()


def test_a_pool_replaces_a_twin_that_was_killed(course, processor: int) -> None:
    """The next submission on that processor gets a new one; nothing of it shows in the verdict."""
    course.write(ANSWER, CHECKS)
    job = course.job(ANSWER, extra={"processor": processor, "in_turn": True})
    pool = JudgePool(job, Settings(preload=("torch",)))
    try:
        first = pool.judge(job)["outcomes"][0]
        client = pool._twins[processor]
        worker = client.worker(LIMITS)
        os.kill(parent_of(worker.pid), signal.SIGKILL)
        assert gone(worker.pid)
        worker.sock.close()
        second = pool.judge(job)["outcomes"][0]
        assert first["outcome"] == second["outcome"] == "passed"
        assert pool._twins[processor] is not client
    finally:
        pool.close()


def test_an_impossible_processor_changes_nothing() -> None:
    before = os.sched_getaffinity(0)
    assert not keep_to((max(before) + 1000,))
    assert not keep_to(())
    assert os.sched_getaffinity(0) == before


def test_a_judge_holds_its_own_ends_only() -> None:
    """Two sockets, to its job and to the zygote: with the zygote's own end as well it would outwait a dead zygote."""
    zygote = Zygote(Settings(preload=()))
    zygote.wait_ready()
    try:
        job, pid = zygote.judge()
        for _ in range(500):  # it closes what it inherited right after its fork
            held = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
            sockets = [target for target in held if target.startswith("socket:")]
            if len(sockets) == 2:
                break
            time.sleep(0.01)
        assert len(sockets) == 2
        job.close()
    finally:
        zygote.close()
