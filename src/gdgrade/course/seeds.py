"""Seeds of the graders' random inputs: the public one of the course file, the secret one from outside of it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gdgrade.course.errors import CourseError
from gdgrade.course.manifest import Course

SECRET_VARIABLE = "GDGRADE_SECRET_SEED"  # noqa: S105  # the name of a variable
SECRET_FILE_VARIABLE = "GDGRADE_SECRET_FILE"  # noqa: S105
MAX_SECRET_BYTES = 65_536
SHORT_SECRET = 16  # bytes; below it somebody could try them all


@dataclass(frozen=True)
class SeedChoice:
    """The seeds of one run.

    Attributes:
        public: of the public checks; anybody can repeat them.
        secret: material of the hidden checks, or None; never shown, not even by ``repr``.
        source: where the secret came from: a variable's name, or "none".
        warning: what a person should mend, or None.
    """

    public: int
    secret: bytes | None = field(default=None, repr=False)
    source: str = "none"
    warning: str | None = None

    @property
    def fingerprint(self) -> str | None:
        """Four hexadecimal digits of a hash of the secret: tells two secrets apart.

        Not more digits, because a report is public: 16 bits do not let anybody confirm a guess of the secret.
        """
        return None if self.secret is None else _digest(self.secret, ("fingerprint",)).hex()[:4]

    def material(self, visibility: str) -> bytes | int:
        """What to hand to ``derive``: the secret for hidden checks if there is one, else the public seed."""
        return self.secret if visibility == "hidden" and self.secret is not None else self.public


def grading_seed(course: Course, env: Mapping[str, str] = os.environ, *, public: int | None = None) -> SeedChoice:
    """The seeds that grading uses.

    The secret is the text of ``GDGRADE_SECRET_SEED`` or the content of the file that ``GDGRADE_SECRET_FILE``
    names, without surrounding white space. The file must lie outside the course folder, which students get.

    Args:
        course: gives the public seed and the folder.
        env: the environment.
        public: another public seed (``--seed``).

    Raises:
        CourseError: if both variables are set, or the secret cannot be had; never names the secret.
    """
    seed = course.seeds.public if public is None else public
    text, file = env.get(SECRET_VARIABLE), env.get(SECRET_FILE_VARIABLE)
    if text is not None and file is not None:
        message = f"is set beside {SECRET_FILE_VARIABLE}. Unset one of the two."
        raise CourseError.at(SECRET_VARIABLE, message)
    if text is not None:
        # surrogateescape: variables are bytes on Unix, and any bytes will do for a seed
        secret = text.strip().encode("utf-8", "surrogateescape")
        if not secret:
            raise CourseError.at(SECRET_VARIABLE, "is empty. Give it a text, or unset it.")
        return SeedChoice(seed, secret, SECRET_VARIABLE, _short(secret, SECRET_VARIABLE))
    if file is not None:
        secret, warning = _from_file(file, course.root)
        return SeedChoice(seed, secret, SECRET_FILE_VARIABLE, warning or _short(secret, SECRET_FILE_VARIABLE))
    return SeedChoice(seed)


def derive(material: int | bytes | str, *labels: int | str) -> int:
    """A seed for one purpose: SHA-256 of the material and the labels.

    Args:
        material: of ``SeedChoice.material``.
        labels: e.g. exercise id, check id, attempt; every sequence of labels gives another seed.

    Returns:
        An integer in [0, 2**63), which every random generator here takes.

    Example:
        >>> derive(1, "a", "bc") == derive(1, "ab", "c")
        False
    """
    return int.from_bytes(_digest(material, labels)[:8], "big") >> 1


def _digest(material: int | bytes | str, labels: tuple[int | str, ...]) -> bytes:
    digest = hashlib.sha256(b"gdgrade seed 1")
    for piece in (material, *labels):
        if isinstance(piece, bytes):
            kind, data = b"b", piece
        elif isinstance(piece, str):
            kind, data = b"s", piece.encode("utf-8", "surrogateescape")
        else:
            kind, data = b"i", str(int(piece)).encode()
        # Kind and length first, so that neither ("ab", "c") and ("a", "bc") nor 1 and "1" meet.
        digest.update(kind + len(data).to_bytes(8, "big") + data)
    return digest.digest()


def _from_file(name: str, root: Path) -> tuple[bytes, str | None]:
    path = Path(name).expanduser()
    try:
        real = path.resolve(strict=True)
        with real.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise CourseError.at(SECRET_FILE_VARIABLE, f"{name} is not an ordinary file.")
            data = file.read(MAX_SECRET_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a circle of symlinks
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise CourseError.at(SECRET_FILE_VARIABLE, f"{name} cannot be read: {reason}.") from None
    if real.is_relative_to(root.resolve()):
        message = f"{name} lies in the course folder, which students get. Move it elsewhere."
        raise CourseError.at(SECRET_FILE_VARIABLE, message)
    if len(data) > MAX_SECRET_BYTES:
        raise CourseError.at(SECRET_FILE_VARIABLE, f"{name} is larger than {MAX_SECRET_BYTES} bytes.")
    secret = data.strip()
    if not secret:
        raise CourseError.at(SECRET_FILE_VARIABLE, f"{name} is empty. Put a random text in it.")
    warning = None
    if os.name == "posix" and status.st_mode & (stat.S_IRGRP | stat.S_IROTH):
        warning = f"{SECRET_FILE_VARIABLE}: other users can read {name}. Run: chmod 600 {name}"
    return secret, warning


def _short(secret: bytes, variable: str) -> str | None:
    if len(secret) >= SHORT_SECRET:
        return None
    return f"{variable}: the secret has only {len(secret)} characters; use {SHORT_SECRET} random ones or more."
