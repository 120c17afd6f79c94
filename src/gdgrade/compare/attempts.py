"""The three-attempt rule: bad luck alone may not fail a student."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from gdgrade.compare.result import TestResult
from gdgrade.language import _, course_text


class Forkable(Protocol):
    """A source of seeded random inputs that can be split, as the ``draw`` fixture is."""

    def fork(self, label: str, /) -> Forkable:
        """A new independent source; the same label gives the same one."""
        ...


DrawT = TypeVar("DrawT", bound=Forkable)


@dataclass(frozen=True, slots=True)
class AttemptsResult:
    """What the attempts gave.

    Attributes:
        passed: whether at least one attempt did not reject.
        alpha: probability that a right answer fails: (level of one attempt) ** (number of attempts allowed).
            Exact for exact tests, an upper bound where an attempt makes several tests or its null is
            discrete.
        results: the tests of each attempt made, in order.
        detail: one plain sentence per attempt.
    """

    passed: bool
    alpha: float
    results: tuple[tuple[TestResult, ...], ...]
    detail: str

    @property
    def made(self) -> int:
        """Number of attempts made; a right answer mostly needs one."""
        return len(self.results)


def attempts(
    draw: DrawT,
    trial: Callable[[DrawT], TestResult | Sequence[TestResult]],
    *,
    alpha: float = 0.005,
    n: int = 3,
) -> AttemptsResult:
    """Repeat a statistical test with fresh seeds; it fails only if every attempt rejects.

    An attempt that makes m tests rejects when one of them does at level alpha/m (Bonferroni), so its level is
    at most
    ``alpha`` however the tests depend on each other. The attempts use independent seeds, hence a right answer
    fails with probability at most ``alpha**n``: 1.25e-7 by default. If one attempt detects a mistake with
    probability q, all n do with q**n: choose sample sizes for q = 0.9997.

    Args:
        draw: source of randomness; attempt k (from 1) gets ``draw.fork(f"attempt {k}")``.
        trial: makes one attempt. It must take *all* its randomness, the student's seed included, from the
            draw it is given, else the attempts are not independent. Returns one test or several.
        alpha: level of one attempt, in (0, 1).
        n: most attempts to make.

    Raises:
        ValueError: if the trial makes no test, ``n < 1``, or a test is too coarse for its level (see
            :meth:`TestResult.rejects`).

    Source: the rule "calibrate alpha, fail on three fresh seeds" is repeated independent testing; its level
        is the product of the levels.
    """
    if n < 1:
        raise ValueError(f"attempts needs n >= 1, got {n}")
    results: list[tuple[TestResult, ...]] = []
    lines: list[str] = []
    for k in range(1, n + 1):
        # A draw forks into its own kind; the protocol cannot say so without making every caller generic.
        outcome = trial(draw.fork(f"attempt {k}"))  # type: ignore[arg-type]
        tests = (outcome,) if isinstance(outcome, TestResult) else tuple(outcome)
        if not tests:
            raise ValueError("attempts: the trial made no test, so it could never fail")
        results.append(tests)
        rejected = [test for test in tests if test.rejects(alpha / len(tests))]
        if not rejected:
            lines.append(_("Attempt {number}: passed.").format(number=k))
            return AttemptsResult(True, alpha**n, tuple(results), " ".join(lines))
        worst = min(rejected, key=lambda test: test.pvalue)
        text = _("Attempt {number}: {name}: {detail} (p = {p:.2g}).")
        name, detail = course_text(_(worst.name)), course_text(worst.detail).rstrip(".")
        lines.append(text.format(number=k, name=name, detail=detail, p=worst.pvalue))
    return AttemptsResult(False, alpha**n, tuple(results), " ".join(lines))
