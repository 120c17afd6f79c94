"""Nothing in a package may give answers away: a search of its content, not of its file names alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from gdgrade.author.fragments import squeezed
from gdgrade.author.packed import Unpacked, unpacked
from gdgrade.author.pruning import defined, used_by
from gdgrade.author.secret_code import Secrets, bodies, code_lines, definition, given_away, reference_code
from gdgrade.course.manifest import Exercise
from gdgrade.sourcecode import python_tree

FORBIDDEN_NAMES = ("mistakes.py", "equivalent_mutants.yml", "calibrate.py")
PICTURES = (".png", ".gif", ".jpg", ".jpeg", ".webp", ".ico", ".pdf", ".mp4", ".webm", ".wav", ".mp3")
ARRAYS = (".npz", ".npy")
READABLE = (".pt", ".pth", ".safetensors", ".mo")  # binary, with texts that are not compressed
MIN_SECRET = 8  # characters; a shorter secret seed may stand anywhere by chance


def checks_that_show_code(exercise: Exercise, public: Collection[str]) -> dict[str, str]:
    """Checks that hold, or reach, code of the reference, in comments and strings as well: they stay at home."""
    secrets = reference_code(exercise)
    found = {short: _shown(exercise, short, secrets) for short in public}
    return {short: f"{where} of the reference: {code}" for short, (where, code) in found.items() if code}


def plots_that_show_code(exercise: Exercise, secrets: Secrets) -> dict[str, str]:
    """{"plots": why}, if drawing the figures needs code that no package may hold: then they stay at home."""
    where, code = _shown(exercise, "plots", secrets)
    return {"plots": f"{where} of {secrets.code[code]}: {code}"} if code else {}


def _shown(exercise: Exercise, short: str, secrets: Secrets) -> tuple[str, str]:
    """(which file holds code, what code) for the first secret that a check reaches; empty texts for none."""
    for stem, names in used_by(exercise.graders_dir, short).items():
        source = (exercise.graders_dir / f"{stem}.py").read_text(encoding="utf-8")
        for node in python_tree(source).body:
            held = secrets.in_python(definition(source, node)) if names.intersection(defined(node)) else []
            if held:
                return f"{stem}.py holds code", held[0]
    return "", ""


def search(exercise: Exercise, folder: Path, secrets: Secrets, seed: bytes | None = None) -> list[str]:
    """What is in the package and must not be, one sentence each.

    Looked for: code of the reference, of mistakes.py and of hidden checks, planted answers among what students get,
    files of those names, any word about a secret seed, and files that nobody can look into.

    Args:
        secrets: of `secret_code`.
        seed: the secret seed, if there is one here. It is never repeated.
    """
    planted = dict(_planted(exercise))
    problems = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name, data = path.relative_to(folder), path.read_bytes()
            held = unpacked(data)
            faults = [*_forbidden(name, (data, *held.parts), seed), *_told(name, data, held, secrets, planted)]
            problems += [f"{name}{fault}" for fault in faults]
    return problems


def _forbidden(name: Path, parts: Sequence[bytes], seed: bytes | None) -> Iterator[str]:
    """What is wrong with a file whatever it is."""
    if name.name in FORBIDDEN_NAMES or name.parts[0] in ("reference", "tests"):
        yield " must not be in a package"
    if seed is not None and len(seed) >= MIN_SECRET and any(seed in data for data in parts):
        yield " holds the secret seed itself"


def _told(
    name: Path, data: bytes, inside: Unpacked, secrets: Secrets, planted: Mapping[frozenset[str], str]
) -> Iterator[str]:
    """What is wrong with a file's text."""
    kind = name.suffix.lower()
    if kind in (*PICTURES, *ARRAYS):  # these have texts as well: names of arrays, arrays of texts, comments
        yield from inside.doubts
        for piece in sorted({piece for text in inside.texts for piece in secrets.in_text(text)}):
            yield f": code of {secrets.code[piece]}, beside or among its numbers: {piece}"
        return
    if kind not in READABLE and _binary(data):
        yield " cannot be searched: it is neither text nor a known picture or array. Unpack it, or take it out."
        return
    text = data.decode("utf-8", errors="replace")
    held = secrets.in_python(text) if kind == ".py" else secrets.in_text(text)
    yield from (f": code of {secrets.code[piece]}: {piece}" for piece in held)
    if name.parts[0] == "exercises" and not held:
        lines, dense = code_lines(text) if kind == ".py" else set(), squeezed(text)
        copied = {whose for body, whose in planted.items() if all(s in lines or s in dense for s in body)}
        yield from (f": a function of the planted answer {whose}" for whose in sorted(copied))
    if "secret_seed" in text.lower() or "gdgrade_secret" in text.lower():
        yield " speaks of the secret seed"


def _planted(exercise: Exercise) -> Iterator[tuple[frozenset[str], str]]:
    """(telling lines, file name) of what right planted answers write where the stub leaves it to the student."""
    given = given_away(exercise)
    stub = python_tree(exercise.entry_path.read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(stub) if isinstance(node, ast.FunctionDef)}
    for path in sorted((exercise.folder("exercises").parents[1] / "tests" / "submissions" / exercise.id).glob("*.py")):
        source = path.read_text(encoding="utf-8", errors="replace")
        if re.match(r"#\s*right:", source):
            yield from ((body - given, path.name) for body in bodies(source, names) if body - given)


def _binary(data: bytes) -> bool:
    try:
        return "\0" in data.decode("utf-8")
    except UnicodeDecodeError:
        return b"\0" in data or not _latin(data)


def _latin(data: bytes) -> bool:
    """Whether it may be a text of an older encoding: no control characters but those that lay out a text."""
    return all(byte >= 32 or byte in b"\t\n\r\f" for byte in data)
