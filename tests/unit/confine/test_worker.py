"""A whole worker: the layers together, as root and as an ordinary user, and what happens when one is missing."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import stat
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gdgrade.confine import ConfinementError, Limits, Policy, confine, prepare
from gdgrade.confine.identity import hand_over
from gdgrade.confine.kernel import PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, PR_SET_DUMPABLE, Kernel
from gdgrade.confine.policy import is_on

ALWAYS_HERE = (
    "process_group",
    "parent_death",
    "scratch",
    "no_new_privs",
    "dumpable",
    "capabilities",
    "rlimits",
    "descriptors",
)


class WithoutSeccomp(Kernel):
    """A kernel that was built without seccomp filters."""

    def install_filter(self, program):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


class WithoutNoNewPrivs(Kernel):
    """A kernel that refuses no_new_privs."""

    def prctl(self, option, value=0):
        if option == 38:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return super().prctl(option, value)


@pytest.fixture
def confined(policy, place, in_fork, user):
    """confined(attack): the attack's outcome in a confined worker; confined.free(attack): in a free child."""
    if user:
        os.chown(place / "scratch", user, user)

    def run(attack, scratch="scratch", **changes):
        wanted = replace(policy, **changes)
        prepared = prepare(wanted)

        def work(channel):
            Kernel().prctl(PR_SET_DUMPABLE, 1)  # as in a process that never changed its user
            reached = confine(prepared, scratch=scratch and str(place / scratch), keep_fds=[channel])
            return attack(reached)

        return in_fork(work, user)

    run.free = lambda attack: in_fork(lambda channel: attack(None), user)
    return run


def test_layers_are_reported_as_applied(confined, user):
    """The layers that need no newer kernel are on for root and for an ordinary user, and the level says so."""
    seen = confined(lambda reached: reached.to_json()).value
    assert [name for name in ALWAYS_HERE if not is_on(seen["layers"][name])] == []
    assert is_on(seen["layers"]["uid"]) == (user is None and os.geteuid() == 0)
    if is_on(seen["layers"]["landlock"]):
        assert seen["level"] in ("A", "A+")


def test_files_outside_are_closed_and_scratch_is_open(confined, place, landlock_abi):
    """The worker can use its scratch folder and temporary files in it; a secret and /proc/self are closed."""
    home = Path.home()  # in the worker HOME is the scratch folder

    def work(reached):
        with tempfile.NamedTemporaryFile("w+", encoding="ascii") as file:
            file.write("kept")
            file.seek(0)
            temporary = [file.read(), Path(file.name).parent == Path.cwd()]
        closed = []
        for path in (
            place / "secret",
            "/etc/passwd",
            "/proc/self/maps",
            "/proc/self/environ",
            home / ".profile",
        ):
            try:
                Path(path).read_bytes()
            except OSError as error:
                closed.append(error.errno)
        return temporary, closed

    assert confined(work).value == [["kept", True], [errno.EACCES] * 5]
    assert confined.free(lambda reached: Path("/proc/self/maps").stat().st_mode).raised is None


def test_workers_cannot_reach_each_others_scratch(policy, place, in_fork, landlock_abi):
    """Two workers of one Prepared: the second can neither write to nor read the folder of the first."""
    prepared = prepare(policy)
    first, second = place / "scratch", place / "other"

    def worker(folder, attack):
        def work(channel):
            confine(prepared, scratch=str(folder), keep_fds=[channel])
            return attack()

        return in_fork(work)

    assert worker(first, lambda: (first / "mine").write_text("1", encoding="ascii")).raised is None
    assert worker(second, lambda: (first / "mine").read_text(encoding="ascii")).errno == errno.EACCES
    assert worker(second, lambda: (first / "yours").write_text("2", encoding="ascii")).errno == errno.EACCES
    assert [entry.name for entry in first.iterdir()] == ["mine"]


def test_without_scratch_nothing_is_writable(confined, place, landlock_abi):
    """A worker without a scratch folder cannot write anywhere."""

    def work(reached):
        refused = 0
        for folder in (place / "other", Path("/tmp"), Path("/dev/shm"), Path("/var/tmp"), Path.cwd()):
            try:
                (folder / "x").write_text("x", encoding="ascii")
            except OSError:
                refused += 1
        return refused

    assert confined(work, scratch=None).value == 5


def test_inherited_descriptors_are_closed(confined, place):
    """A secret that is open in the parent can be read through its descriptor by a free child only."""
    descriptor = os.open(place / "secret", os.O_RDONLY)
    try:
        assert confined.free(lambda reached: os.pread(descriptor, 3, 0).decode()).value == "the"
        assert confined(lambda reached: os.pread(descriptor, 3, 0).decode()).errno == errno.EBADF
    finally:
        os.close(descriptor)


def test_standard_streams_lead_nowhere(confined):
    """Standard input, output and error are /dev/null: printing costs nothing and shows nothing."""
    null = Path("/dev/null").stat().st_rdev
    assert confined(lambda reached: [os.fstat(fd).st_rdev == null for fd in (0, 1, 2)]).value == [True] * 3


def test_kept_socket_works(policy, place, in_fork):
    """The worker's socket is kept and carries its answers; it can use it after confinement."""
    ours, theirs = socket.socketpair()
    prepared = prepare(policy)

    def work(channel):
        confine(prepared, scratch=str(place / "scratch"), keep_fds=[channel, theirs.fileno()])
        theirs.sendall(b"hello")
        return theirs.recv(10).decode()

    with ours, theirs:
        ours.sendall(b"and back")
        assert in_fork(work).value == "and back"
        assert ours.recv(10) == b"hello"


def test_worker_dies_with_its_parent(policy, place, in_fork):
    """When the process that forked it ends, the worker ends too, seen by the end of file on its pipe."""
    read, write = os.pipe()
    prepared = prepare(policy)

    def parent(channel):
        pid = os.fork()
        if pid == 0:
            try:
                os.close(read)
                confine(prepared, scratch=str(place / "scratch"), keep_fds=[write])
                os.write(write, b"up")
                time.sleep(60)
            finally:
                os._exit(0)
        os.close(write)
        assert os.read(read, 2) == b"up"
        return pid

    worker = in_fork(parent).value
    os.close(write)
    start = time.monotonic()
    assert os.read(read, 1) == b""
    os.close(read)
    assert time.monotonic() - start < 30  # far below the worker's sleep
    assert worker > 0


def test_worker_cannot_leave_its_group(confined):
    """It leads its own session, and neither setsid nor setpgid gets it or a descendant out."""

    def work(reached):
        refused = []
        for leave in (os.setsid, lambda: os.setpgid(0, os.getppid()), os.fork):
            try:
                leave()
            except PermissionError as error:
                refused.append(error.errno)
        return os.getsid(0) == os.getpid() == os.getpgrp(), refused

    assert confined(work).value == [True, [errno.EPERM] * 3]


def test_not_dumpable_and_no_new_privileges(confined):
    """A sibling of the same user cannot look into it, and it can gain no rights."""
    ask = lambda reached: [Kernel().prctl(PR_GET_DUMPABLE), Kernel().prctl(PR_GET_NO_NEW_PRIVS)]  # noqa: E731
    assert confined(ask).value == [0, 1]
    assert confined.free(ask).value[1] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the user")
def test_root_becomes_an_ordinary_user(policy, place, in_fork):
    """Started as root, the worker ends up with the given user and group only, owning its scratch folder."""
    prepared = prepare(policy)

    def work(channel):
        os.setgroups([1, 2])
        confine(prepared, scratch=str(place / "scratch"), keep_fds=[channel], uid=54322)
        Path("own").write_text("", encoding="ascii")
        back = None
        try:
            os.setuid(0)
        except PermissionError:
            back = "refused"
        return [os.getresuid(), os.getresgid(), os.getgroups(), back]

    assert in_fork(work).value == [[54322] * 3, [54322] * 3, [], "refused"]
    owner = (place / "scratch").stat()
    assert (owner.st_uid, stat.S_IMODE(owner.st_mode)) == (54322, 0o700)
    assert (place / "scratch" / "own").stat().st_uid == 54322


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the user")
def test_private_folders_are_reported_truthfully(place, in_fork, limits):
    """The size of a file in a private folder is hidden, unless the layer says that it is not."""
    private = place / "private"
    private.mkdir(0o700)
    (private / "file").write_text("xyz", encoding="ascii")
    prepared = prepare(Policy("best", (), limits))

    def work(channel):
        reached = confine(prepared, keep_fds=[channel])
        try:
            (private / "file").stat()
        except PermissionError:
            return [is_on(reached.layers["private_folders"]), "hidden"]
        return [is_on(reached.layers["private_folders"]), "seen"]

    assert in_fork(work).value in ([True, "hidden"], [False, "seen"])


@pytest.mark.parametrize(
    ("kernel", "max_abi", "layer"),
    [(Kernel, 0, "landlock"), (WithoutSeccomp, None, "seccomp"), (WithoutNoNewPrivs, None, "no_new_privs")],
)
def test_strict_refuses_and_best_reports_a_missing_layer(kernel, max_abi, layer, policy, place, in_fork, landlock_abi):
    """Where a required layer is missing, strict raises and names it; best goes on and says that it is off."""

    def attempt(mode, channel):
        prepared = prepare(replace(policy, mode=mode), kernel=kernel(), max_abi=max_abi)
        return confine(prepared, scratch=str(place / "scratch"), keep_fds=[channel]).to_json()

    strict = in_fork(lambda channel: attempt("strict", channel))
    assert strict.raised == "ConfinementError"
    assert f"'{layer}'" in strict.text
    best = in_fork(lambda channel: attempt("best", channel)).value
    assert best["layers"][layer].startswith("off: ")
    assert best["level"] not in ("A", "A+")


def test_strict_refuses_before_any_fork_where_it_can(policy):
    """A kernel without Landlock is refused by prepare already, and required says what is refused."""
    with pytest.raises(ConfinementError, match="landlock"):
        prepare(replace(policy, mode="strict"), max_abi=0)
    lenient = replace(policy, mode="strict", required=("seccomp", "rlimits"))
    assert prepare(lenient, max_abi=0).abi == 0


def test_strict_refuses_a_second_thread(policy, place, in_fork, landlock_abi):
    """With a thread running Landlock and seccomp would bind only one of them: strict raises."""

    def work(channel):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        confine(prepare(replace(policy, mode="strict")), scratch=str(place / "scratch"), keep_fds=[channel])

    ended = in_fork(work)
    assert ended.raised == "ConfinementError"
    assert "threads" in ended.text


def test_imported_package_cannot_be_forbidden(policy):
    """A forbidden package that the zygote has imported is in the worker's memory: strict refuses."""
    with pytest.raises(ConfinementError, match="tempfile"):
        prepare(replace(policy, mode="strict", forbidden=("tempfile",)))


@pytest.mark.parametrize("kind", ["missing", "link", "file"])
def test_unusable_scratch_is_refused_in_every_mode(kind, policy, place, in_fork):
    """A scratch folder that is a link, a file or missing is an error even with best."""
    (place / "link").symlink_to(place / "scratch")
    path = {"missing": place / "missing", "link": place / "link", "file": place / "secret"}[kind]
    ended = in_fork(lambda channel: confine(prepare(policy), scratch=str(path), keep_fds=[channel]))
    assert ended.raised == "ConfinementError"
    assert "scratch" in ended.text


def test_mode_none_keeps_limits_and_order_only(policy, place, in_fork):
    """With none the worker can read what its user can, but limits and closed descriptors remain."""

    def work(channel):
        prepared = prepare(replace(policy, mode="none"))
        reached = confine(prepared, scratch=str(place / "scratch"), keep_fds=[channel])
        return [reached.level, is_on(reached.layers["rlimits"]), (place / "secret").read_text(encoding="ascii")]

    assert in_fork(work).value == ["none", True, "the answer"]


def test_processes_can_be_allowed(policy, place, in_fork, user):
    """Limits.processes opens fork up to a number; the worker's other fences stay."""
    if user is None and os.geteuid() == 0:
        user_of_worker = {"uid": 54323}
    else:
        user_of_worker = {}
        os.chown(place / "scratch", user or -1, -1)
    some = Limits(cpu_seconds=60, memory_bytes=1 << 30, processes=2)

    def work(channel):
        confine(prepare(policy), scratch=str(place / "scratch"), keep_fds=[channel], limits=some, **user_of_worker)
        pid = os.fork()
        if pid == 0:
            try:
                socket.socket()
            except PermissionError:
                os._exit(7)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    assert in_fork(work, user).value == 7


def test_closed_prepared_is_refused(policy):
    """After close() a Prepared cannot confine by mistake with no rules."""
    prepared = prepare(policy)
    prepared.close()
    with pytest.raises(ValueError, match="closed"):
        confine(prepared)


def test_group_kill_reaches_the_workers_children(policy, place, in_fork):
    """With processes allowed, one killpg from outside ends the worker's children as well."""
    some = Limits(cpu_seconds=60, memory_bytes=1 << 30, processes=2)
    read, write = os.pipe()
    prepared = prepare(replace(policy, limits=some))

    def parent(channel):
        pid = os.fork()
        if pid == 0:
            try:
                confine(prepared, scratch=str(place / "scratch"), keep_fds=[write], uid=54324)
                if os.fork() == 0:
                    os.write(write, b"up")
                time.sleep(60)
            finally:
                os._exit(0)
        assert os.read(read, 2) == b"up"
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    assert in_fork(parent).raised is None
    os.close(write)
    ended, _, _ = select.select([read], [], [], 30)  # readable: end of file, the grandchild is gone too
    assert ended, "a child of the worker lives on"
    assert os.read(read, 1) == b""
    os.close(read)


def test_scratch_works_where_root_cannot_change_the_user(policy, place, in_fork):
    """Root stays root where the other user could not reach Python and there is no Landlock; scratch still works."""
    if os.geteuid() != 0:
        pytest.skip("only root can change the user")
    os.chown(place / "scratch", 54325, 54325)  # as the caller prepared it
    (place / "scratch").chmod(0o700)
    prepared = replace(prepare(policy, max_abi=0), unreachable="/root/python")

    def work(channel):
        reached = confine(prepared, scratch=str(place / "scratch"), keep_fds=[channel], uid=54325)
        Path("own").write_text("", encoding="ascii")
        return [reached.layers["uid"], os.geteuid()]

    state, user = in_fork(work).value
    assert state == "off: user 54325 cannot reach /root/python, and there is no Landlock"
    assert user == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the user")
@pytest.mark.parametrize(("mode", "level"), [(0o711, "A+"), (0o700, "A")], ids=["reachable", "private"])
def test_best_level_needs_reachable_folders(mode, level, policy, place, in_fork, landlock_abi):
    """Scratch folders in a folder that others may enter: level A+; in a private one: A, and they work too."""
    place.chmod(mode)
    (place / "scratch").chmod(0o700)
    prepared = replace(prepare(policy), unreachable=None)  # as if Python were installed for all

    def work(channel):
        reached = confine(prepared, scratch=str(place / "scratch"), keep_fds=[channel])
        (place / "scratch" / "own").write_text("", encoding="ascii")
        return reached.level

    assert in_fork(work).value == level


class FailingLandlock(Kernel):
    """Has Landlock, until it matters."""

    def landlock_restrict(self, ruleset):
        raise OSError(errno.E2BIG, os.strerror(errno.E2BIG))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has capabilities to lose")
def test_no_capability_survives_a_failing_landlock(policy, place, in_fork, landlock_abi):
    """The capability to enter private folders is kept only as long as Landlock decides what is read."""
    (place / "secret").chmod(0o600)

    def read_secret(kernel):
        prepared = replace(prepare(policy, kernel=kernel), unreachable="/root/python")

        def work(channel):
            confine(prepared, scratch=str(place / "scratch"), keep_fds=[channel])
            return (place / "secret").read_bytes().decode()

        return in_fork(work)

    assert read_secret(FailingLandlock()).errno == errno.EACCES
    assert read_secret(Kernel()).errno == errno.EACCES


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands folders over")
def test_links_are_never_handed_over(place):
    """A symbolic link put in place of the scratch folder does not give another folder away."""
    (place / "link").symlink_to(place / "other")
    with pytest.raises(OSError, match="[Nn]ot a directory|symbolic"):
        hand_over(str(place / "link"), 54326)
    assert (place / "other").stat().st_uid == 0
