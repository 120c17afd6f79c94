"""Each kind of slip that beginners make, with the very code that makes it, and the sentence that answers it."""

import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest

Judged = Callable[..., dict[str, Any]]


def step(body: str, before: str = "import torch\nimport numpy as np\n") -> str:
    """A file with a function `step` of this body."""
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    return f"{before}\ndef step(x, score_fn, eta, noise):\n{lines}\n"


RIGHT = "return x + eta / 2 * score_fn(x) + eta ** 0.5 * noise"

# name: (check, file, what the message says, the student's line that is shown)
SLIPS: dict[str, tuple[str, str, list[str], str]] = {
    # -- what came back
    "axis reduced": (
        "step",
        step(RIGHT.replace("return ", "return (") + ").sum(dim=1)"),
        ["step: got (64,), expected (64, 2): one vector per particle."],
        "",
    ),
    "axis too many": (
        "step",
        step("return (x + noise)[:, :, None]"),
        ["got (64, 2, 1)", "axis of size 1 too many"],
        "",
    ),
    "axes swapped": ("step", step("return (x + noise).T"), ["got (2, 64)", "The axes look swapped."], ""),
    "pairwise": ("step", step("n = x[:, 0]\nreturn n[:, None] - n"), ["got (64, 64), expected (64, 2)"], ""),
    "one entry wrong": (
        "step",
        step(RIGHT.replace("return", "out =") + "\nout[3, 1] += 1\nreturn out"),
        ["1 of 128 numbers differs", "1 at [3, 1]"],
        "",
    ),
    "first and largest": (
        "step",
        step(RIGHT.replace("return", "out =") + "\nout[3, 1] += 1\nout[5, 0] += 2\nreturn out"),
        ["2 of 128 numbers differ, the first at [3, 1]; the largest difference is 2 at [5, 0]"],
        "",
    ),
    "wrong sign": ("step", step("return -(x - eta / 2 * x + eta ** 0.5 * noise)"), ["the opposite sign"], ""),
    "all zero": ("step", step("return torch.zeros_like(x)"), ["Every number is 0."], ""),
    "nan": ("step", step("return x * float('nan')"), ["128 of 128 numbers are NaN, the first at [0, 0]"], ""),
    "float32 result": ("step", step("return (x + noise).float()"), ["The result is float32, not float64."], ""),
    "whole numbers": ("step", step("return x.long()"), ["whole numbers (type int64)", "numbers with a fraction"], ""),
    "booleans": ("step", step("return x > 0"), ["got True or False, expected numbers with a fraction"], ""),
    "no return": ("step", step("y = x + noise"), ["got None", "Is there a return statement?"], ""),
    "no return of two": ("moments", "def moments(x):\n    x.mean()", ["got None", "Is there a return statement?"], ""),
    "print for return": (
        "step",
        step("print(x + noise)"),
        ["Is there a return statement?", "a result must be returned, not printed"],
        "",
    ),
    "function for result": (
        "step",
        step("return x.sum"),
        ["got a function (is a pair of parentheses missing, so that it is called?)"],
        "",
    ),
    "own function for result": ("step", step("def inner(): return x\nreturn inner"), ["got a function"], ""),
    "module for result": (
        "step",
        step("return torch.nn.Linear(2, 2)"),
        ["got a network of type Linear, not what it gives for an input"],
        "",
    ),
    "class for result": ("step", step("return torch.nn.Linear"), ["got a class"], ""),
    "generator for result": ("step", step("yield x"), ["got a generator", "a yield where a return is due"], ""),
    "list of tensors": (
        "step",
        step("return [x.sum(), noise]"),
        ["got a list of 2", "torch.stack makes one tensor of a list of tensors"],
        "",
    ),
    "text for result": ("step", step("return 'x'"), ["got a text, expected an array (64, 2)"], ""),
    "meta device": (
        "step",
        step("return torch.empty(64, 2, device='meta')"),
        ["cannot be read", "a tensor on the meta device (it has no values)"],
        "",
    ),
    "sparse": ("step", step("return x.to_sparse()"), ["cannot be read", "layout torch.sparse_coo"], ""),
    "order of results": (
        "moments",
        "def moments(x):\n    return x.var(dim=0), x.mean(dim=0)",
        ["These are the right results in another order."],
        "",
    ),
    "one of two results": ("moments", "def moments(x):\n    return x.mean(dim=0)", ["expected 2 results"], ""),
    "three results": ("moments", "def moments(x):\n    return x, x, x", ["got 3 results, expected 2 results"], ""),
    "second of two": (
        "moments",
        "def moments(x):\n    return x.mean(dim=0), x.var(dim=1)",
        ["moments[1]: got (9,), expected (2,): one variance per axis"],
        "",
    ),
    # -- arguments
    "in place": (
        "step",
        step("x += eta / 2 * score_fn(x) + eta ** 0.5 * noise\nreturn x"),
        ["step changes its argument x in place", "build a new array instead"],
        "",
    ),
    "in place and wrong": (
        "step",
        step("noise.mul_(eta)\nreturn x + noise"),
        ["numbers differ", "step changes its argument noise in place"],
        "",
    ),
    "too few parameters": (
        "step",
        "def step(x, score_fn, eta):\n    return x",
        ["step(x, score_fn, eta) cannot be called as the exercise calls it", "4 arguments are passed, it takes 3"],
        "def step(x, score_fn, eta):",
    ),
    "too many parameters": (
        "step",
        "def step(x, score_fn, eta, noise, steps):\n    return x",
        ["nothing is passed for its parameter steps"],
        "def step(x, score_fn, eta, noise, steps):",
    ),
    "own call is wrong": (
        "step",
        step("return helper(x)", "def helper(x, y):\n    return x\n"),
        ["TypeError", "missing 1 required positional argument: 'y'", "Compare the call with the function's parameters"],
        "return helper(x)",
    ),
    # -- gradients
    "detached": ("slope", "def total(x):\n    return x.detach().square().sum()", ["No graph leads from the input"], ""),
    "no_grad": (
        "slope",
        "import torch\n@torch.no_grad()\ndef total(x):\n    return x.square().sum()",
        ["No graph leads from the input", "torch.no_grad()"],
        "",
    ),
    "numpy of a gradient": (
        "slope",
        "import numpy as np\ndef total(x):\n    return np.sum(x.numpy() ** 2)",
        ["Can't call numpy() on Tensor that requires grad", "Stay in torch"],
        "return np.sum(x.numpy() ** 2)",
    ),
    "numpy function of a gradient": (
        "slope",
        "import numpy as np\ndef total(x):\n    return np.exp(x).sum()",
        ["numpy cannot follow gradients"],
        "return np.exp(x).sum()",
    ),
    "in place on a leaf": (
        "slope",
        "def total(x):\n    x += 1\n    return x.sum()",
        ["is changed in place", "x.clone()"],
        "x += 1",
    ),
    "in place in the graph": (
        "slope",
        "def total(x):\n    y = x.exp()\n    y.mul_(2)\n    return y.sum()",
        ["modified by an inplace operation", "Something that the gradient still needs was changed in place"],
        "",
    ),
    "not a scalar": (
        "slope",
        "def total(x):\n    return x.square()",
        ["backward() starts from one number"],
        "",
    ),
    "backward twice": (
        "step",
        step("y = x.clone().requires_grad_()\nz = y.square().sum()\nz.backward()\nz.backward()"),
        ["The graph is freed after the first backward"],
        "z.backward()",
    ),
    "unused in the graph": (
        "step",
        step("y = x.clone().requires_grad_()\nreturn torch.autograd.grad(y.sum(), x.clone().requires_grad_())[0]"),
        ["was computed without the tensor whose gradient is asked for"],
        "return torch.autograd.grad(",
    ),
    # -- types and devices
    "types in a product": (
        "step",
        step("return x @ torch.ones(2, 2, dtype=torch.float32)"),
        ["float64 (double) and float32 (float) meet here"],
        "return x @ torch.ones(2, 2, dtype=torch.float32)",
    ),
    "types in a layer": (
        "step",
        step("return torch.nn.Linear(2, 2, dtype=torch.float32)(x)"),
        ["float64 (double) and float32 (float) meet here"],
        "return torch.nn.Linear(2, 2, dtype=torch.float32)(x)",
    ),
    "types by index": (
        "step",
        step("out = torch.zeros(64, 2, dtype=torch.float32)\nout[torch.arange(64)] = x\nreturn out"),
        ["float64 (double) and float32 (float) meet here"],
        "out[torch.arange(64)] = x",
    ),
    "cuda": ("step", step("return x.cuda()"), ["There is no GPU here"], "return x.cuda()"),
    "to cuda": ("step", step("return x.to('cuda')"), ["There is no GPU here"], "return x.to('cuda')"),
    "meta number": (
        "step",
        step("return float(torch.zeros((), device='meta'))"),
        ['A tensor on the device "meta" has a shape and no numbers.'],
        "return float(",
    ),
    # -- shapes in the student's own code
    "shapes do not fit": (
        "step",
        step("return x + noise[:5]"),
        ["print both .shape just before"],
        "return x + noise[:5]",
    ),
    "product": ("step", step("return x @ noise"), ["needs the same b on both sides"], "return x @ noise"),
    "cat": (
        "step",
        step("return torch.cat([x, x[:, :1]])"),
        ["torch.cat joins along one axis"],
        "return torch.cat([x, x[:, :1]])",
    ),
    "stack": (
        "step",
        step("return torch.stack([x, x[:1]])"),
        ["torch.stack wants equal shapes"],
        "return torch.stack(",
    ),
    "truth": ("step", step("if x > 0:\n    return x"), ["use .any() or .all()"], "if x > 0:"),
    "math of a tensor": (
        "step",
        step("import math\nreturn math.exp(x)"),
        ["for tensors there are torch.exp"],
        "return math.exp(x)",
    ),
    "index by fractions": ("step", step("return x[x[:, 0]]"), ["An index must be a whole number"], "return x[x[:, 0]]"),
    "minus of booleans": (
        "step",
        step("return (x > 0) - (x < 0)"),
        ["This is a tensor of True and False"],
        "return (x > 0) - (x < 0)",
    ),
    "mask of bytes": (
        "step",
        step("return x.masked_fill((x > 0).to(torch.uint8), 0.0)"),
        ["A mask is made by a comparison"],
        "return x.masked_fill(",
    ),
    "old item": ("step", step("return x.sum().data[0]"), ["use .item()"], "return x.sum().data[0]"),
    # -- names
    "name": (
        "step",
        step("score = score_fn(x)\nreturn x + scor"),
        ["name 'scor' is not defined", "Is score meant?"],
        "scor",
    ),
    "import": ("step", step("return np.exp(x)", ""), ["An import is missing: import numpy as np"], "return np.exp(x)"),
    "attribute": ("step", step("return torch.sofmax(x, 1)"), ["Is softmax meant?"], "return torch.sofmax(x, 1)"),
    "method": ("step", step("return x.sqrtt()"), ["Is sqrt meant?"], "return x.sqrtt()"),
    "list has no method": (
        "step",
        step("parts = [x, noise]\nreturn parts.sum()"),
        ["It is a list or tuple, not a tensor"],
        "return parts.sum()",
    ),
    "none has no method": (
        "step",
        step("return helper(x).sum()", "def helper(x):\n    x + 1\n"),
        ["a function without a return statement gives None"],
        "return helper(x).sum()",
    ),
    "none in a sum": (
        "step",
        step("return x + helper(x)", "def helper(x):\n    x + 1\n"),
        ["a function without a return statement gives None"],
        "return x + helper(x)",
    ),
    "function in a sum": (
        "step",
        step("return x + helper", "def helper(x):\n    return x\n"),
        ["call it, with parentheses"],
        "return x + helper",
    ),
    "missing star": ("step", step("return eta(x)", ""), ["'float' object is not callable"], "return eta(x)"),
    "missing star on a tensor": ("step", step("return x(noise)"), ["is a * missing"], "return x(noise)"),
    "unbound": (
        "step",
        step("if eta > 100:\n    y = x\nreturn y"),
        ["only in a branch that was not taken"],
        "return y",
    ),
    "unpacking": ("step", step("a, b = x\nreturn a"), ["do not hold equally many values"], "a, b = x"),
    "function with a slip in its name": (
        "step",
        "def Step(x, score_fn, eta, noise):\n    return x",
        ["step is not defined in your file", "Is Step meant?"],
        "",
    ),
    "import of nothing": (
        "step",
        step("return x", "import torchh\n"),
        ["an import fails: No module named 'torchh'"],
        "import torchh",
    ),
    # -- Python
    "syntax": (
        "step",
        "def step(x, score_fn, eta, noise:\n    return x\n",
        ["your file is not valid Python", "never closed"],
        "def step(",
    ),
    "indentation": (
        "step",
        "def step(x, score_fn, eta, noise):\n    y = x\n  return y\n",
        ["your file is not valid Python", "unindent does not match"],
        "return y",
    ),
    "no body": ("step", "def step(x, score_fn, eta, noise):\nreturn x\n", ["expected an indented block"], "return x"),
    "recursion": (
        "step",
        step("return step(x, score_fn, eta, noise)"),
        ["step: it calls itself without end"],
        "return step(x, score_fn, eta, noise)",
    ),
    "exit": ("step", step("exit()"), ["it tries to leave the program"], "exit()"),
    "not written": (
        "step",
        step("raise NotImplementedError('exercise 1: not written yet')"),
        ["exercise 1: not written yet"],
        "",
    ),
    "own error": (
        "step",
        step("raise ValueError('eta must be small')"),
        ["it raised ValueError: eta must be small"],
        "raise ValueError(",
    ),
    "memory": (
        "step",
        step("return torch.zeros(200_000, 200_000)"),
        ["298 GiB of memory wanted at once; 512 MiB are allowed", "(N, N) for (N,)"],
        "return torch.zeros(200_000, 200_000)",
    ),
    # -- what torch only warns of
    "range": (
        "step",
        step("return x + torch.range(0, 64)[:, None]"),
        [
            "The size of tensor a (64) must match the size of tensor b (65)",
            "torch.range is deprecated and includes its end",
        ],
        "return x + torch.range(0, 64)[:, None]",
    ),
    "T of three axes": (
        "step",
        step("return (x[:, :, None] + noise[:, :, None]).T[0]"),
        ["got (2, 64)", ".T turns all axes round"],
        "",
    ),
    "loss of two shapes": (
        "slope",
        "import torch\ndef total(x):\n    return torch.nn.functional.mse_loss(x[:, 0], x[:, :1])",
        ["A loss was given two different shapes and broadcast them"],
        "",
    ),
    "softmax without axis": (
        "step",
        step("return torch.nn.Softmax()(x)"),
        ["softmax was not told along which axis"],
        "",
    ),
    "tensor of a tensor": (
        "slope",
        "import torch\ndef total(x):\n    return torch.tensor(x).square().sum()",
        ["No graph leads from the input", "torch.tensor(...) of a tensor is a copy that gradients do not pass"],
        "",
    ),
    "grad of no leaf": (
        "step",
        step("y = x.clone().requires_grad_() * 1\ny.square().sum().backward()\nreturn y.grad"),
        ["got None", ".grad is filled for leaves only"],
        "",
    ),
    # -- what the student was given
    "given function fails": (
        "step",
        step("return score_fn(None)"),
        ["raised in pull, which your function was given"],
        "return score_fn(None)",
    ),
    "given network fails": (
        "given_net",
        step("return score_fn(x[:, :1])"),
        ["raised in forward, which your function was given", "needs the same b on both sides"],
        "return score_fn(x[:, :1])",
    ),
}

# What is gone from torch and numpy: the student's line, the old name, the new one.
REMOVED = [
    ("torch.symeig(x.T @ x)", "torch.symeig", "torch.linalg.eigh(A)"),
    ("(x.T @ x).symeig()", "torch.symeig", "torch.linalg.eigh(A)"),
    ("torch.eig(x.T @ x)", "torch.eig", "torch.linalg.eig(A)"),
    ("torch.lstsq(x, noise)", "torch.lstsq", "torch.linalg.lstsq(A, B)"),
    ("torch.gels(x, noise)", "torch.gels", "torch.linalg.lstsq(A, B)"),
    ("torch.solve(x, x.T @ x)", "torch.solve", "torch.linalg.solve(A, B)"),
    ("torch.gesv(x, x.T @ x)", "torch.gesv", "torch.linalg.solve(A, B)"),
    ("torch.matrix_rank(x)", "torch.matrix_rank", "torch.linalg.matrix_rank(A)"),
    ("torch.potrf(x.T @ x)", "torch.potrf", "torch.linalg.cholesky(A)"),
    ("torch.rfft(x, 1)", "torch.rfft", "torch.fft.rfft(x)"),
    ("torch.irfft(x, 1)", "torch.irfft", "torch.fft.irfft(x)"),
    ("torch.ifft(x, 1)", "torch.ifft", "torch.fft.ifft(x)"),
    ("torch.fft(x, 1)", "torch.fft", "torch.fft.fft(x)"),
    ("x + np.float(eta)", "np.float", "float"),
    ("x + np.int(eta)", "np.int", "int"),
    ("np.zeros(3, np.object)", "np.object", "object"),
    ("np.str(eta)", "np.str", "str"),
    ("np.complex(eta)", "np.complex", "complex"),
    ("np.float_(eta)", "np.float_", "np.float64"),
    ("np.complex_(eta)", "np.complex_", "np.complex128"),
    ("np.bool8(eta)", "np.bool8", "np.bool"),
    ("np.unicode_('x')", "np.unicode_", "np.str_"),
    ("np.product([1, 2])", "np.product", "np.prod"),
    ("np.cumproduct([1, 2])", "np.cumproduct", "np.cumprod"),
    ("np.sometrue([1, 2])", "np.sometrue", "np.any"),
    ("np.alltrue([1, 2])", "np.alltrue", "np.all"),
    ("np.in1d([1], [2])", "np.in1d", "np.isin"),
    ("np.trapz([1.0, 2.0])", "np.trapz", "np.trapezoid"),
    ("x * np.Inf", "np.Inf", "np.inf"),
    ("x * np.Infinity", "np.Infinity", "np.inf"),
    ("x * np.infty", "np.infty", "np.inf"),
    ("x * np.NaN", "np.NaN", "np.nan"),
    ("np.mat([[1.0]])", "np.mat", "np.asmatrix"),
    ("np.round_(1.5)", "np.round_", "np.round"),
    ("np.asscalar(np.ones(1))", "np.asscalar", "x.item()"),
    ("np.msort(np.ones(2))", "np.msort", "np.sort(x, axis=0)"),
]
INTERNALS = re.compile(r"gdgrade|graders|site-packages|/reference/|RemoteThing|Opaque|recorded|executor|spies")


def clean(outcome: dict[str, Any]) -> None:
    """Nothing of the grader's is in what the student reads."""
    for text in (outcome["message"], outcome["expected"], outcome["got"], outcome["output"]):
        assert not INTERNALS.search(text), text
    for frame in outcome["traceback"]:
        assert frame["file"] == "tiny.py", frame


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_answered(judged: Judged, name: str) -> None:
    """The message says what is wrong, and the student's own line is shown where there is one."""
    check, source, sentences, line = SLIPS[name]
    outcome = judged(check, source)
    assert outcome["outcome"] == "failed"
    for sentence in sentences:
        assert sentence in outcome["message"]
    if line:
        shown = outcome["traceback"][-1]
        assert line in shown["code"]
        assert line in source.split("\n")[shown["line"] - 1]
    clean(outcome)


@pytest.mark.parametrize(("line", "old", "new"), REMOVED, ids=[line for line, _, _ in REMOVED])
def test_what_is_gone_has_a_replacement(judged: Judged, line: str, old: str, new: str) -> None:
    """The old function is named with its replacement."""
    outcome = judged("step", step(f"return {line}"))
    assert f"{old} is no longer there; its replacement is {new}." in outcome["message"]
    assert line in outcome["traceback"][-1]["code"]
    clean(outcome)


def test_every_replacement_exists() -> None:
    """What the messages recommend is there, in the versions that the course pins; and what they call gone is gone."""
    import numpy as np
    import torch

    from gdgrade.judge.removed import NUMPY, TORCH

    for table, library, names in ((TORCH, torch, {"torch": torch}), (NUMPY, np, {"np": np, "x": np.ones(1)})):
        for old, new in table.items():
            assert callable(eval(new.split("(")[0], names)) or new in ("np.inf", "np.nan")
            tested = [line for line, name, _ in REMOVED if name.endswith(f".{old}")]
            assert tested, old
            if library is np:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    assert not hasattr(np, old)


@pytest.mark.parametrize(
    ("body", "line"),
    [("while True:\n    pass", "pass"), ("import time\ntime.sleep(60)", "time.sleep(60)")],
    ids=["loop", "sleep"],
)
def test_what_does_not_end_is_found(judged: Judged, body: str, line: str) -> None:
    """The message names the function and what to look for; the line where it hung is shown."""
    outcome = judged("step", step(body), seconds=0.5)
    assert outcome["cause"] == "timeout"
    assert outcome["message"].startswith("step: no answer within 0.5 s")
    assert "a while whose condition never changes" in outcome["message"]
    assert outcome["traceback"][-1]["code"] in (line, "while True:")
    clean(outcome)


def test_what_swallows_its_end_is_ended(judged: Judged) -> None:
    """A bare except catches the courtesy, not the end."""
    outcome = judged(
        "step",
        step("import time\nwhile True:\n    try:\n        time.sleep(60)\n    except:\n        pass"),
        seconds=0.5,
    )
    assert (outcome["cause"], outcome["traceback"]) == ("timeout", [])


HOSTILE = {
    "stack in a message": "import traceback\nraise ValueError(''.join(traceback.format_stack()))",
    "stack printed": "import traceback\ntraceback.print_stack()\nreturn None",
    "caught and formatted": (
        "import traceback\ntry:\n    score_fn(None)\nexcept Exception:\n    raise RuntimeError(traceback.format_exc())"
    ),
    "chained": "try:\n    score_fn(None)\nexcept Exception as error:\n    raise RuntimeError('wrapped') from error",
    "file of the given function": "raise ValueError(score_fn.__code__.co_filename)",
    "module of the given function": "raise ValueError(str(score_fn.__module__))",
    "own caller": "import sys\nraise ValueError(str(sys._getframe(1).f_code))",
    "torch's own file": "raise ValueError(torch.__file__)",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_internals_are_shown(judged: Judged, name: str) -> None:
    """Whatever a traceback or an object of the grader's says about itself stays out of what a student reads."""
    outcome = judged("step", step(HOSTILE[name]))
    assert outcome["outcome"] == "failed"
    clean(outcome)


def test_the_same_in_french(judged: Judged) -> None:
    """Messages of this family are made of texts that can be translated, in the judge and in the worker."""
    outcome = judged("step", step("return x + helper"), language="fr")
    assert outcome["outcome"] == "failed"
    clean(outcome)


def test_a_shared_worker_gives_the_same_verdicts(judged_all: Any, reference: str) -> None:
    """One worker for several checks, as while watching: what one check leaves behind does not reach the next."""
    leaving = reference.replace("    return x + eta", "    torch.set_grad_enabled(False)\n    return x + eta")
    wrong = leaving.replace("x.var(dim=0)", "x.std(dim=0)").replace("return x.square", "raise ValueError; x.square")
    assert reference != leaving != wrong
    for text in (leaving, wrong):
        found = []
        for extra in ({}, {"shared_worker": True}):
            outcomes = judged_all(text, extra=extra)
            found.append([{key: value for key, value in each.items() if key != "timings"} for each in outcomes])
        assert found[0] == found[1]
        assert [entry["outcome"] for entry in found[0]] == ["passed"] + (
            ["passed"] * 4 if text is leaving else ["failed", "failed", "passed", "passed"]
        )
