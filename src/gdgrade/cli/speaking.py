"""The command line in the student's language: help is translated when it is shown, not when it is written."""

from __future__ import annotations

import copy
import gettext
import inspect
import os
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from gdgrade import language
from gdgrade.cli.common import lang_option
from gdgrade.language import _

C = TypeVar("C", bound=click.Command)
LANGUAGE_OPTION = lang_option(click.Command("")).params
TEXTS = ("help", "epilog", "short_help")


def choose(args: Sequence[str]) -> None:
    """Speak the language that the command line asks for, wherever `--lang` stands in it; else the preferred one.

    Done before click reads the line, so that its help and its errors are in that language too. A language that gdgrade
    does not speak is left for click to refuse.
    """
    wanted = None
    for number, argument in enumerate(args):
        if argument == "--":
            break
        if argument == "--lang" and number + 1 < len(args):
            wanted = args[number + 1]
        elif argument.startswith("--lang="):
            wanted = argument.removeprefix("--lang=")
    language.use(wanted if wanted in language.LANGUAGES else language.preferred())
    _tell_click()


def speak_english() -> None:
    """For commands that staff alone uses: these have no translation, and half a one helps nobody."""
    language.use("en")
    _tell_click()


def _tell_click() -> None:
    """Click's own words come from the standard gettext, which asks these."""
    os.environ["LANGUAGE"] = language.language()
    gettext.bindtextdomain("gdgrade", str(language.LOCALE))
    gettext.textdomain("gdgrade")


def with_language(command: C) -> C:
    """The command, and all below it, with the option `--lang`; the command itself stays as it is."""
    shown = copy.copy(command)
    if not any(parameter.name == "lang" for parameter in command.params):
        shown.params = [*command.params, *LANGUAGE_OPTION]
    if isinstance(command, click.Group):
        assert isinstance(shown, click.Group)
        shown.commands = {name: with_language(inner) for name, inner in command.commands.items()}
    return shown


def translated(command: C) -> C:
    """The command with its help in the language in use; the command itself stays as it is."""
    if language.language() == "en":
        return command
    shown = copy.copy(command)
    for name in TEXTS:
        text = getattr(command, name, None)
        setattr(shown, name, text and in_pieces(text, _))
    shown.params = [_translated_parameter(parameter) for parameter in command.params]
    if isinstance(command, click.Group):
        assert isinstance(shown, click.Group)
        shown.commands = {name: translated(inner) for name, inner in command.commands.items()}
    return shown


def _translated_parameter(parameter: click.Parameter) -> click.Parameter:
    if not isinstance(parameter, click.Option) or not parameter.help:
        return parameter
    shown = copy.copy(parameter)
    shown.help = _(parameter.help)
    return shown


def help_texts(command: click.Command) -> list[str]:
    """Everything of a command that `translated` translates."""
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    for name in TEXTS:
        in_pieces(getattr(command, name, None) or "", note)
    found += [option.help for option in command.params if isinstance(option, click.Option) and option.help]
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            found += help_texts(inner)
    return found


def in_pieces(text: str, translate: Callable[[str], str]) -> str:
    """A help text translated paragraph by paragraph; of examples, only what stands between or behind the commands.

    >>> print(in_pieces("Check it.\\n\\n\\b\\nExamples:\\n  gdgrade check ex05    all of it", str.upper))
    CHECK IT.
    <BLANKLINE>
    \x08
    EXAMPLES:
      gdgrade check ex05    ALL OF IT
    """
    paragraphs = inspect.cleandoc(text).split("\n\n") if text else []
    return "\n\n".join(_paragraph(paragraph, translate) for paragraph in paragraphs)


def _paragraph(text: str, translate: Callable[[str], str]) -> str:
    if not text.startswith("\b\n"):
        return translate(" ".join(text.split()))
    return "\n".join(["\b", *(_line(line, translate) for line in text.split("\n")[1:])])


def _line(line: str, translate: Callable[[str], str]) -> str:
    """A line of a block that keeps its lines: a command, perhaps with words behind it, or words alone."""
    found = re.fullmatch(r"(\s*(?:gdgrade|cd) .*?)(?:(\s{3,})(\S.*))?", line)
    if found is None:
        return line[: len(line) - len(line.lstrip())] + translate(line.strip())
    return found[1] + (found[2] + translate(found[3]) if found[3] else "")
