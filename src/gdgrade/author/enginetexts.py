"""The engine's texts for students: marked ones in code and pages, and the help of the students' commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from babel.messages.extract import extract_from_dir

from gdgrade.author.catalogues import Entry
from gdgrade.language import N_, ngettext

SOURCE = Path(__file__).parents[1]
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
METHODS = [("**.py", "python"), ("report/templates/**.html", "jinja2.ext:babel_extract")]


# What click itself says to users, and asks the standard gettext for; see `gdgrade.cli.speaking`.
OF_CLICK = (
    N_("Options"), N_("Commands"), N_("Usage:"), N_("Aborted!"), N_("default: {default}"), N_("env var: {var}"),
    N_("required"), N_("Show the version and exit."), N_("Show this message and exit."), N_("Error: {message}"),
    N_("Try '{command} {option}' for help."), N_("Invalid value: {message}"), N_("Missing argument"),
    N_("Invalid value for {param_hint}: {message}"), N_("Missing option"), N_("Missing command."),
    N_("Missing parameter"), N_("No such option {name!r}."), N_("No such option: {name}"),
    N_("No such command {name!r}."), N_("Option {name!r} does not take a value."), N_("Choose from:\n\t{choices}"),
    N_("{value!r} is not a valid {number_type}."), N_("{value} is not in the range {range}."),
    N_("{name} {filename!r} does not exist."), N_("{name} {filename!r} is a file."),
    N_("{name} {filename!r} is a directory."), N_("{name} {filename!r} is not readable."),
    N_("{name} {filename!r} is not writable."), N_("file"), N_("directory"), N_("path"), N_("File"),
    N_("Directory"), N_("Path"), N_("Could not open file {filename!r}: {message}"), N_("unknown error"),
    ngettext("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})", 1),
    ngettext("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments.", 1),
    ngettext("{value!r} is not {choice}.", "{value!r} is not one of {choices}.", 1),
    ngettext("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)", 1),
)  # fmt: skip


def engine_texts() -> list[Entry]:
    """Every text once, with all the files it stands in, in the order of the files."""
    places: dict[str | tuple[str, str], list[str]] = {}
    for place, msgid in [*_marked(), *_help()]:
        known = places.setdefault(msgid, [])
        if place not in known:
            known.append(place)
    # gettext looks a plural up by its singular, so a text is either one or the other.
    plurals = {msgid[0] for msgid in places if isinstance(msgid, tuple)}
    return [
        Entry(msgid, tuple(found), "{" in (msgid if isinstance(msgid, str) else msgid[1]))
        for msgid, found in places.items()
        if msgid not in plurals
    ]


def _marked() -> Iterator[tuple[str, str | tuple[str, str]]]:
    rows = extract_from_dir(SOURCE, METHODS, keywords=KEYWORDS, options_map={}, directory_filter=lambda path: True)
    for name, _line, msgid, _comments, _context in sorted(rows, key=lambda row: (row[0], row[1])):
        yield name, msgid if isinstance(msgid, str) else (msgid[0], msgid[1])


def _help() -> Iterator[tuple[str, str]]:
    """Help texts as click has them: dedented, paragraphs apart."""
    from gdgrade.cli import COMMANDS, FOR_STUDENTS, main
    from gdgrade.cli.speaking import help_texts

    yield from (("cli/__init__.py", text) for text in help_texts(main))
    yield from (("cli/__init__.py", line) for _module, _name, line in COMMANDS.values())
    context = click.Context(main)
    for name in sorted(FOR_STUDENTS & COMMANDS.keys()):
        command = main.get_command(context, name)
        assert command is not None
        module = COMMANDS[name][0].removeprefix("gdgrade.").replace(".", "/")
        yield from ((f"{module}.py", text) for text in help_texts(command))
