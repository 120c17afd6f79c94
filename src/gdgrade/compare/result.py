"""What a statistical test hands back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TestResult:
    """Outcome of one test of one null hypothesis ("the samples have the law they should have").

    Attributes:
        name: what was tested, e.g. "mean".
        statistic: the test's statistic; its docstring says which.
        pvalue: probability, under the null, of a statistic at least as far out; in [0, 1]. 0 where the
            samples cannot come from the null at all (a NaN, a value outside the range).
        detail: one plain sentence for the student, with the numbers.
        level: smallest p-value the test could have given, where there is one (1/(B+1) with B permutations).
    """

    __test__ = False  # the name is no invitation to pytest

    name: str
    statistic: float
    pvalue: float
    detail: str
    level: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.pvalue <= 1.0:
            raise ValueError(f"{self.name}: a p-value must lie in [0, 1], got {self.pvalue}")

    def rejects(self, alpha: float) -> bool:
        """Whether the null is rejected at level ``alpha``, i.e. ``pvalue <= alpha``.

        Raises:
            ValueError: if ``alpha`` is not in (0, 1), or below ``level``: such a test could never reject, and
                a check that cannot fail is worth nothing.

        Example:
            >>> TestResult("mean", 3.1, 0.002, "").rejects(0.005)
            True
        """
        if not 0.0 < alpha < 1.0:
            raise ValueError(f"{self.name}: alpha must lie in (0, 1), got {alpha}")
        room = alpha * (1 + 1e-9)  # k/(B+1) and alpha may differ in their last bit where they mean the same
        if self.level is not None and self.level > room:
            raise ValueError(
                f"{self.name}: its smallest p-value is {self.level:.3g}, so it can never reject at "
                f"{alpha:.3g}. Use more permutations or a larger alpha."
            )
        return self.pvalue <= room
