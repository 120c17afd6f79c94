"""A check that needs a package of the judge: without it the points stay open, with it they are judged."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gdgrade
from gdgrade.batch.store import Store
from gdgrade.judge.marks import check, missing_packages
from gdgrade.judge.outcome import extra_of

from .conftest import COURSE, RIGHT, WRONG, command

PACKAGE = "package_that_comes"
CHECK = f'''

@check("1.4", points=1, requires=["{PACKAGE}"])
def test_spread_by_package(student, draw):
    """The spread, as a package has it."""
    import {PACKAGE}

    require(student.spread(draw.normal(7)) >= {PACKAGE}.LEAST, "a spread is not negative")


@check("1.5", points=2)
def test_what_builds_on_it(student, reference, draw):
    """The spread once more."""
    agrees(student.spread, reference.spread, draw.normal(7))
'''


class World:
    """A course with such a check, and a copy of gdgrade beside which the package can be put."""

    def __init__(self, folder: Path) -> None:
        self.course = Path(shutil.copytree(COURSE, folder / "course"))
        manifest = self.course / "course.yml"
        manifest.write_text(
            manifest.read_text()
            + '      - {id: "1.4", title: Packages, points: 1, optional: true}\n'
            + '      - {id: "1.5", title: More, points: 2, optional: true, needs: ["1.4"]}\n'
        )
        with (self.course / "graders/ex01_target/test_target.py").open("a") as checks:
            checks.write(CHECK)
        self.library = folder / "library"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(Path(gdgrade.__file__).parent, self.library / "gdgrade", ignore=ignored)
        self.out = folder / "out"
        self.hand_ins = folder / "in"
        for name, text in (("ada", RIGHT), ("bob", WRONG)):
            (self.hand_ins / name).mkdir(parents=True)
            (self.hand_ins / name / "target.py").write_text(text)

    def install(self) -> None:
        (self.library / f"{PACKAGE}.py").write_text("LEAST = 0\n")

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(self.library)}
        return subprocess.run(
            command(*arguments, course=self.course), capture_output=True, text=True, timeout=300, env=environment
        )

    def batch(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return self.run("batch", *arguments, "--out", self.out, "--quiet")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_check_says_what_is_missing(world: World) -> None:
    """The check is skipped with the reason and costs nothing; what builds on it is not judged either. Then both are."""
    right = world.hand_ins / "ada/target.py"
    done = world.run("check", "ex01", right, "--format", "json")
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    waiting, builds = report["checks"][-2:]
    assert (waiting["outcome"], waiting["cause"], waiting["points"]) == ("skipped", "infrastructure", 0)
    assert f"needs {PACKAGE}, which is not installed here" in waiting["message"]
    assert (builds["outcome"], builds["cause"]) == ("skipped", "infrastructure")
    assert "was not judged" in builds["message"]
    assert (report["totals"]["points"], report["totals"]["bonus"]) == (8, 0)
    assert [part["undecided"] for part in report["parts"][-2:]] == [1, 2]
    assert [part["status"] for part in report["parts"][-2:]] == ["undecided", "undecided"]

    page = world.out / "report.html"
    shown = world.run("check", "ex01", right, "--html", page)
    assert "NOT JUDGED 1.4" in shown.stdout
    assert "All that can be judged here passed" in shown.stdout
    assert f"needs {PACKAGE}" in page.read_text()

    world.install()
    report = json.loads(world.run("check", "ex01", right, "--format", "json").stdout)
    assert (report["totals"]["points"], report["totals"]["bonus"]) == (8, 3)


def test_batch_grades_again_once_it_is_there(world: World) -> None:
    """Undecided points stand in the queue; --resume and a new run leave them so until the package can be imported."""
    done = world.batch(world.hand_ins)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"for a person: ada ex01_target: some checks need {PACKAGE}" in done.stdout
    with Store(world.out) as store:
        rows = store.db.execute("SELECT attempts, missing, problem FROM verdicts").fetchall()
        assert [tuple(row) for row in rows] == [(1, PACKAGE, "")] * 2  # trying again would not help
    assert "0 files graded" in world.batch("--resume").stdout
    assert "0 files graded, 2 known" in world.batch(world.hand_ins).stdout
    assert "2 verdicts stand" in world.run("rejudge", "--out", world.out).stdout

    world.install()
    done = world.run("rejudge", "--out", world.out)
    assert done.returncode == 1
    assert done.stdout.count(f"{PACKAGE} can be imported now") == 2
    done = world.batch("--resume")
    assert (done.returncode, "2 files graded" in done.stdout) == (0, True), done.stdout + done.stderr
    assert "2 verdicts stand" in world.run("rejudge", "--out", world.out).stdout


def test_resume_opens_a_finished_run(world: World) -> None:
    """Without a rejudge between, --resume of the same run grades the waiting files, and keeps the old verdicts."""
    world.batch(world.hand_ins)
    world.install()
    done = world.batch("--resume")
    assert (done.returncode, "2 files graded" in done.stdout) == (0, True), done.stdout + done.stderr
    with Store(world.out) as store:
        assert store.db.execute("SELECT count(*) FROM verdicts").fetchone()[0] == 4
        assert store.db.execute("SELECT count(*) FROM hand_ins").fetchone()[0] == 2


def test_missing_packages_are_looked_for_not_imported() -> None:
    """A module that greets whoever imports it stays unimported."""
    assert missing_packages(("this", "numpy", "no_such_package")) == ("no_such_package",)
    assert "this" not in sys.modules


def test_the_extra_is_named() -> None:
    """The remedy for RDKit is the extra that brings it; a package that no extra brings has none."""
    assert extra_of("rdkit") == "molecules"
    assert extra_of("no_such_package") == ""


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"requires": "rdkit"}, TypeError),
        ({"requires": ["rdkit>=2024.9"]}, ValueError),
        ({"requires": ["rdkit.Chem"]}, ValueError),
        ({"needs": "1.1"}, TypeError),
    ],
)
def test_a_wrong_list_is_refused_where_it_is_written(fields: dict[str, object], error: type[Exception]) -> None:
    """A text in the place of a list, or a requirement in the place of a name."""
    with pytest.raises(error):
        check("1.1", points=1, **fields)
