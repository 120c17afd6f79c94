"""`author new`: a new exercise from the template, a tiny real one that passes `author check` at once."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from gdgrade.course.errors import CourseError
from gdgrade.course.loading import course_from_text
from gdgrade.course.manifest import Course, split_id

NAME = re.compile(r"[a-z]+\d{1,3}_[a-z][a-z0-9_]*")


def create(course: Course, name: str, title: str) -> list[Path]:
    """Write the files of a new exercise and its entry in the course file.

    Args:
        name: such as "ex09_ddim".
        title: what students read.

    Returns:
        What was written; the course file last.

    Raises:
        CourseError: the name is not of that form or taken, some file is already there, or one cannot be written.
            Nothing is left behind then.
    """
    short, number, subject = _taken_apart(course, name)
    words = {"id": name, "short": short, "number": str(number), "subject": subject, "title": title}
    torch = course.arrays == "torch"
    words |= {"blend_points": "1" if torch else "2", "gradient_fails": ", gradient/differentiable" if torch else ""}
    planned = {course.root / _target(source, words): text for source, text in _templates(torch).items()}
    there = [path for path in planned if path.exists()]
    if there:
        found = there[0].relative_to(course.root)
        raise CourseError.at(
            str(found), "is already there, and nothing is ever overwritten. Move it, or choose a name."
        )
    for path in planned:
        _folder_can_be(course.root, path.parent)
    before = course.file.read_bytes().decode("utf-8")
    newline = "\r\n" if "\r\n" in before else "\n"
    text = with_entry(course, before.replace("\r\n", "\n"), name, title, number, subject)
    course_from_text(text, course.file)  # a course file that could not be read is not written
    files = {path: _filled(template, words) for path, template in planned.items()}
    _write_all(course.root, files)
    course.file.write_text(text, encoding="utf-8", newline=newline)
    return [*planned, course.file]


def _folder_can_be(root: Path, folder: Path) -> None:
    for place in (folder, *folder.parents):
        if place == root:
            return
        if place.exists() and not place.is_dir():
            raise CourseError.at(str(place.relative_to(root)), "is a file where a folder is needed. Move it.")


def _write_all(root: Path, files: Mapping[Path, str]) -> None:
    """All of the files or none: what was made is removed where one cannot be written."""
    made: list[Path] = []
    try:
        for path, text in files.items():
            missing = [place for place in path.parents if not place.exists()]
            path.parent.mkdir(parents=True, exist_ok=True)
            made += reversed(missing)
            made.append(path)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        place = Path(error.filename or root)
        name = place.relative_to(root) if place.is_relative_to(root) else place
        raise CourseError.at(str(name), f"cannot be written: {error.strerror}") from error


def with_entry(course: Course, text: str, name: str, title: str, number: int, subject: str) -> str:
    """The text of the course file with one more exercise at the end of its list; all other lines stay as they are."""
    import yaml

    root = yaml.compose(text)
    nodes = {key.value: value for key, value in root.value} if isinstance(root, yaml.MappingNode) else {}
    listed = nodes.get("exercises")
    entry = _entry(course, name, title, number, subject)
    if not isinstance(listed, yaml.SequenceNode) or listed.flow_style or not listed.value:
        return _dumped_again(text, entry)
    lines = text.splitlines()
    offset = listed.start_mark.column  # of the dashes; the items' keys begin at `column`
    column = listed.value[0].start_mark.column
    end = min(listed.end_mark.line, len(lines))
    while not _belongs(lines[end - 1], offset):
        end -= 1
    added = _block(entry, offset, column)
    return "\n".join([*lines[:end], "", *added, *lines[end:]]) + "\n"


def _belongs(line: str, offset: int) -> bool:
    """Whether a line before the next key is still of the last exercise: text, or a comment as far in as its keys."""
    inner = line.lstrip()
    return bool(inner) and not (inner.startswith("#") and len(line) - len(inner) <= offset)


def _block(entry: Any, offset: int, column: int) -> list[str]:
    """The entry as an item of a list whose dashes and keys stand in these columns."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=max(column, offset + 2), offset=offset)
    buffer = io.StringIO()
    yaml.dump([entry], buffer)
    return buffer.getvalue().splitlines()


def _dumped_again(text: str, entry: Any) -> str:
    """For a list in brackets: the whole file written anew; comments and order stay."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    data: Any = yaml.load(text)
    data["exercises"].append(entry)
    buffer = io.StringIO()
    yaml.dump(data, buffer)
    return buffer.getvalue()


def _entry(course: Course, name: str, title: str, number: int, subject: str) -> Any:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

    def part(place: int, words: str, needs: bool) -> Any:
        entry = CommentedMap(id=Quoted(f"{number}.{place}"), title=Quoted(words), points=2)
        if needs:
            entry["needs"] = CommentedSeq([Quoted(f"{number}.{place - 1}")])
            entry["needs"].fa.set_flow_style()
        entry.fa.set_flow_style()
        return entry

    entry = CommentedMap(id=name, title=Quoted(title), entry=f"{subject}.py", weight=1.0)
    entry["preload"] = CommentedSeq([course.arrays])
    entry["preload"].fa.set_flow_style()
    entry["parts"] = CommentedSeq([part(1, "A point on the way", False), part(2, "The whole way", True)])
    return entry


def _taken_apart(course: Course, name: str) -> tuple[str, int, str]:
    if not NAME.fullmatch(name):
        raise CourseError.at("author new", f"{name!r} is no exercise name. Write e.g. ex09_ddim.")
    short, number, subject = split_id(name)
    assert number is not None
    for exercise in course.exercises:
        if exercise.id == name or exercise.number == number:
            raise CourseError.at(course.file.name, f"{exercise.id} is there already. Choose another number.")
    return short, number, subject


def _templates(torch: bool) -> dict[str, str]:
    """Template file -> its text, by relative names such as "graders/mistakes.py.in"."""
    found = {}
    for folder in ("exercises", "reference", "graders", "submissions"):
        for item in files("gdgrade.author").joinpath("template", folder).iterdir():
            if item.name.endswith(".torch.in") and not torch:
                continue
            if item.name.endswith(".in"):
                found[f"{folder}/{item.name}"] = item.read_text(encoding="utf-8")
    return found


def _target(source: str, words: Mapping[str, str]) -> Path:
    folder, _, name = source.partition("/")
    name = name.removesuffix(".in").removesuffix(".torch").replace("entry.py", f"{words['subject']}.py")
    place = "tests/submissions" if folder == "submissions" else folder
    return Path(place) / words["id"] / name


def _filled(template: str, words: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: words[found[1]], template)
