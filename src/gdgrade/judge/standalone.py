"""Judging under a plain `pytest graders/... --submission FILE`, for instructors who debug a check."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from gdgrade.judge.plugin import Judge


class StandaloneJudge:
    """Makes a judge from pytest's command line: the exercise is the one whose graders are being run."""

    def __init__(self, config: pytest.Config) -> None:
        from gdgrade.course.loading import load_course
        from gdgrade.course.lookup import find_course
        from gdgrade.course.submission import read_submission
        from gdgrade.judge.main import settings_of
        from gdgrade.judging import Options, make_job
        from gdgrade.processes.launcher import Launcher, Zygote, fork_available
        from gdgrade.processes.spawn import SpawnLauncher

        places = [Path(str(argument).split("::")[0]).resolve() for argument in config.args]
        course = load_course(find_course(start=places[0] if places[0].is_dir() else places[0].parent))
        exercise = self._exercise(course, places)
        sys.path.insert(0, str(exercise.graders_dir))  # checks import their neighbours by plain name
        submission = read_submission(config.getoption("--submission"), follow_symlinks=True)
        options = Options(
            seed=config.getoption("--gdgrade-seed"),
            confine=config.getoption("--confine"),
            start_method=config.getoption("--start-method"),
        )
        job = make_job(course, exercise, submission, options)
        launcher: Launcher
        if job.start_method == "fork" and fork_available():
            import importlib

            zygote = Zygote(settings_of(job))
            for name in job.preload:  # meanwhile, in this process
                importlib.import_module(name)
            zygote.wait_ready()
            launcher = zygote
        else:
            launcher = SpawnLauncher(settings_of(job))
        self.judge = Judge(job, launcher)

        def close() -> None:
            self.judge.pool.close()
            launcher.close()

        self.judge.close_standalone = close  # type: ignore[attr-defined]

    @staticmethod
    def _exercise(course: Any, places: list[Path]) -> Any:
        for exercise in course.exercises:
            folder = exercise.folder("graders").resolve()
            if any(place == folder or folder in place.parents for place in places):
                return exercise
        raise pytest.UsageError("--submission needs the graders of one exercise: pytest graders/exNN_name ...")
