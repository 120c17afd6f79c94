"""What is done before workers are forked leaves no trace in them."""

import linecache
import random
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gdgrade import language
from gdgrade.worker import rehearsal
from gdgrade.worker.executor import Executor


def state() -> dict[str, object]:
    """What a request changes for the whole process, or might."""
    return {
        "modules": {name for name in sys.modules if "cloudpickle" not in name},
        "lines": set(linecache.cache),
        "dtype": torch.get_default_dtype(),
        "language": language.language(),
        "threads": len(list(Path("/proc/self/task").iterdir())) if sys.platform == "linux" else 1,
        "grad": torch.is_grad_enabled(),
        "torch": torch.get_rng_state().tolist(),
        "python": random.getstate(),
        "numpy": np.random.get_state()[1].tolist(),  # noqa: NPY002
    }


def test_nothing_of_it_is_left() -> None:
    """Modules, source lines, default type, language, threads and the states of all generators are as before."""
    torch.set_num_threads(1)
    rehearsal.rehearse(times=1)  # what libraries import at their first use stays
    before = state()
    rehearsal.rehearse(times=2)
    after = state()
    assert {name for name in before if before[name] != after[name]} == set()
    assert rehearsal.NAME not in sys.modules


def test_it_says_what_students_files_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """All requests are answered, the broken one with an error of its own: a slip of ours would be silent."""
    answers = []
    execute = Executor.execute

    def noted(self: Executor, frame):  # type: ignore[no-untyped-def]
        answer, blobs = execute(self, frame)
        answers.append((frame.header.get("fn", ["", "load"])[1], answer["ok"], answer.get("error", {}).get("kind")))
        return answer, blobs

    monkeypatch.setattr(Executor, "execute", noted)
    rehearsal.rehearse(times=1)
    assert {name for name, ok, kind in answers if ok} == {
        "load", "step", "several", "Scaled", "moved", "gradients", "Net",
    }  # fmt: skip
    assert [(name, kind) for name, ok, kind in answers if not ok] == [("broken", "exception")]
