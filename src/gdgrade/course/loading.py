"""Load ``course.yml``: every error at once, each with file, line, key, wrong value and fix."""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from gdgrade.course.consistency import complaints
from gdgrade.course.errors import CourseError, Issue
from gdgrade.course.expectations import EXPECTED, known_keys, pattern
from gdgrade.course.manifest import Course
from gdgrade.course.yamltree import Path, Tree, key_text, nearest, read_tree
from gdgrade.report.text import clean_text

MAX_BYTES = 500_000


def load_course(path: str | os.PathLike[str]) -> Course:
    """Read and check a course file.

    Whether the files of the exercises are there is another question: ``Course.missing_files``.

    Args:
        path: the file, as ``lookup.find_course`` gives it.

    Raises:
        CourseError: with one issue per thing that is wrong.
    """
    file = FilePath(path)
    return course_from_text(_read(file), file)


def course_from_text(text: str, file: str | os.PathLike[str]) -> Course:
    """Check the text of a course file; ``file`` says where the course lies and what errors name.

    Raises:
        CourseError: with one issue per thing that is wrong.
    """
    name = clean_text(str(file), 300)
    tree = read_tree(text, name)
    course: Course | None = None
    found = list(tree.issues)
    found += [Issue(name, tree.line(where), key_text(where), words) for where, words in _unknown(tree)]
    try:
        course = Course.model_validate(tree.data, context={"file": FilePath(file)})
    except ValidationError as error:
        found += [Issue(name, tree.line(where), key_text(where), words) for where, words in _invalid(error, tree)]
    for where, words in complaints(tree.data, tree.line):
        found.append(Issue(name, tree.line(where), key_text(where), words))
    if found or course is None:
        raise CourseError(sorted(found, key=lambda issue: issue.line or 0))
    return course


def _read(file: FilePath) -> str:
    try:
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            raise CourseError.at(file, "is a folder, not a course file. Give the course.yml in it.")
        if not stat.S_ISREG(mode):
            raise CourseError.at(file, "is not an ordinary file.")
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise CourseError.at(file, "does not exist. Give the course file with --course.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CourseError.at(file, f"cannot be read: {reason}.") from None
    if len(data) > MAX_BYTES:
        raise CourseError.at(file, f"is larger than {MAX_BYTES} bytes, which no course file is.")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise CourseError.at(file, "is in UTF-16. Save it as UTF-8.", line=1)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"is not in UTF-8 (byte 0x{data[error.start]:02x}). Save it as UTF-8."
        raise CourseError.at(file, message, line=line) from None


def _unknown(tree: Tree) -> Iterator[tuple[Path, str]]:
    """Keys that no model has. Found here, not by the models, to see them beside any other error."""
    for where in tree.lines:
        if not where or not isinstance(where[-1], str) or where in tree.spoiled:
            continue
        known = known_keys(where[:-1])
        key = where[-1]
        if not known or key in known:
            continue
        if "secret" in key.lower() or (where[0] == "seeds" and key.lower() in ("private", "hidden")):
            yield (
                where,
                (
                    "a secret seed must not stand in the course file, which students get. Set "
                    "GDGRADE_SECRET_SEED, or name a file outside the course in GDGRADE_SECRET_FILE."
                ),
            )
            continue
        guess = nearest(key, known)
        advice = f"Did you mean {guess!r}?" if guess else f"Known keys here: {', '.join(known)}."
        yield where, f"unknown key. {advice}"


def _invalid(error: ValidationError, tree: Tree) -> Iterator[tuple[Path, str]]:
    """Errors of the models in our words, one per place."""
    misspelt = {(*where[:-1], nearest(str(where[-1]), known_keys(where[:-1]))) for where, _ in _unknown(tree)}
    seen: set[Path] = set()
    for detail in error.errors(include_url=False):
        where: Path = tuple(detail["loc"])
        if detail["type"] == "extra_forbidden" or where in seen or where in misspelt:
            continue
        if any(where[: len(path)] == path for path in tree.spoiled):
            continue
        if detail["type"] == "too_short" and detail.get("input"):
            continue  # the list has entries, but not one right one; each of them has its own error
        seen.add(where)
        yield where, _words(detail, where, tree)


def _words(detail: Any, where: Path, tree: Tree) -> str:
    what, example = EXPECTED.get(pattern(where), ("", ""))
    if detail["type"] == "missing":
        return f"is missing. Add e.g. {example}"
    if not what:
        return f"{detail['msg']}, got {_shown(detail.get('input'), None)}."
    raw = tree.raw.get(where)
    value = detail.get("input")
    if detail["type"] == "timezone_aware":
        return f"has no time zone, got {_shown(value, raw)}. Write e.g. {example}"
    if detail["type"] == "string_type" and raw is not None and not isinstance(value, str | None):
        key = where[-1] if isinstance(where[-1], str) else ""
        plain = clean_text(raw, 60)
        return f'must be a text, got {plain}. Put it in quotes: {key}{": " if key else ""}"{plain}"'
    return f"must be {what}, got {_shown(value, raw)}. Write e.g. {example}"


def _shown(value: object, raw: str | None) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "an empty list" if not value else "a list"
    if isinstance(value, str):
        return repr(clean_text(value, 80))
    return clean_text(raw if raw is not None else str(value), 80)
