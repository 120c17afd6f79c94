"""Small changes of a syntax tree, each a slip that a student could make.

An operator is a generator: it looks at one node and yields (what was done, changed copy) pairs. It never changes the
node it was given.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any

Change = tuple[str, ast.AST]
Operator = Callable[[Any], Iterator[Change]]

_ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.FloorDiv,),
}
_COMPARISON: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_METHODS = {
    "sum": ("mean",), "mean": ("sum",), "max": ("min",), "min": ("max",), "amax": ("amin",), "amin": ("amax",),
    "argmax": ("argmin",), "argmin": ("argmax",), "logsumexp": ("logcumsumexp",), "softmax": ("log_softmax",),
    "cumsum": ("cumprod",), "cumprod": ("cumsum",), "exp": ("expm1",), "log": ("log1p",), "sin": ("cos",),
    "cos": ("sin",),
    "ones_like": ("zeros_like",), "zeros_like": ("ones_like",), "ones": ("zeros",), "zeros": ("ones",),
    "randn_like": ("rand_like",), "rand_like": ("randn_like",), "randn": ("rand",), "rand": ("randn",),
    "var": ("std",), "std": ("var",), "eigh": (), "normal": ("uniform",),
}  # fmt: skip
_DROPPED = (
    "square",
    "sqrt",
    "exp",
    "log",
    "abs",
    "detach",
    "clamp",
    "clip",
    "sigmoid",
    "tanh",
    "softplus",
    "relu",
    "T",
)
_PLAIN = ("item", "tolist", "numpy", "float", "int", "bool", "len", "str", "list", "tuple", "dict", "sorted")
SCALED = "a hundredth more"
_AXES = ("dim", "axis")


def arithmetic(node: ast.BinOp) -> Iterator[Change]:
    """Another operator, or one of the two terms left out."""
    for other in _ARITHMETIC.get(type(node.op), ()):
        yield "operator changed", _with(node, op=other())
    if isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.MatMult):
        yield "right term missing", copy.deepcopy(node.left)
    if isinstance(node.op, ast.Add | ast.Mult | ast.MatMult):
        yield "left term missing", copy.deepcopy(node.right)
    if isinstance(node.op, ast.Sub):
        yield "left term missing", ast.UnaryOp(ast.USub(), copy.deepcopy(node.right))
    if isinstance(node.op, ast.Div):
        yield "divisor missing", copy.deepcopy(node.left)
    if isinstance(node.op, ast.Pow):
        yield "power missing", copy.deepcopy(node.left)
    if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult | ast.Pow):
        yield "operands swapped", _with(node, left=node.right, right=node.left)


def augmented(node: ast.AugAssign) -> Iterator[Change]:
    """`+=` and the like with another operator, or as a plain assignment."""
    for other in _ARITHMETIC.get(type(node.op), ()):
        yield "operator changed", _with(node, op=other())
    yield "accumulation dropped", ast.Assign([copy.deepcopy(node.target)], copy.deepcopy(node.value))


def sign(node: ast.UnaryOp) -> Iterator[Change]:
    """A minus or a `not` left out."""
    if isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield "minus missing", copy.deepcopy(node.operand)
    if isinstance(node.op, ast.Not):
        yield "negation missing", copy.deepcopy(node.operand)


def constant(node: ast.Constant) -> Iterator[Change]:
    """A number that is a little other: doubled, negated, one more or less."""
    value = node.value
    if isinstance(value, bool):
        yield f"{not value} for {value}", ast.Constant(not value)
    elif isinstance(value, int):
        for other in (value + 1, value - 1):
            yield f"{other} for {value}", ast.Constant(other)
    elif isinstance(value, float):
        for other_float in (2 * value, -value) if value else (1.0,):
            yield f"{other_float:g} for {value:g}", ast.Constant(other_float)


def comparison(node: ast.Compare) -> Iterator[Change]:
    """The border moved, or the direction turned."""
    for other in _COMPARISON.get(type(node.ops[0]), ()):
        yield "comparison changed", _with(node, ops=[other(), *node.ops[1:]])


def logic(node: ast.BoolOp) -> Iterator[Change]:
    """`and` for `or`, `or` for `and`."""
    yield "and / or exchanged", _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())


def call(node: ast.Call) -> Iterator[Change]:
    """Another reduction or axis, a square or root or detach dropped or added, arguments swapped, ranges off by one."""
    name = _called(node)
    for other in _METHODS.get(name, ()):
        yield f"{other} for {name}", _renamed(node, other)
    inner = node.func.value if isinstance(node.func, ast.Attribute) else None
    is_library = isinstance(inner, ast.Name) and inner.id in ("torch", "np", "numpy", "math", "F")
    if name in _DROPPED:
        if is_library and node.args:
            yield f"{name} dropped", copy.deepcopy(node.args[0])
        elif inner is not None and not is_library:
            yield f"{name} dropped", copy.deepcopy(inner)
    if len(node.args) >= 2 and not any(isinstance(arg, ast.Starred) for arg in node.args):
        for at in range(len(node.args) - 1):
            if ast.dump(node.args[at]) != ast.dump(node.args[at + 1]):
                args = list(node.args)
                args[at], args[at + 1] = args[at + 1], args[at]
                yield "arguments swapped", _with(node, args=args)
    if name == "range" and node.args:
        end = 0 if len(node.args) == 1 else 1
        for change in (1, -1):
            args = list(node.args)
            args[end] = ast.BinOp(copy.deepcopy(args[end]), ast.Add(), ast.Constant(change))
            yield f"range {change:+d}", _with(node, args=args)
    for number, keyword in enumerate(node.keywords):
        if keyword.arg in _AXES:
            keywords = [entry for at, entry in enumerate(node.keywords) if at != number]
            yield f"{keyword.arg} missing", _with(node, keywords=keywords)
        if keyword.arg in ("correction", "unbiased", "keepdim", "keepdims", "create_graph"):
            keywords = [entry for at, entry in enumerate(node.keywords) if at != number]
            yield f"{keyword.arg} missing", _with(node, keywords=keywords)


def graph(node: ast.Return) -> Iterator[Change]:
    """A result cut off from autograd, unless it is plain Python by its looks."""
    plain = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.IfExp, ast.ListComp, ast.DictComp, ast.SetComp,
             ast.GeneratorExp, ast.JoinedStr, ast.Lambda)  # fmt: skip
    if node.value is None or isinstance(node.value, plain) or _called(node.value) in _PLAIN:
        return
    yield "detach added", _with(node, value=ast.Call(ast.Attribute(node.value, "detach", ast.Load()), [], []))


def result(node: ast.Return) -> Iterator[Change]:
    """A result cut off from autograd, or a computed one that is a hundredth too large."""
    yield from graph(node)
    if isinstance(node.value, ast.BinOp):  # what a name or a call stands for may be no number
        yield SCALED, _with(node, value=ast.BinOp(node.value, ast.Mult(), ast.Constant(1.01)))


def context(node: ast.With) -> Iterator[Change]:
    """`with torch.no_grad()` or `enable_grad()` left out, or the one for the other."""
    names = [_called(item.context_expr) for item in node.items if isinstance(item.context_expr, ast.Call)]
    if len(node.items) == 1 and names and names[0] in ("no_grad", "enable_grad", "inference_mode"):
        yield f"{names[0]} removed", ast.If(ast.Constant(True), copy.deepcopy(node.body), [])
        other = "enable_grad" if names[0] != "enable_grad" else "no_grad"
        item = ast.withitem(_renamed(node.items[0].context_expr, other), None)
        yield f"{other} for {names[0]}", _with(node, items=[item])


def conditional(node: ast.IfExp) -> Iterator[Change]:
    """Always the one branch, or always the other."""
    yield "always the first case", copy.deepcopy(node.body)
    yield "always the other case", copy.deepcopy(node.orelse)


def subscript(node: ast.Subscript) -> Iterator[Change]:
    """`[:, None]` for `[None, :]` and back."""
    if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
        first, second = node.slice.elts
        if ast.dump(first) != ast.dump(second):
            yield "indices swapped", _with(node, slice=ast.Tuple([second, first], ast.Load()))


OPERATORS: dict[type[ast.AST], Operator] = {
    ast.BinOp: arithmetic,
    ast.AugAssign: augmented,
    ast.UnaryOp: sign,
    ast.Constant: constant,
    ast.Compare: comparison,
    ast.BoolOp: logic,
    ast.Call: call,
    ast.Return: result,
    ast.With: context,
    ast.IfExp: conditional,
    ast.Subscript: subscript,
}


def _with(node: Any, **fields: Any) -> Any:
    made = copy.deepcopy(node)
    for name, value in fields.items():
        setattr(made, name, copy.deepcopy(value))
    return made


def _called(node: ast.AST) -> str:
    """The last name of what is called: "sum" of `x.square().sum(1)`."""
    function = getattr(node, "func", None)
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _renamed(node: Any, name: str) -> Any:
    made = copy.deepcopy(node)
    if isinstance(made.func, ast.Attribute):
        made.func.attr = name
    else:
        made.func.id = name
    return made
