"""Judge -> worker: the judge's functions by value, and never the reference among them."""

from __future__ import annotations

import io
import sys
import types
from collections.abc import Callable
from typing import Any

import cloudpickle

from gdgrade.failures import CheckFailed, GraderError
from gdgrade.language import _
from gdgrade.wire.values import Encoder, Opaque, Unsendable

SECRET_MODULES = ("gdgrade_reference_", "gdgrade_mistakes_")


class Recorder:
    """A callable that is passed to the student and remembers how it was called inside the worker.

    After the student's call returned, `count` is the number of calls and `calls` the first of them, with copies of
    their arguments as they were at that moment.
    """

    def __init__(self, target: Callable[..., Any]) -> None:
        self.target = target
        self.count = 0
        self.calls: list[Call] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Also callable in the judge, for the reference's turn; such calls are not recorded."""
        return self.target(*args, **kwargs)


class Call:
    """One recorded call: `args`, `kwargs`; `training` for a module (its mode), `grad`: was autograd recording."""

    def __init__(self, args: list[Any], kwargs: dict[str, Any], training: bool | None, grad: bool | None) -> None:
        self.args = args
        self.kwargs = kwargs
        self.training = training
        self.grad = grad

    def __repr__(self) -> str:
        return f"Call(args={self.args!r}, kwargs={self.kwargs!r})"


class RemoteObject:
    """An object that lives in the worker; see `gdgrade.judge.student`."""

    __slots__ = ("_handle", "_kind", "_student", "_type")
    _kind: str
    _type: str
    stays_remote = True  # see gdgrade.compare.excerpts

    @property
    def remote_kind(self) -> str:
        return self._kind

    @property
    def remote_type(self) -> str:
        return self._type


class ModuleSentinel:
    """Stands for the student's module in arguments of `student.run`."""

    def __repr__(self) -> str:
        return "student.module"


class _Shipper(cloudpickle.Pickler):  # type: ignore[misc]
    """cloudpickle that refuses to let the reference or the mistakes out."""

    def persistent_id(self, obj: Any) -> None:
        if isinstance(obj, types.FunctionType | type | types.ModuleType):
            module = obj.__name__ if isinstance(obj, types.ModuleType) else (getattr(obj, "__module__", None) or "")
            if module.startswith(SECRET_MODULES):
                name = getattr(obj, "__qualname__", module)
                raise GraderError(
                    f"this check would ship {name} of {module} to the student's process; "
                    "write an oracle of its own instead"
                )


def ship(function: Any) -> bytes:
    """`function` (or class, or module object) by value.

    Raises:
        GraderError: it reaches the reference, or cannot be pickled.
    """
    file = io.BytesIO()
    try:
        _Shipper(file).dump(function)
    except GraderError:
        raise
    except Exception as error:
        raise GraderError(f"this check passes the student something that cannot be shipped: {error}") from error
    return file.getvalue()


class JudgeEncoder(Encoder):
    """Encodes a judge's arguments: data, functions by value, handles, generators, recorders."""

    def __init__(self) -> None:
        super().__init__(self._judge_special)
        self.spies: dict[int, Recorder] = {}
        self.whole_module = False  # whether the student's module itself is among the values

    def _judge_special(self, encoder: Encoder, value: Any) -> Any:
        if isinstance(value, RemoteObject):
            return {"!": "handle", "id": value._handle}  # type: ignore[attr-defined]
        if isinstance(value, ModuleSentinel):
            self.whole_module = True
            return {"!": "module"}
        if isinstance(value, Recorder):
            number = next((key for key, spy in self.spies.items() if spy is value), len(self.spies))
            self.spies[number] = value
            return {"!": "code", "blob": self.add_blob(ship(value.target)), "spy": number}
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Generator):
            return {"!": "generator", "blob": self.add_blob(value.get_state().numpy().tobytes())}
        if torch is not None and isinstance(value, torch.dtype | torch.device | torch.Size):
            return {"!": "code", "blob": self.add_blob(ship(value))}
        if callable(value):
            return {"!": "code", "blob": self.add_blob(ship(value))}
        if isinstance(value, Opaque):  # the student's own, from an earlier call: no fault of the check
            text = _("an earlier result cannot be used: an array or an ordinary value is due, a {type} came")
            raise CheckFailed(text.format(type=value.type))
        raise Unsendable(f"a {type(value).__name__}")
