"""The plain data: levels, reports, errors."""

from __future__ import annotations

import json

import pytest

from gdgrade.confine import LAYERS, Confinement, ConfinementError, Limits, Policy, level_of

BASE = ("seccomp", "rlimits", "no_new_privs", "descriptors")


@pytest.mark.parametrize(
    ("on", "level"),
    [
        ((*BASE, "landlock", "uid", "private_folders"), "A+"),
        ((*BASE, "landlock", "mount_view"), "A+"),
        ((*BASE, "landlock"), "A"),
        ((*BASE, "landlock", "uid"), "A"),
        ((*BASE, "landlock", "private_folders"), "A"),
        ((*BASE, "mount_view"), "B"),
        ((*BASE, "uid", "private_folders"), "C"),
        ((*BASE, "uid"), "D"),
        ((*BASE, "namespaces"), "D"),
        (BASE, "D"),
        (("landlock", "rlimits", "no_new_privs", "descriptors"), "none"),
        (("seccomp", "landlock", "no_new_privs", "descriptors"), "none"),
        (("seccomp", "landlock", "rlimits", "descriptors"), "none"),
        (("seccomp", "landlock", "rlimits", "no_new_privs"), "none"),
        ((), "none"),
    ],
)
def test_level_follows_from_the_layers(on, level):
    """The level is what the layers give together; a layer that is off or missing counts for nothing."""
    assert level_of(dict.fromkeys(on, "on")) == level
    assert level_of({name: "on: detail" if name in on else "off: on" for name in LAYERS}) == level


def test_confinement_survives_json():
    """A Confinement goes through JSON unchanged, and its level is computed anew."""
    before = Confinement("A", {**dict.fromkeys(BASE, "on"), "landlock": "on: ABI 7", "uid": "off: not root"})
    data = json.loads(json.dumps(before.to_json()))
    assert Confinement.from_json(data) == before
    assert Confinement.from_json({**data, "level": "A+"}).level == "A"


def test_error_names_layer_reason_and_remedy():
    """Whoever reads the error learns which layer, why, and what to do."""
    error = ConfinementError("landlock", "this kernel has none")
    assert (error.layer, error.reason) == ("landlock", "this kernel has none")
    assert "'landlock'" in str(error)
    assert "this kernel has none" in str(error)
    assert "Linux 5.13" in str(error)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"mode": "paranoid"}, "paranoid"), ({"required": ("moat",)}, "moat"), ({"uid": 0}, "unprivileged")],
)
def test_senseless_policies_are_refused(wrong, said):
    """A wrong policy is an error when it is made, not in the worker."""
    with pytest.raises(ValueError, match=said):
        Policy(**{"mode": "best", "readable": (), "limits": Limits(1, 1 << 20), **wrong})
