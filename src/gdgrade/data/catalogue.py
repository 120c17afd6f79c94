"""Which data sets there are, and the checksums that prove them.

The numbers are those of ``data/SOURCES.md``, where each file's origin, selection rule and licence are told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from gdgrade.language import N_


@dataclass(frozen=True)
class SmallSet:
    """A cut of a public data set that ships with the course, as one ``.npz`` file."""

    name: str
    title: str
    content_sha256: str
    """Of names, types, shapes and values of the arrays, so that another zip layer does not matter."""
    images: bool

    @property
    def file(self) -> str:
        return f"{self.name}.npz"


@dataclass(frozen=True)
class OfficialFile:
    """One gzipped idx file of a full data set, as officially published."""

    array: str
    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class FullSet:
    """A complete public data set, downloaded on demand."""

    name: str
    title: str
    small: str
    url: str
    files: tuple[OfficialFile, ...]

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


_Set = TypeVar("_Set", SmallSet, FullSet)


def _by_name(*sets: _Set) -> Mapping[str, _Set]:
    return MappingProxyType({entry.name: entry for entry in sets})


SMALL = _by_name(
    SmallSet(
        "mnist-small",
        N_("7,000 handwritten digits of MNIST"),
        "150637eeb4540507717b9b5ce192cba91944b62374fcf7257a1c03de75d6fa8f",
        images=True,
    ),
    SmallSet(
        "fashion-small",
        N_("7,000 pictures of clothes from Fashion-MNIST"),
        "26a0b591ce7761177e37fae6d22cc39444e63bf00fc06cddc15ab7c7f87b549f",
        images=True,
    ),
    SmallSet(
        "molecules-small",
        N_("5,000 molecules of QM9 with their geometry"),
        "652986cec3323dbc7cb6d31499637c7e55ebede97c283855ffe124fe6bb4c74e",
        images=False,
    ),
)

FULL = _by_name(
    FullSet(
        "mnist",
        N_("MNIST, 70,000 handwritten digits"),
        "mnist-small",
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        (
            OfficialFile(
                "x_train",
                "train-images-idx3-ubyte.gz",
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            OfficialFile(
                "y_train",
                "train-labels-idx1-ubyte.gz",
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            OfficialFile(
                "x_test",
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            OfficialFile(
                "y_test",
                "t10k-labels-idx1-ubyte.gz",
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
    ),
    FullSet(
        "fashion-mnist",
        N_("Fashion-MNIST, 70,000 pictures of clothes"),
        "fashion-small",
        # no https at this address; the checksums guard the content
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        (
            OfficialFile(
                "x_train",
                "train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            OfficialFile(
                "y_train",
                "train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            OfficialFile(
                "x_test",
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            OfficialFile(
                "y_test",
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ),
    ),
)
