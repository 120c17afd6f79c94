"""The plain data of confinement: what a worker may do, and what was done to it.

Nothing here touches the system, so the command line and the reports can import it anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gdgrade.confine.layers import ADVICE, LAYERS

Mode = Literal["strict", "best", "none"]
Level = Literal["A+", "A", "B", "C", "D", "none"]

DEFAULT_REQUIRED = ("no_new_privs", "landlock", "seccomp", "rlimits")


class ConfinementError(RuntimeError):
    """A required layer is missing, or the call itself cannot be honoured.

    Attributes:
        layer: name of the layer (a key of `gdgrade.confine.LAYERS`, or "scratch").
        reason: what the system answered.
    """

    def __init__(self, layer: str, reason: str, advice: str | None = None) -> None:
        self.layer = layer
        self.reason = reason
        todo = advice or ADVICE.get(layer, "Use --confine best if you trust the submissions.")
        super().__init__(f"confinement layer '{layer}' is required but is off: {reason}. {todo}")


@dataclass(frozen=True)
class Limits:
    """Resource limits of one worker.

    Attributes:
        cpu_seconds: processor time; SIGXCPU at this many seconds, SIGKILL one second later.
        memory_bytes: address space the worker may add to what it maps when it is confined.
        file_bytes: largest size of any one file it writes (EFBIG beyond).
        open_files: file descriptors it may hold at once, kept ones included.
        processes: processes it may start; 0 forbids fork altogether (threads stay allowed).
    """

    cpu_seconds: int
    memory_bytes: int
    file_bytes: int = 64 << 20
    open_files: int = 64
    processes: int = 0

    def __post_init__(self) -> None:
        for name in ("cpu_seconds", "memory_bytes", "open_files"):
            if getattr(self, name) < 1:
                raise ValueError(f"Limits.{name} must be at least 1, not {getattr(self, name)}")
        if self.file_bytes < 0 or self.processes < 0:
            raise ValueError("Limits.file_bytes and Limits.processes cannot be negative")


@dataclass(frozen=True)
class Policy:
    """What the workers of one kind may do.

    Attributes:
        mode: "strict" refuses to go on without a layer of `required`; "best" applies what the machine
            has and says what is missing; "none" keeps only what protects the judge's own
            housekeeping (process group, parent death, closed descriptors, resource limits).
        readable: files and folders the worker may read; `default_readable()` plus the data it needs.
        forbidden: top-level import names that must stay unreadable in every site-packages folder.
        scratch: the one writable folder, unless `confine` gets another; None: nothing is writable.
        limits: resource limits, unless `confine` gets others.
        uid: as root, the user and group id to become (65534 when None); not used otherwise.
        required: the layers that "strict" refuses to go without.
    """

    mode: Mode
    readable: tuple[str, ...]
    limits: Limits
    forbidden: tuple[str, ...] = ()
    scratch: str | None = None
    uid: int | None = None
    required: tuple[str, ...] = DEFAULT_REQUIRED

    def __post_init__(self) -> None:
        if self.mode not in ("strict", "best", "none"):
            raise ValueError(f"confinement mode must be strict, best or none, not {self.mode!r}")
        unknown = sorted(set(self.required) - set(LAYERS))
        if unknown:
            raise ValueError(f"no such confinement layer: {', '.join(unknown)} (known: {', '.join(LAYERS)})")
        if self.uid == 0:
            raise ValueError("Policy.uid must be an unprivileged user id, not 0")


@dataclass(frozen=True)
class Confinement:
    """What `confine` reached.

    Attributes:
        level: see `level_of`.
        layers: layer name -> "on", "on: detail" or "off: reason", in the order applied.
    """

    level: Level
    layers: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data for a message or report: {"level": ..., "layers": {...}}; see `from_json`."""
        return {"level": self.level, "layers": dict(self.layers)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Confinement:
        """Rebuild a Confinement; the level is computed anew from the layers."""
        layers = {str(name): str(state) for name, state in data["layers"].items()}
        return cls(level_of(layers), layers)


@dataclass(frozen=True)
class LayerReport:
    """One row of the table that `gdgrade doctor` shows.

    Attributes:
        layer: its name.
        works: it was applied, and every attack that it has to stop was stopped.
        detail: what was seen.
        stops: what the layer is there for.
    """

    layer: str
    works: bool
    detail: str
    stops: str


def is_on(state: str | None) -> bool:
    """Whether a layer's state says that it holds ("on" or "on: detail")."""
    return state is not None and (state == "on" or state.startswith("on:"))


def level_of(layers: Mapping[str, str]) -> Level:
    """The level of protection that a set of layers gives together.

    A+   A, and the names, sizes and dates of private files are hidden as well
    A    Landlock, seccomp, resource limits, no_new_privs
    B    no Landlock, but a mount view of its own: files outside it do not exist for the worker
    C    no Landlock, but another user id that cannot enter private folders
    D    seccomp and resource limits only: no network, processes or signals, but files can be read
    none less than D: fit for one's own code only

    Args:
        layers: layer name -> "on...", "off: reason"; a missing name counts as off.
    """
    on = {name for name, state in layers.items() if is_on(state)}
    if not {"seccomp", "rlimits", "no_new_privs", "descriptors"} <= on:
        return "none"
    hidden = "mount_view" in on or {"uid", "private_folders"} <= on
    if "landlock" in on:
        return "A+" if hidden else "A"
    if "mount_view" in on:
        return "B"
    return "C" if hidden else "D"
