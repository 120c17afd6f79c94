"""The whole student flow inside a package, in a folder of its own: the reference passes, mistakes get their hints."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from gdgrade.author.cache import Cache
from gdgrade.author.runner import Gate, Progress, Runner, Task
from gdgrade.author.tasks import LAB_SECONDS, Bench
from gdgrade.course.loading import load_course
from gdgrade.course.manifest import Course, Exercise

MISTAKE_LAB = "gdgrade.author.lab_mistakes:MistakeLab"


@dataclass
class Rehearsed:
    """What happened in the package.

    Attributes:
        checks: those that the reference passed there; broken: the others, with the reason.
        wrong_hints: mistake -> what was told instead of it; untold: caught there, but only hidden checks can name it.
        told, caught: how many mistakes got their own hint, of how many that fail some check there.
    """

    checks: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    wrong_hints: dict[str, str] = field(default_factory=dict)
    untold: list[str] = field(default_factory=list)
    told: int = 0
    caught: int = 0


def rehearse(
    course: Course, exercise: Exercise, folder: Path, jobs: int, progress: Progress | None, gate: Gate | None = None
) -> Rehearsed:
    """Judge the reference and every mistake in a copy of the package `folder`.

    The copy has no reference beside it; the solution comes in as a submission, as a student's would. Other exercises,
    which may still be in the making, are not copied.
    """
    found = Rehearsed()
    with tempfile.TemporaryDirectory(prefix="gdgrade-rehearsal-") as scratch:
        root = Path(scratch) / "package"
        elsewhere = {one.id for one in course.exercises} - {exercise.id}
        shutil.copytree(folder, root, ignore=lambda _, names: elsewhere.intersection(names))
        inside = load_course(root / "course.yml")
        there = inside.exercise(exercise.id)
        bench = Bench(course, exercise)
        job = dataclasses.replace(bench.job(exercise.reference_path, quick=False), root=str(root), diagnose=False)
        origin = {
            "reference": str(exercise.reference_path.resolve()),
            "mistakes": str((exercise.graders_dir / "mistakes.py").resolve()),
        }
        options = {"name": MISTAKE_LAB, "seeds": 1, "powers": False, **origin}
        lab = dataclasses.replace(job, quick=True, extra={"lab": options}, submission_seconds=LAB_SECONDS)
        tasks = [Task("the reference in the package", job, ""), Task("mistakes in the package", lab, "")]
        with Runner(there, jobs, Cache(None), progress, gate) as runner:
            reference, mistakes = runner.run(tasks)
    for entry in reference["outcomes"]:
        short = entry["id"].split("/", 1)[1]
        if entry["outcome"] == "passed":
            found.checks.append(short)
        elif entry["outcome"] != "skipped":
            found.broken[short.split("[")[0]] = f"the reference fails it in the package: {entry['message'][:200]}"
    for error in (*reference["errors"], *mistakes["errors"]):
        found.broken["all checks"] = error
    for entry in mistakes.get("lab", {}).get("mistakes", []):
        others = sorted(set(entry["diagnosed"]) - {entry["name"]})
        if others:
            found.wrong_hints[entry["name"]] = ", ".join(others)
        found.caught += bool(entry["fails"])
        if entry["name"] in entry["diagnosed"]:
            found.told += 1
        elif entry["fails"]:
            found.untold.append(entry["name"])
    return found
