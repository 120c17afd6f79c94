"""Junk answers: the reference in which one function gives back something that is no answer.

Where a junk value needs a shape it takes the true answer's, so that a check of the shape alone is found out.
"""

from __future__ import annotations

import ast

from gdgrade.sourcecode import python_tree

# What the true answer becomes. `each(change, answer)` applies a change to every array in the answer.
TORCH = {
    "None": "None",
    "NaN": "each(lambda t: torch.full_like(t, float('nan')) if t.is_floating_point() else t + float('nan'), answer)",
    "inf": "each(lambda t: torch.full(t.shape, float('inf')), answer)",
    "empty": "torch.empty(0)",
    "wrong rank": "each(lambda t: t[None, None].repeat(1, 2, *[1] * t.ndim), answer)",
    "wrong dtype": "each(lambda t: torch.ones(t.shape, dtype=torch.bool), answer)",
    "huge": "each(lambda t: torch.full(t.shape, 1e300, dtype=torch.float64), answer)",
    "complex": "each(lambda t: t.detach() * 1j + 1j, answer)",
    "sparse": "each(lambda t: t.detach().reshape(1, -1).to_sparse() * 0, answer)",
    "meta device": "each(lambda t: torch.empty(t.shape, device='meta'), answer)",
    "requires_grad leaf": "each(lambda t: torch.ones(t.shape, requires_grad=True), answer)",
    "text": "'42'",
}
NUMPY = {
    "None": "None",
    "NaN": "each(lambda t: t * float('nan'), answer)",
    "inf": "each(lambda t: np.full(t.shape, float('inf')), answer)",
    "empty": "np.empty(0)",
    "wrong rank": "each(lambda t: np.stack([t, t])[None], answer)",
    "wrong dtype": "each(lambda t: np.full(t.shape, 'x', dtype=object), answer)",
    "huge": "each(lambda t: np.full(t.shape, 1e300), answer)",
    "complex": "each(lambda t: t * 1j + 1j, answer)",
    "structured": "each(lambda t: np.zeros(t.shape, dtype=[('a', float), ('b', int)]), answer)",
    "text": "'42'",
}
_SHARED = ("generator", "recursion")

_TEMPLATE = """

def _junk_of(answer):
    import {imports}

    def each(change, value):
        if isinstance(value, {array}):
            return change(value)
        if isinstance(value, tuple | list) and value:
            return type(value)(each(change, item) for item in value) if type(value) in (tuple, list) else change({one})
        return change({one})

    return {value}


def {name}(*args, _true={name}, **kwargs):
{body}
"""


def kinds(library: str) -> list[str]:
    """Names of the junk answers for a torch or a numpy course."""
    return [*(TORCH if library == "torch" else NUMPY), *_SHARED]


def junk(source: str, function: str, kind: str, library: str) -> str:
    """The reference `source` with junk from one function.

    Args:
        function: a function or class of it; a class becomes a function that gives junk where an object is due.
        kind: one of `kinds(library)`.
    """
    values = TORCH if library == "torch" else NUMPY
    body = "    return _junk_of(_true(*args, **kwargs))"
    if kind == "generator":
        body = "    return (item for item in [_true(*args, **kwargs)])"
    elif kind == "recursion":
        body = f"    return {function}(*args, **kwargs)"
    torch = library == "torch"
    return source + _TEMPLATE.format(
        imports="torch" if torch else "numpy as np",
        array="torch.Tensor" if torch else "np.ndarray",
        one="torch.ones(())" if torch else "np.ones(())",
        value=values.get(kind, "None"),
        name=function,
        body=body,
    )


def public_names(stub: str) -> list[str]:
    """Functions and classes that a stub defines, private ones left out.

    Raises:
        SyntaxError: the stub is not Python.
    """
    nodes = python_tree(stub).body
    return [
        node.name
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
