"""The command line. Only click is imported here; each command imports what it needs when it runs."""

from __future__ import annotations

import importlib

import click

from gdgrade import __version__

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
        "Show what this machine offers, above all for confinement.",
    ),
    "export": ("gdgrade.cli.export", "export_group", "Write grades for Moodle, Canvas, spreadsheets, or as pages."),
    "grade": ("gdgrade.cli.grade", "grade_command", "Decide by hand: points and comments that stay."),
    "gradescope": ("gdgrade.cli.gradescope", "gradescope_group", "Build an autograder for Gradescope."),
    "plot": ("gdgrade.cli.plot", "plot_command", "Draw the exercise's figures from your own code."),
    "rejudge": ("gdgrade.cli.rejudge", "rejudge_command", "Judge again by kept answers, after checks have changed."),
    "results": ("gdgrade.cli.results", "results_command", "List, filter, show and compare stored verdicts."),
    "similar": ("gdgrade.cli.similar", "similar_command", "List hand-ins that are alike, for a person to judge."),
    "schema": ("gdgrade.cli.schema", "schema_command", "Print the JSON schema of reports."),
}

EXIT_CODES = """\
Exit codes: 0 all passed, 1 some check failed, 2 wrong usage, 3 the grader or the machine failed.
"""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """An unknown command is answered with the nearest known one."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"there is no command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gdgrade")
def main() -> None:
    """Write an exercise, check it, and learn within seconds what is right, what is wrong and where to look.

    \b
    gdgrade check ex05                 your own file of exercise 5
    gdgrade check ex05 --part 5.2      one part of it
    gdgrade check ex06 somebody.py     another file
    """
