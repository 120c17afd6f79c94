"""`gdgrade check --watch` as a student runs it: in a terminal, with an editor that saves in its own way."""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

COURSE = Path(__file__).parents[1] / "courses/numpy_course"
RIGHT = (COURSE / "reference/ex01_statistics/statistics_by_hand.py").read_text()
WRONG = RIGHT.replace(" / w.sum()", "")
SECONDS = 120  # a bound on hanging for ever; says nothing of how long anything should take

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pseudo-terminals as Linux has them")


class Terminal:
    """A program in a pseudo-terminal, and what it has shown."""

    def __init__(self, command: list[str]) -> None:
        self._ours, self._theirs = pty.openpty()
        self.attributes_before = self.attributes()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40", "GDGRADE_LANG": "en"}
        self.process = subprocess.Popen(
            command, stdin=self._theirs, stdout=self._theirs, stderr=self._theirs, env=environment, close_fds=True
        )
        self._text = ""

    def attributes(self) -> list[Any]:
        return termios.tcgetattr(self._theirs)

    def see(self, *words: str) -> str:
        """Wait until these words have been shown, in this order, since the last call; returns what was."""
        pattern = re.compile(".*?".join(map(re.escape, words)), re.DOTALL)
        until = time.monotonic() + SECONDS
        while (found := pattern.search(self._text)) is None:
            assert time.monotonic() < until, f"{words} never came:\n{self._text}"
            assert self._read(), f"it ended before {words} came:\n{self._text}"
        shown, self._text = self._text[: found.end()], self._text[found.end() :]
        return shown

    def press(self, key: str) -> None:
        os.write(self._ours, key.encode())

    def ended(self) -> int:
        """Its exit code, once it has ended by itself."""
        until = time.monotonic() + SECONDS
        while self.process.poll() is None and time.monotonic() < until:
            self._read()
        assert self.process.returncode is not None
        return self.process.returncode

    def _read(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], 0.2)
        if ready:
            text = os.read(self._ours, 65536).decode(errors="replace")
            self._text += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r\n", "\n")
        return bool(ready) or self.process.poll() is None

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for descriptor in (self._ours, self._theirs):
            os.close(descriptor)


@pytest.fixture
def terminal() -> Iterator[Any]:
    """A function: command -> the terminal it runs in."""
    with contextlib.ExitStack() as stack:

        def start(*command: str) -> Terminal:
            made = Terminal([sys.executable, *command])
            stack.callback(made.close)
            return made

        yield start


def rename_in(path: Path, text: str) -> None:
    """Save as vim and many editors do: write beside, then rename."""
    beside = path.with_suffix(".tmp")
    beside.write_text(text)
    beside.replace(path)


def test_a_students_session(terminal: Any, tmp_path: Path) -> None:
    """Wrong, not Python, right by rename, gone and back under another name, keys; then the terminal is as it was."""
    path = tmp_path / "statistics_by_hand.py"
    path.write_text(RIGHT)
    command = ["-m", "gdgrade", "check", "ex01", str(path), "--course", str(COURSE), "--watch", "--no-color"]
    seen = terminal(*command)
    seen.see("All checks passed.", "q quit")
    assert seen.attributes() != seen.attributes_before  # single keys, no echo

    path.write_text(WRONG)
    shown = seen.see(
        "checks did not pass", "waits for 1.1", "FAILED 1.1", "mean: 3 of 3 numbers differ", "after the save", "q quit"
    )
    assert "1.3  Bootstrap" in shown  # kept from before

    path.write_text(RIGHT + "\ndef broken(:\n")
    seen.see("your file is not valid Python", f"statistics_by_hand.py:{RIGHT.count(chr(10)) + 2}", "are kept", "q quit")

    rename_in(path, RIGHT)
    seen.see("All checks passed.", "q quit")

    path.rename(tmp_path / "elsewhere.py")
    seen.see("There is no file statistics_by_hand.py.", "Waiting for the next save.")
    (tmp_path / "elsewhere.py").rename(path)
    seen.see("All checks passed.")

    path.write_text(RIGHT + "# a thought\n")
    seen.see("nothing that a check can see has changed")
    seen.press("l")
    seen.see("passed", "1.1 The weighted mean")
    seen.press("\r")
    seen.see("All checks passed.", "q quit")
    seen.press("q")
    assert seen.ended() == 0
    assert seen.attributes() == seen.attributes_before


def test_without_a_terminal_verdicts_are_lines(tmp_path: Path) -> None:
    """Piped output: a line per part and save, then the report; SIGTERM ends it in order."""
    path = tmp_path / "statistics_by_hand.py"
    path.write_text(WRONG)
    command = [sys.executable, "-m", "gdgrade", "check", "ex01", str(path), "--course", str(COURSE), "--watch"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        lines = iter(process.stdout)
        assert any(line.startswith("1.1 Weighted mean: 1 of 1 checks did not pass") for line in lines)
        assert any("after the save" in line for line in lines)
        path.write_text(RIGHT)
        assert any(line.startswith("1.1 Weighted mean: 1 check passed") for line in lines)
        assert any("All checks passed." in line for line in lines)
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=SECONDS)[0]
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in rest
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("how", "code"), [("raise ValueError('oops')", 1), ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", 143)]
)
def test_the_terminal_is_given_back(terminal: Any, tmp_path: Path, how: str, code: int) -> None:
    """An exception and a signal leave the terminal as it was."""
    program = f"""
import os, signal, sys, time
from gdgrade.watch.keyboard import ends_in_order, single_keys
with ends_in_order(), single_keys(0, lambda key: os.write(1, f"got {{key!r}}".encode())):
    os.write(1, b"ready")
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.05)
    {how}
"""
    seen = terminal("-c", program, str(tmp_path / "gate"))
    seen.see("ready")
    assert seen.attributes() != seen.attributes_before
    seen.press("\x1b[A")  # an arrow is no key
    seen.press("k")
    assert "got '['" not in seen.see("got 'k'")
    (tmp_path / "gate").touch()
    assert seen.ended() == code
    assert seen.attributes() == seen.attributes_before
