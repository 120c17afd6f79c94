"""Figures of a student's own results: drawn in the judge, from numbers that the worker computes.

``graders/exNN/plots.py`` defines ``figures(student, data, draw) -> dict[name, matplotlib Figure]``; `student` is the
same proxy as in checks, so the student's code never meets matplotlib or a file. Where drawing takes a training, a last
parameter ``share=1.0`` says how much of it to do: `gdgrade author check --quick` asks for a twentieth.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cloudpickle

from gdgrade.failures import GraderError, StudentError, WorkerLost
from gdgrade.judge.context import CheckContext, float64_default, running
from gdgrade.judge.draw import Draw, derive_seed
from gdgrade.judge.job import Job
from gdgrade.judge.plugin import data_sets
from gdgrade.judge.student import Student
from gdgrade.judge.workers import WorkerPool
from gdgrade.language import _
from gdgrade.processes.launcher import Launcher
from gdgrade.worker.loading import load_source

DOTS_PER_INCH = 120


def make_figures(job: Job, launcher: Launcher) -> dict[str, Any]:
    """Draw and save all figures of an exercise.

    The job's ``extra["figures"]`` says where: ``{"folder": ..., "formats": ["png", "svg"], "seconds": 600}``.

    Returns:
        ``files``: the paths written; ``problem``: why there are none, with ``cause`` student or grader.
    """
    wanted = job.extra["figures"]
    folder, path = Path(wanted["folder"]), job.graders / "plots.py"
    if not path.is_file():
        return {"files": [], "problem": _("{exercise} has no figures").format(exercise=job.exercise), "cause": "grader"}
    pool = WorkerPool(job, launcher)
    pool.prefetching = False
    sys.path.insert(0, str(job.graders))
    try:
        module = load_source(path.read_text(encoding="utf-8"), f"gdgrade_plots_{job.exercise}", str(path))
        for neighbour in list(sys.modules.values()):
            if (getattr(neighbour, "__file__", None) or "").startswith(str(job.graders)):
                cloudpickle.register_pickle_by_value(neighbour)
        student = Student(pool.for_check(wanted["seconds"], job.memory_mib), job.library)
        seed = derive_seed(job.material("public"), job.exercise, "figures")
        student.seed(seed % 2**32)
        with running(CheckContext()), float64_default(job.library):
            drawn = module.figures(student, data_sets(job), Draw(seed, job.library))
        files = [
            _save(figure, folder / f"{name}.{kind}") for name, figure in drawn.items() for kind in wanted["formats"]
        ]
        return {"files": files}
    except StudentError as error:
        frames = [f"{frame.file}:{frame.line}: {frame.code}" for frame in error.frames[-1:]]
        kind = error.cause if isinstance(error, WorkerLost) else error.kind
        return {"files": [], "problem": ". ".join([str(error), *frames]), "cause": "student", "kind": kind}
    except GraderError as error:
        return {"files": [], "problem": str(error), "cause": "grader"}
    finally:
        pool.close()
        sys.path.remove(str(job.graders))


def _save(figure: Any, path: Path) -> str:
    """Write one figure; SVG without a date, so that the same figure is the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"Date": None} if path.suffix == ".svg" else None
    figure.savefig(path, dpi=DOTS_PER_INCH, bbox_inches="tight", metadata=metadata)
    return str(path)
