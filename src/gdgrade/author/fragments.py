"""The pieces of a reference's code that must not turn up in what students read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

MIN_CODE = 8  # shorter pieces of code, such as `x + 1`, are nobody's secret


def bodies(tree: ast.Module) -> Iterator[str]:
    """Statements of a module's functions that say something: no docstrings, definitions, imports or raises."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for statement in ast.walk(node):
                if isinstance(statement, ast.Assign | ast.AugAssign | ast.Return):
                    text = ast.unparse(statement)
                    if len(squeezed(text)) >= 2 * MIN_CODE:
                        yield text


def pieces(tree: ast.Module) -> Iterator[str]:
    """Right-hand sides and results of a module's functions, as text."""
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Assign | ast.AugAssign | ast.Return) else None
        if value is not None and not isinstance(value, ast.Constant | ast.Name):
            text = ast.unparse(value)
            if len(squeezed(text)) >= MIN_CODE:
                yield text


def squeezed(text: str) -> str:
    """Text without white space."""
    return re.sub(r"\s+", "", text)


def gifts(reference: ast.Module, stub: ast.Module) -> set[str]:
    """Names of the reference's functions that the stub gives away whole."""
    given = {_code(node) for node in stub.body if isinstance(node, ast.FunctionDef)}
    return {node.name for node in reference.body if isinstance(node, ast.FunctionDef) and _code(node) in given}


def without_gifts(reference: ast.Module, stub: ast.Module) -> ast.Module:
    """The reference without the functions that the stub gives away whole."""
    given = gifts(reference, stub)
    kept = [node for node in reference.body if not (isinstance(node, ast.FunctionDef) and node.name in given)]
    return ast.Module(body=kept, type_ignores=[])


def _code(function: ast.FunctionDef) -> str:
    """A function without its docstring and annotations, as text; the body of a function to write raises."""
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    names = [argument.arg for argument in function.args.args]
    return f"{function.name}{names}" + "".join(map(ast.dump, body))
