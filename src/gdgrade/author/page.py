"""Verdicts of `author check` as one HTML page that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from gdgrade.author.tables import overall
from gdgrade.author.verdict import Verdict
from gdgrade.report.text import clean_text

_STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0; }
td, th { border: 1px solid #8886; padding: .2rem .6rem; text-align: left; vertical-align: top; }
.bad { color: #b00020; font-weight: 600; } .good { color: #1b6e2c; }
pre { background: #8881; overflow-x: auto; padding: .5rem; }
@media (prefers-color-scheme: dark) {
  body { background: #181818; color: #ddd; } .bad { color: #ff7b7b; } .good { color: #7fd18c; } }
"""


def page(verdicts: Sequence[Verdict], seconds: float) -> str:
    """The whole page; every text from a course file is escaped. `seconds`: what all took together, by the clock."""
    body = "\n".join(line for verdict in verdicts for line in _exercise(verdict))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>gdgrade author check</title>'
        f"<style>{_STYLE}</style></head><body>\n<h1>{_text(overall(verdicts, seconds))}</h1>\n{body}\n</body></html>\n"
    )


def _exercise(verdict: Verdict) -> Iterator[str]:
    yield f"<h2>{_text(verdict.exercise)}: {_text(verdict.title)}</h2>"
    yield "<table><tr><th>verdict</th><th>what</th><th>figures</th></tr>"
    for section in verdict.sections:
        word = '<td class="good">ok</td>' if section.sound else f'<td class="bad">{len(section.problems)} wrong</td>'
        yield f"<tr>{word}<td>{_text(section.name)}</td><td>{_text(section.summary)}</td></tr>"
    yield "</table>"
    for section in verdict.sections:
        for lines, words in ((section.problems, "what is wrong"), (section.notes, "notes")):
            if lines:
                items = "".join(f"<li>{_text(line)}</li>" for line in lines)
                opened = " open" if words == "what is wrong" else ""
                yield f"<details{opened}><summary>{_text(section.name)}: {words}</summary><ul>{items}</ul></details>"
    for survivor in verdict.survivors:
        yield f"<h3>survives: {_text(survivor.name)}</h3><pre>{_text(survivor.diff, newlines=True)}</pre>"
    if verdict.confusion:
        yield "<details><summary>mistake by diagnosis</summary>" + _matrix(verdict) + "</details>"


def _matrix(verdict: Verdict) -> str:
    rows = []
    for mistake, row in verdict.confusion.items():
        cells = ", ".join(f"{_text(name) or 'nobody accused'} ({count})" for name, count in row.items()) or "not caught"
        wrong = ' class="bad"' if any(name not in ("", mistake) for name in row) else ""
        rows.append(f"<tr><td>{_text(mistake)}</td><td{wrong}>{cells}</td></tr>")
    return "<table><tr><th>made</th><th>told</th></tr>" + "".join(rows) + "</table>"


def _text(text: str, *, newlines: bool = False) -> str:
    return escape(clean_text(text, 20_000, newlines=newlines))
