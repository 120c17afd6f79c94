"""The page docs/soundness.md, made from full verdicts: `python -m gdgrade.author.record VERDICTS.json...`.

Each file is what `gdgrade author check EX... --full --format json` printed; `make soundness` writes one of all
exercises, which takes an hour or two, so that the page carries the day and the machine.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

HEAD = """\
# Soundness of the graders

Made from full verdicts, the newest of {date}, on {cores} cores of {machine} with Python
{python}; do not edit by hand. Each row is a verdict of `gdgrade author check EX --full` on the graders as they are;
[instructors.md](instructors.md) says what is examined, and `make soundness` examines all anew. An exercise that is not
listed was not examined in full since its graders changed.

## Right answers

The reference is judged on every check of {seeds}, in float64 and again in float32; trainings once. "Rate" is the upper
end of the two-sided 95 % interval of Clopper and Pearson for the share of false failures in float64, over all checks;
"declared" is what the checks of the exercise together allow.

| exercise | sound | runs | runs that failed | rate, at most | declared | other right answers |
| --- | --- | --- | --- | --- | --- | --- |
"""
WRONG = """
## Wrong answers

Mutants are small changes of the reference; those that give the same numbers, bit for bit, on many draws are equal, and
excused ones are free by the statement, with the reason in `graders/*/equivalent_mutants.yml`. "Lowest power" is that of
any statistical check against any mistake that it is to catch, over 50 seeds. Minutes are by the clock, several
exercises side by side.

| exercise | planted | mistakes named | lowest power | mutants killed | equal, excused | junk | minutes |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""

Verdict = Mapping[str, Any]


def page(verdicts: Sequence[Verdict], today: dt.date, machine: str) -> str:
    """The page in Markdown.

    Args:
        verdicts: as `Verdict.to_json` makes them, all of full examinations.
        today: the day of the examinations; machine: what they ran on, in words.

    Raises:
        ValueError: a verdict is of a quick examination, or there is none.
    """
    if not verdicts or any(verdict["mode"] != "full" for verdict in verdicts):
        raise ValueError("this page is made of full verdicts: gdgrade author check EX --full --format json")
    seeds = sorted({_figures(verdict, "reference").get("runs", 0) // 2 for verdict in verdicts})
    head = HEAD.format(
        date=today.isoformat(),
        cores=os.cpu_count(),
        machine=machine,
        python=platform.python_version(),
        seeds=" or ".join(f"{count} seeds" for count in seeds),
    )
    rows = [*map(_right, verdicts)], [*map(_wrong, verdicts)]
    text = head + _table(rows[0]) + WRONG + _table(rows[1])
    problems = [
        f"- {verdict['exercise']}, {section['name']}: {problem}"
        for verdict in verdicts
        for section in verdict["sections"]
        for problem in section["problems"]
    ]
    if problems:
        text += "\n## What is not sound\n\n" + "\n".join(problems) + "\n"
    return text


def _right(verdict: Verdict) -> list[str]:
    reference, false = _figures(verdict, "reference"), _figures(verdict, "false failures")
    return [
        verdict["exercise"],
        "yes" if verdict["sound"] else "no",
        str(reference.get("runs", "-")),
        str(reference.get("failed", "-")),
        _number(false.get("bound")),
        _number(_figures(verdict, "points and needs").get("alpha")),
        str(_figures(verdict, "planted right answers").get("count", "-")),
    ]


def _wrong(verdict: Verdict) -> list[str]:
    mistakes, mutants = _figures(verdict, "mistakes"), _figures(verdict, "mutants")
    pairs = [row for row in _figures(verdict, "power").get("rows", []) if row["named"] and row["runs"]]
    powers = [row["caught"] / row["runs"] for row in pairs]
    return [
        verdict["exercise"],
        str(_figures(verdict, "planted wrong answers").get("count", "-")),
        f"{mistakes.get('right', '-')} of {mistakes.get('count', '-')}",
        f"{min(powers):.2f}" if powers else "-",
        f"{mutants.get('killed', '-')} of {mutants.get('counted', '-')}",
        f"{len(mutants.get('proven_equal', []))}, {len(mutants.get('excused', []))}",
        str(_figures(verdict, "junk answers").get("count", "-")),
        f"{verdict['seconds'] / 60:.0f}",
    ]


def _figures(verdict: Verdict, name: str) -> Mapping[str, Any]:
    """The figures of a section; empty where it is missing, as in an exercise that does not load."""
    found = [section["figures"] for section in verdict["sections"] if section["name"] == name]
    return found[0] if found else {}


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1e}"


def _table(rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main(names: Sequence[str]) -> None:
    """Print the page made of these files; an exercise that is in several of them is as in the last one."""
    found = (verdict for name in names for verdict in json.loads(Path(name).read_text(encoding="utf-8")))
    verdicts = {str(verdict["exercise"]): verdict for verdict in found}
    newest = max((Path(name).stat().st_mtime for name in names), default=0.0)
    today = dt.datetime.fromtimestamp(newest, dt.UTC).date()
    machine = f"a {platform.system()} machine ({platform.machine()})"
    sys.stdout.write(page([verdicts[name] for name in sorted(verdicts)], today, machine))


if __name__ == "__main__":
    main(sys.argv[1:])
