"""From pixels 0..255 to the range a model wants."""

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Scaling = Literal["unit", "binary", "symmetric", "raw"]
SCALINGS: tuple[str, ...] = get_args(Scaling)


def scale_pixels(
    pixels: NDArray[np.uint8],
    scaling: Scaling,
    generator: "np.random.Generator | torch.Generator | None" = None,
) -> NDArray[Any]:
    """Scale uint8 pixels, any shape; the shape is kept.

    ``"unit"`` gives float32 in [0, 1]; ``"symmetric"`` float32 in [-1, 1]; ``"binary"`` float32 values 0 and
    1; ``"raw"`` the pixels themselves. Binary pixels are 1 from one half on. With a ``generator`` they are
    drawn instead, each 1 with probability pixel / 255, so every call gives other pictures (the "dynamic
    binarisation" of Salakhutdinov & Murray 2008, On the quantitative analysis of deep belief networks).

    Raises:
        ValueError: for another scaling, or a generator with a scaling that draws nothing.

    >>> scale_pixels(np.array([0, 127, 128, 255], np.uint8), "binary")
    array([0., 0., 1., 1.], dtype=float32)
    """
    if scaling not in SCALINGS:
        raise ValueError(f"scaling must be one of {', '.join(SCALINGS)}, got {scaling!r}")
    if generator is not None and scaling != "binary":
        raise ValueError(f"a generator is for scaling='binary'; {scaling!r} draws nothing")
    if scaling == "raw":
        return pixels
    unit = pixels.astype(np.float32) / np.float32(255)
    if scaling == "symmetric":
        return 2 * unit - 1
    if scaling == "unit":
        return unit
    return (_uniform(generator, unit.shape) < unit if generator is not None else unit >= 0.5).astype(np.float32)


def _uniform(generator: "np.random.Generator | torch.Generator", shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Uniform numbers in [0, 1): a black pixel stays black, and a full one is always 1."""
    if isinstance(generator, np.random.Generator):
        return generator.random(shape, dtype=np.float32)
    import torch

    drawn: NDArray[np.float32] = torch.rand(
        shape, generator=generator, dtype=torch.float32, device=generator.device
    ).numpy(force=True)
    return drawn
