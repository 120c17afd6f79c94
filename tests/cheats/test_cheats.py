"""No cheat gains a point, reads what is hidden, harms the host, or keeps the judge waiting.

Every file in `submissions/` says in its first line what it tries and what it may get at most; all run through the
real command line.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from gdgrade.confine import probe
from gdgrade.confine.policy import DEFAULT_REQUIRED

from .conftest import CANARIES, Cheat, Result, Scene, read_cheat

CHEATS = [read_cheat(path) for path in sorted((Path(__file__).parent / "submissions").glob("*.py"))]
# A submission of four checks with a limit of 3 s each; start-up and a loaded machine on top.
LONGEST = 4 * (3 + 1) + 30
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="session")
def confined() -> bool:
    """Whether this machine has the layers that strict confinement asks for."""
    works = {report.layer for report in probe("best") if report.works}
    return set(DEFAULT_REQUIRED) <= works


def test_there_are_enough_of_them() -> None:
    """The suite has at least 60 cheats, and each says what it tries."""
    assert len(CHEATS) >= 60
    assert all(len(cheat.what) > 15 for cheat in CHEATS)


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.path.stem)
def test_cheat_gains_nothing(cheat: Cheat, scene: Scene, confined: bool) -> None:
    """Through `gdgrade check --confine strict`, as batch grading runs it."""
    if not confined and cheat.needs == "confinement":
        pytest.skip("this machine lacks a layer of confinement; gdgrade doctor says which")
    run_and_judge(cheat, scene, "--confine", "strict" if confined else "best")


UNCONFINED = [cheat for cheat in CHEATS if cheat.needs != "confinement" and not cheat.any and cheat.course == "plain"]


@pytest.mark.parametrize("cheat", UNCONFINED[::2], ids=lambda cheat: cheat.path.stem)
def test_cheat_gains_nothing_when_spawned(cheat: Cheat, scene: Scene) -> None:
    """Where there is no fork: spawned workers, for cheats that need no confinement to be stopped."""
    run_and_judge(cheat, scene, "--start-method", "spawn")


def run_and_judge(cheat: Cheat, scene: Scene, *options: str) -> None:
    scene.prepare(cheat)
    import shutil

    shutil.copytree(Path(__file__).parent / "courses" / cheat.course, scene.root / "course")
    before = scene.snapshot()
    result = scene.check(cheat, *options)
    assert result.code in (0, 1), (result.code, result.stderr, result.stdout[:2000])
    assert result.report["totals"]["points"] <= cheat.points
    assert all(entry["outcome"] != "error" for entry in result.report["checks"])
    failed = [entry for entry in result.report["checks"] if entry["outcome"] == "failed"]
    if cheat.points == 8:
        assert result.report["totals"]["points"] == 8, [entry["message"] for entry in failed]
    if cheat.cause:
        assert {entry["cause"] for entry in failed} == {cheat.cause}
    if cheat.any:
        seen = {entry["cause"] for entry in result.report["checks"]} | {entry["outcome"] for entry in failed}
        assert cheat.any in seen, seen
    assert result.seconds < LONGEST
    assert_inert(result)
    for canary in CANARIES:
        assert canary not in result.stdout
    assert scene.snapshot() == before
    assert not scene.mark.exists()
    assert scene.heard == []
    assert list((scene.root / "tmp").iterdir()) == []


def assert_inert(result: Result) -> None:
    """No text of the student in the report holds a control character."""

    def walk(value: Any) -> None:
        if isinstance(value, str):
            assert not CONTROL.search(value.replace("\n", "")), ascii(value)[:200]
        elif isinstance(value, list):
            for item in value:
                walk(item)
        elif isinstance(value, dict):
            for item in value.values():
                walk(item)

    walk(result.report)


INJECTIONS = [cheat for cheat in CHEATS if cheat.path.stem.startswith("inject")]


@pytest.mark.parametrize("cheat", INJECTIONS, ids=lambda cheat: cheat.path.stem)
@pytest.mark.parametrize("style", ["text", "junit"])
def test_injected_text_is_inert(cheat: Cheat, style: str, scene: Scene) -> None:
    """In the terminal and in JUnit XML a student's text can neither colour, nor move, nor add structure."""
    import os
    import shutil
    import subprocess
    import sys
    from xml.etree import ElementTree as ET

    shutil.copytree(Path(__file__).parent / "courses" / cheat.course, scene.root / "course")
    file = scene.prepare(cheat)
    command = [sys.executable, "-m", "gdgrade", "check", "ex01", str(file), "--course", str(scene.root / "course")]
    environment = {**os.environ, "FORCE_COLOR": "1"} if style == "text" else dict(os.environ)
    done = subprocess.run(
        [*command, "--format", style, "--verbose"], capture_output=True, text=True, env=environment, timeout=120
    )
    assert done.returncode == 1, done.stderr
    if style == "junit":
        tree = ET.fromstring(done.stdout)
        assert len(list(tree.iter("testcase"))) == 4
        assert {element.tag for element in tree.iter()} <= {
            "testsuites", "testsuite", "testcase", "failure", "error", "skipped", "properties", "property",
            "system-out", "system-err",
        }  # fmt: skip
        return
    # Our own colours are of the form ESC [ digits m; nothing else may be there.
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", plain), ascii(plain)[:3000]
    assert "[bold green]passed[/]" in plain or cheat.path.stem != "inject_markup"
