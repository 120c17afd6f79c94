"""Checks that need nothing of pytest once they are collected, and running these without its protocol.

Set-up, call and tear-down of a check are some fifteen hook calls and a new object for each fixture: three milliseconds,
more than most checks compute. A check that takes gdgrade's own fixtures and parameters, and no others, is called
directly. Any other one (fixtures of its own, skip marks, a class) takes pytest's road; the verdict is the same.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

PLAIN: pytest.StashKey[bool] = pytest.StashKey()
_FIXTURES = "gdgrade.pytest_plugin"
_MARKS = {"check", "parametrize"}


def is_plain(item: pytest.Item) -> bool:
    """Whether `item` can be called directly; found once for each item."""
    known = item.stash.get(PLAIN, None)
    if known is None:
        item.stash[PLAIN] = known = isinstance(item, pytest.Function) and _found_plain(item)
    return known


def _found_plain(item: pytest.Function) -> bool:
    if item.cls is not None or inspect.iscoroutinefunction(item.obj):
        return False
    if any(mark.name not in _MARKS for mark in item.iter_markers()):
        return False
    known = {name for name, owner in _owners(item).items() if owner == _FIXTURES} | set(parameters(item))
    if "request" not in item._fixtureinfo.argnames:
        known.add("request")  # our own fixtures take it
    return set(item.fixturenames) <= known  # also those that nobody asked for: autouse, set-up of a module


def call_plain(item: pytest.Item, fixture: Callable[[str], Any]) -> Callable[[], None]:
    """Set up a plain check: its arguments are got now, and the check runs when the result is called.

    Args:
        fixture: makes the value of one of gdgrade's fixtures; asked once for each name.
    """
    assert isinstance(item, pytest.Function)
    values = parameters(item)
    for name in item._fixtureinfo.argnames:
        if name not in values:
            values[name] = fixture(name)
    arguments = {name: values[name] for name in item._fixtureinfo.argnames}
    return lambda: item.obj(**arguments)


def parameters(item: pytest.Function) -> dict[str, Any]:
    """Values of the parameters that go to the check itself, and not to a fixture of the same name."""
    callspec = getattr(item, "callspec", None)
    if callspec is None:
        return {}
    owners = _owners(item)
    # pytest makes a fixture of its own for each parameter.
    return {name: value for name, value in callspec.params.items() if owners.get(name, "").startswith("_pytest.")}


def _owners(item: pytest.Function) -> dict[str, str]:
    """The modules that define the fixtures a check needs, by the fixtures' names."""
    definitions: dict[str, Any] = item._fixtureinfo.name2fixturedefs
    return {name: found[-1].func.__module__ for name, found in definitions.items()}
