"""What a grader imports: the marker, the comparisons, the statistics.

A check is an ordinary pytest function::

    from gdgrade.checks import agrees, check

    @check("5.1", points=2)
    def test_score_is_gradient(student, reference, draw):
        \"\"\"The score equals the gradient of the log-density.\"\"\"
        agrees(student.gmm_score, reference.gmm_score, draw.normal(7, 2), draw.normal(3, 2), 0.7, draw.weights(3))

Comparisons raise `CheckFailed`; statistics return results, and `attempts`, `passes` and `holds` raise for them.
Nothing heavy is imported before it is used.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gdgrade.failures import CheckFailed as CheckFailed
from gdgrade.failures import StudentError as StudentError
from gdgrade.judge.marks import check as check
from gdgrade.language import N_, _, course_text

if TYPE_CHECKING:
    from gdgrade.agreement import agrees as agrees
    from gdgrade.agreement import close as close
    from gdgrade.agreement import well_formed as well_formed
    from gdgrade.compare import AttemptsResult, TestResult
    from gdgrade.judge.student import recorder as recorder

_HOME = {
    "agrees": "gdgrade.agreement",
    "close": "gdgrade.agreement",
    "recorder": "gdgrade.judge.student",
    "well_formed": "gdgrade.agreement",
}


def __getattr__(name: str) -> Any:
    """Comparisons and statistics, imported when first used."""
    if name.startswith("__"):
        raise AttributeError(name)
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    else:
        value = getattr(importlib.import_module("gdgrade.compare"), name)
    globals()[name] = value
    return value


def require(condition: object, message: str) -> None:
    """Fail the check with `message` unless `condition` is true.

    The message is for the student: it says what is wrong, not what is right.

    Raises:
        CheckFailed: the condition does not hold.
    """
    __tracebackhide__ = True
    if not bool(condition):
        raise CheckFailed(message)


def observe(name: str, value: Any, *, rtol: float = 1e-6) -> Any:
    """Note a feature of the student's answer by which mistakes are told apart, and return it.

    For answers that depend on the student's own random weights: observe something that does not, such as the
    ratio of two log-determinants. A check that observes anything is diagnosed by its observations alone.

    Args:
        rtol: relative tolerance within which a mistake's feature counts as the same.
    """
    from gdgrade.judge.context import current
    from gdgrade.judge.student import Observation

    current().notebook.features.append(Observation(name, "", value, rtol=rtol))
    return value


def remark(text: str) -> None:
    """A remark on style or robustness that costs no points."""
    from gdgrade.judge.context import current

    current().notebook.remark(text)


def passes(result: TestResult | Sequence[TestResult], alpha: float, message: str) -> None:
    """Fail with `message` if a test rejects at level `alpha` (shared among several tests).

    Raises:
        CheckFailed: rejected.
    """
    __tracebackhide__ = True
    from gdgrade.judge.context import current

    current().chance += alpha
    results = [result] if not isinstance(result, Sequence) else list(result)
    for test in results:
        if test.rejects(alpha / len(results)):
            raise CheckFailed(f"{course_text(message)} ({course_text(test.detail)})")


def attempts(
    draw: Any,
    trial: Callable[[Any], TestResult | Sequence[TestResult]],
    *,
    alpha: float = 0.005,
    n: int = 3,
    message: str = N_("the samples do not follow the law that the exercise prescribes"),
) -> AttemptsResult:
    """The three-attempt rule of `gdgrade.compare.attempts`, failing the check when every attempt rejects.

    Raises:
        CheckFailed: all `n` attempts with fresh seeds rejected; a right answer does that with probability alpha**n.
    """
    __tracebackhide__ = True
    from gdgrade.compare.attempts import attempts as run
    from gdgrade.judge.context import current

    current().chance += alpha**n
    result = run(draw, trial, alpha=alpha, n=n)
    if not result.passed:
        raise CheckFailed(f"{course_text(_(message))}. {result.detail}")
    return result


def holds(result: Any) -> None:
    """Fail the check if a bound of `gdgrade.compare.bounds` is violated.

    Raises:
        CheckFailed: with the bound's own message.
    """
    __tracebackhide__ = True
    if not result.passed:
        raise CheckFailed(result.message)
