"""The marker that carries a check's data, and the ids of checks."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any


@dataclass(frozen=True)
class CheckMark:
    """What `@check(...)` says about a check.

    Attributes:
        part: id of the part it belongs to.
        points: what it is worth.
        needs: further parts it builds on, beside its part's own.
        visibility: "public" (the student sees expected and got) or "hidden".
        alpha: probability that it fails a right answer; 0 for exact checks.
        training: it trains a network; left out by --quick.
        seconds, memory_mib: own limits, or None for the exercise's.
        requires: packages that the check itself imports and a grading machine may lack, by the names they are imported
            by, such as "rdkit". Where one is missing the check is skipped and its points stay undecided.
    """

    part: str
    points: float
    needs: tuple[str, ...] = ()
    visibility: str = "public"
    alpha: float = 0.0
    training: bool = False
    seconds: float | None = None
    memory_mib: int | None = None
    requires: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.part, str):
            raise TypeError(f'the part is a text, such as "{self.part}"')
        for name in ("points", "alpha", "seconds", "memory_mib"):
            value = getattr(self, name)
            optional = value is None and name in ("seconds", "memory_mib")
            if not optional and (not isinstance(value, int | float) or isinstance(value, bool)):
                raise TypeError(f"{name} is a number, got {value!r}")
        if not 0 <= self.points < math.inf:
            raise ValueError(f"points must not be negative, got {self.points}")
        if self.visibility not in ("public", "hidden"):
            raise ValueError(f"visibility must be public or hidden, got {self.visibility!r}")
        if not 0 <= self.alpha < 1:
            raise ValueError(f"alpha is a probability, got {self.alpha}")
        for name in self.requires:
            if not name.isidentifier():
                raise ValueError(f"requires lists names of packages as they are imported, got {name!r}")


def check(part: str, **fields: Any) -> Any:
    """Mark a pytest function as a check of `part`; the fields are those of `CheckMark`.

    Example:
        >>> decorated = check("5.1", points=2, visibility="hidden")
        >>> decorated.kwargs["points"]
        2
    """
    import pytest

    for name in ("needs", "requires"):
        if isinstance(fields.get(name), str):
            raise TypeError(f"{name} is a list, such as {name}=[{fields[name]!r}]")
        fields[name] = tuple(fields.get(name, ()))
    known = [field.name for field in dataclasses.fields(CheckMark)][1:]
    unknown = [name for name in fields if name not in known]
    if unknown or "points" not in fields:
        why = f"knows no {unknown[0]}" if unknown else "needs points"
        raise TypeError(f"@check {why}; its fields are {', '.join(known)}")
    CheckMark(part, **fields)  # a wrong field is an error where it is written
    return pytest.mark.check(part, **fields)


def mark_of(item: Any) -> CheckMark | None:
    """The mark of a collected pytest item, or None if it is no check."""
    marker = item.get_closest_marker("check")
    return CheckMark(*marker.args, **marker.kwargs) if marker is not None else None


def missing_packages(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the packages that are not installed here, sorted; a package is looked for, not imported.

    >>> missing_packages(("json", "no_such_package"))
    ('no_such_package',)
    """
    return tuple(sorted(name for name in set(names) if importlib.util.find_spec(name) is None))


def short_name(item: Any) -> str:
    """ "step/noise_given[2]": test file and function without their prefixes, with the parameter if there is one."""
    stem = PurePath(item.path).stem.removeprefix("test_")
    return f"{stem}/{item.name.removeprefix('test_')}"


def title_of(item: Any) -> str:
    """The first line of the check's docstring; without one, its name in words."""
    text = (item.function.__doc__ or "").strip()
    first = text.splitlines()[0].strip() if text else item.name.removeprefix("test_").replace("_", " ")
    call = getattr(item, "callspec", None)
    return f"{first} [{call.id}]" if call is not None else first
