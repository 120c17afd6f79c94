"""Records the tape of an exercise: what its public checks need of the reference and of the mistakes."""

from __future__ import annotations

import contextlib
import copy
import types
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gdgrade.agreement import _cast as cast
from gdgrade.author.lab import Lab, LocalPool
from gdgrade.judge.channel import LocalChannel
from gdgrade.judge.gradients import intercepted, marked
from gdgrade.judge.plugin import Judge
from gdgrade.judge.reference import load_reference, mistaken_reference
from gdgrade.judge.tape import CheckTape, RecordedObject, Tape, digest, write_tape


class TapeLab(Lab):
    """Options: `folder`, where the tape is written. The job names the public checks.

    The result: `recorded`, short names; `failed`, checks that the reference does not pass while it is recorded.
    """

    def __init__(self, judge: Judge, wanted: Mapping[str, Any]) -> None:
        super().__init__(judge, wanted)
        self.tape = Tape(self.job.public_seed)
        self.on = True
        self._depth = 0
        self._hook: Any = None
        module = load_reference(self.job.reference, self.job.exercise, "recorded")
        judge._reference = RecordingReference(self, module)
        judge.pool = _Pool(self, self.module)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        with intercepted(self._gradient):
            return (yield from super().pytest_runtest_call(item))

    def record(self, key: str, value: Any) -> None:
        """Keep a result under a key, for the running check."""
        check = self._check()
        if check is not None:
            check.calls.setdefault(key, []).append(value)

    @property
    def recording(self) -> bool:
        """Not inside the student's or the reference's own code, and not while mistakes are being tried."""
        return self.on and self._depth == 0

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """What happens in the block is no affair of the check."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def result(self) -> dict[str, Any]:
        self.on = False
        for mistake in self.judge.diagnostician.mistakes:
            module = mistaken_reference(self.job.reference, self.job.exercise, mistake)
            for case, rerun in self.runnable():
                if not self.may_matter(mistake, case):
                    continue
                notebook, error = self.rerun(case.short, rerun, module)
                if error is not None:
                    self.tape.checks.setdefault(case.short, CheckTape()).notebooks[mistake.name] = notebook
        self.tape.mistakes = list(self.judge.diagnostician.mistakes)
        for case, _ in self.runnable():
            self.tape.checks.setdefault(case.short, CheckTape())
        write_tape(self.tape, Path(self.wanted["folder"]))
        failed = {case.short: case.error for case in self.cases.values() if case.error}
        return {"recorded": sorted(self.tape.checks), "failed": failed}

    def _check(self) -> CheckTape | None:
        run = self.judge.run
        if run is None or not self.on:
            return None
        return self.tape.checks.setdefault(run.short, CheckTape())

    def _gradient(self, original: Any, args: Any, kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        check = self._check()
        if check is not None and self._depth == 0:
            check.gradients.append(tuple(None if item is None else item.detach() for item in found))
        return found


class _Pool(LocalPool):
    """The reference as the student, told from what the check itself does."""

    def __init__(self, lab: TapeLab, module: types.ModuleType) -> None:
        super().__init__(module)
        self._lab = lab

    def for_check(self, seconds: float, memory_mib: int) -> LocalChannel:
        channel, lab = super().for_check(seconds, memory_mib), self._lab
        request = channel.request

        def inside(*args: Any, **kwargs: Any) -> Any:
            with lab.inside():
                return request(*args, **kwargs)

        channel.request = inside  # type: ignore[method-assign]
        return channel


class RecordingReference:
    """The reference module, with every result written on the tape."""

    def __init__(self, lab: TapeLab, module: types.ModuleType) -> None:
        self._lab, self._module = lab, module

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return attribute(self._lab, self._module, name, name)


class _RecordingCall:
    """A function or an object of the reference."""

    def __init__(self, lab: TapeLab, target: Any, path: str) -> None:
        self._lab, self._target, self._path = lab, target, path
        self._made = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        lab = self._lab
        if not lab.recording:
            return self._target(*_plain(args), **_plain(kwargs))
        key = f"{self._path}({digest((args, kwargs))})"
        again = self._rounded(key, args, kwargs)
        with lab.inside():
            result = self._target(*_plain(args), **_plain(kwargs))
        lab.record(key, _written(result, f"{key}#{self._made}"))
        if again is not None:
            with lab.inside(), contextlib.suppress(Exception):  # then the second chance will not be had either
                lab.record(again.key, _written(again.target(*again.args, **again.kwargs), again.key))
        self._made += 1
        return _wrapped(lab, result, f"{key}#{self._made - 1}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return attribute(self._lab, self._target, name, f"{self._path}.{name}")

    def _rounded(self, key: str, args: Any, kwargs: Any) -> _Call | None:
        """The call at inputs rounded to float32, ready to be made; None where these are the same or no copy can be had.

        `agrees` gives a second chance in float32, for which it asks the reference at the rounded inputs. Made on the
        very objects, this call would change them once more than the check does; so it is made on copies from before.
        """
        less = [cast(cast(value, "float32"), "float64") for value in (list(args), kwargs)]
        rounded = f"{self._path}({digest((tuple(less[0]), less[1]))})"
        if rounded == key:
            return None
        parts = (self._target, _plain(less[0]), _plain(less[1]))
        if not isinstance(self._target, types.FunctionType | type) or _holds_objects(parts[1:]):
            graphs = {id(item): item for item in _leaves(parts[1:]) if getattr(item, "requires_grad", False) is True}
            try:
                parts = copy.deepcopy(parts, graphs)  # together: an object that is there twice stays one
            except Exception:  # a generator, an open file
                return None
        return _Call(rounded, *parts)


@dataclass(frozen=True)
class _Call:
    """A call to be made, and the key of its result on the tape."""

    key: str
    target: Any
    args: Any
    kwargs: Any


def _holds_objects(value: Any) -> bool:
    """Whether nested arguments hold anything but numbers, texts, arrays and plain functions."""
    return any(not _is_data(item) and not isinstance(item, types.FunctionType) for item in _leaves(value))


def _leaves(value: Any) -> list[Any]:
    found: list[Any] = []
    _map(value, lambda item, _: found.append(item), "")
    return found


def attribute(lab: TapeLab, owner: Any, name: str, path: str) -> Any:
    """A function or class as a recording one; a constant is written on the tape as it is."""
    value = getattr(owner, name)
    if callable(value):
        return _RecordingCall(lab, value, path)
    if lab.recording:
        lab.record(f"{path}=", _written(value, path))
    return value


def _is_data(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | complex | str) or hasattr(value, "dtype")


def _map(value: Any, leaf: Callable[[Any, str], Any], path: str) -> Any:
    if isinstance(value, tuple | list):
        items = [_map(item, leaf, f"{path}[{number}]") for number, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, dict):
        return {key: _map(item, leaf, f"{path}[{key}]") for key, item in value.items()}
    return leaf(value, path)


def _written(result: Any, path: str) -> Any:
    """The result as it goes on the tape: objects by name."""
    return _map(result, lambda value, where: value if _is_data(value) else RecordedObject(where), path)


def _wrapped(lab: TapeLab, result: Any, path: str) -> Any:
    """The result as the check gets it: objects keep recording, tensors with a graph carry the mark."""

    def leaf(value: Any, where: str) -> Any:
        if not _is_data(value):
            return _RecordingCall(lab, value, where)
        return marked(value) if getattr(value, "requires_grad", False) else value

    return _map(result, leaf, path) if isinstance(result, tuple | list | dict) else leaf(result, path)


def _plain(value: Any) -> Any:
    """Arguments without recorders, for the reference's own code."""
    return _map(value, lambda item, _: item._target if isinstance(item, _RecordingCall) else item, "")
