"""What a submission imports of scipy is imported once, before its workers are forked."""

import pytest

from gdgrade.judge.channel import WorkerChannel
from gdgrade.judge.student import Student
from gdgrade.processes.launcher import Settings, WorkerLimits, Zygote
from gdgrade.processes.sharing import parts_of_scipy

LIMITS = WorkerLimits(cpu_seconds=12, memory_bytes=512 << 20)
SOURCE = "import sys\ndef there(name):\n    return name in sys.modules\n"

CASES = {
    "import scipy.optimize": ("optimize",),
    "import numpy, scipy.special as s": ("special",),
    "from scipy import special, optimize  # and stats": ("optimize", "special"),
    "    from scipy.spatial.distance import cdist": ("spatial",),
    "from scipy.optimize import (\n    linear_sum_assignment,\n)": ("optimize",),
    "import scipy": (),
    "from scipy import constants": (),
    "import scipyx.special": (),
    "# import scipy.special": (),
    "x = 'import scipy.special'": (),
    "import scipy.__main__": (),
    "def f(:": (),
}


@pytest.mark.parametrize("source", CASES)
def test_import_lines_are_read(source: str) -> None:
    """Only import lines count, and only names of the list."""
    assert parts_of_scipy(source) == CASES[source]


def there(zygote: Zygote, scipy: tuple[str, ...], name: str) -> bool:
    channel = WorkerChannel(zygote, LIMITS, 10, scipy)
    channel.send_load(SOURCE, "answer", "answer.py", "numpy")
    channel.load_reply()
    try:
        return bool(Student(channel, "numpy").there(name))
    finally:
        channel.end()


def test_imported_before_the_fork() -> None:
    """A worker finds what was asked for; other names, even of modules that exist, are never imported."""
    zygote = Zygote(Settings(preload=("numpy",)))
    try:
        assert zygote.wait_ready()["threads"] == 1
        assert not there(zygote, (), "scipy.special")
        assert there(zygote, ("special", "no_such_part", "../x", "__main__"), "scipy.special")
        assert there(zygote, (), "scipy.special")  # it stays for the next one
        assert not there(zygote, ("constants", "this"), "scipy.constants")
    finally:
        zygote.close()


def test_a_forbidden_scipy_stays_out() -> None:
    """Where the exercise forbids scipy, an import line does not bring it in."""
    zygote = Zygote(Settings(preload=("numpy",), forbidden=("scipy",)))
    try:
        zygote.wait_ready()
        assert not there(zygote, ("special",), "scipy.special")
    finally:
        zygote.close()
