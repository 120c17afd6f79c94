"""What the checks of this exercise read off a result, and how they note it for diagnosis.

Solvers stop at different iterations and start from different scalings, so lists of errors and constants in the
potentials differ between right answers. A check therefore compares (and notes) one reading that does not.
"""

import json
from pathlib import Path

import torch

from gdgrade.checks import CheckFailed, agrees, observe

CONVERGED = 1e-6  # relative; an iteration that stops at a row error of 1e-9 leaves some 1e-8 in the plan


class Reading:
    """What a reading must be, where a law knows that without solving anything."""

    def __init__(self, value):
        self.value = value


def recorded(name):
    """A problem with the values that POT finds for it, as tensors and floats; see tests/reference."""
    problems = json.loads(Path(__file__).with_name("pot_values.json").read_text(encoding="utf-8"))["problems"]
    found = problems[name]
    return {key: torch.tensor(value) if isinstance(value, list) else value for key, value in found.items()}


def solves(student_function, law, *args, read, name, note=None, rtol=CONVERGED, atol=None, means=None, **kwargs):
    """One reading of (P, f, g, errors) is what `law`, called with the same arguments, says.

    Args:
        law: returns four results, or the expected `Reading`.
        read: takes the reading from a four-tuple; may raise CheckFailed.
        note: what is noted for diagnosis; the reading itself if left out.
    """
    pick = noted(read, note or read, name)
    return agrees(student_function, law, *args, pick=pick, name=name, rtol=rtol, atol=atol, means=means, **kwargs)


def noted(read, note, name):
    """`read`, noting `note` of the first result it is given: `agrees` gives it the student's first."""
    waiting = [True]

    def reading(result):
        if isinstance(result, Reading):
            return result.value
        if result is None:
            return None  # compared as such: a missing return statement is named
        if waiting:
            waiting.clear()
            observe(name, note(result))
        return read(result)

    return reading


def four(result):
    """The four results of a solver."""
    if not isinstance(result, tuple | list) or len(result) != 4:
        came = f"{len(result)} results" if isinstance(result, tuple | list) else f"a {type(result).__name__}"
        raise CheckFailed(f"a solver returns four results (P, f, g, errors); {came} came")
    return result


def array(value, name):
    """A float64 tensor of whatever numbers came; lists are welcome."""
    if isinstance(value, list | tuple):
        value = [float(item) if getattr(item, "ndim", 1) == 0 else item for item in value]
    try:
        return torch.as_tensor(value).to(torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise CheckFailed(f"{name}: numbers are due, a {type(value).__name__} came") from error


def plan(result):
    """P."""
    return array(four(result)[0], "P")


def matrix(result):
    """P, where sums over its rows are to be taken."""
    P = plan(result)
    if P.ndim != 2:
        raise CheckFailed(f"P: a plan has two axes, one row per point of x; its shape is {tuple(P.shape)}")
    return P


def marginals(result):
    """Row sums and column sums of P."""
    P = matrix(result)
    return P.sum(1), P.sum(0)


def potentials(result):
    """f and g with the free constant taken out."""
    f, g = array(four(result)[1], "f"), array(four(result)[2], "g")
    if f.ndim != 1 or f.numel() == 0:
        return f, g  # of a wrong shape, and compared as such
    return f - f[0], g + f[0]


def solution(result):
    """P, f and g; the free constant is taken out."""
    return (plan(result), *potentials(result))


SOLUTION = (
    "one row per point of x, one column per point of y",
    "one number per point of x",
    "one number per point of y",
)


def cost_of_plan(C):
    """The reading <P, C>, by the judge's own sum."""

    def read(result):
        P = plan(result)
        return (P * C).sum() if P.shape == C.shape else P

    return read


def row_error(result, a):
    """L1 distance between the row sums of the returned plan and a."""
    P = matrix(result)
    if P.shape[0] != a.shape[0]:
        raise CheckFailed(f"P: {a.shape[0]} rows are due, one per point of x; its shape is {tuple(P.shape)}")
    return float((P.sum(1) - a).abs().sum())


def errors(result):
    """The recorded row errors, as a vector."""
    found = array(four(result)[3], "errors")
    if found.ndim != 1:
        raise CheckFailed(f"errors: a list of numbers is due, one per look; its shape is {tuple(found.shape)}")
    if found.numel() == 0:
        raise CheckFailed("errors: no row error was recorded")
    if not bool(torch.isfinite(found).all()):
        raise CheckFailed("errors: not all recorded row errors are finite numbers")
    return found
