"""What a check shows in a notebook: a report as HTML, and as text where there is no HTML."""

from __future__ import annotations

import io
from collections.abc import Mapping

from gdgrade.language import _
from gdgrade.report.model import PartResult, Report
from gdgrade.report.wording import failures, next_sentence

WIDTH = 100


class Verdict:
    """The outcome of a check; the last line of a cell shows it.

    Attributes:
        report: as a student may see it, hidden checks without inputs and values.
        part: the only part that was checked, or None.
        figures: name -> PNG bytes.
        problem: why there are no figures although they were asked for; empty otherwise.
    """

    def __init__(
        self, report: Report, *, figures: Mapping[str, bytes] | None = None, problem: str = "", part: str | None = None
    ) -> None:
        self.report = report
        self.part = part
        self.figures = dict(figures or {})
        self.problem = problem

    @property
    def parts(self) -> list[PartResult]:
        """The parts that were checked."""
        return [part for part in self.report.parts if self.part is None or part.id == self.part]

    @property
    def passed(self) -> bool:
        """Whether every check that was run passed."""
        return self.report.exit_code == 0

    @property
    def points(self) -> float:
        """Points given for what was checked; for a whole exercise without its bonus."""
        return sum(part.points for part in self._counted())

    @property
    def max_points(self) -> float:
        """Points that it is worth."""
        return sum(part.max_points for part in self._counted())

    def _counted(self) -> list[PartResult]:
        return [part for part in self.parts if self.part is not None or not part.optional]

    def _command(self) -> str:
        return f"%check {self.report.exercise.short or self.report.exercise.id}"

    def __repr__(self) -> str:
        from rich.console import Console

        from gdgrade.report.terminal import print_report

        out = io.StringIO()
        # Rich would display in the notebook by itself; here it only makes text.
        console = Console(
            file=out, width=WIDTH, color_system=None, highlight=False, force_terminal=False, force_jupyter=False
        )
        print_report(self.report, console, command=self._command())
        return out.getvalue().rstrip("\n") + (f"\n{self.problem}" if self.problem else "")

    def _repr_html_(self) -> str:
        from gdgrade.report.html import embedded, render

        sentence, command = next_sentence(self.report, self._command())
        return render(
            "notebook.html",
            report=self.report,
            parts=self.parts,
            points=self.points,
            max_points=self.max_points,
            passed=self.passed,
            word=self._word(),
            figures=embedded(self.figures),
            problem=self.problem,
            sentence=sentence,
            command=command or "",
        )

    def _word(self) -> str:
        if self.passed:
            return _("passed")
        if not failures(self.report) and any(check.undecided for check in self.report.checks):
            return _("not judged")
        return _("not yet right")
