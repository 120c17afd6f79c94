"""The language in which gdgrade speaks: English in the code, other languages from gettext catalogues.

Text for students is marked where it stands: ``_("{count} checks wait").format(count=3)``; never an f-string inside
the call, or the text cannot be found in a catalogue. `gdgrade/locale/LANG/LC_MESSAGES/gdgrade.po` translates the
engine. Course text (titles, hints, messages of checks) is translated by the course's own catalogues, through
`course_text`. See docs/translation.md.
"""

from __future__ import annotations

import contextlib
import gettext
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

LANGUAGES = ("en", "fr")
LOCALE = Path(__file__).parent / "locale"
# The first of these that is set decides, as everywhere in gettext; the system's own setting comes after them.
VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_current: gettext.NullTranslations = gettext.NullTranslations()
_course: Callable[[str], str] | None = None
_loaded: dict[str, gettext.NullTranslations] = {}
_name = "en"


def use(name: str, *folders: Path) -> None:
    """Speak `name` from now on, in this process.

    Args:
        folders: hold the course's catalogues, such as ``graders/ex05_langevin/locale``; those that are missing are
            left out.

    Raises:
        ValueError: a language that gdgrade does not speak.
    """
    global _current, _course, _name
    if name not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, got {name!r}")
    _name, _course = name, None
    if name == "en":
        _current = gettext.NullTranslations()
        return
    _current = _loaded[name] if name in _loaded else _load(name)
    if folders:
        from gdgrade.phrases import load_phrases

        _course = load_phrases([folder / f"{name}.mo" for folder in folders])


@contextlib.contextmanager
def speaking(name: str, *folders: Path) -> Iterator[None]:
    """Speak `name` inside a with block, and after it what was spoken before."""
    global _current, _course, _name
    before = _current, _course, _name
    use(name, *folders)
    try:
        yield
    finally:
        _current, _course, _name = before


def load_all() -> None:
    """Read the engine's catalogues now: a confined process cannot do it later."""
    for name in LANGUAGES[1:]:
        _load(name)


def _load(name: str) -> gettext.NullTranslations:
    _loaded[name] = gettext.translation("gdgrade", LOCALE, languages=[name], fallback=True)
    return _loaded[name]


def language() -> str:
    """The language in use, such as "en"."""
    return _name


def preferred(option: str | None = None) -> str:
    """The language to speak: the option, else GDGRADE_LANG, else the system's locale, else English."""
    for name in (option, os.environ.get("GDGRADE_LANG"), *(os.environ.get(key) for key in VARIABLES), _of_windows()):
        if name:
            # LANGUAGE may list several, the best first: "fr:en".
            short = name.replace("-", "_").split(":")[0].split(".")[0].split("_")[0].lower()
            return short if short in LANGUAGES else "en"
    return "en"


def _of_windows() -> str | None:
    """The user's language on Windows, which sets none of the variables."""
    if sys.platform == "win32":
        import ctypes
        import locale

        return locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage())
    return None


def _(text: str) -> str:
    """`text` in the language in use."""
    return _current.gettext(text) if text else text


def ngettext(one: str, many: str, count: int) -> str:
    """`one` or `many`, by the plural rule of the language in use."""
    return _current.ngettext(one, many, count)


def N_(text: str) -> str:  # noqa: N802 - the usual name of this mark
    """`text` as it is, marked for the catalogue; for constants, which are translated where they are used."""
    return text


def listed(words: Iterable[str]) -> str:
    """``5.1, 5.2 and 5.4``."""
    return _joined(words, _("{words} and {last}"))


def listed_or(words: Iterable[str]) -> str:
    """``ex01, ex02 or ex04``."""
    return _joined(words, _("{words} or {last}"))


def _joined(words: Iterable[str], template: str) -> str:
    words = list(words)
    if len(words) < 2:
        return "".join(words)
    return template.format(words=", ".join(words[:-1]), last=words[-1])


def course_text(text: str) -> str:
    """Text of a course in the language in use, where its catalogues have it; else as it is."""
    return _course(text) if _course is not None and text else text
