"""Every statement exists in French, and says the same things: same sections, formulas, code, links and numbers."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXERCISES = sorted(path.name for path in (ROOT / "exercises").iterdir() if (path / "README.md").is_file())
NAMES = ("README.md", "README.fr.md")

CODE = re.compile(r"^```(\w*)\n(.*?)^```$", re.S | re.M)
FORMULA = re.compile(r"\$\$(.*?)\$\$", re.S)
LINK = re.compile(r"\]\(([^)]+)\)|<(https?://[^>]+)>")


@pytest.fixture(params=EXERCISES)
def both(request):
    """The English and the French statement of one exercise."""
    folder = ROOT / "exercises" / request.param
    missing = [name for name in NAMES if not (folder / name).is_file()]
    assert not missing, f"{request.param} has no {' and no '.join(missing)}"
    return tuple((folder / name).read_text(encoding="utf-8") for name in NAMES)


def test_there_are_statements():
    assert EXERCISES


def test_each_links_to_the_other(both):
    for text, other in zip(both, reversed(NAMES), strict=True):
        assert f"]({other})" in text.split("\n## ")[0]


def test_same_sections(both):
    english, french = (levels(text) for text in both)
    assert english == french


def test_same_formulas(both):
    english, french = (formulas(text) for text in both)
    assert english == french


def test_same_code_but_for_comments(both):
    english, french = (code(text) for text in both)
    assert english == french


def test_same_links(both):
    english, french = (links(text) for text in both)
    assert english == french


def test_same_tables(both):
    english, french = (tables(text) for text in both)
    assert english == french


def test_same_names_of_the_code(both):
    """Every function, argument and file that one statement names is named in the other."""
    english, french = (set(re.findall(r"`([^`\n]+)`", prose(text))) for text in both)
    assert english == french


def test_same_numbers(both):
    """Limits, points and tolerances are the same; numbers written as words do not count."""
    english, french = (numbers(text) for text in both)
    assert english == french


def test_french_punctuation(both):
    """A no-break space stands before : ; ! ? and inside guillemets, so that no line breaks there."""
    text = re.sub(r"`[^`\n]*`|\$[^$]*\$|\]\([^)]*\)|<https?://[^>]*>", "x", prose(both[1]))
    wrong = re.findall(r"^.*(?:\s(?<!\u00a0)(?:[:;?»]|!(?!\[))|«[^\u00a0]|[^\u00a0]»).*$", text, flags=re.M)
    assert not wrong


# ---- What a statement holds


def prose(text):
    """The text without code blocks and displayed formulas."""
    return FORMULA.sub("", CODE.sub("", text))


def levels(text):
    """The level of each heading, in order."""
    return [len(marks) for marks in re.findall(r"^(#+) ", CODE.sub("", text), flags=re.M)]


def formulas(text):
    """The displayed formulas, without the words in them."""
    return [re.sub(r"\\text\{[^}]*\}", r"\\text{}", found).split() for found in FORMULA.findall(text)]


def code(text):
    """The code blocks, without comments and the space before them."""
    return [(language, re.sub(r" *# .*$", "", body, flags=re.M)) for language, body in CODE.findall(text)]


def links(text):
    """The targets of all links but those to the other language."""
    return sorted(target for pair in LINK.findall(text) for target in pair if target and target not in NAMES)


def tables(text):
    """The number of cells in each row of a table, in order."""
    rows = re.findall(r"^\|.*\|$", prose(text), flags=re.M)
    return [len(re.sub(r"`[^`]*`|\$[^$]*\$", "", row).split("|")) for row in rows]


def numbers(text):
    """The numbers of the prose with a decimal point or three digits, sorted; thousands are grouped in either way."""
    plain = re.sub(r"(?<=\d)[,\u00a0](?=\d{3}(?!\d))", "", LINK.sub("", prose(text)))
    return sorted(re.findall(r"\d+\.\d+|\d{3,}", plain))
