"""`python -m gdgrade.confine [strict|best|none]`: the layers on this machine, and what they cost."""

from __future__ import annotations

import os
import statistics
import struct
import sys
import tempfile
import time

from gdgrade.confine import Limits, Policy, confine, default_readable, level_of, prepare
from gdgrade.confine.policy import Mode
from gdgrade.confine.probing import probe

_FORKS = 30


def milliseconds(mode: Mode) -> float:
    """Median wall time of `confine` over some forks of this (small) process."""
    prepared = prepare(Policy(mode, default_readable(), Limits(cpu_seconds=10, memory_bytes=256 << 20)))
    times = []
    for _ in range(_FORKS):
        with tempfile.TemporaryDirectory() as scratch:
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                try:
                    start = time.perf_counter()
                    confine(prepared, scratch=scratch, keep_fds=[write])
                    os.write(write, struct.pack("d", time.perf_counter() - start))
                finally:
                    os._exit(0)
            os.close(write)
            times.append(struct.unpack("d", os.read(read, 8))[0])
            os.close(read)
            os.waitpid(pid, 0)
    return 1000.0 * float(statistics.median(times))


def main(arguments: list[str]) -> int:
    """Print the table; exit status 0 if the level is at least D."""
    modes: dict[str, Mode] = {"strict": "strict", "best": "best", "none": "none"}
    if len(arguments) > 1 or not set(arguments) <= set(modes):
        sys.stderr.write("usage: python -m gdgrade.confine [strict|best|none]\n")
        return 2
    mode = modes[arguments[0]] if arguments else "best"
    reports = probe(mode)
    for report in reports:
        sys.stdout.write(f"{'yes' if report.works else 'no':4}{report.layer:16} {report.detail}\n")
    level = level_of({report.layer: "on" if report.works else "off" for report in reports})
    sys.stdout.write(f"level {level}\n")
    if hasattr(os, "fork") and level != "none":
        sys.stdout.write(f"confining one worker: {milliseconds(mode):.1f} ms (median of {_FORKS})\n")
    return 0 if level != "none" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
