"""What nbgrader must be told, as code for `nbgrader_config.py`; and that file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

CONFIG = "nbgrader_config.py"
_HERE = "gdgrade.nbgrader.preprocessors."
_THEIRS = "nbgrader.preprocessors."
# nbgrader's own steps (0.9), for a configuration that has no list of its own; ours are put among them below.
SANITIZE = ("ClearOutput", "DeduplicateIds", "OverwriteKernelspec", "OverwriteCells", "CheckCellMetadata")
AUTOGRADE = ("Execute", "IgnorePattern", "ClearMetadataPreprocessor", "LimitOutput", "SaveAutoGrades",
             "AssignLatePenalties", "CheckCellMetadata")  # fmt: skip
_REPLACED = {"Execute": _HERE + "JudgeNotebook", "SaveAutoGrades": _HERE + "SaveVerdicts"}


def configure(c: Any, *, course: str | Path, confine: str = "strict") -> None:
    """Let nbgrader's autograde judge by gdgrade.

    In place of nbgrader's `Execute`, which runs a notebook in a kernel, stands a step that has the hand-in judged in a
    confined worker; `SaveAutoGrades` is replaced too, and the late policy is the course's unless there is a plugin
    already. Lists that were configured before keep everything else.

    Args:
        c: nbgrader's configuration, `get_config()`.
        course: the folder of `course.yml`, or that file.
        confine: how to confine students' code: strict refuses when a layer is missing; or best, or none.

    Example:
        c = get_config()
        configure(c, course="/srv/gda-genai")
    """
    sanitize = _configured(c.Autograde, "sanitize_preprocessors") or [_THEIRS + name for name in SANITIZE]
    autograde = _configured(c.Autograde, "autograde_preprocessors") or [_full(name) for name in AUTOGRADE]
    mend = _HERE + "MendNotebook"
    c.Autograde.sanitize_preprocessors = [mend, *(step for step in sanitize if step != mend)]
    c.Autograde.autograde_preprocessors = [_REPLACED.get(_name(step), step) for step in autograde]
    if "plugin_class" not in c.AssignLatePenalties:
        c.AssignLatePenalties.plugin_class = _HERE + "LatePolicy"
    c.GdgradeStep.course_path = str(course)
    c.JudgeNotebook.confine = confine


def _configured(section: Any, name: str) -> list[Any]:
    value = section.get(name) if name in section else None
    return list(value) if isinstance(value, list | tuple) else []


def _full(name: str) -> str:
    return f"nbconvert.preprocessors.{name}" if name.startswith("ClearMetadata") else _THEIRS + name


def _name(step: Any) -> str:
    return step.rsplit(".", 1)[-1] if isinstance(step, str) else getattr(step, "__name__", "")


def config_text(course: Path, course_id: str) -> str:
    """The text of a new `nbgrader_config.py`."""
    return f'''\
"""Configuration of nbgrader for the course {course_id}; written by `gdgrade nbgrader init`."""

from gdgrade.nbgrader import configure

c = get_config()  # noqa: F821 - nbgrader provides it
c.CourseDirectory.course_id = {course_id!r}

{merge_line(course)}
'''


def merge_line(course: Path) -> str:
    """The line that a configuration must have for `nbgrader autograde` to judge by gdgrade."""
    return f"configure(c, course={str(course)!r})  # hand-ins are judged in gdgrade's worker, never in a kernel"
