"""Ties files, keys, judges and screen to the decisions of a session."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gdgrade.course.manifest import Course, Exercise
from gdgrade.course.submission import Submission
from gdgrade.judge.job import Job
from gdgrade.judging import settings_for, to_report
from gdgrade.language import _, language
from gdgrade.processes.judges import JudgePool
from gdgrade.processes.launcher import LaunchError
from gdgrade.report.model import Report
from gdgrade.report.wording import failures
from gdgrade.watch.board import Board, CheckInfo
from gdgrade.watch.files import FileWatch
from gdgrade.watch.judging import Background, ColdJudges
from gdgrade.watch.keyboard import ends_in_order, single_keys
from gdgrade.watch.screen import Screen
from gdgrade.watch.session import (
    Abandon,
    Action,
    NotLoading,
    PartDecided,
    Quit,
    Session,
    Show,
    Start,
    Trouble,
    Unchanged,
    Wish,
)


class Watch:
    """Watching one file of one exercise.

    Args:
        template: a job of the exercise, with seeds and limits; its source is not used. `only_part` and `quick`
            limit which checks there are.
        path: the student's file.
        screen: where everything is shown.
        commands: what the keys h and p run: name -> arguments of gdgrade; "{part}" stands for a part.
        page: called with each complete report.
    """

    def __init__(
        self,
        course: Course,
        exercise: Exercise,
        template: Job,
        path: Path,
        screen: Screen,
        *,
        commands: Mapping[str, Sequence[str]],
        page: Callable[[Report], None] | None = None,
    ) -> None:
        self._course, self._exercise, self._template, self._path = course, exercise, template, path
        self._screen, self._commands, self._page = screen, commands, page
        self._events: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self._session: Session | None = None
        self._submission: Submission | None = None
        self._missing = ""
        self._saved_at = time.monotonic()
        self._surroundings: dict[str, Any] = {}  # confinement and versions of the last run
        self._report: Report | None = None
        self._background: Background | None = None

    def run(self, keys: int | None) -> int:
        """Watch until told to stop; returns the exit code of the last report.

        Args:
            keys: descriptor of the terminal that keys come from, or None.

        Raises:
            LaunchError: nothing can be judged.
        """
        self._screen.starting(self._path.name)
        make: Any = JudgePool if self._template.start_method == "fork" else ColdJudges
        tell = self._events.put
        template = dataclasses.replace(self._template, source="", only_part=None, quick=False)
        with contextlib.ExitStack() as stack:
            stack.enter_context(ends_in_order())
            self._background = Background(template, settings_for(self._exercise, template.confine), tell, make)
            stack.callback(self._background.close)
            stack.callback(FileWatch(self._path, tell).close)
            stack.callback(self._screen.close)
            if keys is not None:
                stack.enter_context(single_keys(keys, lambda key: tell(("key", key))))
            while self._handle(self._events.get()):
                pass
        return 0 if self._report is None else self._report.exit_code

    def _handle(self, event: tuple[Any, ...]) -> bool:
        """Whether to go on after this event."""
        kind = event[0]
        if kind == "broken":
            raise LaunchError(event[1])
        if kind == "said":
            self._screen.say(event[1])
            return True
        if kind == "key" and self._session is None:
            return str(event[1]).lower() != "q"
        return self._act(self._decide(kind, event))

    def _decide(self, kind: str, event: tuple[Any, ...]) -> list[Action]:
        if kind == "ready":
            return self._ready(event[1])
        if kind in ("saved", "missing"):
            self._saved_at = time.monotonic()
            if kind == "saved":
                self._submission = event[1]
            self._missing = event[1] if kind == "missing" else ""
            return self._look()
        assert self._session is not None
        if kind == "key":
            if event[1] in "\r\n":
                self._saved_at = time.monotonic()
            return self._session.pressed(event[1])
        if kind == "check":
            name = str(event[2]["id"]).split("/", 1)[1]
            return self._session.decided(event[1], name, event[2]["outcome"])
        if kind == "done":
            result = event[2]
            if result["outcomes"] and result["loaded"]:
                self._surroundings = {key: result[key] for key in ("confinement", "versions")}
            return self._session.finished(event[1], result["outcomes"], result["loaded"])
        return self._session.lost(event[1], _("this could not be judged: {why}").format(why=event[2]))

    def _ready(self, catalogue: Sequence[Mapping[str, Any]]) -> list[Action]:
        """The judges are there. They are ready again when new ones had to be started: then there is a session."""
        if self._session is None:
            self._session = Session(Board(self._checks(catalogue), (p.id for p in self._exercise.parts if p.optional)))
            return self._look()
        return []

    def _checks(self, catalogue: Sequence[Mapping[str, Any]]) -> list[CheckInfo]:
        needs = {part.id: tuple(part.needs) for part in self._exercise.parts}
        order = {part.id: number for number, part in enumerate(self._exercise.parts)}
        part, quick = self._template.only_part, self._template.quick
        found = [
            CheckInfo(
                entry["name"],
                entry["part"],
                (*needs[entry["part"]], *entry["needs"]),
                bool(entry["training"]),
                float(entry["alpha"]),
            )
            for entry in catalogue
            if part in (None, entry["part"]) and not (quick and entry["training"])
        ]
        return sorted(found, key=lambda check: order[check.part])

    def _look(self) -> list[Action]:
        if self._session is None:
            return []
        if self._missing:
            return self._session.missing(self._missing)
        return [] if self._submission is None else self._session.saved(self._submission.source)

    # -- deeds ---------------------------------------------------------------------------------------------------

    def _act(self, actions: Sequence[Action]) -> bool:
        for action in actions:
            seconds = time.monotonic() - self._saved_at
            match action:
                case Start():
                    self._start(action)
                case Abandon():
                    assert self._background is not None
                    self._background.abandon(action.ticket + 1)
                case PartDecided():
                    self._screen.part(action, seconds)
                case Show():
                    self._show(action.running, seconds)
                case NotLoading():
                    self._screen.not_loading(self._reported([action.outcome]).checks[0], seconds)
                case Trouble():
                    self._screen.trouble(action.message)
                case Unchanged():
                    self._screen.unchanged()
                case Wish():
                    self._wish(action.what)
                case Quit():
                    return False
        return True

    def _start(self, start: Start) -> None:
        assert self._background is not None
        known = {"broken": dict(start.broken), "known_mistakes": list(start.known_mistakes)}
        # Quick checks share a worker: a student waits for them, and a fork for each would take most of the time.
        extra = {**self._template.extra, **known, "shared_worker": start.quick}
        job = dataclasses.replace(
            self._template, source=start.source, only_part=None, quick=False, only_checks=start.names, extra=extra
        )
        self._background.start(start.ticket, job)
        self._screen.checking(start.parts)

    def _show(self, running: Sequence[str], seconds: float) -> None:
        assert self._session is not None
        assert self._session.text is not None
        report = self._reported(self._session.board.outcomes(self._session.text))
        self._screen.report(report, running, seconds)
        if not running:
            self._report = report
            if self._page is not None:
                self._page(report)

    def _reported(self, outcomes: Sequence[Mapping[str, Any]]) -> Report:
        assert self._submission is not None
        result = {**self._surroundings, "outcomes": outcomes}
        return to_report(self._course, self._exercise, self._submission, self._template, result).redacted()

    def _wish(self, what: str) -> None:
        if what == "list":
            if self._report is not None:
                self._screen.list(self._report)
            return
        words = [word.replace("{part}", self._part()) for word in self._commands[what]]
        threading.Thread(target=self._command, args=(words,), daemon=True).start()

    def _part(self) -> str:
        """The part to get a hint for: of the first failure, else the first one that is not done."""
        if self._report is None:
            return self._exercise.parts[0].id
        failed = [check.part for check in failures(self._report)]
        open_parts = [part.id for part in self._report.parts if part.status not in ("passed", "not_run")]
        return next(iter((*failed, *open_parts)), self._exercise.parts[-1].id)

    def _command(self, words: Sequence[str]) -> None:
        """Run gdgrade itself with these words and show what it prints."""
        environment = {**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8", "GDGRADE_LANG": language()}
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "gdgrade", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
        )
        self._events.put(("said", done.stdout or _("done")))
