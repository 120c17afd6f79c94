"""Kinds of values in a course file: what may be written for a number, a name, a deadline."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError


def _deadline(value: object) -> object:
    """Read a deadline from its text, so that a quoted and a bare one mean the same.

    The loader hands over text always; numbers would be read as seconds since 1970, which nobody means.
    """
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("deadline", "must be a date with time and zone")
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        raise PydanticCustomError("deadline", "must be a date with time and zone") from None


# Strict numbers: YAML has types of its own, so "2" (text) or true where a number is due is a slip.
Positive = Annotated[float, Field(strict=True, gt=0, le=1e9, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(strict=True, ge=0, le=1e9, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Mebibytes = Annotated[int, Field(strict=True, ge=1, le=1 << 22)]
Title = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
CourseId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]
PartId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=20)]
EntryFile = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\.py$", max_length=80)]
DataSet = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
Module = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$", max_length=120)]
Deadline = Annotated[AwareDatetime, BeforeValidator(_deadline)]
