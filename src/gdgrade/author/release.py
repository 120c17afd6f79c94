"""`author release`: what students get, with recorded answers in the place of the solution, and the proof of it."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import shutil
import tempfile
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gdgrade import language
from gdgrade.author import handout_language, leaks, rehearsal
from gdgrade.author.cache import Cache
from gdgrade.author.pruning import prune
from gdgrade.author.runner import Progress, Runner
from gdgrade.author.tasks import Bench
from gdgrade.course.manifest import Course, Exercise
from gdgrade.doctor.packages import canonical, needed, read_pins
from gdgrade.language import _, course_text
from gdgrade.workspace.page import GALLERY
from gdgrade.workspace.progress import FOLDER as WORKSPACE

TAPE_LAB = "gdgrade.author.lab_tape:TapeLab"


class ReleaseError(Exception):
    """The package cannot be made, or would give answers away; the text says where."""


@dataclass(frozen=True)
class Released:
    """One exercise of a package.

    Attributes:
        checks: short names of the public checks in it.
        left_out: public checks that are not in it, and why.
        hints: how many mistakes get their hint in the package, of how many that a public check catches.
        untold: the mistakes that get none.
    """

    exercise: str
    checks: tuple[str, ...]
    left_out: dict[str, str]
    hints: tuple[int, int]
    untold: tuple[str, ...] = ()


def release(
    course: Course,
    exercises: Sequence[Exercise],
    out: Path,
    *,
    jobs: int = 2,
    progress: Progress | None = None,
) -> list[Released]:
    """Make the package.

    Args:
        exercises: what to release; at least one.
        out: a folder that is not there yet or empty, or a file name that ends in .zip.

    Raises:
        ReleaseError: `out` is taken, or the finished package holds something secret.
        LaunchError: the machine could not start a judge.
    """
    zipped = out.suffix == ".zip"
    if out.exists() and (zipped or not out.is_dir() or any(out.iterdir())):
        raise ReleaseError(f"{out} is already there. Name another place, or delete it first.")
    with tempfile.TemporaryDirectory(prefix="gdgrade-release-") as scratch:
        folder = Path(scratch) / course.id
        _common(course, exercises, folder)
        made = [_exercise(course, exercise, folder, jobs, progress) for exercise in exercises]
        found = [leak for exercise in exercises for leak in leaks.search(exercise, folder)]
        if found:
            raise ReleaseError("the package would give answers away:\n" + "\n".join(found))
        if zipped:
            out.parent.mkdir(parents=True, exist_ok=True)
            shutil.make_archive(str(out.with_suffix("")), "zip", scratch, course.id)
        else:
            shutil.copytree(folder, out, dirs_exist_ok=True)
    return made


def _exercise(course: Course, exercise: Exercise, folder: Path, jobs: int, progress: Progress | None) -> Released:
    """Record, cut, rehearse; a check that does not survive the rehearsal is left out, and the rest rehearsed again."""
    source = exercise.folder("exercises")
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            target = folder / "exercises" / exercise.id / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    _for_the_workspace(course, exercise, folder)
    left_out = leaks.public_checks_that_show_code(exercise) | leaks.plots_that_show_code(exercise)
    recorded = _record(course, exercise, folder, left_out, jobs, progress)
    if not recorded:
        raise ReleaseError(f"{exercise.id} has no public check that could be released: {left_out}")
    for _attempt in range(3):
        _write_graders(exercise, folder, frozenset(left_out))
        found = rehearsal.rehearse(course, exercise, folder, jobs, progress)
        if not found.broken:
            break
        left_out |= found.broken
    else:
        raise ReleaseError(f"{exercise.id}: the package's checks do not settle: {found.broken}")
    handout_language.ship_exercise(exercise, folder)
    for mistake, told in found.wrong_hints.items():
        raise ReleaseError(f"{exercise.id}: in the package {mistake} is told of {told}")
    return Released(exercise.id, tuple(found.checks), left_out, (found.told, found.caught), tuple(found.untold))


def _record(
    course: Course, exercise: Exercise, folder: Path, left_out: dict[str, str], jobs: int, progress: Progress | None
) -> list[str]:
    """Write the tape of the public checks; adds to `left_out` what the reference does not pass while recording."""
    bench = Bench(course, exercise)
    public = [name for name in leaks.public_names(exercise) if name not in left_out]
    place = folder / "tape" / exercise.id
    task = bench.lab(TAPE_LAB, {"folder": str(place.resolve())}, quick=False)
    with Runner(exercise, jobs, Cache(None), progress) as runner:
        everything = runner.run([bench.lab("gdgrade.author.lab_names:NamesLab", {}, quick=False)])[0]
        if "lab" not in everything:
            raise ReleaseError(f"{exercise.id}: {everything['errors']}")
        wanted = [name for name in everything["lab"]["checks"] if name.split("[")[0] in public]
        if not wanted:
            return []
        result = runner.run([dataclasses.replace(task, job=dataclasses.replace(task.job, only_checks=tuple(wanted)))])[
            0
        ]
    if "lab" not in result:
        raise ReleaseError(f"{exercise.id}: the answers cannot be recorded: {result['errors']}")
    for name, why in result["lab"]["failed"].items():
        left_out[name.split("[")[0]] = f"the reference does not pass it in this process: {why[:200]}"
    return list(result["lab"]["recorded"])


def _for_the_workspace(course: Course, exercise: Exercise, folder: Path) -> None:
    """The stub once more, for `gdgrade reset`; the pictures that the statement links to, for `gdgrade plot`."""
    kept = folder / WORKSPACE / "stubs" / exercise.id / exercise.entry
    kept.parent.mkdir(parents=True)
    shutil.copyfile(exercise.entry_path, kept)
    for path in sorted((course.root / GALLERY / exercise.id).glob("*")):
        if path.suffix in (".png", ".gif"):
            target = folder / GALLERY / exercise.id / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def _write_graders(exercise: Exercise, folder: Path, without: frozenset[str]) -> None:
    place = folder / "graders" / exercise.id
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name, text in prune(exercise.graders_dir, without).items():
        (place / name).write_text(text, encoding="utf-8")


# ---- what all exercises share


def _common(course: Course, exercises: Sequence[Exercise], folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "course.yml").write_text(_course_file(course, exercises), encoding="utf-8")
    (folder / "requirements.txt").write_text(requirements(course.root), encoding="utf-8")
    (folder / "README.md").write_text(_readme(course, exercises), encoding="utf-8")
    for name in handout_language.ship_course(course, exercises, folder):
        with language.speaking(name, folder / "locale"):
            (folder / f"README.{name}.md").write_text(_readme(course, exercises), encoding="utf-8")
    names = {name for exercise in exercises for name in exercise.data}
    for name in sorted(names):
        path = course.root / "data" / f"{name}.npz"
        if path.is_file():
            (folder / "data").mkdir(exist_ok=True)
            shutil.copyfile(path, folder / "data" / path.name)
    for name in ("SOURCES.md", "LICENSES.md"):
        if (folder / "data").is_dir() and (course.root / "data" / name).is_file():
            shutil.copyfile(course.root / "data" / name, folder / "data" / name)


def _course_file(course: Course, exercises: Sequence[Exercise]) -> str:
    """The manifest's data for these exercises, without comments: those are for staff."""
    data: Any = yaml.safe_load(course.file.read_text(encoding="utf-8"))
    chosen = {exercise.id for exercise in exercises}
    data["exercises"] = [entry for entry in data["exercises"] if entry["id"] in chosen]
    for entry in data["exercises"]:
        if "deadline" in entry:
            entry["deadline"] = entry["deadline"].isoformat()
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)


def requirements(root: Path) -> str:
    """gdgrade and what it needs, at the versions that the course pins, else those that are installed here."""
    pins = read_pins(root / "constraints.txt")
    lines = [f"gdgrade=={importlib.metadata.version('gdgrade')}"]
    for name in needed():
        version = pins.get(canonical(name), "") or importlib.metadata.version(name)
        lines.append(f"{name}=={version}")
    return "\n".join(lines) + "\n"


def _readme(course: Course, exercises: Sequence[Exercise]) -> str:
    """The package's first page, in the language in use."""
    first = exercises[0]
    rows = [
        f"| `{e.short}` | {course_text(e.title)} | `exercises/{e.id}/{e.entry}` | {e.max_points:g} |" for e in exercises
    ]
    statement = "README.md" if language.language() == "en" else f"README.{language.language()}.md"
    pieces = [
        f"# {course_text(course.title)}",
        "\n".join([_("| | exercise | you write | points |"), "|---|---|---|---|", *rows]),
        _("Set up once, in a fresh environment with Python 3.11 or newer:"),
        "```\npip install -r requirements.txt\n```",
        _(
            "Then, in this folder, `gdgrade start` begins to keep your progress, `gdgrade doctor` looks whether the "
            "machine is ready, and `gdgrade next` says what to write next."
        ),
        _("Read `{statement}`, write your code into `{file}`, and ask as often as you like:").format(
            statement=f"exercises/{first.id}/{statement}", file=f"exercises/{first.id}/{first.entry}"
        ),
        f"```\ngdgrade check {first.short}\n```",
        _(
            "`gdgrade hint {exercise}` helps on when you are stuck, `gdgrade status` shows where you stand, and "
            "`gdgrade plot {exercise} --open` draws your results beside those of a right solution."
        ).format(exercise=first.short),
        _(
            "The checks here are the public ones. When you hand in, further checks with other inputs count as well, so "
            "a part may show fewer points here than it is worth. Nothing you need is in `graders/` or `tape/`; please "
            "leave both as they are."
        ),
    ]
    return "\n\n".join("\n".join(wrapped(piece)) for piece in pieces) + "\n"


def wrapped(paragraph: str) -> list[str]:
    """Lines of at most 110 characters; tables and code as they are."""
    if paragraph.startswith(("|", "`" * 3, "#")):
        return [paragraph]
    return textwrap.wrap(paragraph, 110, break_long_words=False, break_on_hyphens=False)
