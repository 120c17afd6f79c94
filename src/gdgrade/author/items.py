"""`author items`: what a class's reports say about the checks: hard ones, blunt ones, wrong ones, unnamed mistakes."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gdgrade.language import LANGUAGES, _, speaking
from gdgrade.report.model import HIDDEN_MESSAGE, CheckResult, Report

MIN_CLUSTER = 2
SUSPECT_PASS_RATE = 0.1  # a check that nearly nobody passes, the best students included, is suspect
SUSPECT_DEVIATIONS = 2.0  # below 0, of a correlation of unrelated numbers, whose deviation is 1 / sqrt(n - 1)


@dataclass(frozen=True)
class Item:
    """One check over all reports of its exercise.

    Attributes:
        judged: reports in which it was decided; passed, skipped, undecided: how many.
        discrimination: correlation of passing it with the points of the other checks, in [-1, 1]; None if it cannot
            be had (everybody passed, or nobody).
        mistakes: name -> how often, most frequent first.
        clusters: (message without its numbers, answer) -> how often, for failures that no mistake explains.
        suspicion: why it looks as if the check were at fault, or "".
    """

    check: str
    title: str
    judged: int
    passed: int
    skipped: int
    undecided: int
    discrimination: float | None
    mistakes: dict[str, int]
    clusters: dict[str, int]
    suspicion: str

    @property
    def pass_rate(self) -> float:
        return self.passed / self.judged if self.judged else math.nan

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "pass_rate": self.pass_rate if self.judged else None}


def read_reports(place: Path) -> list[Report]:
    """The reports of a batch's store, or all reports (``*.json``) of a folder; other JSON files are passed over.

    Args:
        place: a folder with ``results.sqlite`` (of each student the latest hand-in counts), or one with reports.

    Raises:
        FileNotFoundError: there is no report.
        gdgrade.batch.store.StoreError: the store cannot be read.
    """
    found = _of_store(place) if (place / "results.sqlite").is_file() else []
    if found:
        return found
    for path in sorted(place.rglob("*.json")) if place.is_dir() else [place]:
        try:
            found.append(Report.from_json(path.read_bytes()))
        except (ValueError, OSError):
            continue
    if not found:
        raise FileNotFoundError(f"{place} holds no report. Make some: gdgrade check EX FILE --format json > FILE.json")
    return found


def _of_store(folder: Path) -> list[Report]:
    from gdgrade.batch.store import Store

    newest = """SELECT verdict FROM hand_ins WHERE verdict IS NOT NULL AND id IN
                (SELECT max(id) FROM hand_ins WHERE verdict IS NOT NULL GROUP BY student, exercise) ORDER BY id"""
    with Store(folder) as store:
        texts = [store.report_json(int(row["verdict"])) for row in store.db.execute(newest)]
    return [Report.from_json(text) for text in texts if text is not None]


def analyse(reports: Iterable[Report]) -> list[Item]:
    """One item per check, in the order of exercises and checks."""
    by_exercise: dict[str, list[Report]] = {}
    for report in reports:
        by_exercise.setdefault(report.exercise.id, []).append(report)
    return [item for _, group in sorted(by_exercise.items()) for item in _exercise(group)]


def _exercise(reports: Sequence[Report]) -> list[Item]:
    results: dict[str, list[tuple[Report, CheckResult]]] = {}
    for report in reports:
        for check in report.checks:
            results.setdefault(check.id, []).append((report, check))
    return [_item(name, found) for name, found in results.items()]


def _item(name: str, found: Sequence[tuple[Report, CheckResult]]) -> Item:
    decided = [(report, check) for report, check in found if check.outcome in ("passed", "failed")]
    tried = [(report, check) for report, check in decided if check.cause != "not_attempted"]
    failed = [check for _, check in tried if check.outcome == "failed"]
    passed = [float(check.outcome == "passed") for _, check in tried]
    rest = [report.points + report.bonus - check.points for report, check in tried]
    mistakes = Counter(check.mistake for check in failed if check.mistake is not None)
    # In reports as students see them, all failures of a hidden check have one and the same message: no cluster.
    told = [check for check in failed if check.message not in _redacted()]
    clusters = Counter(_signature(check) for check in told if check.mistake is None)
    undecided = sum(check.undecided for _, check in found)
    discrimination = _correlation(passed, rest)
    return Item(
        check=name,
        title=found[-1][1].title,
        judged=len(tried),
        passed=int(sum(passed)),
        skipped=sum(check.outcome == "skipped" for _, check in found),
        undecided=undecided,
        discrimination=discrimination,
        mistakes=dict(mistakes.most_common()),
        clusters={words: count for words, count in clusters.most_common() if count >= MIN_CLUSTER},
        suspicion=_suspicion(passed, rest, discrimination, undecided, sum(mistakes.values())),
    )


def _suspicion(
    passed: Sequence[float], rest: Sequence[float], discrimination: float | None, undecided: int, explained: int
) -> str:
    """Why the check itself should be looked at; the first reason that holds."""
    if undecided:
        return f"undecided {undecided} times: the check or the machine failed"
    if len(passed) < 5:
        return ""
    rate = sum(passed) / len(passed)
    unnamed = len(passed) - sum(passed) - explained  # where each failure has a name, the check saw what it is for
    doubtful = -SUSPECT_DEVIATIONS / math.sqrt(len(passed) - 1)
    if discrimination is not None and discrimination <= doubtful and unnamed > 0:
        return f"strong submissions fail it more often than weak ones (discrimination {discrimination:.2f})"
    best = sorted(zip(rest, passed, strict=True), key=lambda pair: -pair[0])[: max(1, len(passed) // 4)]
    if rate <= SUSPECT_PASS_RATE and not any(won for _, won in best):
        return f"nobody among the best quarter passes it ({rate:.0%} in all)"
    if len(passed) - sum(passed) >= 5 and not explained:
        return "many fail it and no mistake explains any of them"
    return ""


@functools.cache
def _redacted() -> frozenset[str]:
    """What stands in place of a hidden check's message, in every language."""
    found = set()
    for name in LANGUAGES:
        with speaking(name):
            found.add(_(HIDDEN_MESSAGE))
    return frozenset(found)


def _signature(check: CheckResult) -> str:
    """What a failure looks like with its numbers taken out of the message, and the answer that came."""
    message = re.sub(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", "#", check.message.split("\n", 1)[0])
    return f"{message} | got {check.got}" if check.got else message


def _correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Pearson's correlation; None where one side does not vary."""
    count = len(first)
    if count < 3:
        return None
    mean_first, mean_second = sum(first) / count, sum(second) / count
    a, b = [x - mean_first for x in first], [y - mean_second for y in second]
    spread = math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
    return None if spread == 0 else sum(x * y for x, y in zip(a, b, strict=True)) / spread
