"""Systems that are not Linux, played by a stand-in kernel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gdgrade.confine import ConfinementError, confine, prepare
from gdgrade.confine.kernel import Kernel
from gdgrade.confine.policy import is_on


class NotLinux(Kernel):
    """What macOS and Windows look like: no call of Kernel may be used."""

    def __init__(self):
        self.linux = False


def test_strict_refuses_without_linux(policy):
    """Strict says at once that the layers need Linux."""
    with pytest.raises(ConfinementError, match="needs Linux"):
        prepare(replace(policy, mode="strict"), kernel=NotLinux())


def test_best_keeps_the_limits(policy, place, in_fork):
    """Best applies resource limits, closed descriptors and scratch, calls the rest off, and claims no level."""

    def work(channel):
        prepared = prepare(policy, kernel=NotLinux())
        return confine(prepared, scratch=str(place / "scratch"), keep_fds=[channel]).to_json()

    seen = in_fork(work).value
    assert seen["level"] == "none"
    assert {name for name, state in seen["layers"].items() if is_on(state)} == {
        "process_group",
        "scratch",
        "rlimits",
        "descriptors",
    }
    assert seen["layers"]["landlock"] == "off: needs Linux"


def test_strict_can_be_content_with_limits(policy, place, in_fork):
    """With only rlimits required, strict works without Linux."""

    def work(channel):
        wanted = replace(policy, mode="strict", required=("rlimits",))
        return confine(prepare(wanted, kernel=NotLinux()), scratch=str(place / "scratch"), keep_fds=[channel]).level

    assert in_fork(work).value == "none"
