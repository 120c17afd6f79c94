"""What a student sees while a file is watched: on a terminal one screen that is redrawn, elsewhere line by line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from gdgrade.language import _, ngettext
from gdgrade.report.model import CheckResult, Report
from gdgrade.report.terminal import print_report
from gdgrade.report.text import clean_text
from gdgrade.watch.session import PartDecided


class Screen:
    """Draws on a console.

    Args:
        console: where; one that is a terminal is cleared and redrawn.
        command: of the check, to be shown in advice.
        titles: of the parts.
        path: of the file, as in `report.terminal.render`.
        keys: whether single keys are listened to, so that it is worth naming them.
    """

    def __init__(
        self,
        console: Console,
        command: str,
        titles: dict[str, str],
        *,
        path: str | None,
        keys: bool,
        verbose: bool = False,
    ) -> None:
        self._console, self._command, self._titles = console, command, titles
        self._path, self._keys, self._verbose = path, keys, verbose
        self._status = ""

    @property
    def _live(self) -> bool:
        return self._console.is_terminal

    def starting(self, name: str) -> None:
        self._say(_("Getting ready to watch {file} ...").format(file=name))

    def checking(self, parts: Sequence[str]) -> None:
        """A run has begun."""
        if self._live:
            self._footer(_("checking {parts} ...").format(parts=", ".join(parts)))

    def part(self, decided: PartDecided, seconds: float) -> None:
        """All checks of a part are decided, so long after the save."""
        total = decided.passed + decided.failed + decided.waiting
        if decided.failed:
            word = _("{failed} of {total} checks did not pass").format(failed=decided.failed, total=total)
        elif decided.waiting:
            word = _("{waiting} of {total} checks wait").format(waiting=decided.waiting, total=total)
        else:
            word = ngettext("{total} check passed", "{total} checks passed", total).format(total=total)
        title = self._titles.get(decided.part, "")
        line = f"{decided.part} {title}: {word} ({seconds:.2f} s)"
        if self._live:
            self._footer(line)
        else:
            self._say(line)

    def report(self, report: Report, running: Sequence[str], seconds: float) -> None:
        """The verdicts that hold; `running`: parts that are still out of date."""
        if running and not self._live:
            return  # the lines of the parts have said it; the whole report comes at the end
        self._clear()
        print_report(report, self._console, verbose=self._verbose, command=self._command, path=self._path)
        if running:
            self._footer(_("still checking {parts} ...").format(parts=", ".join(running)))
        else:
            self._rest(_("{clock}, {seconds} s after the save").format(clock=_clock(), seconds=f"{seconds:.2f}"))

    def list(self, report: Report) -> None:
        """Everything in full: passed checks, all failures, what was printed."""
        self._clear()
        print_report(report, self._console, verbose=True, command=self._command, path=self._path)
        self._rest()

    def not_loading(self, check: CheckResult, seconds: float) -> None:
        """Why the file cannot be loaded."""
        self._clear()
        self._say(check.message, "bold red")
        for frame in check.traceback:
            file = frame.file if " cell " in frame.file else self._path or frame.file
            self._say(f"  {file}:{frame.line}" + (f" in {frame.function}" if frame.function else ""), "cyan")
            if frame.code.strip():
                self._say(f"      {frame.code.strip()}")
        told = _("{clock}, {seconds} s after the save").format(clock=_clock(), seconds=f"{seconds:.2f}")
        self._rest(told + ". " + _("Earlier verdicts are kept."))

    def trouble(self, message: str) -> None:
        self._clear()
        self._say(clean_text(message, 1000), "bold red")
        self._rest(_("{clock}. Waiting for the next save.").format(clock=_clock()))

    def unchanged(self) -> None:
        self._rest(_("{clock}: saved; nothing that a check can see has changed").format(clock=_clock()))

    def say(self, text: str) -> None:
        """What another command has printed."""
        self._wipe()
        for line in clean_text(text, 20_000, newlines=True).rstrip("\n").split("\n"):
            self._say(line)
        self._rest()

    def close(self) -> None:
        self._wipe()

    # ------------------------------------------------------------------------------------------------------------

    def _say(self, text: str, style: str = "") -> None:
        self._wipe()
        self._console.print(Text(text, style=style, overflow="fold"))

    def _clear(self) -> None:
        if self._live:
            self._status = ""
            self._console.clear()

    def _rest(self, text: str = "") -> None:
        """Nothing more will come by itself: say so, and what can be done."""
        if text:
            self._say(text, "dim")
        if self._live:
            self._footer(_("enter run all · h hint · p plot · l list · q quit") if self._keys else _("Ctrl-C ends"))

    def _footer(self, text: str) -> None:
        """A last line that the next one replaces; where nothing can be replaced, a line."""
        if not self._live:
            self._console.print(Text(text, style="dim"))
            return
        line = Text(text, style="dim", overflow="ellipsis", no_wrap=True)
        line.truncate(max(10, self._console.width - 1), overflow="ellipsis")
        self._wipe()
        self._console.print(line, end="")
        self._console.file.flush()
        self._status = line.plain

    def _wipe(self) -> None:
        if self._live and self._status:
            self._console.file.write("\r\x1b[2K")
            self._console.file.flush()
            self._status = ""


def _clock() -> str:
    return datetime.now().astimezone().strftime("%H:%M:%S")
