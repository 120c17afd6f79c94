"""The names of all checks of an exercise, parameters included, without running any."""

from __future__ import annotations

from typing import Any

import pytest

from gdgrade.author.lab import Lab


class NamesLab(Lab):
    """No options. The result: `checks`, short name -> visibility."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        pytest.skip("only its name is wanted")

    def result(self) -> dict[str, Any]:
        return {"checks": {short: case.mark.visibility for short, case in self.cases.items()}}
