"""Gradescope: `results.json` of one report, and the zip of an autograder that makes it.

The format: https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gdgrade.course.manifest import Course, Exercise
from gdgrade.report.model import CheckResult, Report
from gdgrade.report.wording import heading, remark_sentences, total_sentence

_LEFT_OUT = ("__pycache__", ".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", "out")

_SETUP = """\
#!/usr/bin/env bash
# Gradescope runs this once, when it builds the image.
set -euo pipefail
apt-get update && apt-get install -y --no-install-recommends python3-venv
python3 -m venv /autograder/venv
/autograder/venv/bin/python -m pip install -c /autograder/source/engine/constraints.txt \\
    --extra-index-url https://download.pytorch.org/whl/cpu /autograder/source/engine
"""

_RUN = """\
#!/usr/bin/env bash
# Gradescope runs this for each submission.
set -uo pipefail
export GDGRADE_COURSE=/autograder/source/course
[ ! -f /autograder/source/seed.secret ] || export GDGRADE_SECRET_FILE=/autograder/source/seed.secret
/autograder/venv/bin/gdgrade gradescope grade {exercise} /autograder/submission /autograder/results/results.json
"""


def results(report: Report) -> dict[str, Any]:
    """The content of `results.json`. Lateness is Gradescope's own business, so the late policy is not applied.

    Hidden checks appear with their title only. A check that could not be judged has no score; the sum counts the rest.
    """
    shown = report.redacted()
    undecided = any(check.undecided for check in shown.checks)
    found: dict[str, Any] = {
        "output": "\n".join([total_sentence(shown), *remark_sentences(shown)]),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(number, check) for number, check in enumerate(shown.checks, start=1)],
        "extra_data": {"gdgrade": report.versions.gdgrade, "revision": report.versions.course,
                       "sha256": report.submission.sha256},
    }  # fmt: skip
    if undecided:
        found["output"] += "\nThe grader or the machine could not judge everything; a person looks at it."
    found["score"] = round(shown.totals.points + shown.totals.bonus, 6)
    if shown.timings.seconds is not None:
        found["execution_time"] = round(shown.timings.seconds)
    return found


def _test(number: int, check: CheckResult) -> dict[str, Any]:
    lines = [check.message] if check.outcome != "passed" and check.message else []
    lines += [f"{word}: {value}" for word, value in (("expected", check.expected), ("got", check.got)) if value]
    lines += [f"Hint: {check.hint}"] if check.hint else []
    test: dict[str, Any] = {
        "name": heading(check), "number": str(number), "output": "\n".join(lines), "output_format": "text",
        "max_score": check.max_points, "visibility": "visible",
    }  # fmt: skip
    if not check.undecided:
        test["score"] = check.points
        test["status"] = "passed" if check.outcome == "passed" else "failed"
    return test


def failure(message: str) -> dict[str, Any]:
    """`results.json` where there is no report: the file cannot be read (a score of 0 would be a verdict)."""
    return {"output": message, "output_format": "text", "visibility": "visible", "tests": []}


def to_json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def build(course: Course, exercise: Exercise, engine: Path, path: Path, secret: bytes | None = None) -> list[str]:
    """Write the autograder's zip; returns the names in it.

    Args:
        engine: folder of this project: what `pip install` needs.
        secret: the secret seed, for hidden checks; students never see the zip.

    Raises:
        FileNotFoundError: the engine's folder holds no pyproject.toml.
    """
    if not (engine / "pyproject.toml").is_file():
        raise FileNotFoundError(f"{engine} holds no pyproject.toml; give the folder of gdgrade's source with --engine")
    names: list[str] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:

        def put(name: str, data: bytes, mode: int = 0o644) -> None:
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))  # no clock: the same content gives the same zip
            info.external_attr, info.compress_type = mode << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
            names.append(name)

        put("setup.sh", _SETUP.encode(), 0o755)
        put("run_autograder", _RUN.format(exercise=exercise.id).encode(), 0o755)
        if secret is not None:
            put("seed.secret", secret, 0o600)
        for name, file in _engine_files(engine):
            put(f"engine/{name}", file.read_bytes())
        put("course/course.yml", course.file.read_bytes())
        for kind in ("exercises", "reference", "graders"):
            folder = course.root / kind / exercise.id
            for file in _files(folder):
                put(f"course/{kind}/{exercise.id}/{file.relative_to(folder)}", file.read_bytes())
        for file in _files(course.root / "data"):
            if file.suffix == ".npz":
                put(f"course/data/{file.relative_to(course.root / 'data')}", file.read_bytes())
    return names


def _engine_files(engine: Path) -> Iterator[tuple[str, Path]]:
    for name in ("pyproject.toml", "constraints.txt", "README.md", "LICENSE"):
        if (engine / name).is_file():
            yield name, engine / name
    for folder in ("src", "data"):
        for file in _files(engine / folder):
            yield str(file.relative_to(engine)), file


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        path for path in folder.rglob("*") if path.is_file() and not any(part in _LEFT_OUT for part in path.parts)
    )
