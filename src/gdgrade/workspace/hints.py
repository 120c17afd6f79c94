"""Hints on request: ``exercises/EX/hints.yml``, a mapping from part ids to three texts each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gdgrade.course.manifest import Exercise

LAYERS = 3  # a question, an experiment, nearly the idea
MAX_BYTES = 200_000


class HintsError(Exception):
    """A file of hints is not what it must be; the text says where."""


def read(exercise: Exercise, language: str = "en") -> dict[str, tuple[str, ...]]:
    """Part id -> its hints, in the language where they are translated, else as written.

    Returns:
        Empty for an exercise without hints.

    Raises:
        HintsError: a file that is there cannot be read.
    """
    folder = exercise.folder("exercises")
    found = _file(folder / "hints.yml")
    if language != "en":
        translated = _file(folder / f"hints.{language}.yml")
        found |= {part: texts for part, texts in translated.items() if len(texts) == len(found.get(part, ()))}
    return found


def _file(path: Path) -> dict[str, tuple[str, ...]]:
    import yaml

    if not path.is_file():
        return {}
    try:
        with path.open("rb") as stream:
            data: Any = yaml.safe_load(stream.read(MAX_BYTES).decode("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise HintsError(f"{path} cannot be read: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(data, dict):
        raise HintsError(f'{path} must be a mapping from parts to lists of hints, such as "5.1": [...]')
    found = {}
    for part, texts in data.items():
        if not isinstance(part, str):
            raise HintsError(f'{path}: the part {part!r} must be in quotes: "{part}"')
        if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
            raise HintsError(f"{path}: the hints of part {part} must be a list of texts")
        found[part] = tuple(" ".join(text.split()) for text in texts)
    return found
