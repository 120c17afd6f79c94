"""Landlock alone: what it stops, shown against the same attack without it."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from gdgrade.confine.kernel import Kernel
from gdgrade.confine.landlock import READ, WRITE, handled_rights, restrict, rule


def bound(attack, rules, abi=None):
    """The attack, made after this thread was bound to the rules (or not, for abi 0)."""

    def work(channel):
        if abi != 0:
            kernel = Kernel()
            kernel.prctl(38, 1)  # no_new_privs, which Landlock needs
            restrict(kernel, abi or kernel.landlock_abi(), rules)
        return attack()

    return work


FILE_ATTACKS = {
    "read a file": lambda p: (p / "secret").read_text(encoding="ascii"),
    "list a folder": lambda p: len(os.listdir(p)),  # noqa: PTH208
    "create a file": lambda p: (p / "other" / "new").write_text("x", encoding="ascii"),
    "make a folder": lambda p: (p / "other" / "folder").mkdir(),
    "remove a file": lambda p: (p / "secret").unlink(),
    "rename a file": lambda p: (p / "secret").rename(p / "other" / "secret"),
    "read own memory map": lambda p: Path("/proc/self/maps").read_text(encoding="utf-8")[:10],
    "read parent's environment": lambda p: len(Path(f"/proc/{os.getppid()}/environ").read_bytes()),
}


@pytest.mark.parametrize("what", FILE_ATTACKS)
def test_file_outside_the_rules_is_out_of_reach(what, place, in_fork, landlock_abi, user):
    """Each file attack succeeds without Landlock and fails with it, leaving the file as it was."""
    if user and "parent" in what:
        pytest.skip("an ordinary user cannot read root's /proc anyway")

    confined = in_fork(bound(lambda: FILE_ATTACKS[what](place), [rule(str(place / "scratch"), WRITE)]), user)

    assert confined.raised in {"PermissionError", "OSError"}, confined
    assert confined.errno in {errno.EACCES, errno.EXDEV}
    assert (place / "secret").exists()
    assert not list((place / "other").iterdir())
    free = in_fork(bound(lambda: FILE_ATTACKS[what](place), [], abi=0), user)
    assert free.raised is None, free


@pytest.mark.parametrize("abi", [1, 2, 3, 4, 5, 6])
def test_older_landlock_still_closes_files(abi, place, in_fork, landlock_abi):
    """With every older version of Landlock reading and writing outside the rules is refused."""
    if abi > landlock_abi:
        pytest.skip(f"this kernel has ABI {landlock_abi}")
    rules = [rule(str(place / "scratch"), WRITE)]
    for what in ("read a file", "create a file"):
        assert in_fork(bound(lambda w=what: FILE_ATTACKS[w](place), rules, abi)).errno == errno.EACCES


def test_allowed_paths_work(place, in_fork, landlock_abi):
    """A readable file can be read but not written; a writable folder can be used like any other."""
    rules = [rule(str(place / "secret"), READ), rule(str(place / "scratch"), WRITE)]
    scratch = place / "scratch"

    def use():
        (scratch / "sub").mkdir()
        (scratch / "sub" / "a").write_text("one", encoding="ascii")
        (scratch / "sub" / "a").rename(scratch / "sub" / "b")
        with (scratch / "sub" / "b").open("r+b") as file:
            file.truncate(2)
        kept = (scratch / "sub" / "b").read_text(encoding="ascii")
        (scratch / "sub" / "b").unlink()
        (scratch / "sub").rmdir()
        return kept + (place / "secret").read_text(encoding="ascii")

    assert in_fork(bound(use, rules)).value == "onthe answer"
    write = in_fork(bound(lambda: (place / "secret").write_text("x", encoding="ascii"), rules))
    assert write.errno == errno.EACCES


def test_nothing_can_be_executed(in_fork, landlock_abi):
    """No rule gives the right to execute, not even where reading is allowed."""
    execute = lambda: os.execv("/bin/true", ["true"])  # noqa: E731
    assert in_fork(bound(execute, [], abi=0)).status == 0
    assert in_fork(bound(execute, [rule("/", READ)])).errno == errno.EACCES


def test_tcp_is_closed_from_abi_4(in_fork, landlock_abi):
    """A listening TCP port of this machine can be reached without Landlock only."""
    if landlock_abi < 4:
        pytest.skip(f"this kernel has ABI {landlock_abi}")
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect = lambda: socket.create_connection(server.getsockname(), 5).close()  # noqa: E731
        assert in_fork(bound(connect, [], abi=0)).raised is None
        assert in_fork(bound(connect, [])).errno == errno.EACCES


def test_signals_and_abstract_sockets_are_closed_from_abi_6(in_fork, landlock_abi):
    """The parent can be signalled, and an abstract socket reached, without Landlock only."""
    if landlock_abi < 6:
        pytest.skip(f"this kernel has ABI {landlock_abi}")
    parent = os.getpid()
    assert in_fork(bound(lambda: os.kill(parent, 0), [], abi=0)).raised is None
    assert in_fork(bound(lambda: os.kill(parent, 0), [])).errno == errno.EPERM
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("")  # the kernel picks an abstract name
        server.listen()

        def connect():
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(server.getsockname())

        assert in_fork(bound(connect, [], abi=0)).raised is None
        assert in_fork(bound(connect, [])).errno == errno.EPERM


def test_missing_path_is_left_out(place, in_fork, landlock_abi):
    """A rule for a path that is not there does not spoil the others."""
    rules = [rule(str(place / "nowhere"), READ), rule(str(place / "secret"), READ)]
    assert in_fork(bound(lambda: FILE_ATTACKS["read a file"](place), rules)).value == "the answer"


def test_handled_rights_grow_with_the_abi():
    """Each version of Landlock asks for exactly the rights that it knows."""
    files = {abi: handled_rights(abi)[0].bit_length() for abi in range(1, 8)}
    assert files == {1: 13, 2: 14, 3: 15, 4: 15, 5: 16, 6: 16, 7: 16}
    assert [handled_rights(abi)[1:] for abi in (3, 4, 5, 6)] == [(0, 0), (3, 0), (3, 0), (3, 3)]
