"""`author preview`: an exercise as the other side sees it, statement and reports, on a terminal or as a page."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from gdgrade.author.planted import planted_files
from gdgrade.course.manifest import Course, Exercise
from gdgrade.course.submission import read_submission
from gdgrade.judging import Options, make_job, run, settings_for, to_report
from gdgrade.processes.launcher import Zygote, fork_available
from gdgrade.report.model import Report


@dataclass(frozen=True)
class View:
    """One report and whose submission it is of: "the untouched stub", "a wrong answer: ..."."""

    what: str
    report: Report


def views(course: Course, exercise: Exercise, *, quick: bool = True) -> list[View]:
    """Reports of the stub, of the first planted wrong answers, and of the reference.

    Args:
        quick: leave out checks that train a network.

    Raises:
        LaunchError: the machine could not start a judge.
    """
    wrong = [entry for entry in planted_files(course.root / "tests" / "submissions" / exercise.id) if not entry.right]
    told = [entry for entry in wrong if entry.diagnosis not in (None, "none")]
    files = [("the untouched stub", exercise.entry_path)]
    files += [(f"a wrong answer: {entry.what}", entry.path) for entry in (told or wrong)[:2]]
    files += [("the reference", exercise.reference_path)]
    zygote = Zygote(settings_for(exercise)) if fork_available() else None
    try:
        return [View(what, _report(course, exercise, path, zygote, quick)) for what, path in files]
    finally:
        if zygote is not None:
            zygote.close()


def _report(course: Course, exercise: Exercise, path: Path, zygote: Zygote | None, quick: bool) -> Report:
    started = time.time()
    submission = read_submission(path, follow_symlinks=True)
    job = make_job(course, exercise, submission, Options(quick=quick))
    return to_report(course, exercise, submission, job, run(job, zygote), started=started)


def page(exercise: Exercise, statement: str, shown: list[View], *, staff: bool) -> str:
    """One HTML page: the statement as written, then each report."""
    from html import escape
    from io import StringIO

    from rich.console import Console

    from gdgrade.report.terminal import print_report

    parts = [f"<h1>{escape(exercise.title)}</h1>", f"<pre>{escape(statement)}</pre>"]
    for view in shown:
        console = Console(file=StringIO(), record=True, width=100, highlight=False)
        print_report(view.report, console, verbose=staff, show_hidden=staff)
        body = console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")
        parts.append(f"<h2>{escape(view.what)}</h2>{body}")
    style = (
        "body { font: 16px system-ui, sans-serif; margin: 2rem auto; max-width: 60rem } pre { white-space: pre-wrap }"
    )
    head = f'<meta charset="utf-8"><title>{escape(exercise.id)}</title><style>{style}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n' + "\n".join(parts) + "\n</body></html>\n"
