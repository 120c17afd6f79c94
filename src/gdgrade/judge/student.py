"""The proxy of a student's file: call its functions, build its classes, hold its objects, all from a distance."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from gdgrade.failures import CheckFailed, GraderError, WorkerLost
from gdgrade.judge.channel import Channel, answer_value
from gdgrade.judge.shipping import Call, JudgeEncoder, ModuleSentinel, Recorder, RemoteObject, ship
from gdgrade.language import _
from gdgrade.wire.frames import Frame, Header, WireError
from gdgrade.wire.values import ArrayData, Decoder, Tree, Unsendable, to_library

WHOLE_FILE = "*"
KINDS_OF_THINGS = ("function", "class", "generator", "module", "object")  # as the worker tells them apart


@dataclass
class Observation:
    """One thing that was seen of the student's code during a check, for diagnosis."""

    name: str
    dtype: str
    value: Any = None
    error: str = ""
    rtol: float | None = None


@dataclass
class Notebook:
    """What a check saw: results in order, remarks, arguments that were changed in place.

    Attributes:
        entered: functions, classes and constants of the student's file that were asked for; `WHOLE_FILE` among them
            if anything else of it may have been.
    """

    seen: list[Observation] = field(default_factory=list)
    features: list[Observation] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    entered: set[str] = field(default_factory=set)

    def remark(self, text: str) -> None:
        if text not in self.remarks and len(self.remarks) < 20:
            self.remarks.append(text)


class Student:
    """A student's module behind a channel. Every attribute that is not listed here is a function or class of it.

    Args:
        channel: where the code runs.
        library: "torch" or "numpy": the kind in which arrays come back.
    """

    def __init__(self, channel: Channel, library: str = "torch") -> None:
        self._channel = channel
        self._library = library
        self._dtype = "float64" if library == "torch" else None
        self._seed: int | None = None
        self.notebook = Notebook()
        self.mutated: list[str] = []
        self.module = ModuleSentinel()

    def __getattr__(self, name: str) -> RemoteFunction:
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteFunction(self, ["name", name], name)

    def has(self, name: str) -> bool:
        """Whether the student's file defines `name`."""
        return answer_value(self._send({"op": "has", "name": name}, JudgeEncoder(), name), name) is True

    def value(self, name: str) -> Any:
        """The value of a global of the student's file (a constant, say)."""
        return self._get(["name", name], name)

    def seed(self, number: int) -> None:
        """Seed torch's, numpy's and Python's global generators in the worker, before what is asked next."""
        self._seed = number

    @contextlib.contextmanager
    def dtype(self, name: str) -> Iterator[None]:
        """Another default dtype in the worker, "float32" or "float64", inside a with block."""
        before, self._dtype = self._dtype, name
        try:
            yield
        finally:
            self._dtype = before

    @property
    def default_dtype(self) -> str | None:
        return self._dtype

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Ship the judge's `function` to the worker and call it there; `student.module` and handles are resolved.

        The function must import what it needs, and must not close over anything secret: the student's process can
        read it.
        """
        encoder = JudgeEncoder()
        header = {"op": "run", "code": {"!": "code", "blob": encoder.add_blob(ship(function))}}
        name = getattr(function, "__name__", "function")
        return self._ask(header, encoder, args, kwargs, name)

    # -- plumbing ------------------------------------------------------------------------------------------------

    def _call(self, path: list[Any], label: str, args: Any, kwargs: Any, collect: bool = False) -> Any:
        return self._ask({"op": "call", "fn": path, "collect": collect}, JudgeEncoder(), args, kwargs, label)

    def _get(self, path: list[Any], label: str) -> Any:
        encoder = JudgeEncoder()
        return self._decoded(self._send({"op": "get", "fn": path}, encoder, label), encoder, label)

    def _ask(self, header: Header, encoder: JudgeEncoder, args: Any, kwargs: Any, label: str) -> Any:
        """Ask for a call; `label` is its name among the observations, and in messages if a student knows it."""
        spoken = "" if header["op"] == "run" else label  # a shipped function is the judge's own
        try:
            tree = {
                **header,
                "args": encoder.encode(list(args)),
                "kwargs": encoder.encode(dict(kwargs)),
            }
        except Unsendable as error:
            raise GraderError(f"this check passes the student something that cannot be sent: {error}") from error
        self.mutated = []
        try:
            frame = self._send(tree, encoder, spoken)
            value = self._decoded(frame, encoder, spoken)
        except Exception as error:
            self._note(label, None, type(error).__name__ + ": " + str(error)[:200])
            raise
        mutated = frame.header.get("mutated")
        if isinstance(mutated, list):
            self.mutated = [str(name)[:100] for name in mutated[:20]]
        self._note(label, value, "")
        return value

    def _note(self, label: str, value: Any, error: str) -> None:
        if len(self.notebook.seen) < 2000:
            self.notebook.seen.append(Observation(label, self._dtype or "", value, error))

    def _send(self, header: Header, encoder: JudgeEncoder, label: str) -> Frame:
        path = header.get("fn") or ["", ""]
        if path[0] == "name" or "name" in header:
            self.notebook.entered.add(header.get("name", path[1]))
        if encoder.whole_module:
            self.notebook.entered.add(WHOLE_FILE)
        header = {**header, "dtype": self._dtype}
        if self._seed is not None:  # travels with the first request: one journey less for each check
            header["seed"], self._seed = self._seed, None
        return self._channel.request(header, encoder.blobs, label)

    def _decoded(self, frame: Frame, encoder: JudgeEncoder, label: str) -> Any:
        """The answer's value, rebuilt in the judge; what the recorders heard goes to them."""
        try:
            decoder = Decoder(frame.blobs, self._array, {"handle": self._handle})
            self._report_spies(frame, decoder, encoder)
            return decoder.decode(answer_value(frame, label))
        except WireError as error:
            raise WorkerLost(
                "crash", _("your code sent something that is no answer: {error}").format(error=error), label
            ) from error

    def _array(self, data: ArrayData) -> Any:
        if data.lib != self._library:
            self.notebook.remark(
                _("a {library} array came back where {wanted} was asked for; it was accepted").format(
                    library=data.lib, wanted=self._library
                )
            )
        return to_library(data, self._library)

    def _handle(self, node: dict[str, Any]) -> Any:
        number, kind = node.get("id"), node.get("type")
        if type(number) is not int or not isinstance(kind, str) or len(kind) > 200:
            raise WireError("a handle that is none")
        what = node.get("kind")
        return RemoteThing(self, number, kind, what if isinstance(what, str) and what in KINDS_OF_THINGS else "object")

    def _report_spies(self, frame: Frame, decoder: Decoder, encoder: JudgeEncoder) -> None:
        logs = frame.header.get("spies")
        for number, spy in encoder.spies.items():
            log = logs.get(str(number)) if isinstance(logs, dict) else None
            spy.count, spy.calls = 0, []
            if not isinstance(log, dict) or type(log.get("count")) is not int or not isinstance(log.get("calls"), list):
                continue
            spy.count = log["count"]
            spy.calls = [_call(decoder.decode(tree)) for tree in log["calls"]]


class RemoteFunction:
    """A function or class of the student, callable from the judge."""

    def __init__(self, student: Student, path: list[Any], label: str) -> None:
        self._student = student
        self._path = path
        self._label = label

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._student._call(self._path, self._label, args, kwargs)

    @property
    def student(self) -> Student:
        return self._student

    @property
    def label(self) -> str:
        return self._label

    def __repr__(self) -> str:
        return f"<student's {self._label}>"


class RemoteThing(RemoteObject):
    """An object in the worker. Calling it calls it there; attributes are methods there; `get` fetches a value."""

    __slots__ = ()

    def __init__(self, student: Student, handle: int, type_name: str, kind: str = "object") -> None:
        self._student, self._handle, self._type, self._kind = student, handle, type_name, kind

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._student._call(["handle", self._handle, None], self._type, args, kwargs)

    def __getattr__(self, name: str) -> RemoteFunction:
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteFunction(self._student, ["handle", self._handle, name], f"{self._type}.{name}")

    def __iter__(self) -> Iterator[Any]:
        raise CheckFailed(_("an object of type {type} came where values were due").format(type=self._type))

    def get(self, name: str) -> Any:
        """The value of an attribute: data, or another handle."""
        return self._student._get(["handle", self._handle, name], f"{self._type}.{name}")

    def named_parameters(self) -> list[tuple[str, Any]]:
        """Names and values of a module's parameters."""
        path = ["handle", self._handle, "named_parameters"]
        return [tuple(pair) for pair in self._student._call(path, f"{self._type}.named_parameters", (), {}, True)]

    def set_parameters(self, values: dict[str, Any]) -> None:
        """Overwrite parameters by name, in place, outside autograd."""

        def overwrite(module: Any, new: dict[str, Any]) -> None:
            import torch

            with torch.no_grad():
                for name, parameter in module.named_parameters():
                    if name in new:
                        parameter.data = new[name].to(parameter.dtype)

        self._student.run(overwrite, self, values)

    def __repr__(self) -> str:
        return f"<student's {self._type} object>"


def _call(decoded: Tree) -> Call:
    """A recorded call from its decoded form; anything else is a broken answer."""
    if not isinstance(decoded, dict) or not isinstance(decoded.get("args"), list):
        raise WireError("a record of a call that is none")
    kwargs = decoded.get("kwargs")
    training, grad = decoded.get("training"), decoded.get("grad")
    return Call(
        decoded["args"],
        kwargs if isinstance(kwargs, dict) else {},
        training if isinstance(training, bool) else None,
        grad if isinstance(grad, bool) else None,
    )


def recorder(function: Callable[..., Any]) -> Recorder:
    """`function` in a form that remembers how the student's code called it.

    Hand it to the student in the function's place and read it after the call; the next call begins anew::

        spy = recorder(model)
        student.sample(spy, x, 3)
        require(spy.count == 3, "the model is called once for each step")
        x, t = spy.calls[0].args

    `count` is the number of calls. `calls` are the first of them, in order; each has `args` (a list) and `kwargs` (a
    dict), with copies of the values as they were at that moment, `grad` (was autograd recording?) and, where the
    function is a torch module, `training` (its mode). Calls of the reference in the judge are not recorded.
    """
    return Recorder(function)
