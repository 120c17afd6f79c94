"""What an error of the student's code means, for somebody who has not seen it a hundred times.

An explanation is added to the error's own words. It is found by what torch, numpy and Python say; nothing here runs
or trusts what came from the student's process.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from gdgrade.failures import StudentError
from gdgrade.judge.removed import SWAPPED, removed
from gdgrade.language import _

# Names that are mostly forgotten imports.
IMPORTS = {
    "np": "import numpy as np",
    "torch": "import torch",
    "nn": "from torch import nn",
    "F": "import torch.nn.functional as F",
    "Tensor": "from torch import Tensor",
    "math": "import math",
    "plt": "import matplotlib.pyplot as plt",
}
# Places that are no business of the student's: the grader's, the course's, libraries'.
_INTERNAL = re.compile(
    r"(?:[A-Za-z]:)?(?:[/\\][^\s/\\'\":,;()<>]+)*[/\\]"
    r"(?:gdgrade|graders|reference|site-packages|dist-packages|python3[^\s/\\'\":,;]*)"
    r"(?:[/\\][^\s/\\'\":,;()<>]+)+"
)
_MODULES = re.compile(r"\b(?:gdgrade|graders)(?:\.\w+|_reference_\w+|_mistakes_\w+)+")
_ENFORCE = re.compile(r"\[enforce fail at [^\]]*\][^:.]*[:.]\s*")


def without_internals(text: str) -> str:
    """The text without paths and module names of the grader, the course's secrets and installed libraries."""
    if "/" in text or "\\" in text:
        text = _INTERNAL.sub("...", text)
    return _MODULES.sub("...", text) if "grade" in text else text


def memory_sentence(message: str, mib: int) -> str:
    """What was too much, without torch's account of its own source files."""
    asked = re.search(r"tried to allocate (\d+) bytes|Unable to allocate ([\d.]+ \w+)", message)
    if asked is None:
        text = without_internals(_ENFORCE.sub("", message))[:300]
        return _("more than {mib} MiB of memory wanted: {message}").format(mib=mib, message=text)
    amount = f"{int(asked[1]) / 2**30:.3g} GiB" if asked[1] else asked[2]
    return _("{amount} of memory wanted at once; {mib} MiB are allowed").format(amount=amount, mib=mib)


def explanation(error: StudentError) -> str:
    """One or two sentences, or "" where the error speaks for itself."""
    code = error.frames[-1].code if error.frames else ""
    gone = removed(error.type, error.message, code)
    if gone is not None:
        text = _("{old} is no longer there; its replacement is {new}.").format(old=gone[0], new=gone[1])
        swapped = gone[0].removeprefix("torch.") in SWAPPED
        return text + (" " + _("Its arguments are in the other order.") if swapped else "")
    if error.type in ("NameError", "AttributeError", "UnboundLocalError"):
        return _name(error)
    if error.type == "IndexError" and "0-dim tensor" in error.message:
        return _("It has one number and no axis: use .item(), or leave the index out.")
    for pattern, sentence in _RULES:
        if pattern.search(error.message):
            return sentence()
    return ""


def warned(output: str) -> str:
    """What torch has warned of in the student's output, if it may be the reason of a wrong result; else ""."""
    return next((sentence() for pattern, sentence in _WARNINGS if pattern.search(output)), "")


def given_sentence(error: StudentError) -> str:
    """Where the error came from, if from a function that the student was handed."""
    name = error.details.get("given", "")
    # Names with two underscores are hooks of the grader's, into which torch runs: nothing that was handed over.
    if not name or name.startswith("__") or not error.frames:
        return ""
    text = _("It was raised in {name}, which your function was given: look at what this line passes to it.")
    return text.format(name=name)


def _name(error: StudentError) -> str:
    missing = re.search(r"'(\w+)'", error.message)
    near = error.details.get("near", "")
    if error.type == "UnboundLocalError":
        return _("It gets its value only in a branch that was not taken, or further down in the same function.")
    if error.type == "NameError" and missing is not None and missing[1] in IMPORTS:
        return _("An import is missing: {line}").format(line=IMPORTS[missing[1]])
    if "'NoneType' object has no attribute" in error.message:
        return _("Something is None here: a function without a return statement gives None.")
    if error.type == "AttributeError" and re.search(r"'(list|tuple)' object has no attribute", error.message):
        return _("It is a list or tuple, not a tensor: torch.stack or torch.cat makes one tensor of several.")
    return _("Is {near} meant?").format(near=near) if near else ""


def _rule(pattern: str, sentence: Callable[[], str]) -> tuple[re.Pattern[str], Callable[[], str]]:
    return re.compile(pattern), sentence


# The first that matches speaks. The sentences are functions, as the language may change between two of them.
_RULES = [
    _rule(
        r"Can't call numpy\(\) on Tensor that requires grad",
        lambda: _("numpy cannot follow gradients. Stay in torch (torch.exp for np.exp), or .detach() what needs none."),
    ),
    _rule(
        r"does not require grad and does not have a grad_fn",
        lambda: _(
            "No graph leads from the input to this result: it was detached, computed under torch.no_grad(), made by "
            ".item(), .numpy() or torch.tensor(...), or does not use the input at all."
        ),
    ),
    _rule(
        r"appears to not have been used in the graph",
        lambda: _("The result was computed without the tensor whose gradient is asked for, or with a copy of it."),
    ),
    _rule(
        r"grad can be implicitly created only for scalar outputs",
        lambda: _("backward() starts from one number: reduce with .sum() or .mean() first."),
    ),
    _rule(
        r"backward through the graph a second time",
        lambda: _(
            "The graph is freed after the first backward: compute the result anew, or detach what comes from earlier."
        ),
    ),
    _rule(
        r"modified by an inplace operation",
        lambda: _("Something that the gradient still needs was changed in place (+=, x[i] = ..., .mul_()): build new."),
    ),
    _rule(
        r"leaf Variable that requires grad is being used in an in-place operation",
        lambda: _("An argument or parameter is changed in place: write x = x + ..., not x += ..., or use x.clone()."),
    ),
    _rule(
        r"have the same dtype|expected scalar type|[Ff]ound dtype|dtypes match|expected \w+ but found",
        lambda: _(
            "float64 (double) and float32 (float) meet here. Take the type of the input for what you create "
            "(torch.zeros_like(x), dtype=x.dtype), and convert nothing with .float()."
        ),
    ),
    _rule(
        r"compiled with CUDA|No CUDA|Found no NVIDIA",
        lambda: _('There is no GPU here: leave out .cuda() and "cuda", and use the device of the input, x.device.'),
    ),
    _rule(
        r"meta tensor|meta device",
        lambda: _('A tensor on the device "meta" has a shape and no numbers.'),
    ),
    _rule(
        r"The size of tensor a \(\d+\) must match the size of tensor b|operands could not be broadcast",
        lambda: _("These shapes do not fit together axis by axis from the right; print both .shape just before."),
    ),
    _rule(
        r"shapes cannot be multiplied|inconsistent tensor size|matmul: Input operand",
        lambda: _("A product (a, b) @ (b, c) needs the same b on both sides; does one of them need .T?"),
    ),
    _rule(
        r"Sizes of tensors must match except|stack expects each tensor to be equal size",
        lambda: _("torch.cat joins along one axis, the other axes must agree; torch.stack wants equal shapes."),
    ),
    _rule(
        r"Boolean value of Tensor with more than one value|truth value of an array",
        lambda: _("if, while, and, or need one truth value: use .any() or .all(), torch.where, or & and |."),
    ),
    _rule(
        r"only one element tensors can be converted|only (size-1|length-1|0-dimensional) arrays? can be converted",
        lambda: _("math.* and float() take one number; for tensors there are torch.exp, torch.log, torch.sqrt, ..."),
    ),
    _rule(
        r"used as indices must be long|only integer tensors|arrays used as indices must be of integer",
        lambda: _("An index must be a whole number: convert with .long()."),
    ),
    _rule(
        r"is not supported. (Use the `\^`|If you are trying to invert)",
        lambda: _("This is a tensor of True and False: turn it into numbers with .to(x.dtype) first."),
    ),
    _rule(
        r"only supports boolean masks",
        lambda: _("A mask is made by a comparison (x > 0) or by .bool()."),
    ),
    _rule(
        r"unsupported operand type\(s\) .*'?NoneType'?|'NoneType' object is not",
        lambda: _("Something is None here: a function without a return statement gives None."),
    ),
    _rule(
        r"unsupported operand type\(s\) .*'(function|method|builtin_function_or_method)'",
        lambda: _("A function stands where its result is due: call it, with parentheses."),
    ),
    _rule(
        r"'Tensor' object is not callable",
        lambda: _("A tensor is called like a function: is a * missing before a parenthesis, or a name used twice?"),
    ),
    _rule(
        r"too many values to unpack|not enough values to unpack|cannot unpack non-iterable",
        lambda: _("The two sides of = do not hold equally many values: does the function return what you expect?"),
    ),
    _rule(
        r"got an unexpected keyword argument|positional arguments? but|missing \d+ required positional",
        lambda: _("Compare the call with the function's parameters."),
    ),
]

# What torch warns of, where the result is then often wrong. A warning alone costs nothing and is not repeated.
_WARNINGS = [
    _rule(
        r"torch\.range is deprecated",
        lambda: _("torch.range is deprecated and includes its end; torch.arange does not."),
    ),
    _rule(
        r"use of `x\.T` on tensors of dimension other than 2",
        lambda: _(".T turns all axes round: .mT swaps the last two, .transpose(i, j) any two."),
    ),
    _rule(
        r"Using a target size .* that is different to the input size",
        lambda: _("A loss was given two different shapes and broadcast them against each other."),
    ),
    _rule(
        r"Implicit dimension choice for (log_)?softmax",
        lambda: _("softmax was not told along which axis: pass dim=..."),
    ),
    _rule(
        r"To copy construct from a tensor, it is recommended",
        lambda: _("torch.tensor(...) of a tensor is a copy that gradients do not pass: leave out torch.tensor."),
    ),
    _rule(
        r"The \.grad attribute of a Tensor that is not a leaf",
        lambda: _(".grad is filled for leaves only: take torch.autograd.grad, or call .retain_grad() before."),
    ),
]
