"""What can be said of an exercise's checks before any is run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gdgrade.judge.marks import mark_of, short_name
from gdgrade.judge.plugin import Judge


def catalogue(judge: Judge, session: pytest.Session) -> list[dict[str, Any]]:
    """Per collected check its name, part, needs, training and alpha, in the order of the graders' files."""
    entries = []
    for item in session.items:
        mark = mark_of(item)
        assert mark is not None
        entry = {"name": short_name(item), "part": mark.part, "needs": list(mark.needs)}
        entries.append({**entry, "training": mark.training, "alpha": mark.alpha})
    return sorted(entries, key=lambda entry: judge.position(entry["name"]))


class CatalogueLab:
    """An investigation (see `Job.extra`) that runs no check; its result is the catalogue."""

    def __init__(self, judge: Judge, wanted: Mapping[str, Any]) -> None:
        self._judge = judge
        self._found: list[dict[str, Any]] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._found = catalogue(self._judge, session)
        return True

    def result(self) -> dict[str, Any]:
        return {"catalogue": self._found}
