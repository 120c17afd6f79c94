"""Catalogues of translations: brought up to date with the texts they are for, compiled, and looked through for faults.

The work on `.po` and `.mo` files is Babel's; here is what a catalogue of this project must look like. Files are the
same whenever they are made from the same texts: no dates, no line numbers.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

WIDTH = 110
PLACEHOLDER = re.compile(r"(?<!\{)(?:\{\{)*\{(\w*)[^{}]*\}")
# A plain space where the line must not break, or none at all before ; ! and ?.
NO_SPACE = re.compile(r"\w[;!?](?=\s|$)| [;:!?»](?=\s|$)|« ")
HEADER = """# Translations for gdgrade. `python -m gdgrade.author.translations` keeps this file up to date; see
# docs/translation.md."""


@dataclass(frozen=True)
class Entry:
    """One text: its msgid (two for a plural), the files it stands in, and whether braces in it are placeholders."""

    msgid: str | tuple[str, str]
    places: tuple[str, ...]
    pattern: bool = False


def template(entries: Iterable[Entry], language: str = "fr") -> Catalog:
    """A catalogue with these texts and no translation."""
    catalog = Catalog(locale=language, fuzzy=False, header_comment=HEADER, charset="utf-8")
    for entry in entries:
        flags = ("python-brace-format",) if entry.pattern else ()
        catalog.add(entry.msgid, locations=[(place, 0) for place in entry.places], flags=flags)
    return catalog


def read(path: Path) -> Catalog:
    """A catalogue as it is, comments and obsolete entries included."""
    with path.open("rb") as file:
        return read_po(file, locale="fr", abort_invalid=True)


def update(path: Path, entries: Iterable[Entry]) -> bool:
    """Bring a catalogue up to date: new texts come in, similar ones as fuzzy, and vanished ones go.

    Returns:
        whether the file was changed.
    """
    fresh = template(entries)
    if path.is_file():
        catalog = read(path)
        catalog.update(fresh, update_header_comment=True, keep_user_comments=True)
        catalog.obsolete.clear()  # the history remembers them
        catalog.header_comment = HEADER
    else:
        catalog = fresh
    text = _text(catalog)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True


def compile_catalogue(path: Path, only: frozenset[str] | None = None, to: Path | None = None) -> Path:
    """Write the `.mo` file of a `.po` file: beside it, or as `to`.

    Args:
        only: the msgids that may be in it; None: all.
    """
    catalog = read(path)
    for message in list(catalog):
        if message.id and only is not None and message.id not in only:
            catalog.delete(message.id)
    target = to or path.with_suffix(".mo")
    target.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    target.write_bytes(buffer.getvalue())
    return target


def problems(path: Path, entries: Iterable[Entry]) -> Iterator[str]:
    """What is wrong with a catalogue, one sentence each: missing, fuzzy, obsolete, wrong placeholders, stale `.mo`."""
    entries = list(entries)
    if not path.is_file():
        if entries:
            yield f"{path}: there is no such catalogue, and {len(entries)} texts wait for it"
        return
    catalog = read(path)
    wanted = {_key(entry.msgid): entry for entry in entries}
    present = {_key(message.id): message for message in catalog if message.id}
    for key, entry in wanted.items():
        message = present.get(key)
        if message is None or not _translated(message):
            yield f"{path}: missing ({', '.join(entry.places)}): {key}"
        elif message.fuzzy:
            yield f"{path}: fuzzy: {key}"
        else:
            yield from (f"{path}: {fault}: {key}" for fault in faults(message, entry.pattern))
    for key in present:
        if key not in wanted:
            yield f"{path}: obsolete, in no source any more: {key}"
    if stale(path):
        yield f"{path.with_suffix('.mo')}: not made from the .po file beside it; compile it"


def stale(path: Path) -> bool:
    """Whether the `.mo` beside a `.po` says something else. Compared by content: Babel's versions may order it anew."""
    compiled = path.with_suffix(".mo")
    if not compiled.is_file():
        return True
    with compiled.open("rb") as file:
        found = {_key(message.id): _strings(message) for message in read_mo(file) if message.id}
    due = {
        _key(message.id): _strings(message)
        for message in read(path)
        if message.id and _translated(message) and not message.fuzzy
    }
    return found != due


def faults(message: Message, pattern: bool) -> Iterator[str]:
    """What is wrong with one translation."""
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    for number, string in enumerate(_strings(message)):
        original = ids[min(number, len(ids) - 1)]
        if pattern or "{" in original:
            # The singular may spell its number out.
            due, got = _placeholders(original), _placeholders(string)
            if got != due and not (len(ids) > 1 and got < due):
                yield f"placeholders differ ({', '.join(sorted(due ^ got))})"
        if original[-1:] != string[-1:] and (original[-1:] == "\n" or string[-1:] == "\n"):
            yield "one ends a line and the other does not"
        if NO_SPACE.search(_without_code(string)):
            yield "a no-break space is due before ; : ! ? and inside quotation marks"


def _without_code(text: str) -> str:
    return re.sub(r"`[^`]*`", "", text)


def _placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def _key(msgid: str | tuple[str, ...] | list[str]) -> str:
    return msgid if isinstance(msgid, str) else msgid[0]


def _strings(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def _translated(message: Message) -> bool:
    return all(_strings(message)) and bool(_strings(message))


def _text(catalog: Catalog) -> str:
    """The catalogue as text without what changes from run to run."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=WIDTH, sort_output=False, include_lineno=False, omit_header=False)
    text = buffer.getvalue().decode()
    return re.sub(r'^"(POT-Creation-Date|PO-Revision-Date|Project-Id-Version|Report-Msgid-Bugs-To|Last-Translator|'
                  r'Language-Team|Generated-By): .*\n', "", text, flags=re.MULTILINE)  # fmt: skip
