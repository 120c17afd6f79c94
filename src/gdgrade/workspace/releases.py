"""Releases of a course: found, unpacked with care, checked as a whole, and the students' part of them copied out."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from gdgrade.course.errors import CourseError
from gdgrade.course.loading import load_course
from gdgrade.course.manifest import COURSE_FILE, Course
from gdgrade.language import _
from gdgrade.workspace.progress import FOLDER

# What a package or a checkout has for students. Anything else that lies there is left where it is.
FOLDERS = ("exercises", "graders", "tape", "data", "docs/gallery", "locale", f"{FOLDER}/stubs")
FILES = (COURSE_FILE, "README.md", "README.fr.md", "requirements.txt")
IGNORED = frozenset({"__pycache__", ".ipynb_checkpoints", ".DS_Store", "__MACOSX"})
MAX_FILES = 20_000
MAX_BYTES = 1 << 30  # unpacked; the whole course is a twentieth of it
INSTALLED = ("course_release.zip", "course_release")  # in the package gdgrade, for wheels that carry a course


class StartError(Exception):
    """No workspace can be made; the text says why and what to do. Nothing was written."""


def installed_release() -> Path | None:
    """The release that was installed with the package gdgrade, a zip or a folder; None for a bare engine."""
    for name in INSTALLED:
        path = Path(str(files("gdgrade").joinpath(name)))
        if path.suffix == ".zip" and path.is_file():
            return path
        if (path / COURSE_FILE).is_file():
            return path
    return None


def holds_solutions(folder: Path) -> bool:
    """Whether a folder is a teacher's checkout and no release."""
    return (folder / "reference").is_dir()


def opened(source: Path, folder: Path) -> Path:
    """The folder of the release's course file; a zip is unpacked first."""
    if not source.exists():
        raise StartError(_("{path} does not exist. Give a release, a .zip or its folder.").format(path=source))
    root = source
    if not source.is_dir():
        _unpack(source, folder)
        root = folder
    for place in (root, *sorted(path for path in root.iterdir() if path.is_dir())):
        if (place / COURSE_FILE).is_file():
            return place
    raise StartError(_("{path} holds no {file}: it is no release of a course").format(path=source, file=COURSE_FILE))


def _unpack(source: Path, folder: Path) -> None:
    """Unpack a zip whose every name stays inside the folder; links, bombs and encrypted files are refused."""
    from gdgrade.batch.sources import safe_steps

    try:
        with zipfile.ZipFile(source) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > MAX_FILES:
                raise StartError(_("{path} has more than {count} files").format(path=source, count=MAX_FILES))
            left = MAX_BYTES
            for member in members:
                steps = safe_steps(member.filename)
                if steps is None:
                    raise StartError(
                        _("{path} is not safe to unpack: {name} points outside it").format(
                            path=source, name=repr(member.filename)[:100]
                        )
                    )
                if stat.S_ISLNK(member.external_attr >> 16) or member.flag_bits & 1:
                    raise StartError(
                        _("{path} is not safe to unpack: {name} is a link or encrypted").format(
                            path=source, name=repr(member.filename)[:100]
                        )
                    )
                if IGNORED.intersection(steps):
                    continue
                target = folder.joinpath(*steps)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as inside, target.open("xb") as out:
                    while block := inside.read(1 << 20):  # what is there, whatever size the header claims
                        left -= len(block)
                        if left < 0:
                            raise StartError(_("{path} is too large to be a course").format(path=source))
                        out.write(block)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        reason = str(error)[:200] or type(error).__name__
        raise StartError(_("{path} cannot be unpacked: {reason}").format(path=source, reason=reason)) from None


def checked(release: Path) -> Course:
    """The release's course; every stub and every folder of checks must be there."""
    try:
        course = load_course(release / COURSE_FILE)
    except CourseError as error:
        raise StartError(str(error)) from None
    missing = course.missing_files(("exercises", "graders"))
    if missing:
        raise StartError(
            _("the release is not complete: {path} is missing. Download it again.").format(
                path=missing[0].relative_to(release)
            )
        )
    return course


def gather(release: Path, staged: Path, course: Course) -> None:
    """Copy what belongs to students; an exercise's file as it was released, whatever lies in its place."""
    for path in _wanted(release):
        target = staged / path.relative_to(release)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    for exercise in course.exercises:
        kept = release / FOLDER / "stubs" / exercise.id / exercise.entry
        if kept.is_file():
            shutil.copyfile(kept, staged / "exercises" / exercise.id / exercise.entry)


def _wanted(release: Path) -> Iterator[Path]:
    yield from (release / name for name in FILES if (release / name).is_file())
    for name in FOLDERS:
        for path in sorted((release / name).rglob("*")):
            steps = path.relative_to(release).parts
            if path.is_file() and not path.is_symlink() and not IGNORED.intersection(steps) and path.suffix != ".bak":
                yield path
