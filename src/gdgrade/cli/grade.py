"""`gdgrade grade`: points and comments by a person, which no grading overwrites."""

from __future__ import annotations

from pathlib import Path

import click

from gdgrade.cli.batch import out_option
from gdgrade.cli.common import course_option, load, machine, usage


@click.command("grade", epilog="Exit codes: 0 done, 2 wrong usage, 3 the store cannot be written.")
@click.argument("student")
@click.argument("exercise")
@click.option("--adjust", type=float, default=0.0, help="Add so many points (or take, with a minus), after lateness.")
@click.option("--points", type=click.FloatRange(min=0), help="Set the points, whatever the checks say.")
@click.option("--why", default="", help="The reason; the student reads it.")
@click.option("--withdraw", type=int, metavar="N", help="Take decision N back.")
@out_option
@course_option
def grade_command(
    student: str,
    exercise: str,
    adjust: float,
    points: float | None,
    why: str,
    withdraw: int | None,
    out: Path,
    course_path: Path | None,
) -> None:
    """Decide about STUDENT's EXERCISE by hand. The decision survives every regrade and shows in every export.

    \b
    Examples:
      gdgrade grade alice ex05 --adjust -1 --why "the figure of part 5.4 is missing"
      gdgrade grade bob ex05 --points 12 --why "graded by hand: the file was damaged"
      gdgrade grade bob ex05 --why "a fine derivation"          a comment
      gdgrade grade bob ex05                                    what was decided
    """
    from gdgrade.batch.grades import decision_words, grades
    from gdgrade.batch.manual import ManualError, decide
    from gdgrade.batch.manual import withdraw as take_back
    from gdgrade.batch.store import Store, StoreError
    from gdgrade.course.errors import UnknownExerciseError
    from gdgrade.course.lookup import resolve_exercise

    course = load(course_path)
    writes = bool(adjust or points is not None or why or withdraw is not None)
    try:
        chosen = resolve_exercise(course, exercise).id
        with Store(out, write=writes) as store:
            found = grades(store, course, exercise=chosen, student=student)
            if not found:
                usage(f"{student!r} has handed in nothing for {chosen}; `gdgrade results` lists who has")
            if len(found) > 1:
                usage(f"{student!r} is the name of several; use one of {', '.join(g.student for g in found)}")
            if withdraw is not None:
                take_back(store, withdraw)
            elif writes:
                decide(store, found[0].student, chosen, adjust=adjust, points=points, why=why)
            after = grades(store, course, exercise=chosen, student=student)
            grade = next(one for one in after if one.student == found[0].student)
    except (ManualError, UnknownExerciseError) as error:
        usage(str(error))
    except StoreError as error:
        machine(str(error))
    for one in grade.decisions:
        click.echo(f"{one.number}: {decision_words(one)} ({one.by}, {one.at})")
    final = "not graded" if grade.final is None else f"{grade.final:g} of {grade.max_points:g} points"
    click.echo(f"{grade.student} {chosen}: {final}")
