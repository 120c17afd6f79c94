"""The names of all checks of an exercise, parameters included, without running any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gdgrade.author.lab import Lab
from gdgrade.judge.marks import mark_of, short_name
from gdgrade.judge.plugin import Judge


class NamesLab(Lab):
    """No options. The result: `checks`, rows of short name, visibility, and the class that it is a method of, or ""."""

    def __init__(self, judge: Judge, wanted: Mapping[str, Any]) -> None:
        super().__init__(judge, wanted)
        self._rows: list[tuple[str, str, str]] = []  # not by name: a method may be called as a function is

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        super().pytest_collection_modifyitems(items)
        for item in items:
            mark = mark_of(item)
            if mark is not None:
                class_ = getattr(item, "cls", None)
                self._rows.append((short_name(item), mark.visibility, class_.__qualname__ if class_ else ""))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        pytest.skip("only its name is wanted")

    def result(self) -> dict[str, Any]:
        return {"checks": self._rows}
