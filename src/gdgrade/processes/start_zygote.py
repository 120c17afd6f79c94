"""The zygote's program: what must be done before its imports, then `zygote.main`."""

from __future__ import annotations

import os


def main(fd: int) -> None:
    """Serve on descriptor `fd` without the care that threads would need at every fork.

    Modules such as threading, logging and random have every fork renew their locks and states. A zygote and a judge
    have one thread when they fork, so no lock is held by another one, and a worker is seeded by its judge. The
    handlers alone cost a child 270 page faults, more than all else that a fork needs.
    """
    os.register_at_fork = lambda **handlers: None
    from gdgrade.processes import zygote

    zygote.main(fd)
