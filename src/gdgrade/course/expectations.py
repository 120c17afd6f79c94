"""What each key of ``course.yml`` must be, in words, with an example: the second half of an error message."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel

from gdgrade.course.manifest import Course
from gdgrade.course.yamltree import Path

_ID = "a word of letters, digits, dots, dashes and underscores"
_NUMBER = "a positive number"
_NOT_NEGATIVE = "a number, 0 or more"
_TITLE = "a text of 1 to 200 characters"
_MODULES = "a list of module names"

# Key without indices -> (what it must be, an example). "[]" is an entry of a list.
EXPECTED: dict[str, tuple[str, str]] = {
    "course": (
        "a mapping with id, title and revision",
        'course: {id: genai, title: "...", revision: "2026.1"}',
    ),
    "course.id": (_ID, "id: genai"),
    "course.title": (_TITLE, 'title: "Generative models"'),
    "course.revision": (_ID, 'revision: "2026.1"'),
    "course.arrays": ("torch or numpy", "arrays: torch"),
    "course.language": ("en or fr", "language: fr"),
    "seeds": ("a mapping", "seeds: {public: 20260901}"),
    "seeds.public": ("a whole number, 0 or more, below 2**63", "public: 20260901"),
    "limits": ("a mapping", "limits: {seconds: 20, memory_mib: 1024}"),
    "limits.seconds": (_NUMBER, "seconds: 20"),
    "limits.submission_seconds": ("a positive number of seconds", "submission_seconds: 300"),
    "limits.memory_mib": ("a whole positive number of MiB", "memory_mib: 1024"),
    "late": ("a mapping", "late: {grace_minutes: 15, per_day: 0.1, cutoff_days: 7}"),
    "late.grace_minutes": (_NOT_NEGATIVE, "grace_minutes: 15"),
    "late.per_day": ("a share between 0 and 1", "per_day: 0.1"),
    "late.cutoff_days": (_NOT_NEGATIVE, "cutoff_days: 7"),
    "exercises": ("a list with at least one exercise", "exercises: followed by '- id: ...'"),
    "exercises[]": ("a mapping with id, title, entry and parts", "- id: ex05_langevin"),
    "exercises[].id": (
        "a name that Python can import, in small letters (letters, digits, underscores)",
        "id: ex05_langevin",
    ),
    "exercises[].title": (_TITLE, 'title: "Langevin dynamics"'),
    "exercises[].entry": ("the name of a Python file, without folders", "entry: langevin.py"),
    "exercises[].deadline": (
        "a date with time and time zone",
        "deadline: 2026-12-14T23:59:00+01:00",
    ),
    "exercises[].weight": (_NOT_NEGATIVE, "weight: 1.0"),
    "exercises[].data": ("a list of names of data sets", "data: [mnist-small]"),
    "exercises[].data[]": ("the name of a data set", "data: [mnist-small]"),
    "exercises[].preload": (_MODULES, "preload: [torch]"),
    "exercises[].preload[]": ("the name of a module", "preload: [torch]"),
    "exercises[].forbidden_packages": (_MODULES, "forbidden_packages: [ot]"),
    "exercises[].forbidden_packages[]": ("the name of a module", "forbidden_packages: [ot]"),
    "exercises[].limits": ("a mapping", "limits: {seconds: 20, memory_mib: 1024}"),
    "exercises[].limits.seconds": (_NUMBER, "seconds: 20"),
    "exercises[].limits.submission_seconds": ("a positive number of seconds", "submission_seconds: 300"),
    "exercises[].limits.memory_mib": ("a whole positive number of MiB", "memory_mib: 1024"),
    "exercises[].reference_seconds": (_NUMBER, "reference_seconds: 1.5"),
    "exercises[].training_seconds": (_NUMBER, "training_seconds: 90"),
    "exercises[].parts": ("a list with at least one part", 'parts: [{id: "5.1", title: "...", points: 4}]'),
    "exercises[].parts[]": ("a mapping with id, title and points", '- {id: "5.1", title: "...", points: 4}'),
    "exercises[].parts[].id": (f"{_ID}, in quotes", 'id: "5.1"'),
    "exercises[].parts[].title": (_TITLE, 'title: "Langevin step"'),
    "exercises[].parts[].points": (_NUMBER, "points: 2"),
    "exercises[].parts[].needs": ("a list of part ids in quotes", 'needs: ["5.1"]'),
    "exercises[].parts[].needs[]": ("a part id in quotes", 'needs: ["5.1"]'),
    "exercises[].parts[].optional": ("true or false", "optional: true"),
}


def pattern(path: Path) -> str:
    """The key without indices.

    Example:
        >>> pattern(("exercises", 4, "parts", 1, "points"))
        'exercises[].parts[].points'
    """
    out = ""
    for step in path:
        out += "[]" if isinstance(step, int) else f".{step}" if out else step
    return out


def known_keys(path: Path) -> list[str]:
    """The keys that may stand in the mapping at ``path``; empty where there is no mapping."""
    model: type[BaseModel] | None = Course
    for step in path:
        if model is None:
            return []
        if isinstance(step, str):
            model = next((_model(kind) for name, kind in _fields(model) if name == step), None)
    return [name for name, _ in _fields(model)] if model is not None else []


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, object]]:
    for name, info in model.model_fields.items():
        yield info.alias or name, info.annotation


def _model(kind: object) -> type[BaseModel] | None:
    """The model inside ``tuple[Part, ...]``, ``X | None`` or ``Annotated``."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    if get_origin(kind) in (tuple, Union, UnionType, Annotated):
        return next(filter(None, map(_model, get_args(kind))), None)
    return None
