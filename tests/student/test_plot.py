"""Figures beside the reference's: a page that needs nothing else, from `plot` and from `check --plot`."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

from .conftest import ENTRY, EX, PNG, gdgrade

OWN = f"figures/{EX}/mean.png"
PAGE = f"figures/{EX}/index.html"


class Tags(HTMLParser):
    """All tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag == name]


def images(text: str) -> dict[str, bytes]:
    """Alternative text -> the picture's bytes."""
    found = {}
    for attributes in Tags(text).of("img"):
        source = attributes["src"] or ""
        assert source.startswith("data:image/png;base64,")
        found[attributes["alt"] or ""] = base64.b64decode(source.partition(",")[2])
    return found


def test_the_page(solved: Path) -> None:
    """Yours and the reference's side by side, embedded, with alternative texts; no script, no address outside."""
    done = gdgrade("plot", "ex01", "--format", "png", cwd=solved)
    assert done.returncode == 0, done.stderr
    assert PAGE in done.stdout
    text = (solved / PAGE).read_text(encoding="utf-8")
    assert images(text) == {
        "Your figure: Mean": (solved / OWN).read_bytes(),
        "The reference's figure: Mean": PNG,
        "The reference's figure: Only there": PNG,
    }
    tags = Tags(text)
    assert tags.of("script") == []
    assert not re.search(r"""(src|href)=["'](https?:|//)""", text)
    assert "color-scheme" in text
    assert "Not checked yet: gdgrade check ex01" in text


def test_after_a_check(solved: Path) -> None:
    """`check --plot` puts its report on the page; the exit code is the check's. `plot` then shows what was kept."""
    done = gdgrade("check", "ex01", "--plot", cwd=solved)
    assert done.returncode == 1  # part 1.3 is not written
    text = (solved / PAGE).read_text(encoding="utf-8")
    assert len(images(text)) == 3
    assert "SHA-256" in text  # of the report
    assert gdgrade("plot", "ex01", "--format", "png", cwd=solved).returncode == 0
    text = (solved / PAGE).read_text(encoding="utf-8")
    assert "Parts, as last checked" in text
    assert text.count(">passed</td>") == 2


def test_code_that_does_not_get_that_far(workspace: Path) -> None:
    """`plot` says why and ends with 1; `check --plot` keeps its verdict, and the page shows the reference alone."""
    done = gdgrade("plot", "ex01", cwd=workspace)
    assert done.returncode == 1
    assert "weighted_mean is not written yet" in done.stderr
    (workspace / ENTRY).write_text("def weighted_mean(x, w): raise ValueError('<script>alert(1)</script>')\n")
    done = gdgrade("check", "ex01", "--part", "1.1", "--plot", cwd=workspace)
    assert done.returncode == 1
    text = (workspace / PAGE).read_text(encoding="utf-8")
    assert Tags(text).of("script") == []
    assert set(images(text)) == {"The reference's figure: Mean", "The reference's figure: Only there"}
