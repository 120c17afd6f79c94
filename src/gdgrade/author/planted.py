"""Planted submissions: right and wrong answers whose verdict is written in their first line.

::

    # right: autograd instead of the closed form
    # wrong: noise times eta | fails: step/given_noise, sample/given_noise | diagnosis: noise_times_eta
    # wrong: endless loop | fails: step/given_noise | cause: timeout

`fails` lists exactly the checks that fail by themselves; what is skipped because of them is not listed. `diagnosis`
names the mistake that the student must be told ("none": nobody may be accused). `cause` is the cause of the failed
checks where it is not "student". `run: full` also runs the checks that train a network.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from gdgrade.author.reading import TextError, read_text
from gdgrade.report.checkresult import Cause


class HeaderError(ValueError):
    """A planted file whose first line does not say what it is."""


@dataclass(frozen=True)
class Planted:
    """One planted file and the verdict it promises."""

    path: Path
    right: bool
    what: str
    fails: frozenset[str] = frozenset()
    diagnosis: str | None = None
    cause: str = "student"
    full: bool = False


def read_planted(path: Path) -> Planted:
    """The promise in a planted file's first line.

    Raises:
        HeaderError: the line is missing or malformed, or the file is not UTF-8.
    """
    try:
        first = read_text(path).split("\n", 1)[0]
    except TextError as error:
        raise HeaderError(f"{path.name} {error}") from error
    found = re.match(r"#\s*(right|wrong):\s*(.*)$", first)
    if found is None:
        raise HeaderError(f"{path.name}: the first line must begin with '# right:' or '# wrong:'")
    what, *fields = (field.strip() for field in found[2].split("|"))
    values = dict(_field(path, field) for field in fields if field)
    unknown = set(values) - {"fails", "diagnosis", "cause", "run"}
    if unknown:
        raise HeaderError(f"{path.name}: unknown field {', '.join(sorted(unknown))}")
    if values.get("run", "full") != "full":
        raise HeaderError(f"{path.name}: run: {values['run']} is unknown; write run: full or leave it out")
    if values.get("cause", "student") not in get_args(Cause):
        raise HeaderError(f"{path.name}: cause: {values['cause']} is unknown; one of {', '.join(get_args(Cause))}")
    fails = frozenset(name.strip() for name in values.get("fails", "").split(",") if name.strip())
    right = found[1] == "right"
    if (right and fails) or (not right and not fails):
        raise HeaderError(f"{path.name}: a wrong answer names the checks that it fails, a right one none")
    return Planted(
        path, right, what, fails, values.get("diagnosis"), values.get("cause", "student"), values.get("run") == "full"
    )


def planted_files(folder: Path) -> list[Planted]:
    """All planted submissions of an exercise, in order of their names."""
    return [read_planted(path) for path in sorted(folder.glob("*.py"))]


def unknown_checks(planted: Sequence[Planted], checks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names in first lines that no check of the exercise has, which would promise nothing.

    Args:
        checks: short name -> facts; those that train are among them.
    """
    problems = []
    for entry in planted:
        for name in sorted(entry.fails - set(checks)):
            near = difflib.get_close_matches(name, checks, 1)
            problems.append(
                f"{entry.path.name}: there is no check {name}" + (f"; did you mean {near[0]}?" if near else "")
            )
    return problems


def never_trained(planted: Sequence[Planted], checks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Wrong answers that only --full looks at: all checks that they name train, and `run: full` is missing."""
    return [
        f"{entry.path.name} names only checks that train, without `run: full`: only --full judges it"
        for entry in planted
        if entry.fails and not entry.full and all(checks.get(name, {}).get("training") for name in entry.fails)
    ]


def with_trainings(planted: Sequence[Planted], checks: Mapping[str, Mapping[str, Any]]) -> list[Planted]:
    """The same, as if each that names a check that trains said `run: full`."""
    trained = {name for name, facts in checks.items() if facts["training"]}
    return [replace(entry, full=entry.full or not trained.isdisjoint(entry.fails)) for entry in planted]


def disagreements(planted: Planted, outcomes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where a judged planted submission does not keep its promise; empty when all is as written.

    Args:
        outcomes: as `gdgrade.judging.run` returns them.
    """
    problems = [f"{short(entry)} is an error of the grader: {entry['message']}" for entry in _errors(outcomes)]
    failed = {short(entry): entry for entry in outcomes if entry["outcome"] == "failed"}
    if planted.right:
        others = [entry for entry in outcomes if entry["outcome"] != "passed" and not _left_out(entry)]
        return problems + [f"{short(entry)} {entry['outcome']}: {entry['message']}" for entry in others]
    # Without `run: full` the checks that train are left out, and with them what the header says of them.
    promised = planted.fails if planted.full else planted.fails & {short(entry) for entry in outcomes}
    problems += [f"{name} should fail and does not" for name in sorted(promised - set(failed))]
    unnamed = sorted(set(failed) - planted.fails)
    problems += [f"{name} fails and is not named: {failed[name]['message']}" for name in unnamed]
    for name, entry in failed.items():
        if entry["cause"] != planted.cause:
            problems.append(f"{name} has the cause {entry['cause']}, not {planted.cause}")
    if planted.diagnosis is not None and promised:
        problems += _wrong_diagnosis(planted, failed)
    return problems


def short(outcome: Mapping[str, Any]) -> str:
    """The check's id without its exercise: "step/given_noise"."""
    return str(outcome["id"]).split("/", 1)[1]


def _left_out(entry: Mapping[str, Any]) -> bool:
    """An optional part that was not attempted costs nothing, so a right answer may lack it."""
    return bool(entry.get("optional")) and (entry["cause"] == "not_attempted" or entry["outcome"] == "skipped")


def _wrong_diagnosis(planted: Planted, failed: Mapping[str, Mapping[str, Any]]) -> list[str]:
    named = {entry["mistake"] for entry in failed.values() if entry["mistake"] is not None}
    wanted = set() if planted.diagnosis == "none" else {planted.diagnosis}
    if named == wanted:
        return []
    seen = ", ".join(sorted(named)) or "nobody"
    return [f"accused: {seen}; should be {planted.diagnosis}"]


def _errors(outcomes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [entry for entry in outcomes if entry["outcome"] == "error"]


def _field(path: Path, text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise HeaderError(f"{path.name}: {text!r} is no field; write name: value")
    return name.strip(), value.strip()
