"""Making a workspace from a release, and bringing it up to a newer one; nothing of the student's is overwritten."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gdgrade.course.errors import CourseError
from gdgrade.course.loading import load_course
from gdgrade.course.manifest import COURSE_FILE, Course, Exercise
from gdgrade.language import _
from gdgrade.workspace.progress import FOLDER, MERGE_RULE, Progress, path_of, write
from gdgrade.workspace.releases import StartError, checked, gather, holds_solutions, opened


@dataclass(frozen=True)
class Started:
    """A workspace.

    Attributes:
        root: its folder.
        files: how many were put there; 0 where the release lay there already.
        course: as read from it.
    """

    root: Path
    files: int
    course: Course


def start(source: Path, target: Path | None) -> Started:
    """Make a workspace.

    Args:
        source: a release, as a zip or as a folder.
        target: where to; it may be there, and hold anything that is not in the way. None: a folder named like the
            course, in the current one. The folder of the release itself is made a workspace as it lies.

    Raises:
        StartError: with the reason; then nothing was written.
    """
    with tempfile.TemporaryDirectory(prefix="gdgrade-start-") as scratch:
        release = opened(source, Path(scratch) / "unpacked")
        if holds_solutions(release):
            raise StartError(_("{path} holds solutions; it is no release").format(path=source))
        course = checked(release)
        place = target if target is not None else Path(course.id)
        if place.exists() and not place.is_dir():
            raise StartError(_("{path} is a file. Name a folder.").format(path=place))
        if path_of(place).is_file():
            raise StartError(
                _(
                    "{path} is a workspace already; nothing was changed. See: gdgrade status. "
                    "For a newer release: gdgrade start {path} --from handout.zip --update"
                ).format(path=place)
            )
        here = place.resolve() == release.resolve()
        staged = Path(scratch) / "staged"
        if not here:
            gather(release, staged, course)
        _keep_stubs(release if here else staged, place if here else staged, course)
        try:
            count = 0 if here else _place(staged, place)
            _begin(place)
        except OSError as error:
            raise StartError(
                _("{path} cannot be written: {reason}").format(path=place, reason=error.strerror or error)
            ) from None
        return Started(place, count, load_course(place / COURSE_FILE))


@dataclass(frozen=True)
class Updated:
    """A workspace after a newer release came in.

    Attributes:
        added: ids of exercises that were not there before.
        kept: files with work in them whose stub has changed; they stay as they are.
    """

    course: Course
    added: tuple[str, ...]
    kept: tuple[Path, ...]


def update(source: Path, root: Path) -> Updated:
    """Bring a workspace up to a newer release: new exercises, statements, checks and data; never the student's files.

    Args:
        source: a release, as a zip or as a folder.
        root: of the workspace.

    Raises:
        StartError: the release cannot be used, or is of another course; then nothing was written.
    """
    if not path_of(root).is_file():
        raise StartError(_("{path} is no workspace yet. Leave --update out.").format(path=root))
    with tempfile.TemporaryDirectory(prefix="gdgrade-start-") as scratch:
        release = opened(source, Path(scratch) / "unpacked")
        if holds_solutions(release):
            raise StartError(_("{path} holds solutions; it is no release").format(path=source))
        if release.resolve() == root.resolve():
            raise StartError(_("{path} is the workspace itself. Name the newer release.").format(path=source))
        new, old = checked(release), _course_of(root)
        if new.id != old.id:
            raise StartError(
                _("{path} is of another course, {new}, not {old}").format(path=source, new=new.id, old=old.id)
            )
        staged = Path(scratch) / "staged"
        gather(release, staged, new)
        _keep_stubs(staged, staged, new)
        kept = [own for exercise in new.exercises if (own := _spared(exercise, staged, root)) is not None]
        try:
            for exercise in new.exercises:  # a check that is no longer released must not linger
                for folder in ("graders", "tape"):
                    shutil.rmtree(root / folder / exercise.id, ignore_errors=True)
            for path in sorted(staged.rglob("*")):
                if path.is_file():
                    target = root / path.relative_to(staged)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)
        except OSError as error:
            raise StartError(
                _("{path} cannot be written: {reason}").format(path=root, reason=error.strerror or error)
            ) from None
        before = {exercise.id for exercise in old.exercises}
        added = tuple(exercise.id for exercise in new.exercises if exercise.id not in before)
        return Updated(load_course(root / COURSE_FILE), added, tuple(kept))


def _spared(exercise: Exercise, staged: Path, root: Path) -> Path | None:
    """Take a file that the student has changed out of what will be copied; named if its stub has changed, too."""
    name = Path("exercises") / exercise.id / exercise.entry
    stub = root / FOLDER / "stubs" / exercise.id / exercise.entry
    own = root / name
    if not own.is_file() or (stub.is_file() and own.read_bytes() == stub.read_bytes()):
        return None  # nothing in it yet: the new stub takes its place
    changed = not stub.is_file() or stub.read_bytes() != (staged / name).read_bytes()
    (staged / name).unlink()
    return own if changed else None


def _course_of(root: Path) -> Course:
    try:
        return load_course(root / COURSE_FILE)
    except CourseError as error:
        raise StartError(str(error)) from None


def _keep_stubs(source: Path, root: Path, course: Course) -> None:
    """Each stub a second time, for `reset`."""
    for exercise in course.exercises:
        kept = root / FOLDER / "stubs" / exercise.id / exercise.entry
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / "exercises" / exercise.id / exercise.entry, kept)


def _place(staged: Path, root: Path) -> int:
    """Copy all files; if a single one is taken, none."""
    names = [path.relative_to(staged) for path in sorted(staged.rglob("*")) if path.is_file()]
    taken = [name for name in names if (root / name).exists() or (root / name).is_symlink()]
    if taken:
        raise StartError(
            _("{path} is already there, and nothing is ever overwritten. Name another folder.").format(
                path=root / taken[0]
            )
        )
    written: list[Path] = []
    try:
        for name in names:
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as out:
                written.append(target)
                out.write((staged / name).read_bytes())
    except OSError:
        for path in written:
            with contextlib.suppress(OSError):
                path.unlink()
        raise
    return len(names)


def _begin(root: Path) -> None:
    """Begin to keep progress, and tell git how to merge it."""
    path_of(root).parent.mkdir(exist_ok=True)
    attributes = root / ".gitattributes"
    text = attributes.read_text(encoding="utf-8") if attributes.is_file() else ""
    if MERGE_RULE not in text.splitlines():
        if text and not text.endswith("\n"):
            text += "\n"
        attributes.write_text(f"{text}{MERGE_RULE}\n", encoding="utf-8")
    write(root, Progress())
