"""Reports on a terminal, by rich. Import this module only where a report is printed.

Text of a student is put in as ``Text``, never as markup, and was made inert by the model before. Colours only
repeat what words say, so nothing is lost without them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from gdgrade.language import _, language, ngettext
from gdgrade.report.model import HIDDEN_MESSAGE, CheckResult, PartResult, Report
from gdgrade.report.wording import (
    CAUSE_WORDS,
    failures,
    heading,
    next_sentence,
    number,
    part_note,
    points_of,
    remark_sentences,
    total_sentence,
    waiting_sentences,
)

BAR_WIDTH = 18  # the length of "waits for 5.2, 5.3", which stands in its place
MAX_OTHERS = 8  # further failures in one line each; more of them help nobody
COLOURS = {"passed": "green", "failed": "red", "waiting": "dim", "not_run": "dim", "not_attempted": "yellow"}


def print_report(
    report: Report,
    console: Console,
    *,
    verbose: bool = False,
    show_hidden: bool = False,
    command: str | None = None,
    path: str | None = None,
) -> None:
    """Print ``render(...)``, and nothing else."""
    console.print(render(report, verbose=verbose, show_hidden=show_hidden, command=command, path=path))


def render(
    report: Report,
    *,
    verbose: bool = False,
    show_hidden: bool = False,
    command: str | None = None,
    path: str | None = None,
) -> RenderableType:
    """A report for people.

    Args:
        report: as assembled.
        verbose: passed checks, every failure in full, printed output, timings, layers and versions too.
        show_hidden: details of hidden checks, for staff.
        command: the command line of this check without ``--part``; None: ``gdgrade check ex05``.
        path: how the student's file is reached from the current folder, so that editors take ``path:line`` for a
            link; None: its name alone is shown.
    """
    shown = report if show_hidden else report.redacted()
    name = shown.exercise.short or shown.exercise.id
    return _View(shown, verbose, command or f"gdgrade check {name}", path)


class _View:
    def __init__(self, report: Report, verbose: bool, command: str, path: str | None = None) -> None:
        self._report = report
        self._verbose = verbose
        self._command = command
        self._path = path
        self._ascii = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self._ascii = options.ascii_only
        # Rich fills padded and folded lines with blanks; whoever pipes or copies a report does not want them.
        for line in console.render_lines(Group(*self._rows()), options, pad=False):
            yield from _stripped(line)
            yield Segment.line()

    def _rows(self) -> Iterator[RenderableType]:
        yield from self._header()
        yield self._parts()
        sections = (self._failures(), self._undecided(), self._waiting(), self._passed(), self._output())
        for section in (*sections, self._remarks()):
            rows = list(section)
            if rows:
                yield Text()
                yield from rows
        yield Text()
        yield from self._footer()

    def _text(self, *pieces: str | tuple[str, str]) -> Text:
        """Text as such, in pieces with or without a style.

        No markup, no emoji codes, long words folded, nothing that the terminal's encoding lacks.
        """
        line = Text(overflow="fold")
        for piece in pieces:
            text, style = (piece, "") if isinstance(piece, str) else piece
            if self._ascii:
                text = plain_ascii(text) if language() != "en" else text
                text = text.encode("ascii", "backslashreplace").decode("ascii")
            line.append(text, style)
        return line

    def _header(self) -> Iterator[RenderableType]:
        exercise = self._report.exercise
        yield self._text((f"{exercise.id}  {exercise.title}", "bold"))
        yield self._text((self._report.submission.name, "dim"))
        yield Text()

    def _parts(self) -> RenderableType:
        table = Table.grid(padding=(0, 2, 0, 0), expand=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        table.add_column(no_wrap=True, width=BAR_WIDTH)
        table.add_column(no_wrap=True, justify="right")
        parts = self._report.parts
        ran = [part for part in parts if part.status != "not_run"]  # --part: the others are in the total only
        for part in parts if self._verbose or not ran else ran:
            title = self._text(part.title, (" " + _("(bonus)") if part.optional else "", "dim"))
            points = self._text(f"{number(part.points)} / {number(part.max_points)}")
            table.add_row(self._text((part.id, "bold")), title, self._bar(part), points)
        return Padding(table, (0, 0, 0, 2), expand=False)

    def _bar(self, part: PartResult) -> Text:
        note = part_note(part)
        colour = COLOURS.get(part.status, "yellow")
        if note is not None:
            short = note if len(note) <= BAR_WIDTH else _("waits for others")
            return self._text((short, colour))
        share = part.points / part.max_points
        # Rounded, but full only when all points are there, and empty only when none is.
        filled = min(max(round(share * BAR_WIDTH), share > 0), BAR_WIDTH - (share < 1))
        full, empty = ("#", ".") if self._ascii else ("█", "░")
        return Text.assemble((full * filled, colour), (empty * (BAR_WIDTH - filled), "dim"))

    def _failures(self) -> Iterator[RenderableType]:
        failed = failures(self._report)
        if not failed:
            return
        yield from self._in_full(failed[0])
        others = failed[1:]
        if self._verbose:
            for check in others:
                yield Text()
                yield from self._in_full(check)
            return
        if others:
            yield Text()
            text = ngettext(
                "{count} more check did not pass (--verbose shows all):",
                "{count} more checks did not pass (--verbose shows all):",
                len(others),
            )
            yield self._text(text.format(count=len(others)))
        for check in others[:MAX_OTHERS]:
            yield _indented(self._in_short(check), 2)
        if len(others) > MAX_OTHERS:
            yield _indented(self._text((_("and {count} more").format(count=len(others) - MAX_OTHERS), "dim")), 2)

    def _in_full(self, check: CheckResult) -> Iterator[RenderableType]:
        yield self._title(check)
        if check.message:
            yield _indented(self._text(check.message))
        if check.expected is not None or check.got is not None:
            yield _indented(self._comparison(check))
        if check.traceback:
            yield _indented(self._traceback(check))
        if check.hint:
            yield _indented(self._text((_("Hint: "), "bold cyan"), check.hint))
        if self._verbose:
            yield _indented(self._text((f"{check.id}  {_facts(check)}", "dim")))

    def _title(self, check: CheckResult) -> Text:
        word = _(CAUSE_WORDS[check.cause])
        colour = "yellow" if check.undecided or check.cause == "not_attempted" else "red"
        hidden = ", " + _("hidden check") if check.visibility == "hidden" else ""
        points = f" ({points_of(check.points, check.max_points)}{hidden})"
        return self._text((word, f"bold {colour}"), (f" {heading(check)}", "bold"), (points, "dim"))

    def _in_short(self, check: CheckResult) -> RenderableType:
        hidden = check.visibility == "hidden"
        title = self._text(heading(check), (" " + _("(hidden check)") if hidden else "", "dim"))
        first = "" if check.message in (HIDDEN_MESSAGE, _(HIDDEN_MESSAGE)) else check.message.split("\n", 1)[0]
        return Group(title, _indented(self._text((first, "dim")), 2)) if first else title

    def _comparison(self, check: CheckResult) -> RenderableType:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column(overflow="fold")
        for label, value in ((_("expected"), check.expected), (_("got"), check.got)):
            if value is not None:
                grid.add_row(label, self._text(value))
        return grid

    def _traceback(self, check: CheckResult) -> Text:
        pieces: list[str | tuple[str, str]] = []
        for frame in check.traceback:
            file = self._path if self._path and frame.file == self._report.submission.name else frame.file
            place = f"{file}:{frame.line}" + (
                " " + _("in {function}").format(function=frame.function) if frame.function else ""
            )
            code = f"    {frame.code.strip()}\n" if frame.code.strip() else ""
            pieces += [(f"{place}\n", "cyan"), code]
        lines = self._text(*pieces)
        lines.rstrip()
        return lines

    def _undecided(self) -> Iterator[RenderableType]:
        for check in self._report.checks:
            if check.undecided:
                yield self._title(check)
                if check.message:
                    yield _indented(self._text(check.message))

    def _waiting(self) -> Iterator[RenderableType]:
        return (self._text(sentence) for sentence in waiting_sentences(self._report))

    def _passed(self) -> Iterator[RenderableType]:
        if self._verbose:
            for check in self._report.checks:
                if check.outcome == "passed":
                    facts = (f"  {_facts(check)}", "dim")
                    yield self._text((_("passed"), "green"), f" {heading(check)}", facts)

    def _output(self) -> Iterator[RenderableType]:
        if self._verbose:
            for check in self._report.checks:
                if check.output.strip():
                    yield self._text((_("Printed during {check}:").format(check=heading(check)), "dim"))
                    # Bars in front of every line: printed text cannot pass for a line of this report.
                    bar = "| " if self._ascii else "│ "
                    for row in check.output.rstrip("\n").split("\n"):
                        yield _indented(self._text(bar + row), 2)

    def _remarks(self) -> Iterator[RenderableType]:
        for remark in remark_sentences(self._report):
            yield self._text((_("Remark: "), "dim"), remark)

    def _footer(self) -> Iterator[RenderableType]:
        report = self._report
        yield self._text((total_sentence(report), "bold"))
        if report.late is not None:
            text = " " + _("Counted: {points} points.").format(points=number(report.totals.final))
            yield self._text(report.late.explanation + (text if report.late.factor < 1 else ""))
        sentence, command = next_sentence(report, self._command)
        yield self._text(sentence, *(() if command is None else (" ", (command, "bold"))))
        dot = " | " if self._ascii else " · "
        yield self._text((dot.join(_provenance(report, self._verbose)), "dim"))


def plain_ascii(text: str) -> str:
    """Letters without their accents, plain blanks, for terminals that know no others: better than codes of letters."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))


def _stripped(line: list[Segment]) -> list[Segment]:
    """The line without blanks at its end."""
    line = list(line)
    while line and not line[-1].text.strip():
        line.pop()
    if line:
        text, style, control = line.pop()
        line.append(Segment(text.rstrip(), style, control))
    return line


def _indented(renderable: RenderableType, columns: int = 4) -> Padding:
    return Padding(renderable, (0, 0, 0, columns), expand=False)


def _facts(check: CheckResult) -> str:
    """``0.03 s, 12 MiB, alpha 1e-07, seed 42``."""
    timings = check.timings
    facts: Sequence[str | None] = (
        None if timings.seconds is None else f"{timings.seconds:.2f} s",
        None if timings.peak_memory_mib is None else f"{timings.peak_memory_mib:.0f} MiB",
        _("alpha {alpha:.2g}").format(alpha=check.alpha) if check.alpha else None,
        None if check.seed is None else _("seed {seed}").format(seed=check.seed),
    )
    return ", ".join(fact for fact in facts if fact)


def _provenance(report: Report, verbose: bool) -> list[str]:
    seeds, versions = report.seeds, report.versions
    secret = " " + _("(secret {fingerprint})").format(fingerprint=seeds.secret) if seeds.secret else ""
    words = [
        _("confinement: {level}").format(level=report.confinement.level),
        _("seed {seed}").format(seed=seeds.public) + secret,
    ]
    if verbose:
        words[0] += f" ({', '.join(report.confinement.layers)})" if report.confinement.layers else ""
        words += [
            f"gdgrade {versions.gdgrade}",
            _("course {version}").format(version=versions.course),
            f"Python {versions.python}",
        ]
        words += [
            f"{name} {version}" for name, version in (("torch", versions.torch), ("numpy", versions.numpy)) if version
        ]
        words += [versions.platform]
        if report.timings.seconds is not None:
            words.append(f"{report.timings.seconds:.2f} s")
    return words
