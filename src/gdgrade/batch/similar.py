"""Submissions that are suspiciously alike, for a person to look at; never a verdict.

Tokens are winnowed by copydetect (Schleimer, Wilkerson & Aiken 2003, Winnowing: local algorithms for document
fingerprinting): names and comments do not count, the released stub is left out.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from gdgrade.batch.grades import Grade
from gdgrade.batch.grading import load
from gdgrade.batch.pages import Alike
from gdgrade.batch.store import Store
from gdgrade.course.manifest import Course, Exercise

TOKENS = 20  # shorter matches than so many tokens are chance
WINDOW = 8
COMMON = 0.5  # a fingerprint in more than this share of the files says nothing about a pair
MIN_FILES = 8  # with fewer files no fingerprint counts as common


@dataclass(frozen=True)
class Pair:
    """Two files (by their hashes): shared fingerprints as a share of the shorter one, and where, as (start, end)."""

    one: str
    two: str
    share: float
    places: tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]


def pairs(sources: Mapping[str, str], stub: str, threshold: float) -> list[Pair]:
    """All pairs of sources with at least that share in common, the most alike first.

    Args:
        sources: key -> Python source.
        stub: what everybody was given.
        threshold: in (0, 1].
    """
    from copydetect import compare_files

    given = np.array(sorted(_prints(stub, "stub.py", np.array([], dtype=int)).hashes), dtype=int)
    prints = {key: _prints(text, f"{key}.py", given) for key, text in sources.items()}
    often = Counter(value for one in prints.values() for value in one.hashes)
    limit = max(COMMON * len(prints), MIN_FILES)
    holders: dict[int, list[str]] = {}
    for key, one in prints.items():
        for value in one.hashes:
            if 1 < often[value] <= limit:
                holders.setdefault(value, []).append(key)
    shared: Counter[tuple[str, str]] = Counter()
    for keys in holders.values():
        shared.update(combinations(sorted(keys), 2))
    found = []
    for (one, two), count in shared.items():
        shorter = min(len(prints[one].hashes), len(prints[two].hashes))
        if not shorter or count / shorter < threshold:
            continue
        _, _, slices = compare_files(prints[one], prints[two])
        first, second = (tuple((int(a), int(b)) for a, b in zip(*part, strict=True)) for part in slices)
        found.append(Pair(one, two, count / shorter, (first, second)))
    return sorted(found, key=lambda pair: (-pair.share, pair.one, pair.two))


def _prints(text: str, name: str, given: Any) -> Any:
    from copydetect import CodeFingerprint

    return CodeFingerprint(name, TOKENS, WINDOW, boilerplate=given, language="python", fp=io.StringIO(text))


def alike(
    store: Store, course: Course, grades: Sequence[Grade], threshold: float = 0.8
) -> tuple[list[Alike], dict[tuple[str, str, str], Pair]]:
    """Groups of students per exercise, and the pairs of files behind them by exercise and hashes."""
    groups: list[Alike] = []
    behind: dict[tuple[str, str, str], Pair] = {}
    for exercise in course.exercises:
        students: dict[str, list[str]] = {}
        for grade in grades:
            if grade.exercise == exercise.id and grade.sha256 is not None:
                students.setdefault(grade.sha256, []).append(grade.student)
        sources = {key: load(*store.file(key), exercise).source for key in students}
        found = pairs(sources, stub_of(exercise), threshold) if len(sources) > 1 else []
        behind.update({(exercise.id, pair.one, pair.two): pair for pair in found})
        for keys, share in grouped(list(students), found):
            names = tuple(sorted(name for key in keys for name in students[key]))
            if len(names) > 1:
                groups.append(Alike(exercise.id, names, share))
    return sorted(groups, key=lambda group: (-group.share, group.exercise, group.students)), behind


def grouped(keys: Sequence[str], found: Sequence[Pair]) -> list[tuple[tuple[str, ...], float]]:
    """Files that hang together by pairs, with the weakest link that holds each group."""
    group = {key: key for key in keys}
    weakest = dict.fromkeys(keys, 1.0)

    def root(key: str) -> str:
        while group[key] != key:
            key = group[key]
        return key

    for pair in found:  # the strongest come first, so the link that joins two groups is their weakest
        one, two = root(pair.one), root(pair.two)
        if one != two:
            group[two] = one
            weakest[one] = min(weakest[one], weakest[two], pair.share)
    members: dict[str, list[str]] = {}
    for key in keys:
        members.setdefault(root(key), []).append(key)
    return [(tuple(found_keys), weakest[key]) for key, found_keys in members.items()]


def stub_of(exercise: Exercise) -> str:
    """What everybody was given; empty, if the course has no stub."""
    try:
        return exercise.entry_path.read_text(encoding="utf-8")
    except OSError:
        return ""
