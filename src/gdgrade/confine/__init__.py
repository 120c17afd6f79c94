"""Confinement of workers: what untrusted code can reach, decided by the kernel.

Pure Python and ctypes: no compiler, no privilege and no package beyond the standard library. The parent
calls `prepare` once; each forked worker calls `confine` before it reads any untrusted code::

    prepared = prepare(Policy("strict", default_readable(), Limits(cpu_seconds=20, memory_bytes=1 << 30)))
    ...                                                     # in the fork:
    reached = confine(prepared, scratch=folder, keep_fds=[sock.fileno()])

`python -m gdgrade.confine` shows what works on this machine. The threat model is in docs/security.md.
"""

from gdgrade.confine.layers import LAYERS
from gdgrade.confine.paths import default_readable
from gdgrade.confine.plan import Prepared, leave_network, prepare
from gdgrade.confine.policy import (
    Confinement,
    ConfinementError,
    LayerReport,
    Limits,
    Mode,
    Policy,
    level_of,
)
from gdgrade.confine.worker import confine

__all__ = [
    "LAYERS",
    "Confinement",
    "ConfinementError",
    "LayerReport",
    "Limits",
    "Mode",
    "Policy",
    "Prepared",
    "confine",
    "default_readable",
    "leave_network",
    "level_of",
    "prepare",
    "probe",
]


def probe(policy_mode: Mode = "best") -> tuple[LayerReport, ...]:
    """Try every layer on this machine; see `gdgrade.confine.probing.probe`."""
    from gdgrade.confine.probing import probe as try_layers

    return try_layers(policy_mode)
