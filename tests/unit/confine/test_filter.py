"""The seccomp program itself, run by a small interpreter: so both processors are tested on either."""

from __future__ import annotations

import errno
import re
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdgrade.confine.seccomp import Filter, UnsupportedMachineError
from gdgrade.confine.syscalls import LAST_KNOWN, MACHINES, REFUSED

ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
PID = 4242

# What Python and torch cannot do without: read, write, mmap, futex, openat, getpid, exit_group.
NEEDED = {"x86_64": (0, 1, 9, 202, 257, 39, 231), "aarch64": (63, 64, 222, 98, 56, 172, 94)}


def run(program: bytes, number: int, arguments: tuple[int, ...] = (), architecture: int = 0) -> int:
    """What the kernel would decide: classic BPF over struct seccomp_data."""
    values = (*arguments, *[0] * (6 - len(arguments)))
    data = struct.pack("=IIQ6Q", number & 0xFFFFFFFF, architecture, 0, *(v & (2**64 - 1) for v in values))
    accumulator, at = 0, 0
    while True:
        code, if_true, if_false, constant = struct.unpack_from("HBBI", program, 8 * at)
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, constant)
        elif code == 0x54:
            accumulator &= constant
        elif code == 0x06:
            return constant
        else:
            hit = {0x15: accumulator == constant, 0x35: accumulator >= constant, 0x45: bool(accumulator & constant)}
            at += if_true if hit[code] else if_false


@pytest.fixture(params=sorted(MACHINES))
def decide(request):
    """decide(number or name, *arguments): the filter's answer on one machine."""
    machine = request.param
    architecture, column, _ = MACHINES[machine]
    program = Filter(machine).program(PID)

    def answer(call, *arguments):
        number = REFUSED[call][column] if isinstance(call, str) else call
        return None if number is None else run(program, number, arguments, architecture)

    answer.machine, answer.program = machine, program
    return answer


JUDGED_BY_ARGUMENT = {"kill", "tgkill", "prlimit64", "fcntl", "ioctl", "prctl", "clone", "clone3", "socketpair"}


def test_listed_calls_are_refused(decide):
    """Every call of the table that is not judged by its arguments gets EPERM."""
    for name in REFUSED.keys() - JUDGED_BY_ARGUMENT:
        assert decide(name) in (EPERM, None), name


def test_needed_calls_are_allowed(decide):
    """The filter lets pass what Python lives on."""
    for number in NEEDED[decide.machine]:
        assert decide(number) == ALLOW


def test_unknown_numbers_do_not_exist(decide):
    """Numbers above the table, and in the gap of the old tables, look like calls the kernel does not have."""
    old_last = MACHINES[decide.machine][2]
    for number in (LAST_KNOWN + 1, 470, 1000, 0x3FFFFFFF, old_last + 1, 400, 423):
        assert decide(number) == ENOSYS, number
    assert decide(439) == ALLOW  # faccessat2: the first number after the gap that Python uses


@pytest.mark.parametrize(
    ("call", "arguments", "wanted"),
    [
        ("kill", (PID, 9), ALLOW),
        ("kill", (PID + 1, 9), EPERM),
        ("kill", (0, 9), EPERM),
        ("kill", (-1, 9), EPERM),
        ("kill", (-PID, 9), EPERM),
        ("tgkill", (PID, PID, 6), ALLOW),
        ("tgkill", (1, 1, 9), EPERM),
        ("prlimit64", (0, 7), ALLOW),
        ("prlimit64", (PID, 7), ALLOW),
        ("prlimit64", (1, 0), EPERM),
        ("clone", (0x3D0F00,), ALLOW),  # what glibc passes for a thread
        ("clone", (0x1200011,), EPERM),  # what glibc passes for fork
        ("clone", (0x3D0F00 | 0x10000000,), EPERM),  # a thread in a new user namespace
        ("clone3", (), ENOSYS),  # glibc falls back to clone only for this
        ("fcntl", (3, 1), ALLOW),
        ("fcntl", (3, 8), EPERM),  # F_SETOWN
        ("fcntl", (3, 10), EPERM),  # F_SETSIG
        ("fcntl", (3, 1024), EPERM),  # F_SETLEASE
        ("ioctl", (0, 0x5401), ALLOW),  # TCGETS: isatty
        ("ioctl", (0, 0x5412), EPERM),  # TIOCSTI
        ("ioctl", (0, 0xFFFFFFFF00005412), EPERM),  # the kernel looks at the low half only
        ("prctl", (15,), ALLOW),  # PR_SET_NAME
        ("prctl", (4, 1), EPERM),  # PR_SET_DUMPABLE
        ("prctl", (1, 0), EPERM),  # PR_SET_PDEATHSIG
        ("prctl", (999,), EPERM),
        ("socketpair", (1, 1), ALLOW),
        ("socketpair", (1, 0x80801), ALLOW),  # SOCK_STREAM with CLOEXEC and NONBLOCK
        ("socketpair", (1, 2), EPERM),  # a datagram pair can send to any path
        ("socketpair", (2, 1), EPERM),
    ],
)
def test_arguments_decide(decide, call, arguments, wanted):
    """Calls that are harmless in one form and an attack in another are told apart."""
    assert decide(call, *arguments) == wanted


def test_foreign_interfaces_are_killed(decide):
    """A 32-bit or x32 call, whose numbers mean something else, ends the process."""
    assert run(decide.program, 0, (), 0x40000003) == KILL
    if decide.machine == "x86_64":
        assert decide(0x40000000) == KILL
        assert decide(0x40000000 | 59) == KILL


def test_fork_can_be_allowed_without_new_namespaces():
    """allow_fork opens clone and fork, and nothing of what they could be abused for."""
    architecture = MACHINES["x86_64"][0]
    program = Filter("x86_64", allow_fork=True).program(PID)
    answers = {name: run(program, REFUSED[name][0], (0x1200011,), architecture) for name in ("clone", "fork", "execve")}
    assert answers == {"clone": ALLOW, "fork": ALLOW, "execve": EPERM}
    assert run(program, REFUSED["clone"][0], (0x10000011,), architecture) == EPERM


@given(number=st.integers(0, 2**32 - 1), arguments=st.tuples(*[st.integers(0, 2**64 - 1)] * 6))
def test_every_call_gets_a_decision(number, arguments):
    """For any call at all the program ends in one of its four answers and never runs off its end."""
    for machine, (architecture, _, _) in MACHINES.items():
        answer = run(Filter(machine).program(PID), number, arguments, architecture)
        assert answer in (ALLOW, KILL, EPERM, ENOSYS)
        if number > LAST_KNOWN:
            assert answer != ALLOW


def test_other_processors_are_named():
    """On a processor without a table the reason says which one it is."""
    with pytest.raises(UnsupportedMachineError, match="riscv64"):
        Filter("riscv64")


@pytest.mark.parametrize(
    ("column", "header"),
    [(0, "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), (1, "/usr/include/asm-generic/unistd.h")],
)
def test_numbers_agree_with_the_kernel_headers(column, header):
    """The table of system calls says what the kernel's own headers say, as far as these know a call."""
    if not Path(header).exists():
        pytest.skip("kernel headers are not installed")
    text = Path(header).read_text(encoding="ascii")
    known = {n.removeprefix("3264_"): int(v) for n, v in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    ours = {name: numbers[column] for name, numbers in REFUSED.items() if numbers[column] is not None and name in known}
    assert len(ours) > 80
    assert ours == {name: known[name] for name in ours}
    absent = {name for name, numbers in REFUSED.items() if numbers[column] is None and name in known}
    assert absent <= {"fork", "vfork"} if column else not absent
