"""Confining one worker: the layers, in the order in which they must be applied.

Runs in a fresh fork while it has one thread, before any untrusted code is read: Landlock and seccomp
bind only the calling thread and what it starts later.
"""
# Plain strings and os calls: this runs in every worker, where each object costs.
# ruff: noqa: PTH112, PTH114, PTH120

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Collection
from typing import Any

from gdgrade.confine import identity
from gdgrade.confine import kernel as linux
from gdgrade.confine.descriptors import close_all_but
from gdgrade.confine.landlock import WRITE, restrict
from gdgrade.confine.plan import NEEDS_LINUX, NO_LANDLOCK, Prepared, seccomp_filter
from gdgrade.confine.policy import Confinement, ConfinementError, Limits, is_on, level_of
from gdgrade.confine.rlimits import apply_limits, threads_of_user

# What also holds outside Linux, and what the judge needs for its own order even with mode "none".
_EVERYWHERE = frozenset({"process_group", "scratch", "rlimits", "descriptors"})
_HOUSEKEEPING = _EVERYWHERE | {"parent_death", "oom_first"}

# With RLIMIT_NPROC threads count as processes: room for those that numerical libraries start.
_ROOM_FOR_THREADS = 16


def confine(
    prepared: Prepared,
    *,
    scratch: str | None = None,
    keep_fds: Collection[int] = (),
    limits: Limits | None = None,
    uid: int | None = None,
) -> Confinement:
    """Confine this process for good.

    Besides the layers: the scratch folder becomes the working folder, and TMPDIR and HOME name it;
    standard input, output and error become /dev/null unless kept; importing a forbidden package raises
    ModuleNotFoundError. As root the scratch folder is given to the worker's user.

    Args:
        prepared: from `prepare`, inherited through the fork.
        scratch: the one writable folder; the policy's if None.
        keep_fds: descriptors to keep, e.g. the worker's socket. All others are closed.
        limits: instead of the policy's.
        uid: as root, the user to become instead of the policy's: one for each worker that runs at the same
            time, so that even without seccomp siblings could not signal each other.

    Raises:
        ConfinementError: mode strict and a required layer failed, or, in any mode, a scratch folder that
            cannot be used. The process is then partly confined and should end.
        ValueError: `prepared` was closed.
    """
    if prepared.closed:
        raise ValueError("this Prepared was closed")
    wanted = scratch if scratch is not None else prepared.policy.scratch
    user = uid if uid is not None else prepared.policy.uid
    return _Worker(
        prepared,
        wanted,
        sorted(set(keep_fds)),
        limits or prepared.policy.limits,
        identity.NOBODY if user is None else user,
    ).confine()


class _Worker:
    """One run of `confine`: goes through the layers and notes what each came to."""

    def __init__(self, prepared: Prepared, scratch: str | None, keep: list[int], limits: Limits, uid: int) -> None:
        self._prepared = prepared
        self._policy = prepared.policy
        self._kernel = prepared.kernel
        self._scratch = scratch
        self._keep = keep
        self._limits = limits
        self._uid = uid
        self._root = self._kernel.linux and os.geteuid() == 0
        self._blocked: str | None = None  # a path that needs the capability to enter private folders
        self._layers: dict[str, str] = {}
        # Looked up now: Landlock closes /proc, and a user namespace hides who is who.
        self._threads = self._kernel.threads() if self._kernel.linux else 1
        self._most_threads = self._process_limit()

    def confine(self) -> Confinement:
        for name, apply in self._steps():
            if not self._kernel.linux and name not in _EVERYWHERE:
                self._off(name, NEEDS_LINUX)
            elif self._policy.mode == "none" and name not in _HOUSEKEEPING:
                self._off(name, "switched off (mode none)")
            else:
                self._apply(name, apply)
        return Confinement(level_of(self._layers), self._layers)

    def _steps(self) -> list[tuple[str, Callable[[], str]]]:
        # The order matters. Namespaces and the change of user need root; no_new_privs comes before Landlock
        # and seccomp; the limits read /proc, which Landlock closes; seccomp refuses most of what came before.
        steps = [
            ("process_group", self._process_group),
            ("parent_death", self._parent_death),
            ("oom_first", self._oom_first),
            ("namespaces", self._namespaces),
            ("mount_view", self._mount_view),
            ("scratch", self._enter_scratch),
            ("uid", self._change_user),
            ("private_folders", self._private_folders),
            ("no_new_privs", self._no_new_privs),
            ("dumpable", self._not_dumpable),
            ("capabilities", self._drop_capabilities),
            ("rlimits", lambda: apply_limits(self._limits, most_threads=self._most_threads)),
            ("descriptors", self._close_descriptors),
            ("landlock", self._landlock),
            ("landlock_tcp", lambda: self._since_abi(4)),
            ("landlock_scope", lambda: self._since_abi(6)),
            ("forbidden", self._forbidden),
            ("seccomp", self._seccomp),
        ]
        return [step for step in steps if step[0] != "forbidden" or self._policy.forbidden]

    def _apply(self, name: str, apply: Callable[[], str]) -> None:
        try:
            detail = apply()
        except OSError as error:
            self._off(name, error.strerror or str(error))
        else:
            self._layers[name] = f"on: {detail}" if detail else "on"

    def _off(self, name: str, reason: str) -> None:
        self._layers[name] = f"off: {reason}"
        if self._policy.mode == "strict" and (name in self._policy.required or name == "forbidden"):
            raise ConfinementError(name, reason)

    def _on(self, name: str) -> bool:
        return is_on(self._layers.get(name))

    def _process_limit(self) -> int | None:
        """RLIMIT_NPROC, or None where the filter refuses fork, or where the limit would not hold."""
        refused = self._limits.processes == 0 and self._prepared.filter is not None
        if refused or self._policy.mode == "none" or not self._kernel.linux:
            return None
        user = self._uid if self._root else os.getuid()
        return threads_of_user(user) + self._limits.processes + _ROOM_FOR_THREADS

    def _process_group(self) -> str:
        """An own session: no terminal, and killpg reaches every descendant, as the filter forbids leaving."""
        if not hasattr(os, "setsid"):
            raise OSError(errno.ENOSYS, "this system has no process groups")
        if os.getpgrp() != os.getpid():
            os.setsid()
        return ""

    def _parent_death(self) -> str:
        parent = os.getppid()
        self._kernel.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the kernel was told
            os._exit(1)
        return ""

    def _oom_first(self) -> str:
        score = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        os.write(score, b"1000")
        os.close(score)
        return ""

    def _namespaces(self) -> str:
        """Empty network and System V namespaces: a second fence, never counted upon."""
        if self._root:
            self._kernel.unshare(linux.CLONE_NEWIPC | (0 if self._prepared.without_network else linux.CLONE_NEWNET))
        elif self._most_threads is not None:
            raise OSError(errno.EINVAL, "not used: the limit on processes does not hold in a new user namespace")
        else:
            self._kernel.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNET | linux.CLONE_NEWIPC)
        return "network, ipc"

    def _mount_view(self) -> str:
        raise OSError(errno.ENOSYS, self._prepared.mount_view)

    def _enter_scratch(self) -> str:
        """Work in the scratch folder. Done before the change of user, who may not be able to get there."""
        if self._scratch is None:
            os.chdir(os.sep)
            return "none: nothing is writable"
        try:
            if os.path.islink(self._scratch) or not os.path.isdir(self._scratch):
                raise NotADirectoryError(errno.ENOTDIR, "not a folder")
            self._scratch = os.path.realpath(self._scratch)
            os.chdir(self._scratch)
        except OSError as error:
            raise ConfinementError("scratch", f"{self._scratch}: {error.strerror}") from None
        os.environ["TMPDIR"] = os.environ["HOME"] = self._scratch
        tempfile: Any = sys.modules.get("tempfile")
        if tempfile is not None:
            tempfile.tempdir = None  # forget the folder that was found before
        return ""

    def _change_user(self) -> str:
        if not self._root:
            raise OSError(errno.EPERM, "not started as root: the worker is the same user as the judge")
        blocked = self._prepared.unreachable
        if blocked is None and self._scratch is not None:
            around = os.path.dirname(self._scratch)  # the folder itself is about to be handed over
            blocked = None if identity.can_enter(self._uid, around) else around
        stays = blocked is not None and not self._prepared.abi
        if self._scratch is not None:  # without root's capabilities only its owner can use it
            identity.hand_over(self._scratch, os.geteuid() if stays else self._uid)
        if stays:
            raise OSError(errno.EACCES, f"user {self._uid} cannot reach {blocked}, and there is no Landlock")
        self._blocked = blocked
        identity.become(self._kernel, self._uid, search_all=blocked is not None)
        self._kernel.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)  # the change of user cleared it
        return f"user {self._uid}"

    def _private_folders(self) -> str:
        if not self._on("uid"):
            raise OSError(errno.EPERM, "same user as the judge: names and sizes of files can be seen")
        if self._blocked is not None:
            raise OSError(errno.EACCES, f"names and sizes can be seen: {self._blocked} lies in a private folder")
        return ""

    def _no_new_privs(self) -> str:
        self._kernel.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        return ""

    def _not_dumpable(self) -> str:
        self._kernel.prctl(linux.PR_SET_DUMPABLE, 0)
        return ""

    def _drop_capabilities(self) -> str:
        self._kernel.keep_capabilities(() if self._blocked is None else (linux.CAP_DAC_READ_SEARCH,))
        return "" if self._blocked is None else "all but the one to enter folders"

    def _close_descriptors(self) -> str:
        close_all_but(self._kernel, self._keep)
        return f"{len(self._keep)} kept"

    def _one_thread(self) -> None:
        if self._threads > 1:
            raise OSError(errno.EBUSY, f"there are {self._threads} threads already, and only one would be bound")

    def _landlock(self) -> str:
        if not self._prepared.abi:
            raise OSError(errno.ENOSYS, NO_LANDLOCK)
        writable = [] if self._scratch is None else [(self._scratch, WRITE)]
        try:
            self._one_thread()
            restrict(self._kernel, self._prepared.abi, (*self._prepared.rules, *writable))
        except OSError:
            if self._blocked is not None:  # entering every folder is only bearable together with Landlock
                self._kernel.keep_capabilities(())
            raise
        return f"ABI {self._prepared.abi}"

    def _since_abi(self, needed: int) -> str:
        if not self._on("landlock"):
            raise OSError(errno.ENOSYS, "needs Landlock")
        if self._prepared.abi < needed:
            raise OSError(errno.ENOSYS, f"needs Landlock ABI {needed}, this kernel has {self._prepared.abi}")
        return ""

    def _forbidden(self) -> str:
        names = self._policy.forbidden
        for name in names:
            sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # `import name`: ModuleNotFoundError
        if self._prepared.imported:
            raise OSError(errno.EBUSY, f"already imported before the fork: {', '.join(self._prepared.imported)}")
        if not self._on("landlock"):
            raise OSError(errno.ENOSYS, "needs Landlock")
        return ", ".join(names)

    def _seccomp(self) -> str:
        allow_fork = self._limits.processes > 0
        chosen, missing = self._prepared.filter, self._prepared.filter_missing
        if allow_fork != (self._policy.limits.processes > 0):
            chosen, missing = seccomp_filter(self._kernel, allow_fork=allow_fork)
        if chosen is None:
            raise OSError(errno.ENOSYS, missing)
        self._one_thread()
        self._kernel.install_filter(chosen.program(os.getpid()))
        return ""
