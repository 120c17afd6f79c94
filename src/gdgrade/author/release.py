"""`author release`: what students get, with recorded answers in the place of the solution, and the proof of it."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gdgrade.author import handout_files, handout_language, leaks, rehearsal
from gdgrade.author.cache import Cache
from gdgrade.author.handout_common import common
from gdgrade.author.pruning import Names, not_to_be_cut_out, prune
from gdgrade.author.runner import Gate, Progress, Runner, side_by_side
from gdgrade.author.secret_code import given_away, secret_code
from gdgrade.author.tasks import Bench
from gdgrade.course.manifest import Course, Exercise
from gdgrade.course.seeds import grading_seed
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
        notes: what the author may have forgotten, one sentence each.
    """

    exercise: str
    checks: tuple[str, ...]
    left_out: dict[str, str]
    hints: tuple[int, int]
    untold: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


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
        PlaceError: `out` is taken or cannot be written.
        ReleaseError: the finished package holds something secret, or no check of some exercise.
        LaunchError: the machine could not start a judge.
    """
    handout_files.free_place(out)
    seed = grading_seed(course).secret
    with tempfile.TemporaryDirectory(prefix="gdgrade-release-") as scratch:
        folder = Path(scratch) / course.id
        common(course, exercises, folder)

        def one(exercise: Exercise, gate: Gate) -> tuple[Released, frozenset[str]]:
            return _exercise(course, exercise, folder, jobs, progress, gate)

        made = side_by_side(one, exercises, jobs)
        gifts = frozenset().union(*map(given_away, exercises))
        found = []
        for exercise, (_, public) in zip(exercises, made, strict=True):
            secrets = secret_code(exercise, public, gifts)
            found += leaks.search(exercise, folder, secrets, seed)
        if found:
            raise ReleaseError("the package would give answers away:\n" + "\n".join(dict.fromkeys(found)))
        handout_files.put(folder, out)
    return [released for released, _ in made]


def _exercise(
    course: Course, exercise: Exercise, folder: Path, jobs: int, progress: Progress | None, gate: Gate
) -> tuple[Released, frozenset[str]]:
    """Record, cut, rehearse; a check that does not survive the rehearsal is left out, and the rest rehearsed again.

    Returns:
        what was made, and the public checks that could be cut out: their lines are no secret.
    """
    for path, inside in handout_files.shipped(exercise.folder("exercises")):
        target = folder / "exercises" / exercise.id / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    _for_the_workspace(course, exercise, folder)
    bench = Bench(course, exercise)
    with Runner(exercise, jobs, Cache(None), progress, gate) as runner:
        names, shorts = _names(bench, runner)
        left_out = not_to_be_cut_out(exercise.graders_dir, names)
        public = frozenset(names.public) - left_out.keys()
        left_out |= leaks.checks_that_show_code(exercise, public)
        if (exercise.graders_dir / "plots.py").is_file() and "plots" not in left_out:
            left_out |= leaks.plots_that_show_code(exercise, secret_code(exercise, public))
        wanted = [short for short in shorts if short.partition("[")[0] in public - left_out.keys()]
        left_out |= _record(bench, runner, folder, wanted)
    for _attempt in range(3):
        keep = public - left_out.keys()
        if not keep:
            why = "".join(f"\n  {name}: {reason}" for name, reason in left_out.items())
            raise ReleaseError(f"{exercise.id} has no public check that could be released.{why}")
        _write_graders(exercise, folder, [*sorted(keep), *({"plots"} - left_out.keys())])
        found = rehearsal.rehearse(course, exercise, folder, jobs, progress, gate)
        if not found.broken:
            break
        left_out |= found.broken
    else:
        raise ReleaseError(f"{exercise.id}: the package's checks do not settle: {found.broken}")
    strange = {name.partition("[")[0] for name in found.checks} - keep
    if strange:
        raise ReleaseError(f"{exercise.id}: the package holds {', '.join(sorted(strange))}, which is no public check")
    handout_language.ship_exercise(exercise, folder)
    for mistake, told in found.wrong_hints.items():
        raise ReleaseError(f"{exercise.id}: in the package {mistake} is told of {told}")
    notes = tuple(handout_files.left_from_the_template(folder, exercise.id))
    hints = (found.told, found.caught)
    return Released(exercise.id, tuple(found.checks), left_out, hints, tuple(found.untold), notes), public


def _names(bench: Bench, runner: Runner) -> tuple[Names, list[str]]:
    """The checks by visibility, without parameters; and the public ones once more, parameters included."""
    found = runner.run([bench.lab("gdgrade.author.lab_names:NamesLab", {}, quick=False)])[0]
    if "lab" not in found:
        raise ReleaseError(f"{bench.exercise.id}: {found['errors']}")
    rows = found["lab"]["checks"]
    hidden = {short.partition("[")[0]: place for short, visibility, place in rows if visibility != "public"}
    public = {short.partition("[")[0]: place for short, _, place in rows if short.partition("[")[0] not in hidden}
    return Names(public, hidden), [short for short, _, _ in rows if short.partition("[")[0] in public]


def _record(bench: Bench, runner: Runner, folder: Path, wanted: Sequence[str]) -> dict[str, str]:
    """Write the tape of these checks; returns those that the reference does not pass while recording, and why."""
    if not wanted:
        return {}
    task = bench.lab(TAPE_LAB, {"folder": str((folder / "tape" / bench.exercise.id).resolve())}, quick=False)
    result = runner.run([dataclasses.replace(task, job=dataclasses.replace(task.job, only_checks=tuple(wanted)))])[0]
    if "lab" not in result:
        raise ReleaseError(f"{bench.exercise.id}: the answers cannot be recorded: {result['errors']}")
    return {
        name.partition("[")[0]: f"the reference does not pass it in this process: {why[:200]}"
        for name, why in result["lab"]["failed"].items()
    }


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


def _write_graders(exercise: Exercise, folder: Path, keep: Sequence[str]) -> None:
    place = folder / "graders" / exercise.id
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name, text in prune(exercise.graders_dir, keep).items():
        (place / name).write_text(text, encoding="utf-8")
