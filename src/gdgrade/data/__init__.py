"""The data of the course: small real data sets, the full ones on demand, toy densities and toy molecules.

    from gdgrade.data import load, toys

    digits = load("mnist-small", as_torch=True)   # {"x_train": ..., "y_train": ..., "x_test": ..., ...}
    moons = toys.TwoMoons()
    x = moons.sample(1000, generator)             # numpy.random.Generator or torch.Generator

Names are imported on first use, so that the command line can list its commands without loading numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdgrade.data import toys
    from gdgrade.data.catalogue import FULL, SMALL
    from gdgrade.data.download import fetch
    from gdgrade.data.errors import DataError
    from gdgrade.data.folders import find_small
    from gdgrade.data.idx import read_idx
    from gdgrade.data.loading import load, load_full
    from gdgrade.data.molecules import ELEMENTS, Molecules, load_molecules

__all__ = [
    "ELEMENTS",
    "FULL",
    "SMALL",
    "DataError",
    "Molecules",
    "fetch",
    "find_small",
    "load",
    "load_full",
    "load_molecules",
    "read_idx",
    "toys",
]

_HOME = {
    "ELEMENTS": "molecules",
    "FULL": "catalogue",
    "SMALL": "catalogue",
    "DataError": "errors",
    "Molecules": "molecules",
    "fetch": "download",
    "find_small": "folders",
    "load": "loading",
    "load_full": "loading",
    "load_molecules": "molecules",
    "read_idx": "idx",
}


def __getattr__(name: str) -> Any:
    if name == "toys":
        return import_module("gdgrade.data.toys")
    if name in _HOME:
        return getattr(import_module(f"gdgrade.data.{_HOME[name]}"), name)
    raise AttributeError(f"module 'gdgrade.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
