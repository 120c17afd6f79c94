"""Every command that the pages show exists with those options, and the ones that change nothing run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gdgrade.cli import main

ROOT = Path(__file__).resolve().parents[2]
# docs/cli.md is made from --help, whose examples have words beside them; test_cli_reference.py looks after it.
GUIDES = [page for page in sorted((ROOT / "docs").glob("*.md")) if page.name != "cli.md"]
PAGES = [ROOT / "README.md", *GUIDES, *sorted((ROOT / "exercises").glob("*/README*.md"))]
# Quick, without side effects, and the same wherever they run.
RUN = (
    "gdgrade --help",
    "gdgrade --version",
    "gdgrade doctor --format json",
    "gdgrade schema report",
    "gdgrade data list",
)


def shown_commands() -> list[tuple[str, str]]:
    """(page, command line) of every line in a fenced block that calls gdgrade."""
    found = []
    for page in PAGES:
        fenced = re.findall(r"^ *```[a-z]*\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        for line in "\n".join(fenced).splitlines():
            command = line.strip().removeprefix("$ ")
            if command.startswith("gdgrade "):
                found.append((str(page.relative_to(ROOT)), re.split(r"\s+#|\s+[|>&]", command)[0].strip()))
    return sorted(set(found))


def test_pages_show_commands() -> None:
    """The README and the students' page show the main command."""
    pages = {page for page, command in shown_commands() if command.startswith("gdgrade check")}
    assert {"README.md", "docs/students.md"} <= pages


@pytest.mark.parametrize(("page", "command"), shown_commands(), ids=lambda value: value)
def test_command_exists_with_these_options(page: str, command: str) -> None:
    """click accepts the line: the command, its options and its arguments are known."""
    words = shlex.split(command)[1:]
    group: click.Command = main
    context = click.Context(main, info_name="gdgrade")
    while isinstance(group, click.Group) and words and not words[0].startswith("-"):
        name, *words = words
        found = group.get_command(context, name)
        assert found is not None, f"{page}: no command {name!r}"
        group, context = found, click.Context(found, info_name=name, parent=context)
    if "..." in words or "--help" in words or "--version" in words:
        return
    try:
        group.make_context(group.name or "gdgrade", words, parent=context.parent)
    except click.BadParameter as error:
        if "does not exist" not in error.message:  # the pages' example files are not there, and need not be
            raise


@pytest.mark.parametrize("command", RUN)
def test_harmless_commands_run(command: str) -> None:
    """They end with 0, and print nothing on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command)], capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert done.returncode in ((0, 1) if "doctor" in command else (0,)), done.stderr
    assert done.stderr == ""
    assert done.stdout
