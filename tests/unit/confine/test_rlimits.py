"""Resource limits alone."""

from __future__ import annotations

import errno
import mmap
import os
import resource
import signal
import time
from dataclasses import replace

import pytest

from gdgrade.confine import Limits
from gdgrade.confine.rlimits import apply_limits, mapped_bytes, threads_of_user


def limited(attack, limits, most_threads=None):
    """The attack, made under the limits."""

    def work(channel):
        apply_limits(limits, most_threads=most_threads)
        return attack()

    return work


def test_memory_beyond_the_budget_is_refused(in_fork, limits, user):
    """A map of 300 MiB fails with a budget of 256, and 100 MiB still fit: what Python maps already is not counted."""
    map_mib = lambda mib: mmap.mmap(-1, mib << 20).close()  # noqa: E731
    small = replace(limits, memory_bytes=256 << 20)
    assert in_fork(lambda channel: map_mib(300), user).raised is None
    assert in_fork(limited(lambda: map_mib(300), small), user).errno == errno.ENOMEM

    def with_much_mapped_before(channel):
        before = mmap.mmap(-1, 400 << 20)
        limited(lambda: map_mib(100), small)(channel)
        before.close()

    assert in_fork(with_much_mapped_before, user).raised is None


def test_large_file_is_refused(in_fork, limits, place):
    """Writing beyond the limit fails with EFBIG, and the file on disk stays within it."""
    large = place / "scratch" / "large"

    def write():
        with large.open("wb", buffering=0) as file:
            for _ in range(20):
                file.write(b"x" * 100_000)

    assert in_fork(lambda channel: write()).raised is None
    assert large.stat().st_size == 2_000_000
    assert in_fork(limited(write, replace(limits, file_bytes=1 << 20))).errno == errno.EFBIG
    assert large.stat().st_size <= 1 << 20


def test_descriptors_run_out(in_fork, limits):
    """No more than open_files descriptors can be open."""
    small = replace(limits, open_files=20)
    assert in_fork(lambda channel: len([os.pipe() for _ in range(30)])).value == 30
    assert in_fork(limited(lambda: len([os.pipe() for _ in range(30)]), small)).errno == errno.EMFILE


@pytest.mark.parametrize(("ignore", "ending"), [(False, signal.SIGXCPU), (True, signal.SIGKILL)])
def test_endless_loop_ends(in_fork, limits, ignore, ending):
    """A loop is ended at its CPU limit, one second later if it ignores the warning."""

    def spin():
        if ignore:
            signal.signal(signal.SIGXCPU, signal.SIG_IGN)
        until = time.process_time() + 30
        while time.process_time() < until:
            pass
        return "free"

    assert in_fork(limited(spin, replace(limits, cpu_seconds=1))).signal == ending


def test_limits_cannot_be_raised_again(in_fork, limits, user):
    """The hard limits hold for an ordinary user; root loses that right with its capabilities."""
    from gdgrade.confine.kernel import Kernel

    def work(channel):
        apply_limits(limits, most_threads=None)
        Kernel().keep_capabilities(())
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits.open_files + 1,) * 2)

    assert in_fork(work, user).raised in {"ValueError", "PermissionError"}


def test_lower_limit_from_outside_is_kept(in_fork, limits):
    """A limit that is already lower, as on a cluster, is neither raised nor a failure."""

    def work(channel):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        apply_limits(limits, most_threads=None)
        return resource.getrlimit(resource.RLIMIT_FSIZE)

    assert in_fork(work).value == [1000, 1000]


def test_processes_are_limited_where_fork_is_allowed(in_fork, limits):
    """With RLIMIT_NPROC an ordinary user's fork bomb stops at the number given."""
    if os.geteuid() != 0:
        pytest.skip("needs a user id of its own to count processes")

    def bomb():
        children = []
        try:
            for _ in range(30):
                pid = os.fork()
                if pid == 0:
                    time.sleep(60)
                    os._exit(0)
                children.append(pid)
        except BlockingIOError:
            pass
        finally:
            for pid in children:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        return len(children)

    user = 54399
    assert in_fork(lambda channel: bomb(), user).value == 30
    assert in_fork(limited(bomb, limits, most_threads=threads_of_user(user) + 6), user).value == 5


def test_own_threads_and_memory_are_counted():
    """The two readings of /proc see at least this process."""
    assert threads_of_user(os.getuid()) >= 1
    assert mapped_bytes() > 1 << 20


@pytest.mark.parametrize("wrong", [{"cpu_seconds": 0}, {"memory_bytes": 0}, {"processes": -1}, {"file_bytes": -1}])
def test_senseless_limits_are_refused(wrong):
    """Limits that no worker could live with are an error at once, naming the field."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Limits(**{"cpu_seconds": 1, "memory_bytes": 1 << 20, **wrong})
