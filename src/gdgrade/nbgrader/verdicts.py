"""From a report to what nbgrader's cells show and count: pure data in, pure data out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gdgrade.course.manifest import Exercise, Part
from gdgrade.language import _
from gdgrade.nbgrader.answers import homes
from gdgrade.nbgrader.source import answer_id, by_part, grade_id
from gdgrade.report.model import CheckResult, Report
from gdgrade.report.wording import heading, points_of

MAX_CHECKS = 6  # that a comment lists under one hint


@dataclass(frozen=True)
class GradeCell:
    """What one grade cell gets.

    Attributes:
        score: the automatic score; None: there is none, which is not a zero.
        max_score: of the cell, 0 for a bonus.
        needs_person: grader or machine kept something from being judged.
        html: the verdict for people, every text of a student escaped.
        text: the same in a line.
    """

    score: float | None
    max_score: float
    needs_person: bool
    html: str
    text: str

    def outputs(self) -> list[dict[str, Any]]:
        """Outputs of the cell, such that nbgrader's own `determine_grade` reads the score from them.

        It takes the text of a cell's result as the score, if it lies between 0 and the maximum. A bonus does not, and
        what a person must look at is no score at all: these are shown, not returned.
        """
        if self.score is None or self.needs_person or self.score > self.max_score:
            return [{"output_type": "display_data", "metadata": {}, "data": {"text/html": self.html,
                     "text/plain": self.text}}]  # fmt: skip
        data = {"text/html": self.html, "text/plain": f"{self.score!r}"}
        return [{"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": data}]


@dataclass(frozen=True)
class NotebookVerdict:
    """What a notebook gets.

    Attributes:
        grades: by the name of the grade cell.
        comments: by the name of the answer cell.
        problem: why there is no report; empty: there is one.
    """

    grades: Mapping[str, GradeCell]
    comments: Mapping[str, str]
    problem: str = ""


def of_report(exercise: Exercise, report: Report) -> NotebookVerdict:
    """The verdict of a report. Hidden checks show no more than students may see."""
    shown = report.redacted()
    grades = {grade_id(part): _grade_cell(part, shown, first=index == 0) for index, part in enumerate(exercise.parts)}
    return NotebookVerdict(grades, _comments(exercise, shown))


def of_problem(exercise: Exercise, problem: str) -> NotebookVerdict:
    """The verdict where nothing could be judged: no scores, all for a person."""
    from gdgrade.report.html import render

    html = render("cell.html", _=_, part=None, report=None, problem=problem, first=False)
    text = _("not graded yet; a person looks at it")
    cells = {
        grade_id(part): GradeCell(None, _max_score(part), not part.optional, html, text) for part in exercise.parts
    }
    return NotebookVerdict(cells, {}, problem)


def _max_score(part: Part) -> float:
    return 0.0 if part.optional else part.points


def _grade_cell(part: Part, report: Report, *, first: bool) -> GradeCell:
    from gdgrade.report.html import render

    result = next(one for one in report.parts if one.id == part.id)
    checks = tuple(check for check in report.checks if check.part == part.id)
    alone = report.model_copy(update={"parts": (result,), "checks": checks,
                                      "remarks": report.remarks if first else ()})  # fmt: skip
    undecided = any(check.undecided for check in checks)
    missing = result.not_run > 1e-6  # shares such as 4/3 do not add up exactly
    score = None if (undecided or missing) and not result.points else result.points
    points = points_of(result.points, result.max_points)
    text = _("bonus: {points}").format(points=points) if part.optional else points
    html = render("cell.html", _=_, part=result, report=alone, problem="", first=first)
    return GradeCell(score, _max_score(part), undecided or missing, html, text)


def _comments(exercise: Exercise, report: Report) -> dict[str, str]:
    """What is to be said about each answer: failed checks with their hints.

    A check is about the answer that its title, message or hint names; else about the first answer of its part; a part
    without answers of its own is about the last answer before it.
    """
    stub = exercise.entry_path
    wanted = homes(stub.read_text("utf-8"), stub.name) if stub.is_file() else {}
    answers = by_part(exercise, wanted)
    said: dict[str, dict[str, list[CheckResult]]] = {}  # answer -> hint -> checks: one mistake fails several
    last: str | None = None
    for part in exercise.parts:
        names = answers[part.id]
        last = names[-1] if names else last
        for check in report.checks:
            if check.part == part.id and check.outcome in ("failed", "error"):
                name = _named(check, names) or (names[0] if names else last)
                if name is not None:
                    said.setdefault(name, {}).setdefault(check.hint, []).append(check)
    return {answer_id(name): _comment(found) for name, found in said.items()}


def _named(check: CheckResult, names: Iterable[str]) -> str | None:
    text = f"{check.title} {check.message} {check.hint}"
    return next((name for name in sorted(names, key=len, reverse=True) if name in text), None)


def _comment(said: Mapping[str, Sequence[CheckResult]]) -> str:
    """Checks in a line each, and under them the hint that they share.

    Only words of the course: nbgrader renders comments as Markdown, so nothing that a student wrote may be in them.
    """
    from gdgrade.report.html import verdict_words

    pieces = []
    for hint, checks in said.items():
        rows = [f"* {_inert(heading(check))}: {verdict_words(check)}" for check in checks[:MAX_CHECKS]]
        rows += [f"* ... ({len(checks) - MAX_CHECKS})"] if len(checks) > MAX_CHECKS else []
        pieces.append("\n".join([*rows, *(["", _inert(hint)] if hint else [])]))
    return "\n\n".join(pieces)


def _inert(text: str) -> str:
    """HTML in Markdown is HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;")
