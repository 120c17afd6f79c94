"""The scene of a cheat: a course with canaries, other people's files, listeners, a secret seed."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CANARIES = (
    "CANARY-REFERENCE-51c2",
    "CANARY-GRADER-88ab",
    "CANARY-SECRET-77aa",
    "CANARY-HOME-19f0",
    "CANARY-OTHER-c0de",
)
SECRET_SEED = "CANARY-SECRET-77aa-0123456789"


@dataclass(frozen=True)
class Cheat:
    """A cheat and what its first line says about it.

    Attributes:
        what: what it tries.
        points: the most that it may get.
        needs: "confinement" if only the kernel's layers stop it.
        course: which of the two target courses it attacks.
        cause: of all its failed checks, where that matters; any: a cause or outcome that some check must have.
    """

    path: Path
    what: str
    points: float
    needs: str = ""
    course: str = "plain"
    cause: str = ""
    any: str = ""


def read_cheat(path: Path) -> Cheat:
    first = path.read_text().split("\n", 1)[0]
    what, *fields = re.sub(r"^# cheat: ", "", first).split(" | ")
    values = dict(field.split(": ", 1) for field in fields)
    return Cheat(path, what, float(values.pop("points")), **values)


@dataclass
class Result:
    """One run of the command line on a cheat."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    report: dict[str, Any] = field(default_factory=dict)


@dataclass
class Scene:
    """Everything a cheat could touch, in a folder of this test's own."""

    root: Path
    tcp: socket.socket
    udp: socket.socket
    unix: socket.socket
    abstract: socket.socket
    heard: list[str]

    @property
    def mark(self) -> Path:
        return self.root / "cheat-was-here"

    def prepare(self, cheat: Cheat) -> Path:
        """The cheat's file with the places of this scene filled in."""
        places = {
            "COURSE": self.root / "course", "SECRET": self.root / "secret.txt", "HOME": self.root / "home",
            "OTHERS": self.root / "others", "MARK": self.mark, "PORT": self.tcp.getsockname()[1],
            "UDP": self.udp.getsockname()[1], "UNIX": self.root / "s",
            "ABSTRACT": f"gdgrade-{os.getpid()}-{self.root.name}",
        }  # fmt: skip
        text = cheat.path.read_text()
        for name, value in places.items():
            text = text.replace(f"@@{name}@@", str(value))
        target = self.root / "mallory.py"
        target.write_text(text)
        return target

    def check(self, cheat: Cheat, *options: str) -> Result:
        """Run the real command line on the cheat."""
        file = self.prepare(cheat)
        if not (self.root / "course").exists():
            shutil.copytree(HERE / "courses" / cheat.course, self.root / "course")
        command = [sys.executable, "-m", "gdgrade", "check", "ex01", str(file), "--course", str(self.root / "course")]
        environment = {
            **os.environ, "HOME": str(self.root / "home"), "GDGRADE_SECRET_SEED": SECRET_SEED, "OMP_NUM_THREADS": "1",
            "TMPDIR": str(self.root / "tmp"),
        }  # fmt: skip
        start = time.monotonic()
        done = subprocess.run(
            [*command, "--format", "json", *options], capture_output=True, text=True, env=environment, timeout=120,
            errors="replace", cwd=self.root,
        )  # fmt: skip
        result = Result(done.returncode, done.stdout, done.stderr, time.monotonic() - start)
        if done.returncode in (0, 1):
            result.report = json.loads(done.stdout)
        return result

    def snapshot(self) -> dict[str, tuple[bytes, int]]:
        """Content and mode of every file that is not the cheat's own affair."""
        return {
            str(path.relative_to(self.root)): (path.read_bytes() if path.is_file() else b"", path.stat().st_mode)
            for path in sorted(self.root.rglob("*"))
            if "__pycache__" not in path.parts and path.name not in ("mallory.py", "s")
        }


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A fresh scene; its listeners note whoever reaches them."""
    for name in ("home", "others", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "home/.netrc").write_text("CANARY-HOME-19f0")
    (tmp_path / "others/alice.py").write_text("# CANARY-OTHER-c0de\ndef double(x): return 2 * x\n")
    (tmp_path / "secret.txt").write_text(SECRET_SEED)
    heard: list[str] = []
    tcp, udp = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    unix, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    unix.bind(str(tmp_path / "s"))
    abstract.bind(f"\0gdgrade-{os.getpid()}-{tmp_path.name}")
    for listener in (unix, abstract):
        listener.listen()
    stop = threading.Event()

    def listen(name: str, sock: socket.socket) -> None:
        sock.settimeout(0.05)
        while not stop.is_set():
            try:
                if sock.type == socket.SOCK_DGRAM:
                    sock.recv(10)
                else:
                    sock.accept()[0].close()
                heard.append(name)
            except OSError:
                continue

    pairs = [("tcp", tcp), ("udp", udp), ("unix", unix), ("abstract", abstract)]
    threads = [threading.Thread(target=listen, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    yield Scene(tmp_path, tcp, udp, unix, abstract, heard)
    stop.set()
    for thread in threads:
        thread.join()
    for _, sock in pairs:
        sock.close()
