"""What all workers of one policy share, worked out once in the process that will fork them."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from dataclasses import dataclass

from gdgrade.confine import identity
from gdgrade.confine.kernel import CLONE_NEWNET, Kernel
from gdgrade.confine.landlock import READ_FILE, TRUNCATE, WRITE_FILE, Rule
from gdgrade.confine.paths import read_rules
from gdgrade.confine.policy import ConfinementError, Policy
from gdgrade.confine.seccomp import Filter, UnsupportedMachineError

NEEDS_LINUX = "needs Linux"
NO_LANDLOCK = "this kernel has none, or has it switched off"


@dataclass
class Prepared:
    """Made by `prepare`, inherited by the workers through fork. Holds no open descriptor.

    Attributes:
        policy: what it was made for.
        kernel: the running kernel, or a test's stand-in.
        abi: version of Landlock to use; 0 for none.
        rules: Landlock rules for everything but the scratch folder.
        filter: the seccomp filter; None where there cannot be one.
        filter_missing: why not.
        unreachable: as root, the first readable path that the worker's user could not reach by itself.
        imported: forbidden packages that this process has already imported.
        mount_view: why there is no mount view.
        without_network: this process, and so every worker, is in an empty network namespace already.
    """

    policy: Policy
    kernel: Kernel
    abi: int = 0
    rules: tuple[Rule, ...] = ()
    filter: Filter | None = None
    filter_missing: str = ""
    unreachable: str | None = None
    imported: tuple[str, ...] = ()
    mount_view: str = ""
    without_network: bool = False
    closed: bool = False

    def close(self) -> None:
        """Forget the rules; `confine` then refuses this object."""
        self.rules = ()
        self.closed = True


def leave_network(prepared: Prepared) -> None:
    """As root, leave the host's network for good: one empty namespace for all workers is as good as one for each.

    No device can be set up in it without root's rights. Abstract UNIX sockets, by which workers in one namespace could
    meet, are refused by seccomp and by Landlock. To make one for each worker costs 0.6 ms.
    """
    if prepared.kernel.linux and prepared.policy.mode != "none" and os.geteuid() == 0:
        with contextlib.suppress(OSError):
            prepared.kernel.unshare(CLONE_NEWNET)
            prepared.without_network = True


def prepare(policy: Policy, *, kernel: Kernel | None = None, max_abi: int | None = None) -> Prepared:
    """Look at the machine and work out the rules that every worker of this policy shares.

    Args:
        policy: what the workers may do.
        kernel: stands for the running kernel; tests give one that lacks a feature.
        max_abi: pretend that Landlock is no newer than this; 0 pretends that there is none.

    Raises:
        ConfinementError: mode strict, and a required layer certainly cannot be had here.
    """
    kernel = kernel or Kernel()
    prepared = Prepared(policy, kernel)
    if policy.mode == "none":
        return prepared
    prepared.filter, prepared.filter_missing = seccomp_filter(kernel, allow_fork=policy.limits.processes > 0)
    prepared.imported = tuple(name for name in policy.forbidden if sys.modules.get(name) is not None)
    if kernel.linux:
        abi = kernel.landlock_abi()
        prepared.abi = abi if max_abi is None else min(abi, max_abi)
        prepared.mount_view = _mount_view()
        if prepared.abi:
            prepared.rules = (_null_device(), *read_rules(policy.readable, policy.forbidden))
        if os.geteuid() == 0:
            uid = identity.NOBODY if policy.uid is None else policy.uid
            prepared.unreachable = identity.first_unreachable(uid, (*policy.readable, os.__file__))
    if policy.mode == "strict":
        _refuse_what_is_surely_missing(prepared)
    return prepared


def seccomp_filter(kernel: Kernel, *, allow_fork: bool) -> tuple[Filter | None, str]:
    """The filter for this machine, or None and the reason."""
    if not kernel.linux:
        return None, NEEDS_LINUX
    if struct.calcsize("P") != 8:
        return None, "needs a 64-bit Python"
    try:
        return Filter(os.uname().machine, allow_fork=allow_fork), ""
    except UnsupportedMachineError as error:
        return None, error.strerror or str(error)


def _null_device() -> Rule:
    return os.devnull, READ_FILE | WRITE_FILE | TRUNCATE


def _mount_view() -> str:
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if not any(os.access(f"{folder}/bwrap", os.X_OK) for folder in folders):
        return "bubblewrap is not installed (not needed where Landlock works)"
    return "bubblewrap is installed but not used: all workers of a zygote would share one view"


def _refuse_what_is_surely_missing(prepared: Prepared) -> None:
    required = prepared.policy.required
    if not prepared.kernel.linux:
        for name in required:
            if name not in ("rlimits", "process_group", "descriptors"):
                raise ConfinementError(name, NEEDS_LINUX)
        return
    if "landlock" in required and not prepared.abi:
        raise ConfinementError("landlock", NO_LANDLOCK)
    if "seccomp" in required and prepared.filter is None:
        raise ConfinementError("seccomp", prepared.filter_missing)
    if prepared.imported:
        raise ConfinementError("forbidden", f"already imported before the fork: {', '.join(prepared.imported)}")
