"""`python -m gdgrade.author.translations update|compile|check`: the catalogues of the engine and of a course.

See docs/translation.md. A tool for whoever writes gdgrade or a course; it needs Babel.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from gdgrade.author import catalogues
from gdgrade.author.catalogues import Entry
from gdgrade.author.coursetexts import Text, course_texts, exercise_texts
from gdgrade.course.manifest import Course, Exercise
from gdgrade.language import LOCALE

ENGINE = LOCALE / "fr" / "LC_MESSAGES" / "gdgrade.po"


@dataclass(frozen=True)
class Task:
    """One catalogue and the texts that it must translate."""

    name: str
    path: Path
    entries: tuple[Entry, ...]


def exercise_catalogue(exercise: Exercise) -> Path:
    """Where the French of an exercise's graders lies."""
    return exercise.graders_dir / "locale" / "fr.po"


def course_catalogue(course: Course) -> Path:
    """Where the French titles of exercises and parts lie."""
    return course.root / "locale" / "fr.po"


def tasks(course: Course, names: Sequence[str] = ()) -> Iterator[Task]:
    """The catalogues of these names: "engine", "course", exercises; all of them without names."""
    from gdgrade.judge.reference import load_mistakes

    if not names or "engine" in names:
        from gdgrade.author.enginetexts import engine_texts

        yield Task("engine", ENGINE, tuple(engine_texts()))
    if not names or "course" in names:
        yield Task("course", course_catalogue(course), _entries(course_texts(course)))
    for exercise in course.exercises:
        if not names or exercise.id in names or exercise.short in names:
            mistakes = load_mistakes(exercise.graders_dir / "mistakes.py", exercise.id)
            texts = exercise_texts(exercise.graders_dir, mistakes, exercise.entry_path)
            yield Task(exercise.id, exercise_catalogue(exercise), _entries(texts))


def statements(course: Course, names: Sequence[str] = ()) -> Iterator[str]:
    """Statements and hints that have no French file, one sentence each."""
    for exercise in course.exercises:
        if names and exercise.id not in names and exercise.short not in names:
            continue
        folder = exercise.folder("exercises")
        for name in ("README.md", "hints.yml"):
            french = folder / f"{Path(name).stem}.fr{Path(name).suffix}"
            if (folder / name).is_file() and not french.is_file():
                yield f"{french}: missing, the French of {name}"


def _entries(texts: Sequence[Text]) -> tuple[Entry, ...]:
    return tuple(Entry(text.msgid, (text.place,), text.pattern) for text in texts)


@click.command()
@click.argument("action", type=click.Choice(["update", "compile", "check"]))
@click.argument("names", nargs=-1)
@click.option(
    "--course", "course_path", type=click.Path(path_type=Path), help="The course folder. Default: as gdgrade."
)
def main(action: str, names: tuple[str, ...], course_path: Path | None) -> None:
    """Bring catalogues up to date with the sources, compile them, or list what is missing, fuzzy or obsolete.

    NAMES are "engine", "course" and exercises such as ex05; all of them if left out. Exit code of `check`: 1 if
    anything is not as it should be.
    """
    from gdgrade.cli.common import load

    course = load(course_path)
    known = {"engine", "course", *(name for exercise in course.exercises for name in (exercise.id, exercise.short))}
    for name in names:
        if name not in known:
            raise click.UsageError(f"no catalogue is called {name!r}; there are {', '.join(sorted(known))}")
    found: list[str] = []
    for task in tasks(course, names):
        if action == "update":
            changed = catalogues.update(task.path, task.entries)
            click.echo(f"{task.path}: {len(task.entries)} texts, {'brought up to date' if changed else 'no change'}")
        elif action == "compile":
            if task.path.is_file():
                click.echo(catalogues.compile_catalogue(task.path))
        else:
            found += catalogues.problems(task.path, task.entries)
    if action == "check":
        found += statements(course, names)
        for problem in found:
            click.echo(problem)
        click.echo(f"{len(found)} problems" if found else "all texts are translated", err=True)
        sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
