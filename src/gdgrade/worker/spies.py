"""Recorders: what the judge's callables were called with inside the worker."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MAX_CALLS = 5000
MAX_BYTES = 64 << 20


@dataclass
class SpyLog:
    """Calls of one recorded callable: their number, and the first of them with copies of their arguments."""

    count: int = 0
    calls: list[dict[str, Any]] = field(default_factory=list)
    weight: int = 0

    def note(self, args: tuple[Any, ...], kwargs: dict[str, Any], training: bool | None) -> None:
        self.count += 1
        if len(self.calls) >= MAX_CALLS or self.weight >= MAX_BYTES:
            return
        torch = sys.modules.get("torch")
        entry = {
            "args": [self._copy(torch, item) for item in args],
            "kwargs": {key: self._copy(torch, item) for key, item in kwargs.items()},
            "training": training,
            "grad": bool(torch.is_grad_enabled()) if torch is not None else None,
        }
        self.calls.append(entry)

    def _copy(self, torch: Any, value: Any) -> Any:
        if torch is not None and isinstance(value, torch.Tensor):
            value = value.detach()
            # Inside vmap a tensor has no storage of its own; its shape is all that can be told.
            if torch._C._functorch.is_functorch_wrapped_tensor(value):
                return f"a tensor of shape {tuple(value.shape)} inside a torch.func transform"
            value = value.clone()
            self.weight += value.element_size() * value.nelement()
            return value
        if isinstance(value, np.ndarray):
            self.weight += value.nbytes
            return value.copy()
        return value


def spy_on(target: Any, log: SpyLog) -> Any:
    """`target` with its calls noted in `log`: a wrapped function, or the module itself with a hook."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(target, torch.nn.Module):

        def hook(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            log.note(args, kwargs, bool(module.training))

        target.register_forward_pre_hook(hook, with_kwargs=True)
        return target
    return _wrap(target, log)


def _wrap(function: Callable[..., Any], log: SpyLog) -> Callable[..., Any]:
    def recorded(*args: Any, **kwargs: Any) -> Any:
        log.note(args, kwargs, None)
        return function(*args, **kwargs)

    try:
        return functools.wraps(function)(recorded)
    except (AttributeError, TypeError):
        return recorded
