"""Reports as HTML pages that need nothing else: no script, no network, no other file.

Whatever a student may have written is escaped by Jinja2's autoescape; a content security policy in the page forbids
scripts and requests all the same.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from gdgrade.language import _, course_text, language, ngettext
from gdgrade.report.model import CheckResult, Report
from gdgrade.report.wording import (
    CAUSE_WORDS,
    failures,
    heading,
    number,
    part_note,
    points_of,
    remark_sentences,
    total_sentence,
    waiting_sentences,
)

TEMPLATES = Path(__file__).with_name("templates")
KINDS = {".png": "image/png", ".svg": "image/svg+xml", ".jpg": "image/jpeg"}


@dataclass(frozen=True)
class Figure:
    """A picture inside a page: a title that says what it shows, and a `data:` address."""

    title: str
    source: str


@dataclass(frozen=True)
class Section:
    """One exercise on a student's page; `final` after the late policy and decisions of people."""

    report: Report
    comment: str = ""
    final: float | None = None
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True)
class Row:
    """One exercise in the overview of a student's page; linked, if there is a section for it."""

    exercise: str
    points: str
    note: str = ""
    linked: bool = True


def write_report(report: Report, path: Path, figures: Mapping[str, bytes | Path] | None = None) -> None:
    """Write the page of one report.

    Args:
        report: redact it before, unless staff alone reads the page.
        figures: title -> PNG bytes, or the path of a PNG, SVG or JPEG file.
    """
    path.write_text(report_page(report, figures), encoding="utf-8")


def report_page(report: Report, figures: Mapping[str, bytes | Path] | None = None) -> str:
    """The page of one report, as text."""
    section = Section(report, final=report.totals.final, figures=embedded(figures or {}))
    return student_page([section], title=f"{report.exercise.short or report.exercise.id}: {report.submission.name}")


def student_page(sections: Sequence[Section], *, title: str, name: str = "", overview: Sequence[Row] = ()) -> str:
    """The page of one student.

    Args:
        sections: one per graded exercise.
        title: of the window.
        name: heads the page; empty for the page of a single report.
        overview: one row per exercise, with those that could not be graded.
    """
    return render("page.html", title=title, heading_text=name, sections=sections, overview=overview)


def embedded(figures: Mapping[str, bytes | Path]) -> tuple[Figure, ...]:
    """Figures as addresses that hold the picture itself."""
    found = []
    for title, content in figures.items():
        kind = "image/png" if isinstance(content, bytes) else KINDS[content.suffix.lower()]
        data = content if isinstance(content, bytes) else content.read_bytes()
        found.append(Figure(title, f"data:{kind};base64,{base64.b64encode(data).decode()}"))
    return tuple(found)


def render(template: str, **values: Any) -> str:
    """A template of ours with what all of them may use."""
    return _environment().get_template(template).render(**values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """Kept with its compiled templates: a class has thousands of cells and pages, and compiling is what takes time."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    environment.globals.update(
        style=style, words=verdict_words, heading=heading, points_of=points_of, lines=lines, total=total_sentence,
        note=part_note, failures=failures, undecided=undecided, waiting=waiting_sentences, passes=passes,
        number=number, _=_, ngettext=ngettext, language=language, course_text=course_text,
        remarks_of=remark_sentences, show_output=True, scripts=False,
    )  # fmt: skip
    return environment


def verdict_words(check: CheckResult) -> str:
    """PASSED, FAILED, TOO SLOW ..."""
    return _("PASSED") if check.outcome == "passed" else _(CAUSE_WORDS[check.cause])


def lines(text: str) -> Markup:
    """Text with its line breaks, escaped."""
    return Markup("<br>").join(escape(line) for line in text.split("\n"))


def undecided(report: Report) -> list[CheckResult]:
    """Checks that grader or machine kept from being judged, those that wait for them left out."""
    return [check for check in report.checks if check.undecided and not check.waits_for]


def passes(report: Report) -> list[CheckResult]:
    return [check for check in report.checks if check.outcome == "passed"]
