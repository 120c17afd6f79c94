"""`agrees`: the student's function against the reference's, on the same inputs.

float64 decides. A difference that looks like precision, or an error about types, gets a second chance in float32
with float32's tolerance; if that passes, the check passes with a remark: "works only in float32" for a function that
raises or returns float32 where float64 came in, "has only the precision of float32" for one that loses digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gdgrade.compare import Difference, as_array, compare, tolerance_for
from gdgrade.compare.tolerance import FLOAT32_CONSTANTS
from gdgrade.failures import CheckFailed, StudentError, WorkerLost
from gdgrade.judge.context import current
from gdgrade.judge.student import RemoteFunction
from gdgrade.language import N_, _, course_text

Pick = Callable[[Any], Any]
PRECISION = (FLOAT32_CONSTANTS.rtol, FLOAT32_CONSTANTS.atol)


def agrees(
    student_function: RemoteFunction,
    reference_function: Callable[..., Any],
    *args: Any,
    rtol: float | None = None,
    atol: float | None = None,
    pick: Pick | None = None,
    name: str | None = None,
    means: Any = None,
    **kwargs: Any,
) -> Any:
    """Call both functions with the same arguments and compare their results.

    Args:
        student_function: `student.f`, or a method of one of the student's objects.
        reference_function: what to compare with, evaluated in the judge in float64.
        rtol, atol: instead of the tolerances by type (see `gdgrade.compare.tolerance`).
        pick: applied to both results before they are compared, for instance to take the first item.
        name: what the result is called in messages; the function's name if left out.
        means: what the shape means, in words: "one score vector per particle".

    Returns:
        the student's (picked) result, for further checks.

    Raises:
        CheckFailed: they differ, or an argument was changed in place.
        StudentError: the student's function raised.
    """
    __tracebackhide__ = True  # an instructor who debugs sees the line of the check
    label, means = _spoken(name or student_function.label), _spoken(means)
    try:
        got = student_function(*args, **kwargs)
        changed = student_function.student.mutated
        expected = reference_function(*args, **kwargs)
        difference = _compared(got, expected, pick, rtol, atol, label, means)
        failure: Exception | None = failed(difference) if difference is not None else None
        again = (
            difference is not None
            and difference.kind == "value"
            and (_is_float32(got) or _compared(got, expected, pick, *PRECISION, label, means) is None)
        )
    except WorkerLost:
        raise
    except StudentError as error:
        got, failure, again, changed = None, error, _about_types(error), []
    if failure is not None:
        found = (
            _in_float32(student_function, reference_function, args, kwargs, pick, label, means, rtol) if again else ()
        )
        if not found:
            raise _with_change(failure, student_function.label, changed)
        if isinstance(failure, StudentError) or _is_float32(got):
            current().notebook.remark(_("{function} works only in float32").format(function=student_function.label))
        else:
            current().notebook.remark(_("{name} has only the precision of float32").format(name=label))
        got = found[0]
    if changed:
        raise CheckFailed(_in_place(student_function.label, changed))
    return _picked(got, pick, label)


def _in_place(label: str, changed: Sequence[str]) -> str:
    text = _("{function} changes its argument {names} in place. The caller still needs it: build a new array instead.")
    return text.format(function=label, names=", ".join(changed))


def _with_change(failure: Exception, label: str, changed: Sequence[str]) -> Exception:
    """A wrong answer whose reason may be that an argument was changed: then both are said."""
    if not changed or not isinstance(failure, CheckFailed):
        return failure
    message = f"{failure.message} {_in_place(label, changed)}"
    return CheckFailed(message, expected=failure.expected, got=failure.got, where=failure.where)


def close(
    got: Any,
    expected: Any,
    name: str = N_("the result"),
    *,
    rtol: float | None = None,
    atol: float | None = None,
    means: Any = None,
) -> None:
    """Compare a value with what it must be.

    A result that came as float32 is held to float32's tolerance, with a remark.

    Raises:
        CheckFailed: with a message about structure, type, shape, finiteness or values, in this order.
    """
    __tracebackhide__ = True  # an instructor who debugs sees the line of the check
    name, means = _spoken(name), _spoken(means)
    difference = compare(got, expected, rtol=rtol, atol=atol, name=name, means=means)
    if difference is not None and difference.kind == "value" and rtol is None and _is_float32(got):
        single = tolerance_for(np.float32)
        difference = compare(got, expected, rtol=single.rtol, atol=single.atol, name=name, means=means)
        if difference is None:
            current().notebook.remark(_("{name} has only the precision of float32").format(name=name))
    if difference is not None:
        raise failed(difference)


def well_formed(
    got: Any, example: Any, name: str = N_("the result"), *, means: Any = None, varies: bool = False
) -> None:
    """Require of a value only that it is built like `example`, with finite numbers: the numbers may be any.

    For checks that look at something else than the result, such as where a score was asked: without this, a
    function that does the right calls and then gives back junk would get their points.

    Args:
        example: a number, an array or a tuple of them.
        varies: the numbers of an array come from different inputs or draws, so they may not be all the same.

    Raises:
        CheckFailed: with a message about structure, type, shape, finiteness, or numbers that are all the same.
    """
    __tracebackhide__ = True  # an instructor who debugs sees the line of the check
    name, means = _spoken(name), _spoken(means)
    difference = compare(got, example, name=name, means=means)
    if difference is not None and difference.kind != "value":
        raise failed(difference)
    if varies:
        numbers = as_array(got)
        if (numbers == numbers.flat[0]).all():
            raise CheckFailed(_("{name}: all numbers are the same, whatever was asked").format(name=name))


def failed(difference: Difference) -> CheckFailed:
    """The difference as the failure of a check."""
    where = "" if difference.index is None else str(difference.index)
    return CheckFailed(difference.message, expected=difference.expected, got=difference.got, where=where)


def _compared(
    got: Any, expected: Any, pick: Pick | None, rtol: Any, atol: Any, label: str, means: Any
) -> Difference | None:
    if pick is not None:
        got, expected = _picked(got, pick, label), pick(expected)
    return compare(got, expected, rtol=rtol, atol=atol, name=label, means=means)


def _picked(got: Any, pick: Pick | None, label: str) -> Any:
    if pick is None:
        return got
    try:
        return pick(got)
    except (CheckFailed, StudentError):
        raise
    except Exception as error:
        raise CheckFailed(
            _("{name}: the result is built in another way than the exercise asks for: it came as a {type}").format(
                name=label, type=type(got).__name__
            )
        ) from error


def _spoken(means: Any) -> Any:
    """A name, what a shape means, or what each of several shapes means, in the language in use."""
    if isinstance(means, str):
        return course_text(_(means))
    if isinstance(means, list | tuple):
        return type(means)(_spoken(item) for item in means)
    if isinstance(means, dict):
        return {key: _spoken(item) for key, item in means.items()}
    return means


def _in_float32(
    student_function: RemoteFunction,
    reference_function: Callable[..., Any],
    args: Any,
    kwargs: Any,
    pick: Pick | None,
    label: str,
    means: Any,
    rtol: float | None,
) -> tuple[Any, ...]:
    """The second chance: float32 inputs and float32 as the default type of the student's process; () if that fails."""
    args, kwargs = _cast(args, "float32"), _cast(kwargs, "float32")
    single = tolerance_for(np.float32)
    try:
        with student_function.student.dtype("float32"):
            got = student_function(*args, **kwargs)
        # The reference sees the same rounded numbers, in float64.
        expected = reference_function(*_cast(args, "float64"), **_cast(kwargs, "float64"))
        loose = max(rtol or 0.0, single.rtol)
        return (got,) if _compared(got, expected, pick, loose, single.atol, label, means) is None else ()
    except WorkerLost:
        raise
    except (StudentError, CheckFailed):
        return ()


def _about_types(error: StudentError) -> bool:
    words = ("dtype", "Double", "Float", "float64", "float32", "scalar type")
    return error.kind == "exception" and any(word in error.message for word in words)


def _is_float32(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_is_float32(item) for item in value)
    if isinstance(value, dict):
        return any(_is_float32(item) for item in value.values())
    return str(getattr(value, "dtype", "")).removeprefix("torch.") in ("float32", "complex64")


def _cast(value: Any, name: str) -> Any:
    """The same nested arguments with their floating arrays in another type."""
    if isinstance(value, list | tuple):
        return type(value)(_cast(item, name) for item in value)
    if isinstance(value, dict):
        return {key: _cast(item, name) for key, item in value.items()}
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(name)
    if hasattr(value, "is_floating_point") and hasattr(value, "detach") and value.is_floating_point():
        import torch

        return value.to(getattr(torch, name))
    return value
