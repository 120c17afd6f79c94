"""Is a surviving mutant the same function in other words? Bitwise equality on many draws is the proof that is asked.

Two kinds of draws, since the checks' own inputs alone would prove only that the checks see nothing:

* every check again with other seeds, reference and mutant side by side: all that was seen must be equal bit by bit;
* the calls that checks made with plain data, on inputs that no check draws: arrays rescaled, negated, cut shorter,
  with repeated and zero entries, numbers moved, optional arguments left out. Both raise, or both give the same bits.
"""

from __future__ import annotations

import random
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from gdgrade.author.lab import Case, Lab, TooLong, limited
from gdgrade.judge.context import float64_default
from gdgrade.judge.diagnosis import Rerun, reachable
from gdgrade.judge.plugin import Judge
from gdgrade.judge.shipping import RemoteObject
from gdgrade.judge.student import Notebook, Student
from gdgrade.wire.values import Opaque
from gdgrade.worker.loading import load_source

CALLS = 12  # plain calls kept per function
CALL_SECONDS = 2.0


class EquivalenceLab(Lab):
    """Options: `mutants`: (name, source, changed function); `seeds`, of the checks; `variants`, of each plain call.

    The result: for each mutant's name how many runs were `equal`, and where the first `difference` was. Without a run
    that could be compared nothing is proven: then `difference` says so, and `trainings` names the checks that would
    have to train for it.
    """

    def __init__(self, judge: Judge, wanted: Mapping[str, Any]) -> None:
        super().__init__(judge, wanted)
        self._calls: dict[str, list[tuple[Any, Any]]] = {}
        self._known: dict[tuple[str, int], Any] = {}
        self._known_calls: dict[str, Any] = {}
        self._watch()

    def _watch(self) -> None:
        lab, call = self, Student._call

        def record(student: Student, path: Any, label: str, args: Any, kwargs: Any, collect: bool = False) -> Any:
            kept = lab._calls.setdefault(path[1], []) if path[0] == "name" else []
            if path[0] == "name" and len(kept) < CALLS and not _holds_objects((args, kwargs)):
                kept.append((_copied(args), _copied(kwargs)))
            return call(student, path, label, args, kwargs, collect)

        Student._call = record  # type: ignore[assignment, method-assign] # a process of its own

    def result(self) -> dict[str, Any]:
        calls, self._calls = {name: list(kept) for name, kept in self._calls.items()}, {}
        found: dict[str, Any] = {}
        for name, source, function in self.wanted["mutants"]:
            try:
                module = load_source(source, f"gdgrade_mutant_{len(found)}", "mutant.py")
                touched = {short: kept for short, kept in calls.items() if function in reachable(self.module, {short})}
                found[name] = self._compare(module, function, touched)
            except Exception as error:
                found[name] = {"equal": 0, "difference": f"it does not load: {type(error).__name__}"}
        return {"mutants": found}

    def _compare(self, mutant: types.ModuleType, function: str, calls: Mapping[str, list[Any]]) -> dict[str, Any]:
        """Compare where the changed function can be reached; elsewhere the two are the same text."""
        equal = 0
        for case, rerun in self.runnable():
            if case.mark.training or not self._reaches(case, function):
                continue
            for seed in range(int(self.wanted["seeds"])):
                same = self._same_check(case, rerun, mutant, self.job.public_seed + 1 + seed)
                if same is False:
                    return {"equal": equal, "difference": f"{case.short} sees another value with seed {seed + 1}"}
                equal += same is True
        for name, kept in calls.items():
            if not hasattr(self.module, name):
                continue
            for number, (args, kwargs) in enumerate(kept):
                for variant in range(int(self.wanted["variants"])):
                    same = self._same_call(mutant, name, args, kwargs, f"{name} {number} {variant}")
                    if same is False:
                        return {"equal": equal, "difference": f"{name} differs on an input that no check draws"}
                    equal += same is True
        if equal:
            return {"equal": equal, "difference": ""}
        trainings = [
            short
            for short, case in self.cases.items()
            if case.mark.training and function in reachable(self.module, case.mentions & vars(self.module).keys())
        ]
        return {"equal": 0, "difference": "no check reaches it", "trainings": trainings}

    def _reaches(self, case: Case, function: str) -> bool:
        named = {name for name in case.names if hasattr(self.module, name)}
        if function in reachable(self.module, named):
            return True
        by_shipped_code = named != case.names  # or by methods: names do not tell where that leads
        return by_shipped_code and not (case.entered is not None and case.entered.rule_out(function))

    def _same_check(self, case: Case, rerun: Rerun, mutant: types.ModuleType, seed: int) -> bool | None:
        """Whether the mutant shows the reference's bits; None, where these change by themselves."""
        again = self.reseeded(case, rerun, seed)
        if (case.short, seed) not in self._known:
            first, second = (_bits_of_run(*self.rerun(case.short, again, self.module)) for _ in range(2))
            self._known[case.short, seed] = first if first == second else None
        known = self._known[case.short, seed]
        return None if known is None else known == _bits_of_run(*self.rerun(case.short, again, mutant, 3.0))

    def _same_call(self, mutant: types.ModuleType, name: str, args: Any, kwargs: Any, label: str) -> bool | None:
        """Whether the mutant gives the reference's bits; None, where nothing can be said."""
        if label not in self._known_calls:
            known = self._called(self.module, name, args, kwargs, label)
            plain = label.endswith(" 0")  # one call in all variants shows whether the bits change by themselves
            stable = not plain or known == self._called(self.module, name, args, kwargs, label)
            finished = known != TooLong.__name__  # where the reference takes too long, nothing can be said
            self._known_calls[label] = known if stable and finished else None
        known = self._known_calls[label]
        return None if known is None else known == self._called(mutant, name, args, kwargs, label, 3 * CALL_SECONDS)

    def _called(
        self, module: types.ModuleType, name: str, args: Any, kwargs: Any, label: str, seconds: float = CALL_SECONDS
    ) -> Any:
        """Bits of the result of one call on varied inputs, or the name of the error."""
        rng = random.Random(label)  # noqa: S311 - the same inputs for reference and mutant
        if not label.endswith(" 0"):
            args, kwargs = _varied(args, rng), _varied(kwargs, rng)
        self._seed(len(label))
        try:
            with float64_default(self.job.library), limited(seconds):
                return _bits(getattr(module, name)(*_copied(args), **_copied(kwargs)))
        except (Exception, TooLong) as error:
            return type(error).__name__

    def _seed(self, number: int) -> None:
        np.random.seed(number)  # noqa: NPY002 - the reference may draw from the global generator
        if self.job.library == "torch":
            import torch

            torch.manual_seed(number)


def _varied(value: Any, rng: random.Random) -> Any:
    """Nested arguments of the same kind with other values."""
    if isinstance(value, list | tuple):
        return type(value)(_varied(item, rng) for item in value)
    if isinstance(value, dict):
        return {key: _varied(item, rng) for key, item in value.items() if not (item is None and rng.random() < 0.5)}
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return max(0, value + rng.choice((-1, 0, 1, 2)))
    if isinstance(value, float):
        return value * rng.choice((0.1, 0.5, 1.0, 1.7, 10.0))
    if _is_float_array(value):
        return _varied_array(value, rng)
    return value


def _varied_array(array: Any, rng: random.Random) -> Any:
    """Another scale or sign, or special entries; the shape stays, for arguments must fit each other."""
    way = rng.randrange(8)
    if way == 7 and hasattr(array, "requires_grad_"):  # a result cut off from autograd shows
        return array.detach().clone().requires_grad_(True)
    if way == 0:
        return array * 10.0 ** rng.randint(-3, 3)
    if way == 1:
        return -array
    if way == 2:
        return array * 0
    if way == 3:
        return array + 1.0
    if way == 4 and array.ndim:
        return array[[0] * len(array)] if len(array) else array
    if way == 5 and array.ndim:
        return array[list(reversed(range(len(array))))]
    return abs(array)


def _copied(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_copied(item) for item in value)
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if hasattr(value, "detach"):
        return value.detach().clone().requires_grad_(value.requires_grad) if hasattr(value, "clone") else value
    return value.copy() if isinstance(value, np.ndarray) else value


def _holds_objects(value: Any) -> bool:
    """Whether there is something in it that belongs to one run of a check."""
    if isinstance(value, list | tuple):
        return any(map(_holds_objects, value))
    if isinstance(value, dict):
        return _holds_objects(list(value.values()))
    return isinstance(value, RemoteObject) or type(value).__name__ == "Generator"


def _is_float_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype") and "float" in str(value.dtype)


def _bits_of_run(notebook: Notebook, error: BaseException | None) -> Any:
    entries = (*notebook.seen, *notebook.features)
    return str(error), [(entry.name, entry.dtype, entry.error.split(":")[0], _bits(entry.value)) for entry in entries]


def _bits(value: Any) -> Any:
    """Nested values with each array as its type, shape and bytes."""
    if isinstance(value, list | tuple):
        return [_bits(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _bits(item) for key, item in value.items()}
    if isinstance(value, RemoteObject | Opaque):
        return type(value).__name__
    if hasattr(value, "detach") and hasattr(value, "requires_grad"):
        grad = bool(value.requires_grad)
        return (str(value.dtype), tuple(value.shape), grad, value.detach().cpu().numpy().tobytes())
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.shape, value.tobytes())
    if isinstance(value, bool | int | float | str | complex | type(None)):
        return repr(value)
    return type(value).__name__
