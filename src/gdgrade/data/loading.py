"""Data sets as arrays or tensors, ready for a model."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gdgrade.data.catalogue import FULL, SMALL
from gdgrade.data.content import Arrays, read_small
from gdgrade.data.download import cached_files
from gdgrade.data.errors import DataError
from gdgrade.data.idx import read_idx
from gdgrade.data.qm9 import read_qm9
from gdgrade.data.scaling import Scaling, scale_pixels

if TYPE_CHECKING:
    import numpy as np
    import torch

Part = Literal["train", "test"]
_IMAGES_ONLY = "scaling and generator are for images; positions of molecules stay in angstrom"


def load(
    name: str,
    *,
    scaling: Scaling | None = None,
    as_torch: bool = False,
    part: Part | None = None,
    generator: "np.random.Generator | torch.Generator | None" = None,
    folder: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """A data set that ships with the course.

    ``"mnist-small"`` and ``"fashion-small"`` hold ``x_train`` (6000, 28, 28), ``y_train`` (6000,), ``x_test``
    (1000, 28, 28), ``y_test`` (1000,) and ``train_index``, ``test_index``, the places in the full data set.
    The classes come in turn, so every prefix of 10 k images is balanced: shuffle before making batches.
    ``"molecules-small"`` holds ``positions`` (5000, 29, 3) in angstrom, ``atomic_numbers`` (5000, 29),
    ``n_atoms``, ``n_heavy``, ``smiles``, ``qm9_index`` and ``is_test``, each (5000,).

    Args:
        name: ``"mnist-small"``, ``"fashion-small"`` or ``"molecules-small"``.
        scaling: for images: ``"unit"`` ([0, 1], the default), ``"symmetric"`` ([-1, 1]), ``"binary"``
            (0 or 1) or ``"raw"`` (uint8, 0..255).
        as_torch: tensors instead of arrays. Scaled images then have torch's default dtype, labels int64. Text
            stays an array.
        part: ``"train"`` or ``"test"``: only that part. Images then come as ``x``, ``y`` and ``index``.
        generator: with ``scaling="binary"``: draw the pixels anew instead of cutting at one half.
        folder: the folder of the file, in place of the search in ``small_folders``.

    Raises:
        DataError: if the file is missing or damaged.
        ValueError: for an unknown scaling or part, or a scaling of molecules.

    >>> digits = load("mnist-small", part="test")
    >>> digits["x"].shape, digits["x"].dtype.name, float(digits["x"].max())
    ((1000, 28, 28), 'float32', 1.0)
    """
    if part not in (None, "train", "test"):
        raise ValueError(f"part must be 'train', 'test' or None, got {part!r}")
    arrays = read_small(name, None if folder is None else Path(folder))
    if SMALL[name].images:
        chosen = _scaled_images(arrays, scaling or "unit", part, generator)
    elif scaling in (None, "raw") and generator is None:
        chosen = _molecules(arrays, part)
    else:
        raise ValueError(_IMAGES_ONLY)
    return _to_torch(chosen) if as_torch else chosen


def load_full(
    name: str,
    *,
    scaling: Scaling | None = None,
    as_torch: bool = False,
    part: Part | None = None,
    generator: "np.random.Generator | torch.Generator | None" = None,
    cache: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """A complete data set that ``fetch`` has downloaded: 60,000 training and 10,000 test images.

    Arguments and result are those of ``load``, without the indices. Downloads nothing by itself. ``"qm9"`` are the
    130,831 molecules of the package that ``gdgrade data fetch qm9`` names, as arrays like ``"molecules-small"``.

    Args:
        name: ``"mnist"``, ``"fashion-mnist"`` or ``"qm9"``.
        cache: the folder given to ``fetch``, if one was.

    Raises:
        DataError: if it was not downloaded or installed, or a file is damaged.
        ValueError: see ``load``.
    """
    if part not in (None, "train", "test"):
        raise ValueError(f"part must be 'train', 'test' or None, got {part!r}")
    if name == "qm9":
        if scaling not in (None, "raw") or generator is not None:
            raise ValueError(_IMAGES_ONLY)
        molecules = _molecules(read_qm9(), part)
        return _to_torch(molecules) if as_torch else molecules
    files = cached_files(name, cache)
    arrays = {
        file.array: read_idx(path)
        for file, path in zip(FULL[name].files, files, strict=True)
        if part is None or file.array.endswith(part)
    }
    chosen = _scaled_images(arrays, scaling or "unit", part, generator)
    return _to_torch(chosen) if as_torch else chosen


def _scaled_images(
    arrays: Arrays,
    scaling: Scaling,
    part: Part | None,
    generator: "np.random.Generator | torch.Generator | None",
) -> Arrays:
    if part is not None:
        names = {f"x_{part}": "x", f"y_{part}": "y", f"{part}_index": "index"}
        arrays = {names[key]: array for key, array in arrays.items() if key in names}
    return {
        key: scale_pixels(array, scaling, generator) if key.startswith("x") else array for key, array in arrays.items()
    }


def _molecules(arrays: Arrays, part: Part | None) -> Arrays:
    if part is None:
        return arrays
    rows = arrays["is_test"] if part == "test" else ~arrays["is_test"]
    return {key: array[rows] for key, array in arrays.items()}


def _to_torch(arrays: Arrays) -> dict[str, Any]:
    """Tensors of what has numbers in it: float32 becomes torch's default dtype, labels int64."""
    try:
        import torch
    except ImportError as error:
        raise DataError(
            "as_torch=True needs torch, which is not installed. Install it, or leave as_torch out."
        ) from error

    def tensor(key: str, array: Any) -> Any:
        if array.dtype.kind == "U":
            return array
        result = torch.from_numpy(array)
        if result.is_floating_point():
            return result.to(torch.get_default_dtype())
        return result if key.startswith("x") or result.dtype == torch.bool else result.long()

    return {key: tensor(key, array) for key, array in arrays.items()}
