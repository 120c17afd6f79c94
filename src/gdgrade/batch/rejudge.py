"""Judge again by the kept answers: after a check has changed, without running students' code."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gdgrade.batch.grading import checks_digest, key_of, load
from gdgrade.batch.store import Store, Verdict
from gdgrade.course.manifest import Course, Exercise
from gdgrade.course.submission import Submission
from gdgrade.judging import Options, make_job, settings_for, to_report
from gdgrade.language import use
from gdgrade.processes.judges import JudgePool
from gdgrade.processes.launcher import LaunchError


@dataclass
class Rejudged:
    """What became of the distinct files of a run.

    Attributes:
        known: checks and everything else are as they were; the verdict stands.
        replayed: judged again by the tape.
        run_again: exercise, hash and reason of those that must be run.
    """

    run: int
    known: int = 0
    replayed: int = 0
    run_again: list[tuple[str, str, str]] = field(default_factory=list)


def rejudge(
    store: Store, course: Course, options: Options, *, exercise: str | None = None,
    show: Callable[[Rejudged], None] = lambda done: None,
) -> Rejudged:  # fmt: skip
    """A new run over the latest hand-ins: verdicts that stand, verdicts by tape, and the rest left pending.

    Raises:
        LaunchError: the changed checks cannot be collected.
        StoreError: the store cannot be written.
    """
    run = store.repeat(
        course.id, course.revision, {"rejudge": True, "quick": options.quick, "seed": options.seed}, exercise
    )
    done = Rejudged(run)
    pending = store.pending(run)
    for one in course.exercises:
        mine = [row["sha256"] for row in pending if row["exercise"] == one.id]
        if mine:
            _exercise(store, course, one, options, mine, done, show)
    return done


def _exercise(
    store: Store, course: Course, exercise: Exercise, options: Options, files: list[str], done: Rejudged,
    show: Callable[[Rejudged], None],
) -> None:  # fmt: skip
    digest = checks_digest(exercise)
    judges: JudgePool | None = None
    try:
        for sha256 in files:
            key = key_of(course, exercise, sha256, options, digest)
            standing = store.find(key)
            if standing is not None:
                store.settle(done.run, key, standing)
                done.known += 1
                continue
            found = _latest(store, exercise.id, sha256)
            tape = None if found is None else store.recording(found)
            come = () if found is None else store.come(found)
            if come:
                done.run_again.append((exercise.id, sha256, f"{', '.join(come)} can be imported now"))
                continue
            if tape is None:
                done.run_again.append((exercise.id, sha256, "no answers were kept"))
                continue
            if judges is None:
                nobody = Submission(source="", display_name=exercise.entry, kind="py", sha256="")
                use(options.language, course.root / "locale")
                judges = JudgePool(make_job(course, exercise, nobody, options), settings_for(exercise, options.confine))
            submission = load(*store.file(sha256), exercise)
            verdict, missing, reason = _replay(course, exercise, submission, options, judges, tape)
            if verdict is None:
                done.run_again.append((exercise.id, sha256, reason))
            else:
                kept = Verdict(verdict, "", 0.0, 1, tape, found, missing)
                store.record(done.run, key, kept)
                done.replayed += 1
            show(done)
    finally:
        if judges is not None:
            judges.close()


def _latest(store: Store, exercise: str, sha256: str) -> int | None:
    row = store.db.execute(
        "SELECT id FROM verdicts WHERE exercise = ? AND sha256 = ? AND report IS NOT NULL ORDER BY id DESC LIMIT 1",
        (exercise, sha256),
    ).fetchone()
    return None if row is None else int(row["id"])


def _replay(
    course: Course, exercise: Exercise, submission: Submission, options: Options, judges: JudgePool, tape: bytes
) -> tuple[str | None, tuple[str, ...], str]:
    """The new report's JSON and the packages that checks lacked, or None and why the student's code must be run."""
    job = make_job(course, exercise, submission, options)
    began = time.time()
    try:
        result = judges.judge(job, tape=tape)
    except LaunchError as error:
        return None, (), str(error)
    if result["errors"]:
        return None, (), str(result["errors"][0])
    if result["missed"]:
        names = ", ".join(dict.fromkeys(result["missed"]))
        return None, (), f"changed inputs: {names}"
    report = to_report(course, exercise, submission, job, result, started=began)
    remark = "Judged again by the answers of an earlier run; the code was not run anew."
    report = report.model_copy(update={"remarks": (*report.remarks, remark)})
    return report.to_json(indent=None), tuple(result.get("missing", ())), ""
