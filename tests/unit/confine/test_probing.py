"""The probe sees a layer that works, one that is missing, one that only pretends, and a sandbox that breaks all."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import gdgrade.confine
from gdgrade.confine import LAYERS
from gdgrade.confine.identity import can_read
from gdgrade.confine.kernel import Kernel
from gdgrade.confine.probing import probe


class PretendedLandlock(Kernel):
    """Says yes and restricts nothing."""

    def landlock_restrict(self, ruleset):
        pass


class PretendedFilter(Kernel):
    """Says yes and filters nothing."""

    def install_filter(self, program):
        pass


class DeadlyFilter(Kernel):
    """A filter that ends the process at its next call."""

    def install_filter(self, program):
        super().install_filter(struct.pack("HBBI", 0x06, 0, 0, 0x80000000))


class BlindingLandlock(Kernel):
    """Rules that close the scratch folder and Python's own files too."""

    def landlock_allow(self, ruleset, folder, rights):
        pass


def rows(**options):
    """The reports by layer."""
    return {report.layer: report for report in probe(**options)}


def test_working_layers_stop_their_attacks(landlock_abi):
    """On this machine Landlock, seccomp, limits and descriptors are proven by attacks that succeed without them."""
    seen = rows()
    assert list(seen) == [name for name in LAYERS if name != "forbidden"]
    for layer in ("landlock", "seccomp", "rlimits", "descriptors"):
        assert seen[layer].works, seen[layer]
        assert "attacks stopped" in seen[layer].detail
        assert seen[layer].stops == LAYERS[layer]


def test_missing_layer_is_seen(landlock_abi):
    """Without Landlock its row says so, and the other rows still work."""
    seen = rows(max_abi=0)
    assert not seen["landlock"].works
    assert "kernel" in seen["landlock"].detail
    assert seen["seccomp"].works


@pytest.mark.parametrize(
    ("kernel", "layer", "leak"),
    [(PretendedLandlock, "landlock", "write outside scratch"), (PretendedFilter, "seccomp", "chmod")],
)
def test_pretended_layer_is_unmasked(kernel, layer, leak, landlock_abi):
    """A layer that reports success and stops nothing is told by the attacks that got through."""
    if os.geteuid() == 0:
        pytest.importorskip("resource")
    report = rows(kernel=kernel())[layer]
    if layer == "landlock" and os.geteuid() == 0:
        leak = "read"  # the other user cannot write outside anyway
    assert not report.works
    assert leak in report.detail


@pytest.mark.parametrize("kernel", [DeadlyFilter, BlindingLandlock])
def test_sandbox_that_breaks_honest_work_is_no_success(kernel, landlock_abi):
    """When everything is blocked, honest work too, no layer counts as working."""
    seen = rows(kernel=kernel())
    assert not any(report.works for report in seen.values())
    assert "honest work failed" in seen["seccomp"].detail


def test_mode_none_shows_what_remains():
    """With none the limits are on and the fences are shown as switched off."""
    seen = rows(policy_mode="none")
    assert seen["rlimits"].works
    assert not seen["seccomp"].works
    assert "switched off" in seen["seccomp"].detail


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    """The probe removes its own folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    probe()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("user", [None, 54321], ids=["as started", "unprivileged"])
def test_demo_prints_table_level_and_cost(user, landlock_abi):
    """`python -m gdgrade.confine` works for root and for an ordinary user, and prints level and milliseconds."""
    source = Path(gdgrade.confine.__file__).parents[2]
    python = sys.executable
    if user is not None:
        if os.geteuid() != 0:
            pytest.skip("already an ordinary user")
        reachable = [p for p in (sys.executable, "/usr/bin/python3") if Path(p).exists() and can_read(user, p)]
        if not reachable or not can_read(user, str(source)):
            pytest.skip("an ordinary user cannot reach Python or the sources here")
        python = reachable[0]
        version = subprocess.run([python, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True)
        if version.stdout.strip() != b"True":
            pytest.skip("the system's Python is too old")
    environment = {"PYTHONPATH": str(source), "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(
        [python, "-m", "gdgrade.confine"],
        capture_output=True,
        text=True,
        cwd="/",
        env=environment,
        user=user,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "\nlevel A" in ended.stdout
    assert " ms (median" in ended.stdout
    if user is not None:
        assert "not started as root" in ended.stdout
