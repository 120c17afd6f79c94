"""The reference of the command line in docs/cli.md, made from `--help`: `python -m gdgrade.author.clidoc`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

WIDTH = 100
HEAD = """\
# Command line

Made from `--help` by `python -m gdgrade.author.clidoc`; do not edit by hand. `gdgrade COMMAND --help` shows the same on
your terminal, in your language (`--lang`, `GDGRADE_LANG`, or the system's).

| exit code | of every command |
| --- | --- |
| 0 | done; for checks: all passed |
| 1 | done, and something needs somebody: a check failed, a file was not taken, an exercise is not sound |
| 2 | wrong usage: no such exercise, file, option or value |
| 3 | the grader or the machine failed |
| 130 | stopped by Ctrl-C |

Settings that all commands read:

| variable | meaning |
| --- | --- |
| `GDGRADE_COURSE` | folder or file of the course, instead of walking up from the current folder |
| `GDGRADE_LANG` | `en` or `fr` |
| `GDGRADE_SECRET_SEED`, `GDGRADE_SECRET_FILE` | the seed of hidden checks, or a file outside the course that holds it |
| `GDGRADE_DATA` | folder of the small data sets, instead of `data/` of the course or the installed ones |
| `GDGRADE_CACHE`, `GDGRADE_MIRROR` | folder of downloaded data sets; where `gdgrade data fetch` gets them |
| `GDGRADE_DEBUG` | set: show what helper processes print |
| `NO_COLOR` | set: plain text |
"""


def reference() -> str:
    """The whole page, in Markdown."""
    from gdgrade import language
    from gdgrade.cli import main

    spoken = language.language()
    language.use("en")
    try:
        parts = [HEAD, *_sections(main, "gdgrade", None)]
    finally:
        language.use(spoken)
    return "\n".join(parts).rstrip() + "\n"


def _sections(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(
        command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )  # fmt: skip
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    yield f"## {context.command_path}\n\n```text\n{text}\n```\n"
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None and not found.hidden:
                yield from _sections(found, child, context)


if __name__ == "__main__":
    sys.stdout.write(reference())
