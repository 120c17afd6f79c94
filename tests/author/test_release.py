"""The students' package: works without the solution, and holds nothing of it."""

import gzip
import importlib.metadata
import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from babel.messages.pofile import write_po
from click.testing import CliRunner

from gdgrade.author import catalogues, handout_common, handout_files
from gdgrade.author.cache import Cache
from gdgrade.author.coursetexts import exercise_texts
from gdgrade.author.leaks import search
from gdgrade.author.pruning import not_to_be_cut_out, prune
from gdgrade.author.release import _names, _record
from gdgrade.author.runner import Runner
from gdgrade.author.scaffold import create
from gdgrade.author.secret_code import secret_code
from gdgrade.author.tasks import Bench
from gdgrade.author.translations import tasks
from gdgrade.cli import main
from gdgrade.course.loading import load_course
from gdgrade.judge.tape import read_tape

EX = "ex01_statistics"
MISTAKE = "return ref.weighted_mean((x - x.mean(axis=0)) ** 2, w)"
FORMULA = "(w[:, None] * x).sum(axis=0) / w.sum()"
PUBLIC = ("bootstrap/given_draws", "moments/mean", "moments/variance")
SECRETS = ("bootstrap/fresh_draws", "moments/variance_of_far_data")
HIDDEN = 'agrees(student.weighted_variance, at_home, x + 100.0, w, name="variance", rtol=1e-3)'


def packed(**arrays: np.ndarray) -> bytes:
    """A compressed file of arrays."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def picture(kind: bytes, body: bytes) -> bytes:
    """A picture with one chunk; its checksum does not matter."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(body)) + kind + body + b"\0\0\0\0"


def check(package: Path, file: Path, *options: str) -> dict:
    """`gdgrade check` as a student runs it: from inside the package, in a process of its own."""
    command = [sys.executable, "-m", "gdgrade", "check", "ex01", str(file), "--format", "json", *options]
    done = subprocess.run(command, cwd=package, capture_output=True, text=True, env={**os.environ}, timeout=120)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def translate(course: Path) -> None:
    """Give the course French catalogues, in which each text stands behind an "FR"."""
    for task in tasks(load_course(course / "course.yml"), ["course", EX]):
        catalogues.update(task.path, task.entries)
        catalogue = catalogues.read(task.path)
        for message in catalogue:
            if message.id:
                message.string = f"FR {message.id}"
        with task.path.open("wb") as file:
            write_po(file, catalogue)


def test_student_flow(numpy_course: Path, tmp_path: Path) -> None:
    """Zip, unpack elsewhere, hide the course: the stub, the solution and a mistake get their verdicts and the hint."""
    zipped = tmp_path / "handout.zip"
    translate(numpy_course)
    result = CliRunner().invoke(main, ["author", "release", "--out", str(zipped), "--course", str(numpy_course)])
    assert result.exit_code == 0, result.output
    assert "3 checks" in result.output
    place = tmp_path / "elsewhere"
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(place)
    hidden = numpy_course.rename(tmp_path / "somewhere_else")
    (package,) = place.iterdir()

    assert sorted(path.name for path in package.iterdir()) == [
        ".gdgrade", "README.fr.md", "README.md", "course.yml", "exercises", "graders", "locale", "requirements.txt",
        "tape",
    ]  # fmt: skip
    assert "gdgrade check ex01" in (package / "README.md").read_text()
    assert "numpy==" in (package / "requirements.txt").read_text()

    right = check(package, hidden / f"reference/{EX}/statistics_by_hand.py")
    assert [entry["outcome"] for entry in right["checks"]] == ["passed"] * 3
    other = check(package, hidden / f"tests/submissions/{EX}/right_average.py")
    assert [entry["outcome"] for entry in other["checks"]] == ["passed"] * 3
    wrong = check(package, hidden / f"tests/submissions/{EX}/wrong_mean_not_divided.py")
    (failed,) = [entry for entry in wrong["checks"] if entry["outcome"] == "failed"]
    assert failed["hint"] == "What comes out if all weights are 2?"
    assert wrong["language"] == "en"
    french = check(package, hidden / f"tests/submissions/{EX}/wrong_mean_not_divided.py", "--lang", "fr")
    (failed,) = [entry for entry in french["checks"] if entry["outcome"] == "failed"]
    assert french["language"] == "fr"
    assert failed["hint"] == "FR What comes out if all weights are 2?"
    assert all(entry["title"].startswith("FR ") for entry in (*french["checks"], *french["parts"]))
    assert "FR " in (package / "README.fr.md").read_text()
    shown = (package / f"graders/{EX}/locale/fr.mo").read_bytes().decode(errors="replace")
    texts = [text.msgid for text in exercise_texts(hidden / f"graders/{EX}")]
    at_home = {text for text in texts if text not in {t.msgid for t in exercise_texts(package / f"graders/{EX}")}}
    assert at_home, "the course has a hidden check"
    assert not [text for text in at_home if text in shown], "the package names what only hidden checks say"
    stub = check(package, package / f"exercises/{EX}/statistics_by_hand.py")
    assert stub["totals"]["points"] == 0


def test_torch_objects_and_gradients(tmp_path: Path) -> None:
    """What the reference builds, and gradients through it, are played back as well."""
    root = tmp_path / "course"
    root.mkdir()
    (root / "course.yml").write_text(
        "course: {id: t, title: T, revision: '1', arrays: torch}\n"
        "exercises:\n  - {id: ex02_none, title: N, entry: n.py, parts: [{id: '2.1', title: P, points: 1}]}\n"
    )
    create(load_course(root / "course.yml"), "ex01_lines", "Lines")
    course = (root / "course.yml").read_text()
    first = course.index("  - {id: ex02_none") if "  - {id: ex02_none" in course else course.index("  - id: ex02_none")
    (root / "course.yml").write_text(course[:first] + course[course.index("  - id: ex01_lines") :])
    with (root / "reference/ex01_lines/lines.py").open("a") as file:
        file.write(
            "\n\nclass Line:\n    def __init__(self, start, end):\n        self.start, self.end = start, end\n\n"
            "    def at(self, share):\n        return blend(self.start, self.end, share)\n"
        )
    (root / "graders/ex01_lines/test_more.py").write_text(
        '''
import torch

from gdgrade.checks import check, close


@check("1.2", points=0)
def test_object(student, reference, draw):
    """The reference's object agrees."""
    start, end = draw.normal(3), draw.normal(3)
    line = reference.Line(start, end)
    close(student.blend(start, end, 0.25), line.at(0.25), "point")


@check("1.2", points=0)
def test_slope(student, reference, draw):
    """The gradient through the reference is known."""
    start, end = draw.normal(3).requires_grad_(True), draw.normal(3)
    (slope,) = torch.autograd.grad(reference.blend(start, end, 0.25).sum(), start)
    close(slope, torch.full((3,), 0.75), "slope")
    close(student.blend(start.detach(), end, 0.0), start.detach(), "start")
'''
    )
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["author", "release", "--out", str(out), "--course", str(root)])
    assert result.exit_code == 0, result.output
    right = check(out, root / "reference/ex01_lines/lines.py")
    assert {entry["id"]: entry["outcome"] for entry in right["checks"]} == {
        f"ex01_lines/{name}": "passed" for name in ("blend/values", "path/points", "more/object", "more/slope")
    }
    wrong = check(out, root / "tests/submissions/ex01_lines/wrong_shares_exchanged.py")
    assert {entry["mistake"] for entry in wrong["checks"] if entry["outcome"] == "failed"} == {"shares_exchanged"}


WALKER = """

class Walker:
    def __init__(self, place):
        self.place, self.steps = np.array(place), 0

    def step(self, by):
        self.place += by
        self.steps += 1
        return self.place / self.steps
"""
WALK = '''"""An object with state."""

from gdgrade.checks import agrees, check


@check("1.1", points=0)
def test_walk(student, reference, draw):
    """Each step counts once."""
    start = draw.normal(3)
    ours, theirs = reference.Walker(start), student.Walker(start)
    for _ in range(3):
        agrees(theirs.step, ours.step, draw.normal(3), name="place")
'''


def test_objects_with_state(numpy_course: Path, tmp_path: Path) -> None:
    """Recording calls an object's methods as often as the check does, so it stays what the check makes of it."""
    with (numpy_course / f"reference/{EX}/statistics_by_hand.py").open("a") as file:
        file.write(WALKER)
    (numpy_course / f"graders/{EX}/test_walk.py").write_text(WALK)
    course = load_course(numpy_course / "course.yml")
    bench = Bench(course, course.exercises[0])
    with Runner(bench.exercise, 1, Cache(None)) as runner:
        assert _record(bench, runner, tmp_path, ["walk/walk", "moments/mean"]) == {}
    calls = read_tape(tmp_path / "tape" / EX, "numpy").checks["walk/walk"].calls
    places = {key: values for key, values in calls.items() if ".step(" in key}
    assert len(places) == 6, "three steps, and each at rounded inputs"


def test_nothing_is_recorded(numpy_course: Path, tmp_path: Path) -> None:
    """An exercise of which no check can be released makes no package."""
    for path in (numpy_course / f"graders/{EX}").glob("test_*.py"):
        path.unlink()
    (numpy_course / f"graders/{EX}/test_walk.py").write_text(WALK)
    with (numpy_course / f"reference/{EX}/statistics_by_hand.py").open("a") as file:
        file.write(WALKER.replace("self.steps += 1", "self.steps += np.random.default_rng().random()"))
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["author", "release", "--out", str(out), "--course", str(numpy_course)])
    assert result.exit_code == 1, result.output
    assert "no public check that could be released" in result.output
    assert "walk/walk: the reference does not pass it" in result.output
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("README.md", "return (w[:, None] * x).sum(axis=0) / w.sum()", "the reference"),
        ("graders/x/helper.py", "def f(x, w):\n    return (w[:, None] * x).sum(axis=0) / w.sum()\n", "the reference"),
        ("graders/x/mistakes.py", "", "must not be"),
        ("reference/x/y.py", "", "must not be"),
        ("graders/x/t.py", f"def f(ref, x, w):\n    {MISTAKE}\n", "mistakes"),
        ("graders/x/test_x.py", f"def test_f(x, w):\n    {HIDDEN}\n", "a hidden check"),
        ("README.md", "A mean of weights: sum them.", ""),
        ("notes.txt", "GDGRADE_SECRET_SEED=1", "secret seed"),
        ("notes.txt", "seed: 918273645918273645", "the secret seed itself"),
        ("graders/x/t.py", f"def f(x, w):\n    # {FORMULA}\n    return 1\n", "the reference"),
        ("graders/x/t.py", f'"""It is {FORMULA}."""\n', "the reference"),
        ("graders/x/t.py", f'HELP = "{FORMULA}"\n', "the reference"),
        ("graders/x/t.py", f"close(got, {FORMULA}, 'mean')\n", "the reference"),
        ("graders/x/t.py", f"oracle = lambda x, w: {FORMULA}\n", "the reference"),
        ("exercises/x/a.py", f"def f(x, w):\n    # {FORMULA}\n    raise NotImplementedError\n", "the reference"),
        ("exercises/x/a.py", "def mean(x, w):\n    return np.average(x, axis=0, weights=w)\n", "right_average.py"),
        ("exercises/x/a.py", "values = np.array([1.0, 2.0, 3.0, 4.0])\n", ""),
        ("exercises/x/a.py.gz", gzip.compress(b"x = 1", mtime=0), "cannot be searched"),
        ("exercises/x/a.png", b"\x89PNG\x00\x01", ""),
        ("exercises/x/a.csv", "a,b\n1,2\n", ""),
        ("exercises/x/a.npz", packed(a=np.array([FORMULA])), "the reference, beside or among"),
        ("exercises/x/a.npz", packed(a=np.array([f"return {FORMULA}".encode()])), "the reference, beside or among"),
        ("exercises/x/a.npz", packed(a=np.frombuffer(f"mean = {FORMULA}".encode(), np.uint8)), "the reference, beside"),
        ("exercises/x/a.npz", packed(a=np.array([*map(ord, FORMULA)])), "the reference, beside or among"),
        ("exercises/x/a.npz", packed(**{FORMULA.replace("/", "_per_"): np.ones(1), "b": np.ones(3)}), ""),
        ("exercises/x/a.npz", packed(a=np.array([{"a": 1}], dtype=object)), "holds objects"),
        ("exercises/x/a.npz", packed(a=np.frombuffer(b"918273645918273645", np.uint8)), "the secret seed itself"),
        ("data/a.npz", packed(a=np.arange(300.0), b=np.arange(300), c=np.array(["a name"])), ""),
        ("data/a.npz", b"PK\x03\x04 and no more", "cannot be searched"),
        ("docs/a.png", picture(b"tEXt", b"Comment\0" + FORMULA.encode()), "the reference, beside or among"),
        ("docs/a.png", picture(b"zTXt", b"Comment\0\0" + zlib.compress(FORMULA.encode())), "the reference, beside"),
        ("docs/a.png", picture(b"zTXt", b"Comment\0\0" + zlib.compress(b"918273645918273645")), "the secret seed"),
        ("docs/a.jpg", b"\xff\xd8\xff\xfe\x00\x40" + FORMULA.encode() + b"\xff\xd9", "the reference, beside"),
        ("exercises/x/a.ipynb", json.dumps({"outputs": [{"text": [f"    return {FORMULA}\n"]}]}), "the reference"),
    ],
)  # fmt: skip
def test_leaks_are_found(numpy_course: Path, tmp_path: Path, name: str, text: str | bytes, word: str) -> None:
    """A line of the solution, of a mistake or of a hidden check, a forbidden file or a secret is found."""
    exercise = load_course(numpy_course / "course.yml").exercises[0]
    package = tmp_path / "package"
    (package / name).parent.mkdir(parents=True)
    (package / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    problems = search(exercise, package, secret_code(exercise, PUBLIC), b"918273645918273645")
    assert any(word in problem for problem in problems) if word else problems == []


def test_graders_are_cut_to_their_public_checks(numpy_course: Path) -> None:
    """Hidden checks and what only they need are gone; what is left is Python and still imports what it uses."""
    files = prune(numpy_course / f"graders/{EX}", PUBLIC)
    assert sorted(files) == ["test_bootstrap.py", "test_moments.py"]
    assert "test_fresh_draws" not in files["test_bootstrap.py"]
    assert "attempts" not in files["test_bootstrap.py"]
    assert "class Counting" in files["test_bootstrap.py"]
    assert "far" not in files["test_moments.py"]
    for text in files.values():
        compile(text, "cut.py", "exec")


MARKS = '''"""Marks that only running the file can read."""

import functools

from gdgrade.checks import check

SECRET = {"visibility": "hidden"}
hidden_check = functools.partial(check, visibility="hidden")


@hidden_check("1.1", points=0)
def test_partial(student):
    """Hidden by a partial."""
    the_inputs_that_nobody_may_see = (student.weighted_mean, 1)


@check("1.1", points=0, **SECRET)
def test_keywords(student):
    """Hidden by keywords."""


@check("1.1", points=0)
def test_open(student):
    """Open."""


@check("1.1", points=0)
def test_open_but_calls(student):
    """Open, but it calls a hidden one."""
    test_partial(student)


class TestTogether:
    @check("1.1", points=0)
    def test_method(self, student):
        """A method."""

    @hidden_check("1.1", points=0)
    def test_hidden_method(self, student):
        """A hidden method."""
'''


def test_what_is_hidden_shows_when_the_file_runs(numpy_course: Path, tmp_path: Path) -> None:
    """Marks are read as pytest reads them; what cannot be cut out alone is named with the reason."""
    graders = numpy_course / "graders" / EX
    (graders / "test_marks.py").write_text(MARKS)
    course = load_course(numpy_course / "course.yml")
    exercise = course.exercises[0]
    with Runner(exercise, 1, Cache(None)) as runner:
        names, _ = _names(Bench(course, exercise), runner)
    assert set(names.hidden) == {*SECRETS, "marks/partial", "marks/keywords", "marks/hidden_method"}
    left_out = not_to_be_cut_out(graders, names)
    assert left_out == {
        "marks/open_but_calls": "it uses the hidden check marks/partial",
        "marks/method": "it is a method of TestTogether, and only functions can be cut out: make it one",
    }
    public = set(names.public) - set(left_out)
    assert public == {*PUBLIC, "marks/open"}
    (text,) = [text for name, text in prune(graders, public).items() if name == "test_marks.py"]
    assert "def test_open" in text
    assert not [word for word in ("partial", "SECRET", "Together", "open_but") if word in text]
    (tmp_path / "package").mkdir()
    (tmp_path / "package/leak.py").write_text("the_inputs_that_nobody_may_see = (student.weighted_mean, 1)\n")
    (found,) = search(exercise, tmp_path / "package", secret_code(exercise, public))
    assert "a hidden check in test_marks.py" in found


def test_places_that_are_taken(numpy_course: Path, tmp_path: Path) -> None:
    """A folder with something in it is left alone."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    result = CliRunner().invoke(
        main, ["author", "release", "--out", str(tmp_path / "out"), "--course", str(numpy_course)]
    )
    assert result.exit_code == 2
    assert "already there" in result.output


@pytest.mark.parametrize(
    ("out", "word"),
    [
        ("full", "already there"),
        ("file", "already there"),
        ("file/x.zip", "is no folder"),
        ("dangling", "already there"),
        ("empty", ""),
        ("new/deep/x.ZIP", ""),
    ],
)
def test_odd_places(tmp_path: Path, out: str, word: str) -> None:
    """Whether a place can be written shows before the work of making a package."""
    (tmp_path / "full/inside").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    if word:
        with pytest.raises(handout_files.PlaceError, match=word):
            handout_files.free_place(tmp_path / out)
    else:
        handout_files.free_place(tmp_path / out)


def test_a_place_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system refuses is said in one sentence."""

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(handout_files.tempfile, "TemporaryFile", refuse)
    with pytest.raises(handout_files.PlaceError, match="x cannot be written: Permission denied. Name another place."):
        handout_files.free_place(tmp_path / "new/x")


def test_an_archive_keeps_its_name(tmp_path: Path) -> None:
    """`.ZIP` asks for an archive as `.zip` does, and gets it under that very name."""
    (tmp_path / "made/package").mkdir(parents=True)
    (tmp_path / "made/package/README.md").write_text("read me")
    handout_files.put(tmp_path / "made/package", tmp_path / "deep/x.ZIP")
    with zipfile.ZipFile(tmp_path / "deep/x.ZIP") as archive:
        assert archive.read("package/README.md") == b"read me"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["x.ZIP"]


def test_files_that_are_not_shipped(tmp_path: Path) -> None:
    """Caches, checkpoints and an editor's backups stay at home."""
    names = ["README.md", "a.py", "deep/data.csv"]
    others = ["__pycache__/a.pyc", ".ipynb_checkpoints/a.py", "a.py~", "#a.py#", ".a.py.swp", "a.py.bak", ".DS_Store"]
    for name in [*names, *others]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [inside.as_posix() for _, inside in handout_files.shipped(tmp_path)] == names


def test_notes_of_the_template(tmp_path: Path) -> None:
    """What `author new` asks to replace, and is still there, is named with its line; the word alone is not."""
    place = tmp_path / "exercises/x"
    place.mkdir(parents=True)
    (place / "README.md").write_text("# Title\n\n<!-- REPLACE: this is tiny. -->\nREPLACE the first value.\n")
    (place / "a.py").write_text("# a text\n# REPLACE: a stub\n")
    assert [note.split(": ")[0] for note in handout_files.left_from_the_template(tmp_path, "x")] == [
        "REPLACE is left in exercises/x/README.md:3",
        "REPLACE is left in exercises/x/a.py:2",
    ]


def test_what_to_install(numpy_course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions that the package index knows, and torch only where something uses it."""

    def version(name: str) -> str:
        if name == "torch":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.2.3+cpu"

    monkeypatch.setattr(handout_common, "needed", lambda: ["numpy", "torch"])
    monkeypatch.setattr(handout_common.importlib.metadata, "version", version)
    course = load_course(numpy_course / "course.yml")

    def lines() -> list[str]:
        return handout_common.requirements(course, course.exercises).splitlines()[1:]

    assert lines() == ["numpy==1.2.3"]
    (numpy_course / "constraints.txt").write_text("torch==2.13.0+cpu\n")
    assert lines() == ["numpy==1.2.3"], "pinned, but nothing here uses it"
    with (numpy_course / f"graders/{EX}/test_moments.py").open("a") as file:
        file.write("\n\ndef also():\n    import torch\n")
    assert lines() == ["numpy==1.2.3", "torch==2.13.0"]


def test_deadline_in_quotation_marks(numpy_course: Path, tmp_path: Path) -> None:
    """A deadline may be written as a text as well."""
    text = (numpy_course / "course.yml").read_text()
    written = text.replace("preload:", 'deadline: "2026-12-07T23:59:00+01:00"\n    preload:')
    (numpy_course / "course.yml").write_text(written)
    course = load_course(numpy_course / "course.yml")
    handout_common.common(course, course.exercises, tmp_path / "package")
    shipped = load_course(tmp_path / "package/course.yml")
    assert shipped.exercises[0].deadline == course.exercises[0].deadline is not None


def test_calibrations_stay_whole(tmp_path: Path) -> None:
    """A check may name one key of its calibration file; what gdgrade itself reads of the file is kept with it."""
    check = (
        'PATH, KEY = "calibration.json", "settings"\n\n\ndef test_a(student):\n    """One."""\n    print(PATH, KEY)\n'
    )
    (tmp_path / "test_a.py").write_text(check)
    keys = {"version": 1, "calibrations": {}, "settings": {}, "runs": [1]}
    (tmp_path / "calibration.json").write_text(json.dumps(keys))
    files = prune(tmp_path, frozenset({"a/a"}))
    assert json.loads(files["calibration.json"]).keys() == {"version", "calibrations", "settings"}
