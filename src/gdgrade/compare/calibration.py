"""Pass limits of training checks: measured once with the reference, stored with all that led to them."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from gdgrade.compare.bounds import BoundResult, at_least, at_most

Direction = Literal["higher", "lower"]
_VERSION = 1


def limit_from(scores: Sequence[float], direction: Direction, spreads: float = 3.0) -> float:
    """Pass limit: the worst score of the reference, and ``spreads`` sample standard deviations beyond it.

    A rule of thumb, not a level: with 20 normal scores it lies about 4.9 standard deviations from the mean.
    It stands on the second half of the rule: every known mistake must fall outside it with all its seeds,
    else the check is dropped.

    Args:
        scores: one per seed, at least 2, finite.
        direction: "higher" if higher scores are better, else "lower".
        spreads: how many standard deviations (n - 1 in the denominator) to add.

    Raises:
        ValueError: if there are fewer than 2 scores, one is not finite, or the direction is unknown.

    Example:
        >>> limit_from([1.0, 2.0, 3.0], "higher")
        -2.0
    """
    if len(scores) < 2 or not all(math.isfinite(score) for score in scores):
        raise ValueError(f"limit_from needs at least 2 finite scores, got {list(scores)[:5]}")
    spread = statistics.stdev(scores)
    if direction == "higher":
        return min(scores) - spreads * spread
    if direction == "lower":
        return max(scores) + spreads * spread
    raise ValueError(f"direction must be 'higher' or 'lower', got {direction!r}")


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the limit of one check was found.

    Attributes:
        name: of the score, e.g. "test ELBO (nats)".
        date: ISO date of the runs.
        machine: processor, threads and library versions, in words.
        seeds: of the runs.
        scores: of the reference, one per seed; unit as in the name.
        direction: "higher" or "lower": which scores are better.
        spreads: see :func:`limit_from`.
        limit: the pass limit, same unit as the scores.
        rule: the rule in words.
    """

    name: str
    date: str
    machine: str
    seeds: tuple[int, ...]
    scores: tuple[float, ...]
    direction: Direction
    limit: float
    spreads: float = 3.0
    rule: str = "worst score, 3 sample standard deviations beyond"

    def __post_init__(self) -> None:
        if len(self.seeds) != len(self.scores):
            raise ValueError(f"calibration {self.name!r}: {len(self.seeds)} seeds but {len(self.scores)} scores")
        due = limit_from(self.scores, self.direction, self.spreads)
        if not math.isclose(self.limit, due, rel_tol=1e-6, abs_tol=1e-9):
            raise ValueError(
                f"calibration {self.name!r}: the stored limit {self.limit:.6g} is not {due:.6g}, which follows from "
                "its scores. Measure again instead of changing the limit by hand."
            )

    @classmethod
    def measured(
        cls,
        name: str,
        seeds: Sequence[int],
        scores: Sequence[float],
        direction: Direction,
        *,
        date: str,
        machine: str,
        spreads: float = 3.0,
    ) -> Calibration:
        """A calibration from fresh scores, its limit computed by :func:`limit_from`."""
        rule = f"worst score, {spreads:g} sample standard deviations beyond"
        limit = limit_from(scores, direction, spreads)
        return cls(name, date, machine, tuple(seeds), tuple(scores), direction, limit, spreads, rule)

    def judge(self, score: object) -> BoundResult:
        """Whether a score is as good as the limit; anything that is no number fails."""
        judge = at_least if self.direction == "higher" else at_most
        return judge(score, self.limit, self.name)


def load_calibrations(path: str | Path) -> dict[str, Calibration]:
    """Read the calibrations stored in a JSON file, by key.

    The file holds ``{"version": 1, "calibrations": {key: {"name": ..., "date": ..., ...}}}`` with the fields
    of :class:`Calibration`.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is no such file, or a limit does not follow from its scores; the message names file
            and key.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    if not isinstance(content, dict) or content.get("version") != _VERSION:
        raise ValueError(f"{path}: no calibrations of version {_VERSION}. Run the calibration again.")
    entries = content.get("calibrations")
    if not isinstance(entries, dict):
        raise ValueError(f"{path}: the key 'calibrations' must hold an object")
    return {key: _calibration(path, key, entry) for key, entry in entries.items()}


def dump_calibrations(path: str | Path, calibrations: dict[str, Calibration]) -> None:
    """Write calibrations as :func:`load_calibrations` reads them, keys sorted.

    Raises:
        OSError: if the file cannot be written.
    """
    entries = {key: asdict(calibrations[key]) for key in sorted(calibrations)}
    text = json.dumps({"version": _VERSION, "calibrations": entries}, indent=1)
    Path(path).write_text(text + "\n", encoding="utf-8")


def clopper_pearson(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of a probability after k successes in n trials. Exact: covers with at least ``level``.

    Args:
        k: successes, 0 to n.
        n: trials, at least 1.
        level: in (0, 1); (1 - level) / 2 on each side.

    Raises:
        ValueError: if k, n or the level is out of range.

    Example:
        >>> [round(end, 4) for end in clopper_pearson(0, 100)]
        [0.0, 0.0362]

    Source: Clopper & Pearson (1934), Biometrika 26, 404-413.
    """
    if not (0 <= k <= n and n >= 1 and 0 < level < 1):
        raise ValueError(f"clopper_pearson needs 0 <= k <= n, n >= 1, 0 < level < 1; got {k}, {n}, {level}")
    from scipy import special

    tail = (1 - level) / 2
    low = 0.0 if k == 0 else float(special.betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(special.betaincinv(k + 1, n - k, 1 - tail))
    return low, high


def _calibration(path: Path, key: str, entry: Any) -> Calibration:
    try:
        fields = dict(entry)
        fields["seeds"] = tuple(_whole(seed) for seed in fields["seeds"])
        fields["scores"] = tuple(_numbers(fields["scores"]))
        return Calibration(**fields)
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(f"{path}: calibration {key!r} cannot be used: {error}") from None


def _whole(seed: object) -> int:
    if isinstance(seed, int) and not isinstance(seed, bool):
        return seed
    raise ValueError(f"a seed must be a whole number, got {seed!r}")


def _numbers(scores: Iterable[Any]) -> Iterable[float]:
    return [float(score) for score in scores]
