"""The reference under the lamp: how often chance fails it, what each check enters, what hidden checks give away."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import io
import math
import sys
import time
import types
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gdgrade.author.lab import PATIENCE, Case, Lab, TooLong, limited
from gdgrade.author.lab_twice import luck
from gdgrade.judge.context import float64_default
from gdgrade.judge.diagnosis import Rerun, reachable
from gdgrade.judge.draw import Draw
from gdgrade.judge.plugin import Judge
from gdgrade.judge.reference import load_reference, slip_of
from gdgrade.judge.student import Student

MIN_RUNS = 3  # of a check, however long one takes
COMMON = 3  # an array in so many public checks is a noise schedule or the like, not an input
MIN_ENTRIES = 4  # an array with fewer different numbers is a constant that anybody could think of
FIGURE_SECONDS = 3600.0  # of CPU time, for all figures of an exercise after the whole training
MIN_FIGURE_SECONDS = 180.0  # after a part of it, however small
PNG = b"\x89PNG"


class ReferenceLab(Lab):
    """Options: `seeds`, how many further seeds the checks are tried on, and `seconds`, for how long each at most;
    `share` of the training that the figures ask for.

    The result: `checks`, one entry per check of the exercise; `revealed`, arrays of hidden checks that a public check
    also hands out; `reach`, the globals of the reference that each check can reach; `figures`.
    """

    def __init__(self, judge: Judge, wanted: Mapping[str, Any]) -> None:
        super().__init__(judge, wanted)
        self._arrays: dict[str, set[str]] = {}
        self._watch()

    def _watch(self) -> None:
        """Note the arrays that each check hands to the student."""
        lab, send = self, Student._ask

        def ask(student: Student, header: Any, encoder: Any, args: Any, kwargs: Any, label: str) -> Any:
            run = lab.judge.run
            if run is not None:
                lab._arrays.setdefault(run.short, set()).update(_prints((args, kwargs)))
            return send(student, header, encoder, args, kwargs, label)

        Student._ask = ask  # type: ignore[assignment, method-assign] # this process judges nobody, and ends after the result

    def result(self) -> dict[str, Any]:
        checks = {short: self._facts(case) for short, case in self.cases.items()}
        module = load_reference(self.job.reference, self.job.exercise, "rates")
        for case, rerun in self.runnable():
            if case.error or case.mark.training:
                continue
            runs, fails, why = self._rate(case, rerun, module)
            checks[case.short] |= {"runs": runs, "fails": fails, "why": why, "luck": luck(self, case, rerun, module)}
        return {
            "checks": checks,
            "unmarked": self.judge.unmarked,
            "revealed": self._revealed(),
            "reach": self._reach(module),
            "figures": self._figures(),
        }

    def _facts(self, case: Case) -> dict[str, Any]:
        mark = case.mark
        fields = ("part", "points", "visibility", "alpha", "training", "seconds", "memory_mib")
        return {name: getattr(mark, name) for name in fields} | {
            "needs": list(mark.needs),
            "described": case.described,
            "calls": sorted(case.names),
            "enters": sorted(case.entered.doors) if case.entered is not None else None,
            "error": case.error,
            "chance": case.chance,
            "runs": 0,
            "fails": 0,
            "why": "",
            "luck": "",
        }

    def _rate(self, case: Case, rerun: Rerun, module: types.ModuleType) -> tuple[int, int, str]:
        """Runs, fails, and why the last one failed."""
        runs, fails, why = 0, 0, ""
        first, seeds = self.job.public_seed + 1, int(self.wanted["seeds"])
        seconds = float(self.wanted.get("seconds") or math.inf)
        deadline, patience = time.process_time() + seconds, time.monotonic() + PATIENCE * seconds
        for seed in range(first, first + seeds):
            _, error = self.rerun(case.short, self.reseeded(case, rerun, seed), module)
            runs += 1
            if error is not None:
                fails, why = fails + 1, f"seed {seed}: {str(error)[:300]}"
            if runs >= MIN_RUNS and (time.process_time() > deadline or time.monotonic() > patience):
                break
        return runs, fails, why

    def _revealed(self) -> list[list[str]]:
        """(hidden check, public check) pairs that hand out the same array."""
        sides: dict[str, list[str]] = {"public": [], "hidden": []}
        for short, case in self.cases.items():
            sides[case.mark.visibility].append(short)
        spread = Counter(array for short in sides["public"] for array in self._arrays.get(short, ()))
        furniture = {array for array, count in spread.items() if count >= COMMON}
        none: set[str] = set()
        return [
            [hidden, public]
            for hidden in sides["hidden"]
            for public in sides["public"]
            if (self._arrays.get(hidden, none) & self._arrays.get(public, none)) - furniture
        ]

    def _reach(self, module: types.ModuleType) -> dict[str, list[str]]:
        """Per check the reference's globals that it can reach."""
        doors = {case.short: case.entered.doors if case.entered else set() for case, _ in self.runnable()}
        return {short: sorted(reachable(module, names)) for short, names in doors.items()}

    def _figures(self) -> dict[str, Any]:
        """Render what graders/EX/plots.py draws; absent file: no figures, no fault."""
        path = self.job.graders / "plots.py"
        if not path.is_file():
            return {"there": False, "names": [], "error": ""}
        try:
            with limited(max(FIGURE_SECONDS * self._share(), MIN_FIGURE_SECONDS)):
                return {"there": True, "names": self._rendered(path), "error": ""}
        except (Exception, SystemExit, TooLong) as error:
            return {"there": True, "names": [], "error": slip_of(error, path.parent)[:400]}

    def _share(self) -> float:
        return float(self.wanted.get("share") or 1.0)

    def _rendered(self, path: Any) -> list[str]:
        import matplotlib as mpl

        mpl.use("agg")
        spec = importlib.util.spec_from_file_location("gdgrade_plots", path)
        assert spec is not None
        assert spec.loader is not None
        plots = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = plots
        spec.loader.exec_module(plots)
        if not callable(getattr(plots, "figures", None)):
            raise TypeError("it defines no function figures(student, data, draw)")
        with float64_default(self.job.library):
            channel: Any = self.judge.pool.for_check(60.0, 1024)
            student = Student(channel, self.job.library)
            draw = Draw(self.job.public_seed, self.job.library)
            # Where drawing trains networks: whether all figures render shows after a part of it.
            trains = "share" in inspect.signature(plots.figures).parameters
            share = {"share": self._share()} if trains else {}
            figures = plots.figures(student, self.judge.data(), draw, **share)
        if not isinstance(figures, Mapping | list | tuple):
            raise TypeError(f"figures returns {type(figures).__name__}, not a dict of figures by their names")
        pairs = figures.items() if isinstance(figures, Mapping) else enumerate(figures)
        names = []
        for name, figure in pairs:
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png")
            if not buffer.getvalue().startswith(PNG):
                raise ValueError(f"figure {name} does not render")
            names.append(str(name))
        return names


def _prints(value: Any) -> Iterator[str]:
    """Finger-prints of the arrays in nested arguments that nobody could guess."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from _prints(item)
    elif isinstance(value, dict):
        yield from _prints(list(value.values()))
    else:
        if hasattr(type(value), "detach"):  # asked of the class: a handle on a student's object has every attribute
            value = value.detach().cpu().numpy()
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            different = np.unique(value[np.isfinite(value)])
            if (different != np.round(different)).sum() >= MIN_ENTRIES:
                yield hashlib.sha256(str(value.shape).encode() + np.ascontiguousarray(value).tobytes()).hexdigest()
