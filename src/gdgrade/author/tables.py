"""Verdicts of `author check` as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from gdgrade.author.verdict import Verdict
from gdgrade.report.text import clean_text

MAX_LINES = 12  # problems shown per section; --format json has all


def print_verdict(verdict: Verdict, console: Console, *, verbose: bool = False) -> None:
    """The table of one exercise, its problems and surviving mutants."""
    console.print(Group(*_parts(verdict, verbose)))


def overall(verdicts: Sequence[Verdict], seconds: float) -> str:
    """ "1 of 2 exercises sound, 45 new runs in 12 s; not sound: ex06_sinkhorn"."""
    bad = [verdict.exercise for verdict in verdicts if not verdict.sound]
    runs = sum(verdict.judged for verdict in verdicts)
    words = f"{len(verdicts) - len(bad)} of {len(verdicts)} exercises sound, {runs} new runs in {seconds:.0f} s"
    return words + (f"; not sound: {', '.join(bad)}" if bad else "")


def _parts(verdict: Verdict, verbose: bool) -> Iterator[RenderableType]:
    yield Text.assemble(
        (f"{verdict.exercise}  {verdict.title}", "bold"), f"  ({verdict.mode}, {verdict.seconds:.0f} s)"
    )
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for section in verdict.sections:
        word = ("ok", "green") if section.sound else (f"{len(section.problems)} wrong", "bold red")
        table.add_row(Text(*word), Text(section.name), Text(clean_text(section.summary, 500)))
    yield Padding(table, (0, 0, 0, 2))
    for section in verdict.sections:
        yield from _lines(section.name, section.problems, "red")
        if verbose:
            yield from _lines(f"{section.name}, notes", section.notes, "dim")
    for survivor in verdict.survivors:
        yield Text(f"survives: {survivor.name}", style="bold")
        yield Padding(Syntax(survivor.diff, "diff", background_color="default"), (0, 0, 0, 4))
    if verbose:
        yield _confusion(verdict)
    yield Text()


def _lines(name: str, lines: Sequence[str], style: str) -> Iterator[RenderableType]:
    if lines:
        yield Text(f"{name}:", style=style)
    for line in lines[:MAX_LINES]:
        yield Padding(Text(clean_text(line, 700), overflow="fold"), (0, 0, 0, 4))
    if len(lines) > MAX_LINES:
        yield Padding(Text(f"and {len(lines) - MAX_LINES} more (--format json has all)", style="dim"), (0, 0, 0, 4))


def _confusion(verdict: Verdict) -> RenderableType:
    """Mistake by diagnosis, as a list: most rows have one entry, so a square would be all blanks."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for mistake, row in verdict.confusion.items():
        words = ", ".join(f"{name or 'nobody accused'} x{count}" for name, count in row.items()) or "not caught"
        table.add_row(Text(mistake), Text(words))
    return Padding(table, (0, 0, 0, 2))
