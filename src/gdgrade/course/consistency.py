"""What no single value of a course file can tell: names used twice, needs that lead nowhere, cycles.

Works on the plain data, not on the models, so that a wrong value elsewhere does not hide these errors;
whatever has not the right shape is passed over, the models complain about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gdgrade.course.manifest import split_id
from gdgrade.course.yamltree import Path, nearest

Complaint = tuple[Path, str]
LineOf = Callable[[Path], int]


def complaints(data: object, line_of: LineOf) -> Iterator[Complaint]:
    """Walk over all exercises.

    Args:
        data: the course file as plain data, of any shape.
        line_of: line of a path, to name the other of two places.

    Yields:
        The path that is wrong, and what to do about it.
    """
    exercises = _dicts(data.get("exercises") if isinstance(data, dict) else None)
    ids: list[tuple[Path, object]] = [(("exercises", i, "id"), entry.get("id")) for i, entry in exercises]
    yield from _twice(ids, "exercise id", line_of)
    yield from _same_short(exercises, line_of)
    for index, exercise in exercises:
        base: Path = ("exercises", index)
        yield from _needs(exercise, base, line_of)
        yield from _forbidden(exercise, base)


def _needs(exercise: dict[str, Any], base: Path, line_of: LineOf) -> Iterator[Complaint]:
    parts = _dicts(exercise.get("parts"))
    ids = [((*base, "parts", i, "id"), part.get("id")) for i, part in parts]
    yield from _twice(ids, "part id", line_of)
    known = [name for _, name in ids if isinstance(name, str)]
    required = {part.get("id") for _, part in parts if part.get("optional") is not True}
    graph: dict[str, list[str]] = {}
    places: dict[str, Path] = {}
    for i, part in parts:
        name, needs = part.get("id"), part.get("needs")
        if not isinstance(name, str) or not isinstance(needs, list):
            continue
        place: Path = (*base, "parts", i, "needs")
        places.setdefault(name, place)
        for j, need in enumerate(needs):
            if not isinstance(need, str):
                continue
            if need not in known:
                if len(known) < len(ids):
                    continue  # it may mean the part whose id is wrong itself: one error is enough
                guess = nearest(need, known)
                advice = f"Did you mean {guess!r}?" if guess else f"The parts are {', '.join(known)}."
                yield (*place, j), f"there is no part {need[:60]!r} in this exercise. {advice}"
            elif name in required and need not in required:
                advice = f"Make {name!r} optional too, or delete the need."
                fault = f"part {name!r} is required but needs {need!r}, which is optional."
                yield (*place, j), f"{fault} {advice}"
            else:
                graph.setdefault(name, []).append(need)
    for cycle in cycles(graph):
        circle = " -> ".join(cycle)
        yield places[cycle[0]], f"parts need each other in a circle: {circle}. Delete one of the needs."


def cycles(graph: dict[str, list[str]]) -> Iterator[list[str]]:
    """Each circle once, as a closed walk; depth first without recursion, for long chains."""
    done: set[str] = set()
    for start in graph:
        walk: list[str] = []
        stack = [(start, iter(graph[start]))] if start not in done else []
        while stack:
            name, rest = stack[-1]
            if not walk or walk[-1] != name:
                walk.append(name)
            step = next(rest, None)
            if step is None:
                done.add(name)
                stack.pop()
                walk.pop()
            elif step in walk:
                yield [*walk[walk.index(step) :], step]
            elif step not in done:
                stack.append((step, iter(graph.get(step, []))))


def _twice(entries: list[tuple[Path, object]], what: str, line_of: LineOf) -> Iterator[Complaint]:
    first: dict[str, Path] = {}
    for path, name in entries:
        if not isinstance(name, str):
            continue
        if name in first:
            line = line_of(first[name])
            yield path, f"{what} {name[:60]!r} stands twice: here and in line {line}. Rename one of them."
        else:
            first[name] = path


def _same_short(exercises: list[tuple[int, dict[str, Any]]], line_of: LineOf) -> Iterator[Complaint]:
    """``ex05`` alone names an exercise on the command line, so it must name one only."""
    first: dict[tuple[str, int], tuple[Path, str]] = {}
    for index, exercise in exercises:
        name = exercise.get("id")
        if not isinstance(name, str):
            continue
        letters, number, _ = split_id(name)
        if number is None:
            continue
        path: Path = ("exercises", index, "id")
        key = (letters.rstrip("0123456789"), number)
        other, other_name = first.setdefault(key, (path, name))
        if other != path and other_name != name:
            both = f"{name[:60]!r} and {other_name[:60]!r} (line {line_of(other)})"
            yield path, f"{both} are both {letters!r} for short. Renumber one of them."


def _forbidden(exercise: dict[str, Any], base: Path) -> Iterator[Complaint]:
    preload, forbidden = exercise.get("preload"), exercise.get("forbidden_packages")
    if not isinstance(preload, list) or not isinstance(forbidden, list):
        return
    for index, module in enumerate(preload):
        if isinstance(module, str) and module.split(".")[0] in forbidden:
            fault = f"{module[:60]!r} is forbidden, but what is preloaded the worker inherits."
            yield (*base, "preload", index), f"{fault} Delete it here."


def _dicts(value: object) -> list[tuple[int, dict[str, Any]]]:
    entries = value if isinstance(value, list) else []
    return [(index, entry) for index, entry in enumerate(entries) if isinstance(entry, dict)]
