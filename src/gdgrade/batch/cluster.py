"""The same grading on a Dask cluster: tasks go out, verdicts come back, the client alone writes the store.

The course travels once to each worker, as a plugin that Dask also installs on workers that join later; a submission
travels with its task. A worker that dies gives its tasks back to the scheduler. Needs the extra `[cluster]`.
"""

from __future__ import annotations

import io
import os
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from distributed import Client, WorkerPlugin, as_completed, get_worker

from gdgrade.batch.grading import Judges, Task, checks_digest, grade, judges_for, load
from gdgrade.batch.store import Verdict
from gdgrade.course.loading import load_course
from gdgrade.course.manifest import Course, Exercise
from gdgrade.course.seeds import SECRET_VARIABLE, grading_seed
from gdgrade.judging import Options
from gdgrade.processes.launcher import LaunchError

AHEAD = 3  # tasks per thread that lie ready at the workers
RETRIES = 5  # of a task whose judges went away


class CoursePlugin(WorkerPlugin):
    """The course on a worker, with one pool of judges per exercise, made when first needed."""

    def __init__(self, name: str, packed: bytes, options: Mapping[str, Any], secret: str | None) -> None:
        self.name = name
        self._packed = packed
        self._options = dict(options)
        self._secret = secret

    def setup(self, worker: Any) -> None:
        self._lock = threading.Lock()
        self._judges: dict[str, Judges] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="gdgrade-course-")
        with zipfile.ZipFile(io.BytesIO(self._packed)) as archive:
            archive.extractall(self._folder.name)  # our own archive, from the client
        if self._secret is not None:
            os.environ[SECRET_VARIABLE] = self._secret
        self._course = load_course(Path(self._folder.name) / "course.yml")

    def teardown(self, worker: Any) -> None:
        for judges in self._judges.values():
            judges.close()
        self._folder.cleanup()

    def grade(self, exercise_id: str, kind: str, data: bytes) -> Verdict:
        """Grade one file; judges that are gone are replaced once."""
        exercise, options = self._course.exercise(exercise_id), Options(**self._options)
        submission = load(kind, data, exercise)
        try:
            return grade(self._course, exercise, submission, options, self._for(exercise, options))
        except LaunchError:
            with self._lock:
                gone = self._judges.pop(exercise_id, None)
            if gone is not None:
                gone.close()
            return grade(self._course, exercise, submission, options, self._for(exercise, options))

    def _for(self, exercise: Exercise, options: Options) -> Judges:
        with self._lock:
            if exercise.id not in self._judges:
                self._judges[exercise.id] = judges_for(self._course, exercise, options)
            return self._judges[exercise.id]


def grade_task(name: str, exercise: str, kind: str, data: bytes) -> Verdict:
    """Runs on a worker."""
    plugin = cast(CoursePlugin, get_worker().plugins[name])
    return plugin.grade(exercise, kind, data)


def grade_on_cluster(
    address: str,
    course: Course,
    options: Options,
    tasks: Iterable[Task],
    file: Callable[[str], tuple[str, bytes]],
    keep: Callable[[Task, Verdict], None],
    stop: threading.Event,
) -> None:
    """Send all tasks to a cluster and keep the verdicts as they come.

    Args:
        address: of the scheduler, such as `tcp://head:8786`.
        file: hash -> kind and bytes.
        keep: writes a verdict down.
        stop: when set, nothing new is sent.

    Raises:
        OSError: no scheduler answers there.
        LaunchError: a task failed on every attempt.
    """
    secret = grading_seed(course, os.environ).secret
    text = None if secret is None else secret.decode("utf-8", "surrogateescape")
    digests = "".join(checks_digest(exercise) for exercise in course.exercises)
    name = f"gdgrade-{course.id}-{course.revision}-{abs(hash(digests)):x}"
    todo = list(tasks)
    connect: Any = Client  # distributed is typed in parts only
    with connect(address, timeout="20s", set_as_default=False) as client:
        client.register_plugin(CoursePlugin(name, packed(course), asdict(options), text), name=name)
        flying: dict[Any, Task] = {}
        done: Any = cast(Any, as_completed)(loop=client.loop)
        while todo or flying:
            room = AHEAD * max(1, sum(client.nthreads().values()))
            while todo and len(flying) < room and not stop.is_set():
                task = todo.pop(0)
                future = client.submit(grade_task, name, task.exercise, *file(task.sha256), pure=False, retries=RETRIES)
                flying[future] = task
                done.add(future)
            if not flying:
                return
            future = next(done)
            task = flying.pop(future)
            if future.status != "finished":
                raise LaunchError(f"a task failed on the cluster: {future.exception()}")
            keep(task, future.result())


def packed(course: Course) -> bytes:
    """The course's file, graders, references, stubs and small data as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(course.file, "course.yml")
        folders = [exercise.folder(kind) for exercise in course.exercises for kind in ("graders", "reference")]
        for folder in [*folders, course.root / "data", course.root / "locale"]:
            for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
                if path.is_file() and "__pycache__" not in path.parts:
                    archive.write(path, path.relative_to(course.root))
    return buffer.getvalue()
