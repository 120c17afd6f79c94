"""The seccomp filter alone, installed: attacks that work in a free child and not in a filtered one."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import mmap
import os
import platform
import resource
import signal
import socket
import threading

import pytest

from gdgrade.confine.kernel import Kernel
from gdgrade.confine.seccomp import Filter
from gdgrade.confine.syscalls import MACHINES, REFUSED

MACHINE = platform.machine()
pytestmark = pytest.mark.skipif(MACHINE not in MACHINES, reason="no table of system calls for this processor")
_COLUMN = MACHINES[MACHINE][1] if MACHINE in MACHINES else 0


def number(name):
    """The call's number on this machine."""
    return REFUSED[name][_COLUMN]


def filtered(work, allow_fork=False):
    """The work, done under the filter."""

    def run(channel):
        kernel = Kernel()
        kernel.prctl(38, 1)
        kernel.install_filter(Filter(MACHINE, allow_fork=allow_fork).program(os.getpid()))
        return work()

    return run


def _fork():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return os.waitpid(pid, 0)[1]


def _set_owner():
    import fcntl

    read, _ = os.pipe()
    return fcntl.fcntl(read, fcntl.F_SETSIG, signal.SIGKILL)


ATTACKS = {
    "UDP socket": lambda p, c: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
    "UNIX socket": lambda p, c: socket.socket(socket.AF_UNIX).close(),
    "datagram pair": lambda p, c: len(socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)),
    "fork": lambda p, c: _fork(),
    "signal the parent": lambda p, c: os.kill(os.getppid(), 0),
    "limit the parent": lambda p, c: resource.prlimit(os.getppid(), resource.RLIMIT_CORE),
    "renice": lambda p, c: os.setpriority(os.PRIO_PROCESS, 0, 5),
    "pin to a core": lambda p, c: os.sched_setaffinity(0, os.sched_getaffinity(0)),
    "leave the session": lambda p, c: os.setsid(),
    "signal by descriptor": lambda p, c: _set_owner(),
    "pidfd of the parent": lambda p, c: os.pidfd_open(os.getppid()),
    "chmod": lambda p, c: (p / "scratch").chmod(0o777),
    "utime": lambda p, c: os.utime(p / "scratch"),
    "symbolic link": lambda p, c: (p / "scratch" / "link").symlink_to("/etc/passwd"),
    "hard link": lambda p, c: os.link(p / "scratch" / "own", p / "scratch" / "hard"),
    "FIFO": lambda p, c: os.mkfifo(p / "scratch" / "fifo"),
    "memfd": lambda p, c: os.memfd_create("x"),
    "SysV shared memory": lambda p, c: c(number("shmctl"), c(number("shmget"), 0, 4096, 0o600), 0, 0),
    "read memory by call": lambda p, c: c(number("process_vm_readv"), os.getpid(), 0, 0, 0, 0, 0),
    "be traced": lambda p, c: c(number("ptrace"), 0, 0, 0, 0),
    "user namespace": lambda p, c: c(number("unshare"), 0x10000000),
    "keyring": lambda p, c: c(number("keyctl"), 0, -3, 1),
    "io_uring": lambda p, c: c(number("io_uring_setup"), 1, ctypes.create_string_buffer(200)),
    "own filter": lambda p, c: c(number("seccomp"), 2, 0, ctypes.c_char_p(b"\x00\x00\xff\x7f")),
    "become dumpable": lambda p, c: Kernel().prctl(4, 1),
    "outlive the parent": lambda p, c: Kernel().prctl(1, 0),
}


@pytest.mark.parametrize("what", ATTACKS)
def test_attack_is_refused(what, place, in_fork, syscall, user):
    """Each attack works in a free child (else it proves nothing and is skipped) and gets EPERM under the filter."""
    if user:
        os.chown(place / "scratch", user, user)
    own = place / "scratch" / "own"
    own.write_text("", encoding="ascii")
    if user:
        os.chown(own, user, user)

    confined = in_fork(filtered(lambda: ATTACKS[what](place, syscall) and None), user)

    assert confined.errno == errno.EPERM, confined
    assert [entry.name for entry in (place / "scratch").iterdir()] == ["own"]
    free = in_fork(lambda channel: ATTACKS[what](place, syscall) and None, user)
    if free.raised is not None:
        pytest.skip(f"this machine refuses it anyway: {free.text}")


def test_exec_is_refused(in_fork):
    """Another program can be started by a free child only."""
    execute = lambda: os.execv("/bin/true", ["true"])  # noqa: E731
    assert in_fork(lambda channel: execute()).status == 0
    assert in_fork(filtered(execute)).errno == errno.EPERM


@pytest.mark.skipif(MACHINE != "x86_64", reason="int 0x80 is an instruction of x86")
def test_32_bit_call_ends_the_process(in_fork):
    """A call through the 32-bit gate, where numbers mean other calls, ends the worker with SIGSYS."""

    def gate():
        code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20 (getpid); int 0x80; ret
        address = ctypes.addressof(ctypes.c_char.from_buffer(code))
        return ctypes.CFUNCTYPE(ctypes.c_int)(address)() == os.getpid()

    free = in_fork(lambda channel: gate())
    if not free.value:
        pytest.skip("this kernel has no 32-bit gate")
    assert in_fork(filtered(gate)).signal == signal.SIGSYS


def test_unknown_call_does_not_exist(in_fork, syscall):
    """A call that is newer than the table looks as on a kernel that lacks it."""
    assert in_fork(filtered(lambda: syscall(1000))).errno == errno.ENOSYS
    assert in_fork(filtered(lambda: syscall(457, 0, 0, 0, 0))).errno == errno.ENOSYS  # statmount, Linux 6.8


def test_honest_calls_work(in_fork, place):
    """Threads, asyncio, its own signals and limits, and files stay usable under the filter."""

    def work():
        done = []
        threads = [threading.Thread(target=done.append, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        signal.signal(signal.SIGUSR1, lambda *_: done.append("signal"))
        signal.raise_signal(signal.SIGUSR1)
        done.append(asyncio.run(asyncio.sleep(0, "async")))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        (place / "scratch" / "file").write_bytes(b"x" * 1000)
        (place / "scratch" / "file").replace(place / "scratch" / "renamed")
        return len(done), (place / "scratch" / "renamed").stat().st_size

    assert in_fork(filtered(work)).value == [6, 1000]


def test_allowed_fork_is_only_a_fork(in_fork):
    """With allow_fork a process can be started, and that one cannot exec or leave the session either."""

    def work():
        pid = os.fork()
        if pid == 0:
            refused = 0
            for attack in (lambda: os.execv("/bin/true", ["true"]), os.setsid):
                try:
                    attack()
                except PermissionError:
                    refused += 1
            os._exit(refused)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    assert in_fork(filtered(work, allow_fork=True)).value == 2
