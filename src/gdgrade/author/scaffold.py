"""`author new`: a new exercise from the template, a tiny real one that passes `author check` at once."""

from __future__ import annotations

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
        CourseError: the name is not of that form or taken, or some file is already there. Nothing is written then.
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
    text = with_entry(course, name, title, number, subject)
    course_from_text(text, course.file)  # a course file that could not be read is not written
    for path, template in planned.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_filled(template, words), encoding="utf-8")
    course.file.write_text(text, encoding="utf-8")
    return [*planned, course.file]


def with_entry(course: Course, name: str, title: str, number: int, subject: str) -> str:
    """The text of the course file with one more exercise at its end; comments and order stay."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    data: Any = yaml.load(course.file.read_text(encoding="utf-8"))

    def part(place: int, words: str, needs: bool) -> Any:
        entry = CommentedMap(id=Quoted(f"{number}.{place}"), title=Quoted(words), points=2)
        if needs:
            entry["needs"] = CommentedSeq([Quoted(f"{number}.{place - 1}")])
            entry["needs"].fa.set_flow_style()
        entry.fa.set_flow_style()
        return entry

    library = course.arrays
    entry = CommentedMap(id=name, title=Quoted(title), entry=f"{subject}.py", weight=1.0)
    entry["preload"] = CommentedSeq([library])
    entry["preload"].fa.set_flow_style()
    entry["parts"] = CommentedSeq([part(1, "A point on the way", False), part(2, "The whole way", True)])
    data["exercises"].append(entry)
    last = len(data["exercises"]) - 1
    data["exercises"].yaml_set_comment_before_after_key(last, before="\n", indent=2)
    buffer = io.StringIO()
    yaml.dump(data, buffer)
    return buffer.getvalue()


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
