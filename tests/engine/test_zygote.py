"""The zygote: clean, single-threaded, and the end of everything it forked."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gdgrade.judge.channel import WorkerChannel
from gdgrade.judge.student import Student
from gdgrade.processes.launcher import LaunchError, Settings, WorkerLimits, Zygote
from gdgrade.wire.frames import receive_frame

LIMITS = WorkerLimits(cpu_seconds=10, memory_bytes=256 << 20)
WORK = "import torch\ndef f(x): return (x @ x.T).sum(), torch.linalg.svd(x)[1].sum()\n"


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def gone_within(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


def test_a_thousand_forks_without_a_hang(zygote: Zygote) -> None:
    """A thousand confined workers in turn all compute the same number; none hangs."""
    import torch

    x = torch.arange(12.0, dtype=torch.float64).reshape(4, 3)
    answers = set()
    for _ in range(1000):
        channel = WorkerChannel(zygote, LIMITS, 10)
        channel.send_load(WORK, "work", "work.py", "torch")
        channel.load_reply()
        answers.add(tuple(value.item() for value in Student(channel).f(x)))
        channel.end()
    assert len(answers) == 1


def test_it_forks_from_one_thread() -> None:
    """After its imports the zygote has one thread, so that a fork cannot inherit a locked pool."""
    zygote = Zygote(Settings(preload=("torch", "numpy", "scipy")))
    try:
        assert zygote.wait_ready()["threads"] == 1
    finally:
        zygote.close()


def test_its_environment_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the zygote nor a worker has anything of the caller's environment that could be secret."""
    monkeypatch.setenv("GDGRADE_SECRET_SEED", "CANARY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "CANARY")
    zygote = Zygote(Settings(preload=()))
    try:
        zygote.wait_ready()
        worker = zygote.worker(LIMITS)
        places = [Path(f"/proc/{pid}/environ") for pid in (zygote._process.pid, worker.pid)]
        assert all(b"CANARY" not in place.read_bytes() for place in places)
        worker.end()
    finally:
        zygote.close()


def test_closing_ends_everything() -> None:
    """When its client hangs up, workers and judges die and the scratch folders are deleted."""
    zygote = Zygote(Settings(preload=()))
    zygote.wait_ready()
    workers = [zygote.worker(LIMITS) for _ in range(3)]
    job, judge = zygote.judge()
    zygote.close()
    for sock in (job, *(worker.sock for worker in workers)):
        sock.close()
    assert all(gone_within(pid, 5) for pid in [judge, *(worker.pid for worker in workers)])


def test_killing_the_client_ends_everything(tmp_path: Path) -> None:
    """A client that is killed with SIGKILL leaves neither processes nor folders."""
    program = (
        "import sys, time\n"
        "from gdgrade.processes.launcher import *\n"
        "z = Zygote(Settings(preload=())); z.wait_ready()\n"
        "w = [z.worker(WorkerLimits(5, 1 << 28)) for _ in range(2)]\n"
        "print(z._process.pid, *[x.pid for x in w], flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    client = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment)
    assert client.stdout is not None
    pids = [int(word) for word in client.stdout.readline().split()]
    assert all(alive(pid) for pid in pids)
    assert list(tmp_path.iterdir())
    client.kill()
    client.wait()
    client.stdout.close()
    assert all(gone_within(pid, 10) for pid in pids)
    assert list(tmp_path.iterdir()) == []


def test_a_dead_judge_takes_its_workers_along(zygote: Zygote) -> None:
    """A judge that is killed is noticed at its control socket, and nothing of it goes on."""
    job, pid = zygote.judge()
    os.kill(pid, signal.SIGKILL)
    assert gone_within(pid, 5)
    job.close()
    assert "signal" in zygote.worker(LIMITS).end()  # and the zygote still serves


def test_siblings_have_users_of_their_own(zygote: Zygote) -> None:
    """As root every living worker is another unprivileged user."""
    if os.geteuid() != 0:
        pytest.skip("only root can change users")
    workers = [zygote.worker(LIMITS) for _ in range(3)]
    try:
        hellos = [receive_frame(worker.sock, deadline=time.monotonic() + 10).header for worker in workers]
        users = {hello["confinement"]["layers"]["uid"] for hello in hellos}
        assert len(users) == 3
    finally:
        for worker in workers:
            worker.end()


def test_strict_refuses_without_a_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be confined as demanded is refused with the layer's name, as an error of the machine."""
    from gdgrade import confine

    if not sys.platform.startswith("linux"):
        pytest.skip("Linux only")
    with pytest.raises(confine.ConfinementError, match="landlock"):
        confine.prepare(confine.Policy(mode="strict", readable=(), limits=confine.Limits(1, 1 << 28)), max_abi=0)


def test_unknown_requests_are_refused(zygote: Zygote) -> None:
    """A request that the zygote does not know is an answer with an error, not its end."""
    with pytest.raises(LaunchError, match="unknown request"):
        zygote._ask({"op": "nonsense"})
    assert "signal" in zygote.worker(LIMITS).end()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave the network")
def test_as_root_no_worker_shares_the_hosts_network(zygote: Zygote) -> None:
    """Judges and workers have an empty network namespace, and the host keeps its own."""

    def network(pid: int | str) -> str:
        return os.readlink(f"/proc/{pid}/ns/net")  # noqa: PTH115

    before = network("self")
    worker = zygote.worker(LIMITS)
    assert network(worker.pid) != before
    devices = Path(f"/proc/{worker.pid}/net/dev").read_text().split("\n")[2:]
    assert [line.split(":")[0].strip() for line in devices if line] == ["lo"]
    worker.end()
    assert network("self") == before
