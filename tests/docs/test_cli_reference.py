"""docs/cli.md is what the commands say of themselves."""

import subprocess
import sys
from pathlib import Path

import pytest

from gdgrade.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def reference() -> str:
    """The page, made in a process of its own, as `make pages` does.

    click keeps a command's help option from its first use on, so that a test which called a command without its
    group would show in a page made here.
    """
    made = subprocess.run([sys.executable, "-m", "gdgrade.author.clidoc"], capture_output=True, text=True, check=True)
    return made.stdout


def test_the_reference_is_up_to_date(reference: str) -> None:
    """`make pages` has been run since the last change of a command."""
    assert (ROOT / "docs/cli.md").read_text(encoding="utf-8") == reference


def test_every_command_is_in_it(reference: str) -> None:
    """All commands, and those of groups, with options and examples."""
    assert [name for name in COMMANDS if f"## gdgrade {name}\n" not in reference] == []
    assert "## gdgrade author check\n" in reference
    assert "--resume" in reference
