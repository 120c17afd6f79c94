"""Pages: complete in themselves, inert, readable without colour, quiet in a real browser."""

import itertools
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gdgrade.batch.grades import Grade, grades
from gdgrade.batch.manual import decide
from gdgrade.batch.pages import page_name, write_pages
from gdgrade.batch.sources import Refused
from gdgrade.batch.store import Key, Store, Verdict
from gdgrade.course.manifest import Course
from gdgrade.report.html import TEMPLATES, report_page, write_report

from .conftest import RIGHT
from .helpers import hand_in, make_report

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
EVIL = "<script>document.title='owned'</script><img src=x onerror=alert(1)>{{ 7*7 }}&amp;\""


class Tags(HTMLParser):
    """All tags of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def some(course: Course, tmp_path: Path) -> list[Grade]:
    """Three students: a good one, a hostile one, one with an unreadable file."""
    with Store(tmp_path / "out", write=True) as store:
        evil = hand_in("eve", RIGHT + "#\n", name=EVIL)
        broken = hand_in("kim", RIGHT)
        broken = type(broken)(**{**broken.__dict__, "submission": None, "problem": "target.py is empty."})
        run = store.begin_run(course.id, "1", {}, [hand_in("ada", RIGHT), evil, broken, Refused("x/" + EVIL, "odd")])
        for row, points in zip(store.pending(run), (8, 3), strict=True):
            report = make_report(course, points=points, message=EVIL, hint="How many times?")
            key = Key("1", "ex01_target", row["sha256"], "1:-", "0", "c", "full")
            store.record(run, key, Verdict(report.to_json(indent=None)))
        decide(store, "eve", "ex01_target", adjust=-1, why=EVIL)
        return grades(store, course)


def test_text_of_students_is_inert(some: list[Grade], course: Course, tmp_path: Path) -> None:
    """Markup in names, messages and comments appears as text on every page."""
    for path in write_pages(course, some, tmp_path / "html", refused=[("x/" + EVIL, "odd")]):
        text = path.read_text()
        assert "<script>document" not in text
        assert "<img src=x" not in text
        scripts = [tag for tag, _ in Tags(text).found if tag == "script"]
        assert len(scripts) == (1 if path.name == "index.html" else 0)
        assert "49" not in re.findall(r"onerror=alert\(1\)&gt;(\S+)", text)
    assert "{{ 7*7 }}" in (tmp_path / "html/index.html").read_text()


def test_pages_are_complete_in_themselves(some: list[Grade], course: Course, tmp_path: Path) -> None:
    """No page asks for another file or host; the policy in it forbids that too."""
    paths = write_pages(course, some, tmp_path / "html")
    for path in paths:
        for tag, attributes in Tags(path.read_text()).found:
            source = attributes.get("src") or (attributes.get("href") if tag == "link" else None)
            assert source is None or source.startswith("data:"), (tag, source)
            assert not any(name.startswith("on") for name in attributes)
        assert "default-src 'none'" in path.read_text()
        assert "http://" not in path.read_text().replace("http://x", "")
    names = {path.name for path in paths}
    linked = re.findall(r'href="students/([^"]+)"', paths[0].read_text())
    assert set(linked) | {"index.html"} == names


def test_accessible_structure(some: list[Grade], course: Course, tmp_path: Path) -> None:
    """A language, one top heading, no level left out, captions or labels, alternative texts, scopes in tables."""
    for path in write_pages(course, some, tmp_path / "html"):
        tags = Tags(path.read_text()).found
        levels = [int(tag[1]) for tag, _ in tags if re.fullmatch(r"h[1-6]", tag)]
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), levels
        assert ("html", {"lang": "en"}) in tags
        assert all("scope" in attributes for tag, attributes in tags if tag == "th")
        assert all(attributes.get("alt") for tag, attributes in tags if tag == "img")


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_contrast() -> None:
    """Every text colour has a contrast of at least 4.5 to both grounds, in light, dark and print (WCAG 2.1 AA)."""
    schemes = re.findall(r":root \{([^}]+)\}", (TEMPLATES / "style.css").read_text())
    assert len(schemes) == 3
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", scheme))
        for name in ("text", "soft", "good", "bad", "wait", "odd", "link"):
            for ground in ("ground", "panel"):
                bright, dark = sorted((luminance(colours[name]), luminance(colours[ground])), reverse=True)
                assert (bright + 0.05) / (dark + 0.05) >= 4.5, (name, ground)


def test_what_a_student_reads(some: list[Grade], course: Course, tmp_path: Path) -> None:
    """Points, failed checks with hints, the teacher's decision; for an unreadable file the reason, and no zero."""
    paths = {path.name: path.read_text() for path in write_pages(course, some, tmp_path / "html")}
    eve = paths[page_name("eve")]
    assert "How many times?" in eve
    assert "From your teachers" in eve
    assert "counted: 2" in eve
    kim = paths[page_name("kim")]
    assert "not graded" in kim
    assert "target.py is empty." in kim
    index = paths["index.html"]
    assert "1 for a person" in index
    assert "tripled" in index


def test_figures_are_inside(course: Course, tmp_path: Path) -> None:
    """Figures travel within the page."""
    report = make_report(course, points=8)
    write_report(report, tmp_path / "r.html", {"Your samples and the reference's": b"\x89PNG"})
    images = [attributes for tag, attributes in Tags((tmp_path / "r.html").read_text()).found if tag == "img"]
    assert images[0]["src"] == "data:image/png;base64,iVBORw=="
    assert images[0]["alt"] == "Your samples and the reference's"


def test_hidden_checks_stay_hidden(course: Course) -> None:
    """A redacted report's page holds no inputs of hidden checks."""
    report = make_report(course, points=0)
    checks = tuple(c.model_copy(update={"visibility": "hidden", "expected": "[31337.0]"}) for c in report.checks)
    report = report.model_copy(update={"checks": checks})
    assert "31337" in report_page(report)
    assert "31337" not in report_page(report.redacted())


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_in_a_browser(some: list[Grade], course: Course, tmp_path: Path) -> None:
    """Chromium logs no error; sorting buttons are there, reachable, and work; no text of a student became markup."""
    paths = write_pages(course, some, tmp_path / "html")
    index = paths[0]
    probe = """<script>
      const head = document.querySelectorAll("#grades thead button")[2];
      head.focus();
      const focused = document.activeElement === head;
      head.click(); const up = document.querySelector("#grades tbody tr").cells[0].textContent;
      head.click(); const down = document.querySelector("#grades tbody tr").cells[0].textContent;
      const box = document.getElementById("filter"); box.value = "kim"; box.dispatchEvent(new Event("input"));
      const shown = document.getElementById("shown").textContent;
      document.body.dataset.probe = [focused, up !== down, shown, document.title.includes("owned")].join("|");
    </script></body>"""
    probed = tmp_path / "html/probed.html"
    probed.write_text(index.read_text().replace("</body>", probe))
    dom, log = browse(probed, tmp_path)
    assert re.search(r'data-probe="true\|true\|1 of 3 shown\|false"', dom), dom[-600:]
    assert not errors(log), log
    for path in paths[1:]:
        _, log = browse(path, tmp_path)
        assert not errors(log), log


def browse(path: Path, folder: Path) -> tuple[str, str]:
    done = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0",
         f"--user-data-dir={folder / 'profile'}", "--dump-dom", path.as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stdout, done.stderr


def errors(log: str) -> list[str]:
    return [line for line in log.splitlines() if "CONSOLE" in line]
