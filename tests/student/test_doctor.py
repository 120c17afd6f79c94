"""`gdgrade doctor`: each thing that can be amiss is planted, found, and comes with a command that mends it."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gdgrade.cli import main
from gdgrade.confine.policy import LayerReport
from gdgrade.doctor import Finding, machine, packages
from gdgrade.doctor.visit import _data

MIB = 1 << 20
TORCH = {"torch": packages.TRIED["torch"]}


def doctor(*args: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *args])


def torch_finding(pins: dict[str, str] | None = None) -> Finding:
    ((finding, _),) = packages.working(pins or {})
    return finding


@pytest.fixture
def only_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other compiled packages are left out: they cost seconds each."""
    monkeypatch.setattr(packages, "TRIED", TORCH)


def test_it_imports_nothing_that_may_be_broken() -> None:
    """The whole visit runs without torch, numpy and the like in its own process."""
    code = (
        "import sys; from gdgrade.doctor import packages, visit; packages.TRIED = {}\n"
        "assert [f.name for f in visit(None).findings][-1] == 'locale'\n"
        "heavy = {'torch', 'numpy', 'scipy', 'matplotlib', 'ot'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise OSError('libtorch.so: cannot open shared object file')", "libtorch.so: cannot open"),
        ("", "has no attribute 'ones'"),
        ("def ones(n): return [1]\n", "has no attribute 'get_num_threads'"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "it crashes (signal 11)"),
        ("import sys; sys.exit(3)", "code 3"),
    ],
    ids=["broken", "empty", "half", "crash", "exit"],
)
@pytest.mark.usefixtures("only_torch")
def test_a_file_that_hides_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, words: str) -> None:
    """A torch.py on the path: named with its place, whatever it does, and to be moved away."""
    source = source.replace(
        "def ones(n): return [1]", "class _O:\n    def sum(self): return 2.0\ndef ones(n): return _O()"
    )
    (tmp_path / "torch.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    finding = torch_finding()
    assert finding.state == "problem"
    assert f"{tmp_path / 'torch.py'} hides the package" in finding.detail
    assert words in finding.detail
    assert finding.mend == f"mv {tmp_path / 'torch.py'} {tmp_path / 'torch.py'}.away"
    data = json.loads(doctor("--format", "json").stdout)
    assert data["ok"] is False
    assert [entry["name"] for entry in data["findings"] if entry["state"] == "problem"] == ["torch"]
    shown = doctor()
    assert shown.exit_code == 1
    assert "MEND  torch" in shown.stdout
    assert "mv " in shown.stdout


BLOCK = """\
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ImportError("torch is blocked here")

sys.meta_path.insert(0, Blocked())
"""


@pytest.mark.usefixtures("only_torch")
def test_torch_that_cannot_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(BLOCK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    finding = torch_finding({"torch": "2.6.0"})
    assert finding.state == "problem"
    assert "torch is blocked here" in finding.detail
    assert finding.mend == 'pip install --force-reinstall --no-deps "torch==2.6.0"'


def test_a_package_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "TRIED", {"nowhere-pkg": ("nowhere_pkg", "import nowhere_pkg")})
    finding = torch_finding({"nowhere-pkg": "1.2"})
    assert (finding.state, finding.mend) == ("problem", 'pip install "nowhere-pkg==1.2"')
    monkeypatch.setattr(packages, "TRIED", {"click": ("click", "import click; assert click.echo")})
    assert torch_finding().state == "ok"


def test_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the pinned set: other versions are a warning, missing packages a problem, a local suffix is neither."""
    file = tmp_path / "requirements.txt"
    file.write_text("# tested\nclick==0.1  # old\nPyYAML == 9 ; python_version > '3'\nnumpy>=1\n-e .\n")
    pins = packages.read_pins(file)
    assert pins == {"click": "0.1", "pyyaml": "9"}
    finding = packages.versions(pins, "requirements.txt")
    assert finding.state == "warning"
    assert '"click==0.1"' in finding.mend
    assert '"pyyaml==9"' in finding.mend.lower()
    assert packages.versions({}, "").state == "ok"
    assert packages.read_pins(tmp_path / "nothing.txt") == {}

    monkeypatch.setattr(packages, "needed", lambda: ["click", "no-such-package"])
    finding = packages.versions({"no-such-package": "3"}, "requirements.txt")
    assert (finding.state, finding.mend) == ("problem", 'pip install "no-such-package==3"')
    monkeypatch.setattr(packages, "needed", lambda: ["torch"])
    monkeypatch.setattr(packages.importlib.metadata, "version", lambda name: "2.13.0+cpu")
    assert packages.versions({"torch": "2.13.0"}, "requirements.txt").state == "ok"
    monkeypatch.setattr(packages, "needed", list)
    assert packages.versions({}, "").mend == "pip install -e ."


def test_old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    assert packages.python().state == "ok"
    monkeypatch.setattr(packages, "OLDEST", (99, 0))
    assert packages.python().state == "problem"
    assert "venv" in packages.python().mend


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert machine.threads(2).state == "ok"
    for setting in ("0", "many", "100000"):
        monkeypatch.setenv("OMP_NUM_THREADS", setting)
        assert (machine.threads(None).state, machine.threads(None).mend) == ("warning", "unset OMP_NUM_THREADS")


@pytest.mark.parametrize(
    ("total", "free", "state"),
    [(16000, 9000, "ok"), (4000, 500, "warning"), (1500, 1400, "problem")],
)
def test_memory(total: int, free: int, state: str) -> None:
    assert machine.memory(1024, (total * MIB, free * MIB)).state == state
    assert machine.memory(1024).detail


def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.disk([tmp_path]).state in ("ok", "warning")
    assert machine.disk([tmp_path / "nowhere"]).state == "problem"
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: type("U", (), {"free": 100 * MIB})())
    assert (machine.disk([tmp_path]).state, machine.disk([tmp_path]).mend) == ("problem", f"df -h {tmp_path}")


def test_confinement() -> None:
    """A missing layer is a warning for students, a problem for who grades."""
    reports = (LayerReport("landlock", False, "the kernel lacks it", "reading"),)
    assert machine.confinement((), "A", True, wanted=True).state == "ok"
    student = machine.confinement(reports, "D", False, wanted=False)
    assert student.state == "warning"
    assert "landlock" in student.detail
    assert machine.confinement(reports, "D", False, wanted=True).state == "problem"


def test_a_clock_that_is_behind(tmp_path: Path) -> None:
    """A file from the future, seen from here: the clock is behind. The next deadline is shown in local time."""
    file = tmp_path / "langevin.py"
    file.write_text("")
    now = datetime.now(UTC)
    assert machine.clock([file, tmp_path / "nowhere"], now + timedelta(days=3), now).state == "ok"
    assert "next deadline" in machine.clock([file], now + timedelta(days=3), now).detail
    behind = machine.clock([file], None, now - timedelta(days=2))
    assert behind.state == "problem"
    assert str(file) in behind.detail
    assert behind.mend


def test_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.locale, "getpreferredencoding", lambda *args: "ANSI_X3.4-1968")
    monkeypatch.setattr(machine.sys, "flags", type("F", (), {"utf8_mode": 0})())
    monkeypatch.setenv("LC_ALL", "C")
    assert machine.locale_of().mend == "export PYTHONUTF8=1"
    monkeypatch.setenv("LC_ALL", "xx_YY.UTF-8")
    assert "xx_YY.UTF-8 is not installed" in machine.locale_of().detail


@pytest.mark.parametrize("damage", [False, True])
def test_data_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bool) -> None:
    """By checksum, not by presence: one changed byte is found."""
    root = Path(__file__).resolve().parents[2] / "data"
    for path in root.glob("*-small.npz"):
        content = bytearray(path.read_bytes())
        if damage and path.name.startswith("mnist"):
            content[len(content) // 2] ^= 1
        (tmp_path / path.name).write_bytes(content)
    monkeypatch.setenv("GDGRADE_DATA", str(tmp_path))
    finding = _data(None)
    assert finding.state == ("problem" if damage else "ok")
    assert bool(finding.mend) is damage
    assert ("mnist-small" in finding.detail) is True


@pytest.mark.usefixtures("only_torch")
def test_the_course(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A course that cannot be read, or lacks a file, is a problem; none at all is a warning."""
    monkeypatch.setattr(packages, "TRIED", {})

    def course(*args: str) -> dict[str, str]:
        data = json.loads(doctor("--format", "json", *args).stdout)
        (found,) = [entry for entry in data["findings"] if entry["name"] == "course"]
        return dict(found)

    assert course("--course", str(workspace))["state"] == "ok"
    (workspace / "exercises/ex01_statistics/statistics_by_hand.py").unlink()
    found = course("--course", str(workspace))
    assert (found["state"], found["mend"]) == ("problem", "gdgrade reset ex01_statistics")
    (workspace / "course.yml").write_text("course: 3\n")
    assert course("--course", str(workspace))["state"] == "problem"
    monkeypatch.chdir(tmp_path)
    assert course()["state"] == "warning"


def test_healthy_and_strict(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Exit code 0 with warnings; --strict turns a missing layer into a problem; --verbose shows the layers."""
    monkeypatch.setattr(packages, "TRIED", {})
    monkeypatch.setattr(
        "gdgrade.confine.probe", lambda mode: (LayerReport("landlock", False, "gone", "reading files"),)
    )
    monkeypatch.chdir(tmp_path)
    result = doctor("--verbose")
    assert result.exit_code == 0, result.output
    assert "reading files" in result.stdout
    assert "refuses to grade here" in result.stdout
    assert doctor("--strict").exit_code == 1
