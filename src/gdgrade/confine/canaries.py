"""Small attacks that show whether a layer really holds. Each does no harm where it succeeds.

An attack returns True if it got through; an OSError, ImportError or MemoryError means that it was stopped.
"""

from __future__ import annotations

import mmap
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gdgrade.confine.kernel import PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, Kernel
from gdgrade.confine.policy import Limits


@dataclass(frozen=True)
class Scene:
    """What the attacks are aimed at; all of it made for the purpose.

    Attributes:
        secret: a file in a private folder that no policy opens.
        secret_fd: the same file, open in the parent.
        outside: a folder that no policy opens for writing.
        scratch: the worker's own folder.
        parent: process id of the prober.
        user: its effective user id (0 where there are none).
        limits: what the worker was given.
    """

    secret: Path
    secret_fd: int
    outside: Path
    scratch: Path
    parent: int
    user: int
    limits: Limits


@dataclass(frozen=True)
class Canary:
    """One attack, and the layer that has to stop it."""

    layer: str
    what: str
    attack: Callable[[Scene], bool]


def _read_secret(scene: Scene) -> bool:
    return bool(scene.secret.read_text(encoding="ascii"))


def _write_outside(scene: Scene) -> bool:
    (scene.outside / f"canary-{os.getpid()}").write_text("chirp", encoding="ascii")
    return True


def _environment_of_parent(scene: Scene) -> bool:
    return Path(f"/proc/{scene.parent}/environ").exists() and bool(Path(f"/proc/{scene.parent}/environ").read_bytes())


def _own_memory_map(scene: Scene) -> bool:
    return bool(Path("/proc/self/maps").read_bytes())


def _read_inherited(scene: Scene) -> bool:
    return bool(os.pread(scene.secret_fd, 1, 0))


def _udp_socket(scene: Scene) -> bool:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    return True


def _fork(scene: Scene) -> bool:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return True


def _signal_parent(scene: Scene) -> bool:
    os.kill(scene.parent, 0)  # signal 0 only asks whether one could
    return True


def _chmod(scene: Scene) -> bool:
    own = scene.scratch / f"own-{os.getpid()}"
    own.write_text("", encoding="ascii")
    own.chmod(0o777)
    return True


def _too_much_memory(scene: Scene) -> bool:
    mmap.mmap(-1, scene.limits.memory_bytes + (64 << 20)).close()
    return True


def _too_large_file(scene: Scene) -> bool:
    with (scene.scratch / f"large-{os.getpid()}").open("wb") as large:
        large.truncate(scene.limits.file_bytes + 1)  # a hole: takes no space where it succeeds
    return True


def _stat_secret(scene: Scene) -> bool:
    return scene.secret.stat().st_size > 0


def _same_group(scene: Scene) -> bool:
    return os.getpgrp() != os.getpid()


def _same_user(scene: Scene) -> bool:
    return os.geteuid() == scene.user


def _dumpable(scene: Scene) -> bool:
    return Kernel().prctl(PR_GET_DUMPABLE) == 1


def _may_gain_privileges(scene: Scene) -> bool:
    return Kernel().prctl(PR_GET_NO_NEW_PRIVS) == 0


CANARIES: tuple[Canary, ...] = (
    Canary("process_group", "stay in the prober's process group", _same_group),
    Canary("uid", "act as the prober's user", _same_user),
    Canary("private_folders", "see the size of a file in a private folder", _stat_secret),
    Canary("no_new_privs", "leave the door to setuid programs open", _may_gain_privileges),
    Canary("dumpable", "be readable by siblings", _dumpable),
    Canary("rlimits", "map more memory than allowed", _too_much_memory),
    Canary("rlimits", "make a larger file than allowed", _too_large_file),
    Canary("landlock", "read a secret file", _read_secret),
    Canary("landlock", "write outside scratch", _write_outside),
    Canary("landlock", "read the parent's environment", _environment_of_parent),
    Canary("landlock", "read its own /proc/self/maps", _own_memory_map),
    Canary("descriptors", "read a secret through an inherited descriptor", _read_inherited),
    Canary("seccomp", "open a UDP socket", _udp_socket),
    Canary("seccomp", "start a process", _fork),
    Canary("seccomp", "signal the parent", _signal_parent),
    Canary("seccomp", "chmod", _chmod),
)


def gets_through(canary: Canary, scene: Scene) -> bool:
    """Whether the attack succeeds in this process as it is."""
    try:
        return canary.attack(scene)
    except (OSError, ImportError, MemoryError, AttributeError):  # AttributeError: the system has no such call
        return False


def honest_work(scene: Scene) -> str:
    """What every submission must be able to do; returns what failed, or "" if all worked.

    Without this a sandbox that breaks everything would look perfect.
    """
    try:
        import colorsys  # rarely imported before: the import system must still find it

        assert colorsys.rgb_to_hsv(1.0, 0.0, 0.0)[2] == 1.0
        note = scene.scratch / f"note-{os.getpid()}"
        note.write_text("kept", encoding="ascii")
        assert note.read_text(encoding="ascii") == "kept"
        note.unlink()
        done: list[int] = []
        thread = threading.Thread(target=done.append, args=(1,))
        thread.start()
        thread.join(5)
        assert done == [1]
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""
