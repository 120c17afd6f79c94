"""Find the course, and the exercise that somebody means by ``5``, ``ex05`` or a file name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from gdgrade.course.errors import CourseError, UnknownExerciseError
from gdgrade.course.manifest import COURSE_FILE, Course, Exercise
from gdgrade.course.yamltree import nearest
from gdgrade.language import _, listed_or
from gdgrade.report.text import clean_text

COURSE_VARIABLE = "GDGRADE_COURSE"


def find_course(
    start: str | os.PathLike[str] | None = None,
    option: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] = os.environ,
) -> Path:
    """Find the course file.

    The option wins over the variable ``GDGRADE_COURSE``, and that over walking up from ``start``. Option and
    variable may name the file or its folder.

    Args:
        start: folder or file to walk up from; None: the current folder.
        option: value of ``--course``.
        env: the environment.

    Returns:
        Absolute path of an existing file.

    Raises:
        CourseError: if there is none, with the ways to name one.
    """
    if option is not None:
        return _named(Path(option), "--course")
    if env.get(COURSE_VARIABLE):
        return _named(Path(env[COURSE_VARIABLE]).expanduser(), COURSE_VARIABLE)
    try:
        here = Path.cwd() if start is None else Path(start).absolute()
    except FileNotFoundError:
        raise CourseError.at(_("the current folder"), _("does not exist any more. Change to another one.")) from None
    for folder in (here, *here.parents):
        if (folder / COURSE_FILE).is_file():
            return folder / COURSE_FILE
    message = _(
        "not found in {folder} nor in any folder above it. Go to the course folder, or name it with --course FOLDER "
        "or the variable {variable}."
    ).format(folder=clean_text(str(here), 300), variable=COURSE_VARIABLE)
    raise CourseError.at(COURSE_FILE, message)


def _named(path: Path, by: str) -> Path:
    file = path / COURSE_FILE if path.is_dir() else path
    if not file.exists():
        shown = clean_text(str(path), 300)
        where = (
            _("the folder {shown} holds no {file}").format(shown=shown, file=COURSE_FILE)
            if file != path
            else _("{shown} does not exist").format(shown=shown)
        )
        raise CourseError.at(by, _("{where}. Give the course file or its folder.").format(where=where))
    return file.absolute()


def resolve_exercise(course: Course, name_or_path: str | os.PathLike[str]) -> Exercise:
    """The exercise that a name or a path means.

    Names: ``ex05_langevin``, ``ex05``, ``05``, ``5``, ``langevin``. Paths need not exist: the file's name is
        looked at
    first (``langevin.py``, ``alice_ex05.py``), then the folders around it, innermost first.

    Raises:
        UnknownExerciseError: if nothing or more than one thing matches.
    """
    text = os.fspath(name_or_path)
    steps = [step for step in re.split(r"[/\\]+", text) if step not in ("", ".", "..")]
    last = steps[-1].lower() if steps else ""
    stem = re.sub(r"\.(py|ipynb)$", "", last)
    for found in (_by_name(course, stem), _by_words(course, stem)):
        if found:
            return _only(course, found, text)
    for step in reversed(steps[:-1]):
        # Folders by full or short name only: a folder called "5" or "results" may lie anywhere on a disk.
        found = [e for e in course.exercises if step.lower() in (e.id, e.short) and e.number is not None]
        found = found or [e for e in course.exercises if step.lower() == e.id]
        if found:
            return _only(course, found, text)
    raise UnknownExerciseError.at(course.file.name, _unknown(course, text, stem))


def _by_name(course: Course, name: str) -> list[Exercise]:
    """The whole name is an id, a short id, a number, a subject or an entry file."""
    tests: tuple[Callable[[Exercise], bool], ...] = (
        lambda e: name == e.id,
        lambda e: name == e.short or _numbered(name) == (_letters(e), e.number),
        lambda e: name.isascii() and name.isdigit() and len(name) <= 6 and int(name) == e.number,
        lambda e: name in (e.subject, e.entry.removesuffix(".py").lower()) and name != "",
    )
    for test in tests:
        found = [exercise for exercise in course.exercises if test(exercise)]
        if found:
            return found
    return []


def _by_words(course: Course, stem: str) -> list[Exercise]:
    """A file name such as ``alice_ex05`` or ``Langevin-final (2)`` holds a short id, or else a subject."""
    words = re.findall(r"[a-z]+\d*|\d+", stem)
    joined = f"_{'_'.join(words)}_"
    numbered = {_numbered(word) for word in words} - {None}
    found = [e for e in course.exercises if e.number is not None and (_letters(e), e.number) in numbered]
    if found:
        return found
    return [
        e
        for e in course.exercises
        if any(word and f"_{word}_" in joined for word in (e.subject, e.entry.removesuffix(".py").lower(), e.id))
    ]


def _numbered(word: str) -> tuple[str, int] | None:
    """``("ex", 5)`` of ``ex05`` and ``ex5``."""
    found = re.fullmatch(r"([a-z]+)(\d{1,6})", word)
    return (found[1], int(found[2])) if found else None


def _letters(exercise: Exercise) -> str:
    return exercise.short.rstrip("0123456789")


def _only(course: Course, found: list[Exercise], text: str) -> Exercise:
    if len(found) == 1:
        return found[0]
    names = listed_or(exercise.id for exercise in found)
    message = _("{text!r} may mean {names}. Give the full name.").format(text=clean_text(text, 100), names=names)
    raise UnknownExerciseError.at(course.file.name, message)


def _unknown(course: Course, text: str, stem: str) -> str:
    names = {name: e for e in course.exercises for name in (e.id, e.short, e.subject) if name}
    guess = nearest(stem, list(names))
    advice = " " + _("Did you mean {name}?").format(name=names[guess].id) if guess else ""
    known = ", ".join(exercise.id for exercise in course.exercises)
    return _("no exercise is called {text!r}.{advice} The exercises are {known}.").format(
        text=clean_text(text, 100), advice=advice, known=known
    )
