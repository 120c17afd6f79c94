"""Looking at everything, in the order in which one would mend it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gdgrade.confine.policy import LayerReport
from gdgrade.doctor import machine, packages
from gdgrade.doctor.finding import Finding
from gdgrade.doctor.trying import try_code
from gdgrade.language import _
from gdgrade.report.text import clean_text

if TYPE_CHECKING:
    from gdgrade.course.manifest import Course

_DATA = """\
import json, sys
from gdgrade.data.content import read_small
from gdgrade.data.errors import DataError
said = {}
for name in sys.argv[1:]:
    try:
        read_small(name)
        said[name] = ""
    except DataError as error:
        said[name] = str(error)
print(json.dumps({"sets": said}))
"""


@dataclass(frozen=True)
class Visit:
    """Everything that was looked at; the layers of confinement one by one, with the level that they reach."""

    findings: tuple[Finding, ...]
    layers: tuple[LayerReport, ...]
    level: str
    strict: bool

    @property
    def healthy(self) -> bool:
        """Whether nothing is a problem; warnings are none."""
        return all(finding.state != "problem" for finding in self.findings)


def visit(course_path: Path | None, *, strict: bool = False) -> Visit:
    """Look at this machine and, where there is one, at the course.

    Args:
        course_path: as for the other commands; None: the nearest one.
        strict: a missing layer of confinement is a problem.
    """
    from gdgrade.confine import level_of, probe
    from gdgrade.confine.policy import DEFAULT_REQUIRED

    reports = probe("best")
    level = level_of({report.layer: ("on" if report.works else f"off: {report.detail}") for report in reports})
    complete = all(report.works for report in reports if report.layer in DEFAULT_REQUIRED)
    confined = machine.confinement(reports, level, complete, wanted=strict)
    return Visit(tuple(_findings(course_path, confined)), tuple(reports), level, complete)


def _findings(course_path: Path | None, confined: Finding) -> Iterator[Finding]:
    course, about = _course(course_path)
    root = course.root if course is not None else None
    pins, listed = _pins(root)
    yield packages.python()
    yield packages.versions(pins, listed)
    of_torch = None
    for finding, seen in packages.working(pins):
        of_torch = seen.get("threads") or of_torch
        yield finding
    yield about
    yield _data(course)
    yield machine.threads(of_torch)
    yield machine.memory(max(entry.limits.memory_mib for entry in course.exercises) if course is not None else 1024)
    yield machine.disk([root or Path.cwd(), Path(tempfile.gettempdir())])
    yield confined
    now = datetime.now(UTC)
    ahead = [entry.deadline for entry in course.exercises if entry.deadline is not None] if course is not None else []
    yield machine.clock(machine.files_of_here(root), min((day for day in ahead if day > now), default=None), now)
    yield machine.locale_of()


def _course(course_path: Path | None) -> tuple[Course | None, Finding]:
    import os

    title = _("Course")
    try:
        from gdgrade.course.errors import CourseError
        from gdgrade.course.loading import load_course
        from gdgrade.course.lookup import find_course
    except Exception as error:  # pydantic or yaml is missing or broken: told by the packages above
        return None, Finding("course", title, "problem", clean_text(str(error), 200), "pip install -r requirements.txt")
    try:
        path = find_course(option=course_path, env=os.environ)
    except CourseError as error:
        return None, Finding("course", title, "warning", clean_text(str(error), 300), "gdgrade start")
    try:
        course = load_course(path)
    except CourseError as error:
        return None, Finding("course", title, "problem", clean_text(str(error), 300), f"gdgrade status --course {path}")
    missing = course.missing_files(("exercises", "graders"))
    if missing:
        detail = _("{path} is missing").format(path=missing[0])
        return course, Finding("course", title, "problem", detail, f"gdgrade reset {missing[0].parent.name}")
    return course, Finding("course", title, "ok", f"{clean_text(course.title, 100)}, {course.root}")


def _pins(root: Path | None) -> tuple[dict[str, str], str]:
    """Of a release its requirements.txt; of a checkout its constraints.txt."""
    for name in ("requirements.txt", "constraints.txt"):
        pins = packages.read_pins(root / name) if root is not None else {}
        if pins:
            return pins, name
    return {}, ""


def _data(course: Course | None) -> Finding:
    """The data sets that the course asks for, or all that ship, by their checksums."""
    from gdgrade.data.catalogue import SMALL

    title = _("Data sets")
    wanted = sorted({name for entry in course.exercises for name in entry.data}) if course is not None else list(SMALL)
    if not wanted:
        return Finding("data", title, "ok", _("this course needs none"))
    environment = None
    if course is not None:
        import os

        environment = {**os.environ, "GDGRADE_COURSE": str(course.file)}
    seen = try_code(_DATA, *wanted, environment=environment)
    if "sets" not in seen:
        detail = _("they cannot be read: {error}").format(error=clean_text(seen["error"], 200))
        return Finding("data", title, "problem", detail, "pip install --force-reinstall numpy")
    broken = [words for words in seen["sets"].values() if words]
    if broken:
        return Finding("data", title, "problem", clean_text(broken[0], 400), _restore(course))
    return Finding("data", title, "ok", _("{names}: there, checksums right").format(names=", ".join(wanted)))


def _restore(course: Course | None) -> str:
    if course is not None and (course.root / ".git").exists() and (course.root / "reference").is_dir():
        return "git checkout -- data"
    if course is not None and (course.root / "data").is_dir():
        return "unzip -o -j handout.zip '*/data/*' -d data"
    return "pip install --force-reinstall --no-deps gdgrade"
