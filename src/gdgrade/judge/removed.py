"""Functions of torch and numpy that students find in old tutorials and that are gone, with what replaces them.

Each entry was tried with the pinned versions: the old name fails, the new one works.
"""

from __future__ import annotations

import re

TORCH = {
    "symeig": "torch.linalg.eigh(A)",
    "eig": "torch.linalg.eig(A)",
    "lstsq": "torch.linalg.lstsq(A, B)",
    "gels": "torch.linalg.lstsq(A, B)",
    "solve": "torch.linalg.solve(A, B)",
    "gesv": "torch.linalg.solve(A, B)",
    "matrix_rank": "torch.linalg.matrix_rank(A)",
    "potrf": "torch.linalg.cholesky(A)",
    "rfft": "torch.fft.rfft(x)",
    "irfft": "torch.fft.irfft(x)",
    "ifft": "torch.fft.ifft(x)",
    "fft": "torch.fft.fft(x)",
}
# Arguments that stand in the other order now.
SWAPPED = frozenset({"lstsq", "gels", "solve", "gesv"})
NUMPY = {
    "float": "float", "int": "int", "object": "object", "str": "str", "complex": "complex",
    "float_": "np.float64", "complex_": "np.complex128", "bool8": "np.bool", "unicode_": "np.str_",
    "product": "np.prod", "cumproduct": "np.cumprod", "sometrue": "np.any", "alltrue": "np.all", "in1d": "np.isin",
    "trapz": "np.trapezoid", "Inf": "np.inf", "Infinity": "np.inf", "infty": "np.inf", "NaN": "np.nan",
    "mat": "np.asmatrix", "round_": "np.round", "asscalar": "x.item()", "msort": "np.sort(x, axis=0)",
}  # fmt: skip

_NO_ATTRIBUTE = re.compile(r"module '(torch|numpy)' has no attribute '(\w+)'")
_NUMPY_2 = re.compile(r"`np\.(\w+)` was removed")
_TORCH_REMOVED = re.compile(r"\btorch\.(\w+)\(")


def removed(type_name: str, message: str, code: str) -> tuple[str, str] | None:
    """The function that is gone, and its replacement; None if that is not what an error is about.

    Args:
        type_name: of the exception; message: its text; code: the student's line.
    """
    if found := _NO_ATTRIBUTE.search(message):
        table = TORCH if found[1] == "torch" else NUMPY
        return _entry("torch" if found[1] == "torch" else "np", found[2], table)
    if found := _NUMPY_2.search(message):
        return _entry("np", found[1], NUMPY)
    if "is now removed" in message and "This function was deprecated" in message:
        return _by_line(message, code)
    if type_name == "TypeError" and "'module' object is not callable" in message and "torch.fft(" in code:
        return "torch.fft", TORCH["fft"]
    return None


def _by_line(message: str, code: str) -> tuple[str, str] | None:
    """torch's text gives an example with the old function's name; the student's line may use it as a method."""
    for text in (code, message):
        for name in re.findall(r"\.(\w+)\(", text) if text is code else _TORCH_REMOVED.findall(message):
            if name in TORCH:
                return f"torch.{name}", TORCH[name]
    return ("torch.matrix_rank", TORCH["matrix_rank"]) if "matrix_rank" in message else None


def _entry(library: str, name: str, table: dict[str, str]) -> tuple[str, str] | None:
    return (f"{library}.{name}", table[name]) if name in table else None
