"""How far a batch is, on stderr: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

from gdgrade.batch.run import Progress, Show

EVERY = 15.0  # seconds between lines where there is no terminal


def words(progress: Progress, seconds: float) -> str:
    """`120 of 300 · 14.2 per minute · 13 min left · failed 40, timeout 2`."""
    fresh = progress.done - progress.known
    text = [f"{progress.done} of {progress.total}"]
    if progress.known:
        text.append(f"{progress.known} known from earlier runs")
    if fresh and seconds > 0:
        rate = fresh / seconds
        text.append(f"{rate:.1f} per second" if rate >= 1 else f"{60 * rate:.1f} per minute")
        if progress.done < progress.total:
            text.append(f"{duration((progress.total - progress.done) / rate)} left")
    names = {"student": "wrong", "not_attempted": "not written"}
    causes = [f"{names.get(cause, cause)} {count}" for cause, count in progress.causes.most_common(5)]
    if causes:
        text.append("checks: " + ", ".join(causes))
    if progress.people:
        text.append(f"{progress.people} for a person")
    return " · ".join(text)


def duration(seconds: float) -> str:
    """`40 s`, `13 min`, `2 h 5 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


@contextlib.contextmanager
def shown(quiet: bool) -> Iterator[Show]:
    """Something to call with each progress."""
    start = time.monotonic()
    if quiet:
        yield lambda progress: None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        console = Console(stderr=True)
        with Bar(TextColumn("{task.fields[exercise]}"), BarColumn(), TextColumn("{task.fields[words]}"),
                 console=console) as bar:  # fmt: skip
            task = bar.add_task("", total=None, exercise="", words="starting")

            def show(progress: Progress) -> None:
                seconds = time.monotonic() - start
                bar.update(task, total=max(progress.total, 1), completed=progress.done, exercise=progress.exercise,
                           words=words(progress, seconds))  # fmt: skip

            yield show
    else:
        last = start

        def line(progress: Progress) -> None:
            nonlocal last
            if time.monotonic() - last >= EVERY:
                last = time.monotonic()
                sys.stderr.write(f"gdgrade: {words(progress, last - start)}\n")
                sys.stderr.flush()

        yield line
