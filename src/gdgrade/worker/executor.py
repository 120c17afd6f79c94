"""Answers the judge's requests with the student's code.

A request is a header with ``op`` and a few blobs; the answer is a header with ``ok`` and blobs. The same executor
serves in a confined process behind a socket and, for the reference and the known mistakes, inside the judge.
"""

from __future__ import annotations

import inspect
import pickle
import random
import sys
import time
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from gdgrade.language import _, use
from gdgrade.wire.frames import Frame, Header
from gdgrade.wire.values import ArrayData, Decoder, Encoder, Opaque, Unsendable, to_library
from gdgrade.worker import faults
from gdgrade.worker.capture import CappedText
from gdgrade.worker.loading import load_source
from gdgrade.worker.spies import SpyLog, spy_on
from gdgrade.worker.timing import time_limit

MAX_ANSWER_BYTES = 200 << 20
MAX_COLLECTED = 100_000


class Executor:
    """Holds one student module and the objects it made.

    Args:
        output: where prints are kept, or None when nobody asks for them.
        module: an already loaded module (the reference); otherwise ``load`` is the first request.
    """

    def __init__(self, output: CappedText | None = None, module: types.ModuleType | None = None) -> None:
        self._output = output
        self._module = module
        self._filename = getattr(module, "__file__", None) or ""
        self._objects: dict[int, Any] = {}
        self._spies: dict[int, SpyLog] = {}

    def execute(self, frame: Frame) -> tuple[Header, list[bytes | memoryview]]:
        """The answer to one request. Errors of the student's code become answers with ``ok`` false."""
        self._spies = {}
        start = time.perf_counter()
        encoder = Encoder(self._special)
        answer: Header
        try:
            handler = {
                "call": self._call,
                "run": self._run,
                "get": self._get,
                "has": self._has,
                "load": self._load,
            }[frame.header["op"]]
            with time_limit(frame.header.get("seconds")):
                if "seed" in frame.header:
                    _seed(frame.header["seed"])
                value, extra = handler(frame)
                answer = {"ok": True, "value": encoder.encode(value), **extra}
        except StudentFault as fault:
            encoder = Encoder(self._special)
            answer = {"ok": False, "error": fault.description}
        except Unsendable as error:
            encoder = Encoder(self._special)
            answer = {"ok": False, "error": self._unsendable(str(error))}
        except BaseException as error:
            encoder = Encoder(self._special)
            answer = {"ok": False, "error": faults.describe(error, self._filename)}
        answer["spies"] = self._spy_logs(encoder)
        answer["seconds"] = time.perf_counter() - start
        if self._output is not None:
            answer["output"] = self._output.take()
        if sum(len(blob) for blob in encoder.blobs) > MAX_ANSWER_BYTES:
            return {
                "ok": False,
                "error": self._unsendable(_("more than 200 MB")),
                "spies": {},
                "seconds": 0.0,
            }, []
        return answer, encoder.blobs

    # -- requests ------------------------------------------------------------------------------------------------

    def _load(self, frame: Frame) -> tuple[Any, Header]:
        """Forget everything and execute a new source."""
        header = frame.header
        use(header.get("language", "en"))
        self._filename = header["filename"]
        self._objects = {}
        self._set_dtype("float64" if header.get("torch") else None)
        self._forget_modes()
        self._module = None
        self._module = load_source(frame.blobs[0].decode(), header["name"], self._filename)
        return sorted(key for key in self._module.__dict__ if not key.startswith("__"))[:1000], {}

    def _call(self, frame: Frame) -> tuple[Any, Header]:
        header, decoder = frame.header, self._decoder(frame)
        function = self._target(header["fn"])
        args, kwargs = decoder.decode(header["args"]), decoder.decode(header["kwargs"])
        self._set_dtype(header.get("dtype"))
        fault = faults.signature_fault(function, args, kwargs)
        if fault is not None:
            raise StudentFault(fault)
        before = {**dict(enumerate(args)), **kwargs}
        prints = {key: _prints(value) for key, value in before.items()}
        result = self._collected(function(*args, **kwargs), header)
        changed = [key for key, value in before.items() if prints[key] != _prints(value)]
        return result, {"mutated": [_parameter_name(function, key) for key in changed]}

    def _run(self, frame: Frame) -> tuple[Any, Header]:
        """Call the judge's own function beside the student's code."""
        header, decoder = frame.header, self._decoder(frame)
        function = decoder.decode(header["code"])
        args, kwargs = decoder.decode(header["args"]), decoder.decode(header["kwargs"])
        self._set_dtype(header.get("dtype"))
        try:
            return self._collected(function(*args, **kwargs), header), {}
        except AttributeError as error:
            if self._module is not None and error.obj is self._module and error.name:
                raise StudentFault(_missing(error.name, None, self._module)) from error
            raise

    def _get(self, frame: Frame) -> tuple[Any, Header]:
        self._set_dtype(frame.header.get("dtype"))
        return self._target(frame.header["fn"]), {}

    def _has(self, frame: Frame) -> tuple[Any, Header]:
        return hasattr(self._module, frame.header["name"]), {}

    # -- values --------------------------------------------------------------------------------------------------

    def _target(self, path: list[Any]) -> Any:
        """["name", f] is the student's global f; ["handle", id, attribute or None] an object or its attribute."""
        if path[0] == "handle":
            target = self._objects[path[1]]
            return target if path[2] is None else _attribute(target, path[2], type(target).__name__)
        return _attribute(self._module, path[1], None)

    def _decoder(self, frame: Frame) -> Decoder:
        decoder: Decoder

        def code(node: dict[str, Any]) -> Any:
            function = pickle.loads(decoder.blob(node["blob"]))  # noqa: S301 - judge -> worker: the judge is trusted
            if node.get("spy") is not None:
                log = self._spies.setdefault(node["spy"], SpyLog())
                return spy_on(function, log)
            return function

        def generator(node: dict[str, Any]) -> Any:
            import torch

            made = torch.Generator()
            made.set_state(torch.frombuffer(bytearray(decoder.blob(node["blob"])), dtype=torch.uint8))
            return made

        def array(data: ArrayData) -> Any:
            value = to_library(data, data.lib)
            return value.requires_grad_(True) if data.grad else value

        special = {
            "code": code,
            "generator": generator,
            "handle": lambda node: self._objects[node["id"]],
            "module": lambda node: self._module,
        }
        decoder = Decoder(frame.blobs, array, special)
        return decoder

    def _special(self, encoder: Encoder, value: Any) -> Any:
        """Plain data in disguise is sent as data; anything else stays here and is sent as a handle."""
        if isinstance(value, Opaque):
            return {"!": "opaque", "type": value.type, "why": value.why}
        if isinstance(value, bool | int | float | complex | str):  # subclasses
            for plain in (bool, int, float, complex, str):
                if isinstance(value, plain):
                    return encoder.encode(plain(value))  # type: ignore[arg-type]
        if isinstance(value, tuple | list):
            return encoder.encode((tuple if isinstance(value, tuple) else list)(value), 1)
        if isinstance(value, Mapping):
            return encoder.encode(dict(value.items()), 1)
        if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
            return encoder.encode(tuple(getattr(value, name) for name in value.__dataclass_fields__), 1)
        number = len(self._objects)
        self._objects[number] = value
        return {"!": "handle", "id": number, "type": type(value).__name__[:200], "kind": _kind_of(value)}

    def _collected(self, value: Any, header: Header) -> Any:
        """Iterators are listed when the judge asks for it (named_parameters and the like)."""
        if not header.get("collect"):
            return value
        result = []
        for item in value:
            result.append(item)
            if len(result) > MAX_COLLECTED:
                raise Unsendable(_("more than {count} items").format(count=MAX_COLLECTED))
        return result

    def _spy_logs(self, encoder: Encoder) -> Header:
        logs: Header = {}
        for number, log in self._spies.items():
            try:
                calls = [encoder.encode(call) for call in log.calls]
            except Exception:
                calls = []
            logs[str(number)] = {"count": log.count, "calls": calls}
        return logs

    def _unsendable(self, why: str) -> Header:
        return {
            "kind": "unsendable",
            "type": "",
            "message": _("the answer cannot be read: {why}").format(why=why),
            "frames": [],
        }

    @staticmethod
    def _forget_modes() -> None:
        """A worker that serves several checks begins each as a new one would."""
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.set_grad_enabled(True)

    @staticmethod
    def _set_dtype(name: str | None) -> None:
        torch = sys.modules.get("torch")
        if name is not None and torch is not None:
            torch.set_default_dtype(getattr(torch, name))


class StudentFault(Exception):
    """A fault of the student's code that is already described."""

    def __init__(self, description: dict[str, Any]) -> None:
        super().__init__(description["message"])
        self.description = description


def _seed(number: int) -> None:
    """Seed every global generator that students' code may draw from."""
    random.seed(number)
    np.random.seed(number % 2**32)  # noqa: NPY002
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.default_generator.manual_seed(number)  # torch.manual_seed also looks for graphics cards: 2 ms


def _attribute(target: Any, name: str, owner: str | None) -> Any:
    """An attribute of an object whose type is called `owner`, or of the student's file (None)."""
    try:
        return getattr(target, name)
    except AttributeError as error:
        raise StudentFault(_missing(name, owner, target)) from error


def _kind_of(value: Any) -> str:
    """What kind of thing a value is, for messages about results that are none."""
    torch = sys.modules.get("torch")
    if isinstance(value, type):
        return "class"
    if torch is not None and isinstance(value, torch.nn.Module):
        return "module"
    if isinstance(value, types.GeneratorType):
        return "generator"
    return "function" if inspect.isroutine(value) else "object"


def _missing(name: str, owner: str | None, target: Any) -> dict[str, Any]:
    text = _("{name} is not defined in your file") if owner is None else _("{owner} has no {name}")
    message = text.format(name=name, owner=owner)
    details = {"near": faults.near_name(name, vars(target) if owner is None else dir(target))[:200]}
    return {"kind": "missing", "type": "AttributeError", "message": message, "frames": [], "details": details}


def _prints(value: Any) -> Any:
    """A finger-print of the arrays in an argument, to notice changes in place."""
    torch = sys.modules.get("torch")
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if torch is not None and type(value) is torch.Tensor:
        return (tuple(value.shape), value.detach().numpy().tobytes())
    if isinstance(value, list | tuple):
        return [_prints(item) for item in value]
    if isinstance(value, dict):
        return {key: _prints(item) for key, item in value.items()}
    return None


def _parameter_name(function: Any, key: int | str) -> str:
    """The student's own name of the argument that was passed at `key`."""
    if isinstance(key, str):
        return key
    function = inspect.unwrap(function)  # behind decorators such as torch.no_grad()
    code = getattr(function, "__code__", None) or getattr(getattr(function, "forward", None), "__code__", None)
    if code is None:
        return f"argument {key + 1}"
    names = code.co_varnames[: code.co_argcount]
    offset = 1 if names[:1] == ("self",) else 0
    return str(names[key + offset]) if key + offset < len(names) else f"argument {key + 1}"
