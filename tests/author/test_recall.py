"""What mistakes showed is kept for other judges: the same diagnosis as by running them again."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gdgrade.author.cache import Cache
from gdgrade.author.examination import MISTAKE_LAB
from gdgrade.author.runner import Runner, Task
from gdgrade.author.tasks import QUICK, Bench
from gdgrade.author.verdict import Verdict
from gdgrade.course.loading import load_course
from gdgrade.judge.matching import same_run
from gdgrade.judge.recall import keep, recall
from gdgrade.judge.student import Notebook, Observation

CHECK = "moments/mean"


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_a_notebook_comes_back_as_it_was(tmp_path: Path, library: str) -> None:
    """Arrays of all kinds, numbers to the last bit, errors by their type; each check by itself."""
    array = np.random.default_rng(3).normal(size=(4, 5))
    value = torch.from_numpy(array) if library == "torch" else array
    rows = [
        Observation("f", "float64", [value, value.astype(np.float32) if library == "numpy" else value.float()]),
        Observation("g", "float64", {"a": float("nan"), "b": 0.1 + 0.2, "c": (1, "word", None)}),
        Observation("h", "float64", None, "ValueError: no such thing"),
    ]
    plain, observed = Notebook(seen=rows), Notebook(rows, [Observation("share", "", 0.3, rtol=1e-3)])
    keep(tmp_path, {"a/one[x/y]": {"plain": plain, "observed": observed}, "a/two": {}})
    kept = recall(tmp_path, "a/one[x/y]", library)
    assert kept is not None
    assert same_run(plain, kept["plain"])
    assert same_run(observed, kept["observed"])
    assert [entry.rtol for entry in kept["observed"].features] == [1e-3]
    assert kept["observed"].seen == []  # nobody compares it
    assert recall(tmp_path, "a/two", library) == {}
    assert recall(tmp_path, "a/three", library) is None


def test_what_is_there_many_times_is_written_once(tmp_path: Path) -> None:
    """Mistakes show mostly the same arrays; so that a package stays small."""
    array = np.random.default_rng(3).normal(size=10_000)
    runs = {f"wrong_{number}": Notebook(seen=[Observation("f", "", array.copy())]) for number in range(50)}
    keep(tmp_path, {"a/one": runs})
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert array.nbytes < size < 2 * array.nbytes
    kept = recall(tmp_path, "a/one", "numpy")
    assert kept is not None
    assert all(same_run(notebook, kept[name]) for name, notebook in runs.items())


def test_judges_name_mistakes_by_what_is_kept(numpy_course: Path, tmp_path: Path) -> None:
    """With the folder the diagnosis is that of the reruns, and comes from the folder: another content, other names."""
    course = load_course(numpy_course / "course.yml")
    bench = Bench(course, course.exercises[-1])
    wrong = next(entry for entry in bench.planted if not entry.right)
    folder = tmp_path / "kept"

    def mistake_named(recalled: Path | None) -> str | None:
        with Runner(bench.exercise, 1, Cache(None)) as runner:
            outcomes = runner.run([bench.planted_run(wrong, trained=False, recall=recalled)])[0]["outcomes"]
        return next(entry["mistake"] for entry in outcomes if entry["id"].endswith(CHECK))

    with Runner(bench.exercise, 1, Cache(None)) as runner:
        runner.run([bench.lab(MISTAKE_LAB, {"seeds": 1, "recall": str(folder)})])
    assert mistake_named(None) == mistake_named(folder) == wrong.diagnosis
    kept = recall(folder, CHECK, "numpy")
    assert kept is not None
    assert wrong.diagnosis in kept
    keep(folder, {CHECK: {name: notebook for name, notebook in kept.items() if name != wrong.diagnosis}})
    assert mistake_named(folder) is None
    assert mistake_named(tmp_path / "nothing") == wrong.diagnosis  # never tried: run again


def test_where_it_is_kept_does_not_change_the_key(numpy_course: Path, tmp_path: Path) -> None:
    """A verdict of yesterday counts, though its folder is gone."""
    course = load_course(numpy_course / "course.yml")
    bench = Bench(course, course.exercises[-1])
    wrong = next(entry for entry in bench.planted if not entry.right)
    keys = {bench.planted_run(wrong, trained=False, recall=place).key for place in (None, tmp_path, tmp_path / "b")}
    keys |= {bench.planted_run(wrong, trained=True).key}
    assert len(keys) == 2
    labs = {bench.lab(MISTAKE_LAB, {"seeds": 1, **more}).key for more in ({}, {"recall": "a"}, {"recall": "b"})}
    assert len(labs) == 1


@pytest.mark.parametrize("every", [False, True])
def test_a_quick_examination_hands_them_on(
    numpy_course: Path, verdict_on: Callable[..., Verdict], monkeypatch: pytest.MonkeyPatch, every: bool
) -> None:
    """Planted answers come after the mistakes and find what these showed; the full one runs the mistakes again.

    In a full one each check of a planted answer has a worker of its own; in a quick one those of right answers have.
    """
    found, shared, judge = [], [], Runner._judge

    def watched(self: Runner, task: Task) -> dict[str, Any]:
        if task.name.startswith("planted"):
            shared.append((task.name.split()[1].split("_")[0], "shared_worker" in task.job.extra))
            folder = task.job.extra.get("recall")
            found.append(folder is not None and recall(Path(folder), CHECK, "numpy") is not None)
        return judge(self, task)

    monkeypatch.setattr(Runner, "_judge", watched)
    verdict = verdict_on(numpy_course, dataclasses.replace(QUICK, seeds=1, chance=3, mutants=3, junk=1, every=every))
    assert verdict.sound
    assert found
    assert set(found) == {not every}
    assert set(shared) == {("right", False), ("wrong", not every)}
