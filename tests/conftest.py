"""What all tests share: a neutral environment, and two settings for hypothesis."""

import os

import pytest
from hypothesis import HealthCheck, settings

from gdgrade import language

# The everyday run is repeatable and has no deadline, since other processes share the machine.
settings.register_profile("default", derandomize=True, deadline=None, print_blob=True)
# `make fuzz`: many more examples, other ones each time.
settings.register_profile(
    "fuzz",
    max_examples=5000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def _neutral_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches them: course, seeds, folders, colours, width, language."""
    for name in list(os.environ):
        if name.startswith("GDGRADE_") or name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GDGRADE_LANG", "en")
    language.use("en")
