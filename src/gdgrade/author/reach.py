"""Which checks of a planted answer need judging: those that reach code on which they were not tried before.

Most planted answers are one file with one function changed. A check sees only the functions that it calls and what
these can reach, so two answers that agree there get the same verdict from it, and judging one of them is enough. The
syntax tree decides what is the same: comments, docstrings and blank lines do not matter, anything else does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gdgrade.author.planted import Planted
from gdgrade.sourcecode import Code as Code


@dataclass(frozen=True)
class Check:
    """What decides where a check must be tried.

    Attributes:
        part: it belongs to; needs: parts without which it is not judged.
        enters: functions and classes of the submission that it calls; None where that is not known.
    """

    part: str
    needs: tuple[str, ...]
    enters: tuple[str, ...] | None


def checks_to_try(
    reference: str, planted: Sequence[Planted], checks: Mapping[str, Check], part_needs: Mapping[str, Sequence[str]]
) -> list[tuple[str, ...]]:
    """Per planted answer the checks that have to be judged on it.

    Left out are those that the first lines promise to pass, on code on which the reference or an earlier answer is
    tried. Should that one break its promise, then it is reported.

    Args:
        reference: source of the reference, which is judged on every check.
        checks: short name -> what it depends on, in the order of the parts.
        part_needs: part -> parts that it needs.
    """
    code = Code(reference)
    tried = {(short, code.key(check.enters)) for short, check in checks.items()}
    chosen = []
    for entry in planted:
        code = Code(entry.path.read_text(encoding="utf-8", errors="replace"))
        broken = _broken(entry.fails, checks, part_needs)
        mine = []
        for short, check in checks.items():
            place = (short, code.key(check.enters))
            passes = short not in entry.fails and not broken & {*check.needs, *part_needs.get(check.part, ())}
            if not passes:
                mine.append(short)
            elif place not in tried:
                mine.append(short)
                tried.add(place)
        chosen.append(tuple(mine or checks))
    return chosen


def _broken(
    fails: frozenset[str], checks: Mapping[str, Check], part_needs: Mapping[str, Sequence[str]]
) -> frozenset[str]:
    """Parts in which something fails, or is skipped because of that."""
    broken = {check.part for short, check in checks.items() if short in fails}
    before = -1
    while len(broken) != before:
        before = len(broken)
        broken |= {check.part for check in checks.values() if broken & {*check.needs, *part_needs.get(check.part, ())}}
    return frozenset(broken)
