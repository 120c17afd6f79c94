"""Status and next step on a terminal, by rich, and as plain data. Imported only where they are printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gdgrade.course.manifest import Course
from gdgrade.language import _, course_text, ngettext
from gdgrade.workspace.overview import ExerciseState, PartState, Step

BAR_WIDTH = 18
COLOURS = {"passed": "green", "failed": "red", "waiting": "dim", "not_attempted": "yellow", "open": "dim"}
SOON = timedelta(days=3)


def print_status(course: Course, states: Sequence[ExerciseState], console: Console, now: datetime) -> None:
    """One block per exercise: title, sum, deadline, and a line for each part."""
    ascii_only = console.options.ascii_only
    blocks: list[RenderableType] = [Text(course_text(course.title), "bold"), Text()]
    for state in states:
        blocks += [*_block(state, now, ascii_only), Text()]
    if len(states) > 1:
        blocks.append(_sum(states))
    console.print(Group(*blocks))


def _block(state: ExerciseState, now: datetime, ascii_only: bool) -> Iterator[RenderableType]:
    exercise = state.exercise
    yield Text.assemble((f"{exercise.short or exercise.id}  ", "bold"), (course_text(exercise.title), "bold"))
    share = state.points / exercise.max_points if exercise.max_points else 1.0
    colour = "green" if state.passed == state.required else "yellow"
    bonus = f" + {state.bonus:g}" if state.bonus else ""
    points = _("{points} of {most} points").format(points=f"{state.points:g}{bonus}", most=f"{exercise.max_points:g}")
    line = Text("  ").append_text(bar(share, colour, ascii_only)).append(f"  {points}")
    yield line.append("   ").append_text(_deadline(state))
    noted = any(_note(part) for part in state.parts)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    for part in state.parts:
        title = Text(course_text(part.part.title)).append(f" ({_('bonus')})" if part.part.optional else "", "dim")
        points = f"{part.points:g} / {part.part.points:g}"
        row = [Text(part.part.id, "bold"), title, _status(part), Text(points)]
        table.add_row(*row, *([Text(_note(part), "dim")] if noted else []))
    yield Padding(table, (0, 0, 0, 2), expand=False)


def bar(share: float, colour: str, ascii_only: bool = False) -> Text:
    """A bar that is full only when everything is there, and empty only when nothing is."""
    filled = min(max(round(share * BAR_WIDTH), share > 0), BAR_WIDTH - (share < 1))
    full, empty = ("#", ".") if ascii_only else ("█", "░")
    return Text.assemble((full * filled, colour), (empty * (BAR_WIDTH - filled), "dim"))


def status_words(status: str) -> str:
    """The state of a part in a word or two."""
    return {
        "passed": _("passed"),
        "failed": _("not right yet"),
        "waiting": _("waits for another part"),
        "not_attempted": _("not written yet"),
    }.get(status, _("not checked yet"))


def _status(part: PartState) -> Text:
    return Text(status_words(part.status) + ("*" if part.stale else ""), COLOURS.get(part.status, ""))


def _note(part: PartState) -> str:
    notes = []
    if part.status == "passed" and part.elsewhere > 1e-9:
        notes.append(_("{points} not run here").format(points=f"{part.elsewhere:g}"))
    if part.hints:
        notes.append(ngettext("{count} hint", "{count} hints", part.hints).format(count=part.hints))
    return ", ".join(notes)


def _deadline(state: ExerciseState) -> Text:
    if state.exercise.deadline is None or state.left is None:
        return Text(_("no deadline"), "dim")
    day = state.exercise.deadline.astimezone().strftime("%Y-%m-%d %H:%M")
    if state.left >= timedelta(0):
        words = _("due {day}, {time} left").format(day=day, time=amount(state.left))
        return Text(words, "yellow" if state.left < SOON else "")
    return Text(_("was due {day}. {late}").format(day=day, late=state.late.explanation), "red")


def amount(time: timedelta) -> str:
    """``3 days``, ``5 h 20 min``, ``12 min``: as exact as anybody needs who plans an evening."""
    minutes = int(time.total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60
    if days >= 2:
        return ngettext("{count} day", "{count} days", days).format(count=days)
    if hours:
        return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes % 60)
    return _("{minutes} min").format(minutes=minutes)


def _sum(states: Sequence[ExerciseState]) -> Text:
    passed, required = sum(state.passed for state in states), sum(state.required for state in states)
    points = sum(state.points + state.bonus for state in states)
    most = sum(state.exercise.max_points for state in states)
    words = _("{passed} of {all} parts passed, {points} of {most} points").format(
        passed=passed, all=required, points=f"{points:g}", most=f"{most:g}"
    )
    if any(state.stale for state in states):
        words += "   " + _("* the file has changed since that check")
    return Text(words)


def print_step(step: Step | None, console: Console) -> None:
    """The next step in a few lines."""
    if step is None:
        console.print(Text(_("Every part has passed. Well done!"), "green"))
        return
    exercise, part = step.state.exercise, step.part

    def print_line(*pieces: str | tuple[str, str]) -> None:
        console.print(Text.assemble(*pieces), soft_wrap=True)

    print_line((f"{part.part.id}  {course_text(part.part.title)}", "bold"),
               (f"   {exercise.short or exercise.id}, {status_words(part.status)}", "dim"))  # fmt: skip
    if part.stale:
        print_line((_("The file has changed since it was last checked."), "yellow"))
    for task, line in zip(step.tasks, step.lines, strict=True):
        where = _shown(step) + (f":{line}" if line is not None else "")
        print_line("  ", (task.name, "cyan"), f"  {where}")
        if task.todo:
            print_line(f"      {task.todo}")
    if not step.tasks:
        print_line("  ", _("Nothing new to write: it runs what you wrote for other parts."))
    name = exercise.short or exercise.id
    print_line(_("Statement: {path}").format(path=_statement(step)))
    print_line(_("Check:     {command}").format(command=f"gdgrade check {name} --part {part.part.id}"))
    print_line(_("A hint:    {command}").format(command=f"gdgrade hint {name} {part.part.id}"))


def _shown(step: Step) -> str:
    return relative(step.state.exercise.entry_path)


def _statement(step: Step) -> str:
    from gdgrade.language import language

    folder = step.state.exercise.folder("exercises")
    translated = folder / f"README.{language()}.md"
    return relative(translated if translated.is_file() else folder / "README.md")


def relative(path: Any) -> str:
    """A path as one types it here."""
    import os

    try:
        near = os.path.relpath(path)
    except ValueError:  # another drive
        return str(path)
    return near if Path(near).parts[:3] != (os.pardir,) * 3 else str(path)


def status_data(course: Course, states: Sequence[ExerciseState], kept: bool, now: datetime) -> dict[str, Any]:
    """The status as plain data for JSON."""
    return {
        "course": course.id,
        "title": course.title,
        "now": now.isoformat(timespec="seconds"),
        "progress_kept": kept,
        "exercises": [_exercise_data(state) for state in states],
    }


def _exercise_data(state: ExerciseState) -> dict[str, Any]:
    exercise = state.exercise
    return {
        "id": exercise.id,
        "title": exercise.title,
        "file": str(exercise.entry_path),
        "points": state.points,
        "max_points": exercise.max_points,
        "bonus": state.bonus,
        "max_bonus": exercise.max_bonus,
        "deadline": None if exercise.deadline is None else exercise.deadline.isoformat(),
        "seconds_left": None if state.left is None else int(state.left.total_seconds()),
        "late": {"factor": state.late.factor, "explanation": state.late.explanation},
        "stale": state.stale,
        "parts": [_part_data(part) for part in state.parts],
    }


def _part_data(state: PartState) -> dict[str, Any]:
    verdict = state.verdict
    return {
        "id": state.part.id,
        "title": state.part.title,
        "optional": state.part.optional,
        "status": state.status,
        "points": state.points,
        "max_points": state.part.points,
        "judged": verdict.judged if verdict is not None else 0.0,
        "stale": state.stale,
        "checked_at": verdict.at.isoformat() if verdict is not None else None,
        "hints": state.hints,
    }


def step_data(step: Step | None) -> dict[str, Any] | None:
    """The next step as plain data; None when all is done."""
    if step is None:
        return None
    exercise, part = step.state.exercise, step.part
    return {
        "exercise": exercise.id,
        "part": part.part.id,
        "title": part.part.title,
        "status": part.status,
        "stale": part.stale,
        "file": str(exercise.entry_path),
        "tasks": [
            {"name": task.name, "todo": task.todo, "line": line}
            for task, line in zip(step.tasks, step.lines, strict=True)
        ],
        "command": f"gdgrade check {exercise.short or exercise.id} --part {part.part.id}",
    }
