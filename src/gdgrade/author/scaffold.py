"""`author new`: a new exercise from the template, a tiny real one that passes `author check` at once."""

from __future__ import annotations

import contextlib
import io
import keyword
import os
import re
import shutil
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from gdgrade.course.errors import CourseError
from gdgrade.course.loading import course_from_text, load_course
from gdgrade.course.manifest import Course, split_id
from gdgrade.course.yamltree import read_tree

# Lines as YAML counts them, with their endings: a text may hold a separator of Unicode.
ENDING = re.compile(r"(?:\r\n|[\n\r\x85\u2028\u2029])\Z")
LINE = re.compile(r"[^\n\r\x85\u2028\u2029]*(?:\r\n|[\n\r\x85\u2028\u2029])|[^\n\r\x85\u2028\u2029]+\Z")
MAX_TITLE = 200  # as in course.yml
LIBRARIES = ("gdgrade", "numpy", "torch", "scipy", "matplotlib", "pytest", "yaml", "click", "rich", "jinja2")
NAME = re.compile(r"[a-z]+\d{1,3}_[a-z][a-z0-9_]*")


def course_of(file: Path) -> Course:
    """The course of this file; it may list no exercise yet.

    Raises:
        CourseError: with one issue per thing that is wrong.
    """
    try:
        return load_course(file)
    except CourseError:
        text = file.read_bytes().decode("utf-8-sig", errors="replace") if file.is_file() else ""
        if not _lists_none(text, file):
            raise
    # With an exercise in the list everything else is examined as ever.
    parts = [{"id": "1.1", "title": "A part", "points": 1}]
    one = {"id": "ex01_one", "title": "One", "entry": "one.py", "parts": parts}
    return course_from_text(_dumped_again(text, one, "\n"), file).model_copy(update={"exercises": ()})


def _lists_none(text: str, file: Path) -> bool:
    try:
        data = read_tree(text, file.name).data
    except CourseError:
        return False
    return isinstance(data, dict) and data.get("exercises") in (None, [])


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
    title = " ".join(title.split())  # one line, as it becomes a heading
    if not 1 <= len(title) <= MAX_TITLE:
        raise CourseError.at("author new", f"the title must have 1 to {MAX_TITLE} characters, got {len(title)}.")
    words = {"id": name, "short": short, "number": str(number), "subject": subject, "title": title}
    torch = course.arrays == "torch"
    words |= {"blend_points": "1" if torch else "2", "gradient_fails": ", gradient/differentiable" if torch else ""}
    planned = {course.root / _target(source, words): text for source, text in _templates(torch).items()}
    there = [path for path in planned if os.path.lexists(path)]
    if there:
        found = there[0].relative_to(course.root)
        raise CourseError.at(
            str(found), "is already there, and nothing is ever overwritten. Move it, or choose a name."
        )
    for path in planned:
        _folder_can_be(course.root, path.parent)
    text = with_entry(course, course.file.read_bytes().decode("utf-8"), name, title, number, subject)
    course_from_text(text, course.file)  # a course file that could not be read is not written
    inside = words | {"title": title.replace("\\", "\\\\").replace('"""', r"\"\"\"")}  # of a docstring
    files = {path: _filled(text, inside if path.suffix == ".py" else words) for path, text in planned.items()}
    _write_all(course, files, text)
    return [*planned, course.file]


def _folder_can_be(root: Path, folder: Path) -> None:
    for place in (folder, *folder.parents):
        if place == root:
            return
        if place.exists() and not place.is_dir():
            raise CourseError.at(str(place.relative_to(root)), "is a file where a folder is needed. Move it.")


def _write_all(course: Course, files: Mapping[Path, str], entry: str) -> None:
    """All of the files and the course file, or none: what was made is removed where one cannot be written.

    Args:
        entry: the course file's new text. It takes the place of the old one at once, and last.
    """
    made: list[Path] = []
    try:
        for path, text in files.items():
            missing = [place for place in path.parents if not place.exists()]
            path.parent.mkdir(parents=True, exist_ok=True)
            made += reversed(missing)
            with path.open("x", encoding="utf-8") as file:
                made.append(path)
                file.write(text)
        target = course.file.resolve()
        beside = target.with_name(f".{target.name}.new")
        made.append(beside)
        beside.write_text(entry, encoding="utf-8", newline="")
        shutil.copymode(target, beside)
        beside.replace(target)
    except BaseException as error:  # a Ctrl-C as well
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        if not isinstance(error, OSError):
            raise
        place = Path(error.filename or course.root)
        name = place.relative_to(course.root) if place.is_relative_to(course.root) else place
        raise CourseError.at(str(name), f"cannot be written: {error.strerror}") from error


def with_entry(course: Course, text: str, name: str, title: str, number: int, subject: str) -> str:
    """The text of the course file with one more exercise at the end of its list; all other lines stay as they are."""
    import yaml

    lines = LINE.findall(text)
    ending = ENDING.search(lines[0])
    newline = ending[0] if ending else "\n"
    if not ENDING.search(lines[-1]):
        lines[-1] += newline
    root = yaml.compose("".join(lines))
    nodes = {key.value: value for key, value in root.value} if isinstance(root, yaml.MappingNode) else {}
    listed = nodes.get("exercises")
    entry = _entry(course, name, title, number, subject)
    if not isinstance(listed, yaml.SequenceNode) or listed.flow_style or not listed.value:
        return _dumped_again(text, entry, newline)
    item = listed.value[0]
    # Where an anchor stands in front, the list and its item begin earlier than what they hold.
    first = item.start_mark if item.flow_style else item.value[0][0].start_mark
    dash = next(line for line in reversed(lines[: first.line + 1]) if line.lstrip().startswith("-"))
    offset = len(dash) - len(dash.lstrip())  # of the dashes; the items' keys begin at `first.column`
    end = listed.end_mark.line
    while not _belongs(lines[end - 1], offset):
        end -= 1
    added = [line + newline for line in ("", *_block(entry, offset, first.column))]
    return "".join([*lines[:end], *added, *lines[end:]])


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


def _dumped_again(text: str, entry: Any, newline: str) -> str:
    """For a list in brackets, or none: the whole file written anew; comments and order stay."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedSeq

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    data: Any = yaml.load(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    if not data.get("exercises"):
        data["exercises"] = CommentedSeq()  # one item a line
    data["exercises"].append(entry)
    buffer = io.StringIO()
    yaml.dump(data, buffer)
    return buffer.getvalue().replace("\n", newline)


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
    if keyword.iskeyword(subject) or subject in _modules(course):
        why = "could not be imported" if keyword.iskeyword(subject) else f"would hide the module {subject}"
        raise CourseError.at("author new", f"{subject}.py {why}. Write e.g. {short}_{subject}_by_hand.")
    for exercise in course.exercises:
        if exercise.id == name or exercise.number == number:
            raise CourseError.at(course.file.name, f"{exercise.id} is there already. Choose another number.")
    return short, number, subject


def _modules(course: Course) -> set[str]:
    """Modules that a student's file of the same name would hide, from itself and from all that imports them."""
    preloaded = {name.partition(".")[0] for exercise in course.exercises for name in exercise.preload}
    return {*sys.stdlib_module_names, *preloaded, *LIBRARIES, course.arrays}


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
