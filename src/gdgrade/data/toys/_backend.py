"""The few operations that the toys need, on numpy arrays and on torch tensors.

Torch is imported by whoever makes the tensor or the generator, never by us for a numpy caller.
"""

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import torch

Generator: TypeAlias = "np.random.Generator | torch.Generator"
Array: TypeAlias = Any
"""A numpy array or a torch tensor; what goes in comes out."""


def _is_torch(value: object) -> bool:
    return type(value).__module__.partition(".")[0] == "torch"


def library(x: Array) -> Any:
    """The module whose ``exp``, ``log``, ``stack`` ... fit ``x``: numpy or torch."""
    if _is_torch(x) or hasattr(x, "detach"):
        import torch

        return torch
    return np


def points(x: Array) -> Array:
    """``x`` as an array of points in the plane: lists become numpy arrays, integers floats.

    Raises:
        ValueError: if the last axis has not length 2.
    """
    if library(x) is np:
        x = np.asarray(x)
        x = x if x.dtype.kind == "f" else x.astype(float)
    if x.ndim == 0 or x.shape[-1] != 2:
        raise ValueError(f"points in the plane have shape (..., 2), got {tuple(x.shape)}")
    return x


def like(constant: np.ndarray[Any, Any], x: Array) -> Array:
    """A numpy constant in the library, dtype and device of ``x``."""
    if library(x) is np:
        return constant.astype(x.dtype)
    import torch

    return torch.as_tensor(constant, dtype=x.dtype, device=x.device)


def log_sum_exp(values: Array) -> Array:
    """log(sum(exp(values))) over the last axis, without overflow; values (..., k) -> (...)."""
    xp = library(values)
    if xp is not np:
        return xp.logsumexp(values, -1)
    top = values.max(-1)
    return top + np.log(np.exp(values - top[..., None]).sum(-1))


def normal(generator: Generator, *shape: int) -> Array:
    """Standard normal numbers."""
    if isinstance(generator, np.random.Generator):
        return generator.standard_normal(shape)
    import torch

    return torch.randn(shape, generator=generator, device=_torch_generator(generator).device)


def uniform(generator: Generator, *shape: int) -> Array:
    """Uniform numbers in [0, 1)."""
    if isinstance(generator, np.random.Generator):
        return generator.random(shape)
    import torch

    return torch.rand(shape, generator=generator, device=_torch_generator(generator).device)


def categorical(generator: Generator, n: int, weights: np.ndarray[Any, Any]) -> Array:
    """``n`` indices drawn with probabilities ``weights`` (k,), as integers of the generator's library."""
    u = uniform(generator, n)
    edges = like(np.cumsum(weights)[:-1], u)  # the last interval is open to the right: no index k by rounding
    xp = library(u)
    return xp.searchsorted(edges, u, side="right")


def _torch_generator(generator: Any) -> Any:
    if not _is_torch(generator):
        raise TypeError(
            f"generator must be a numpy.random.Generator or a torch.Generator, got {type(generator).__name__}"
        )
    return generator
