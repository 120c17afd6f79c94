"""Gradients through answers of the reference, recorded and played back.

A check may put the reference into a graph of its own and ask `torch.autograd.grad` for the slope. A recorded answer has
no graph behind it. So each answer carries a mark in its graph, and the gradients of whatever depends on a mark are
recorded as well, in order.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

Grad = Callable[..., Any]


@functools.cache
def _mark() -> Any:
    import torch

    class TapeMark(torch.autograd.Function):
        """The identity, under a name that is found in the graph."""

        @staticmethod
        def forward(ctx: Any, value: Any) -> Any:
            return value.view_as(value)

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            return gradients[0]

    return TapeMark


def marked(value: Any) -> Any:
    """A tensor that requires grad, with the mark in its graph."""
    return _mark().apply(value)


def has_mark(outputs: Any) -> bool:
    """Whether some tensor depends on a marked one."""
    todo = [getattr(item, "grad_fn", None) for item in (outputs if isinstance(outputs, list | tuple) else [outputs])]
    seen = set()
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.name() == "TapeMarkBackward":
            return True
        todo.extend(following for following, _ in node.next_functions)
    return False


@contextlib.contextmanager
def intercepted(of_marked: Callable[[Grad, tuple[Any, ...], dict[str, Any]], Any]) -> Iterator[None]:
    """`torch.autograd.grad` of what depends on a mark goes to `of_marked(original, args, kwargs)` inside the block."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    original = torch.autograd.grad

    def grad(*args: Any, **kwargs: Any) -> Any:
        outputs = args[0] if args else kwargs.get("outputs")
        return of_marked(original, args, kwargs) if has_mark(outputs) else original(*args, **kwargs)

    torch.autograd.grad = grad
    try:
        yield
    finally:
        torch.autograd.grad = original
