"""What all exercises of a students' package share: its first page, its course file, its data, what to install."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

import gdgrade
from gdgrade import language
from gdgrade.author import handout_language
from gdgrade.course.manifest import Course, Exercise, Kind
from gdgrade.doctor.packages import canonical, needed, read_pins
from gdgrade.language import _, course_text

KINDS: tuple[Kind, ...] = ("exercises", "graders", "reference")


def common(course: Course, exercises: Sequence[Exercise], folder: Path) -> None:
    """Write the files of a package that belong to no exercise alone."""
    folder.mkdir(parents=True)
    (folder / "course.yml").write_text(_course_file(course, exercises), encoding="utf-8")
    (folder / "requirements.txt").write_text(requirements(course, exercises), encoding="utf-8")
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
        if hasattr(entry.get("deadline"), "isoformat"):  # in quotation marks it is a text already
            entry["deadline"] = entry["deadline"].isoformat()
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)


def requirements(course: Course, exercises: Sequence[Exercise]) -> str:
    """gdgrade and what it needs, at the versions that the course pins, else those that are installed here.

    Without torch and what comes with it where nothing of these exercises uses it, and without the local part of a
    version: the package index knows no `2.13.0+cpu`.
    """
    pins = read_pins(course.root / "constraints.txt")
    lines = [f"gdgrade=={gdgrade.__version__}"]
    for name in needed():
        version = pins.get(canonical(name), "") or _installed(name)
        if version and (name != "torch" or _uses_torch(course, exercises)):
            lines.append(f"{name}=={version.partition('+')[0]}")
    return "\n".join(lines) + "\n"


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _uses_torch(course: Course, exercises: Sequence[Exercise]) -> bool:
    """Whether the course's arrays are torch's, or some file of these exercises imports it."""
    files = (path for e in exercises for kind in KINDS for path in e.folder(kind).glob("*.py"))
    return (
        course.arrays == "torch"
        or any(name.partition(".")[0] == "torch" for exercise in exercises for name in exercise.preload)
        or any(re.search(r"^\s*(import|from) torch\b", file.read_text(encoding="utf-8"), re.M) for file in files)
    )


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
