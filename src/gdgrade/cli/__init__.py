"""The command line. Only click is imported here; each command imports what it needs when it runs."""

from __future__ import annotations

import importlib
from typing import Any

import click

from gdgrade import __version__
from gdgrade.cli.common import lang_option
from gdgrade.cli.speaking import choose, speak_english, translated, with_language
from gdgrade.language import _

# Command -> (module, attribute, one line for the list of commands). The line stands here so that
# `gdgrade --help` imports no command.
COMMANDS = {
    "author": (
        "gdgrade.cli.author",
        "author_group",
        "For instructors: prove, make, release and look back on exercises.",
    ),
    "batch": ("gdgrade.cli.batch", "batch_command", "Grade many submissions and keep every verdict."),
    "check": (
        "gdgrade.cli.check",
        "check_command",
        "Check one exercise and say what is right and what is wrong.",
    ),
    "data": ("gdgrade.data.cli", "data_group", "List and fetch the course's data sets."),
    "doctor": (
        "gdgrade.cli.doctor",
        "doctor_command",
        "Find what is amiss on this machine, and how to mend it.",
    ),
    "export": ("gdgrade.cli.export", "export_group", "Write grades for Moodle, Canvas, spreadsheets, or as pages."),
    "grade": ("gdgrade.cli.grade", "grade_command", "Decide by hand: points and comments that stay."),
    "gradescope": ("gdgrade.cli.gradescope", "gradescope_group", "Build an autograder for Gradescope."),
    "hint": ("gdgrade.cli.hint", "hint_command", "Show a hint on one part: a question first, then more."),
    "next": ("gdgrade.cli.status", "next_command", "Say what to write next, and where."),
    "nbgrader": ("gdgrade.cli.nbgrader", "nbgrader_group", "Use gdgrade with nbgrader: source notebooks, gradebook."),
    "plot": ("gdgrade.cli.plot", "plot_command", "Draw the exercise's figures from your own code."),
    "rejudge": ("gdgrade.cli.rejudge", "rejudge_command", "Judge again by kept answers, after checks have changed."),
    "reset": ("gdgrade.cli.reset", "reset_command", "Put your file, or one part of it, back to what was handed out."),
    "results": ("gdgrade.cli.results", "results_command", "List, filter, show and compare stored verdicts."),
    "similar": ("gdgrade.cli.similar", "similar_command", "List hand-ins that are alike, for a person to judge."),
    "schema": ("gdgrade.cli.schema", "schema_command", "Print the JSON schema of reports."),
    "solution": ("gdgrade.cli.hint", "solution_command", "Print the reference solution, where there is one."),
    "start": ("gdgrade.cli.start", "start_command", "Make your own folder of the course."),
    "status": ("gdgrade.cli.status", "status_command", "Show where you stand: parts, points, deadlines."),
}

# Whose help and messages students read, so that they are there in every language.
FOR_STUDENTS = frozenset(
    {"check", "data", "doctor", "hint", "next", "plot", "reset", "solution", "start", "status"}
)  # fmt: skip

EXIT_CODES = """\
Exit codes: 0 all passed, 1 some check failed, 2 wrong usage, 3 the grader or the machine failed.
"""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        choose(args)
        return click.Group.make_context(translated(self), info_name, args, parent, **extra)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _line = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        if cmd_name in FOR_STUDENTS:
            return translated(with_language(command))
        speak_english()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """An unknown command is answered with the nearest known one."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = " " + _("Did you mean {name!r}?").format(name=near[0]) if near else ""
            raise click.UsageError(_("there is no command {name!r}.").format(name=name) + hint, ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, _(COMMANDS[name][2])) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gdgrade")
@lang_option
def main() -> None:
    """Write an exercise, check it, and learn within seconds what is right, what is wrong and where to look.

    \b
    gdgrade check ex05                 your own file of exercise 5
    gdgrade check ex05 --part 5.2      one part of it
    gdgrade check ex06 somebody.py     another file
    """
