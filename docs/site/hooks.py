"""What the site does beyond Markdown: statements and gallery become pages, links between them are mended, formulas
become MathML, which browsers show by themselves.

Read by MkDocs (`hooks` in mkdocs.yml); see its manual, "Developing hooks".
"""

import html
import posixpath
import re
from pathlib import Path

import yaml
from latex2mathml.converter import convert
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Section

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = {"README.md": ("Exercises", ""), "README.fr.md": ("Exercices", ".fr")}
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
MATHS = re.compile(r'<(span|div) class="arithmatex">(.*?)</\1>', re.DOTALL)


def on_config(config):
    """The navigation: statements in both languages and figures, in the order of course.yml."""
    course = yaml.safe_load((ROOT / "course.yml").read_text(encoding="utf-8"))
    config.extra["exercises"] = [exercise["id"] for exercise in course["exercises"]]
    for name, (title, suffix) in LANGUAGES.items():
        found = [one for one in config.extra["exercises"] if (ROOT / "exercises" / one / name).is_file()]
        config.nav.append({title: [f"exercises/{one}{suffix}.md" for one in found]})
    config.nav.append({"Gallery": [f"gallery/{one}.md" for one in config.extra["exercises"] if figures(one)]})
    return config


def figures(exercise):
    """The figures of an exercise's reference, by name."""
    folder = ROOT / "docs/gallery" / exercise
    return sorted(path for path in folder.glob("*") if path.suffix in (".png", ".gif", ".svg"))


def on_files(files: Files, config):
    """Add pages that are no files below docs/."""
    for exercise in config.extra["exercises"]:
        for name, (_, suffix) in LANGUAGES.items():
            statement = ROOT / "exercises" / exercise / name
            if statement.is_file():
                files.append(generated(config, f"exercises/{exercise}{suffix}.md", statement.read_text("utf-8")))
        if figures(exercise):
            lines = [f"# Figures of {exercise}", "", "Drawn by the reference; yours: `gdgrade plot`.", ""]
            lines += [f"![{path.stem.replace('_', ' ')}]({exercise}/{path.name})\n" for path in figures(exercise)]
            files.append(generated(config, f"gallery/{exercise}.md", "\n".join(lines)))
    return files


def generated(config, uri, text):
    return File.generated(config, uri, content=text)


def on_page_markdown(markdown, page, config, files):
    """Links lead to pages of the site; what the site lacks stays as plain text."""
    here = source_of(page.file.src_uri)

    def mended(found):
        picture, text, target = found.groups()
        path, _, anchor = target.partition("#")
        if not path or "://" in target or target.startswith("mailto:"):
            return found.group(0)
        uri = page_of(posixpath.normpath(posixpath.join(posixpath.dirname(here), path)))
        if uri is None or files.get_file_from_path(uri) is None:
            return text
        link = posixpath.relpath(uri, posixpath.dirname(page.file.src_uri) or ".")
        return f"{picture}[{text}]({link}{'#' + anchor if anchor else ''})"

    if page.file.src_uri.startswith("gallery/"):
        return markdown
    parts = re.split(r"(^```.*?^```|`[^`\n]+`)", markdown, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if number % 2 else LINK.sub(mended, part) for number, part in enumerate(parts))


def source_of(uri):
    """Where a page's text lies in the repository."""
    found = re.fullmatch(r"exercises/(\w+?)(\.fr)?\.md", uri)
    return f"exercises/{found[1]}/README{found[2] or ''}.md" if found else f"docs/{uri}"


def page_of(path):
    """The page or file of the site that shows a path of the repository, or None."""
    found = re.fullmatch(r"exercises/(\w+)(?:/README(\.fr)?\.md)?", path)
    if found:
        return f"exercises/{found[1]}{found[2] or ''}.md"
    found = re.fullmatch(r"docs/gallery/(\w+)", path)
    if found:
        return f"gallery/{found[1]}.md"
    if path == "README.md":
        return "index.md"
    return path.removeprefix("docs/") if path.startswith("docs/") else None


def on_page_content(content, page, config, files):
    """Formulas as MathML."""

    def formula(found):
        tex = html.unescape(found[2]).strip()
        display = tex.startswith("\\[")
        return convert(tex[2:-2].strip(), display="block" if display else "inline")

    return MATHS.sub(formula, content)


def on_nav(nav, config, files):
    """Nothing of the gallery may be missing: a section without pages is a mistake of the course."""
    for item in nav.items:
        if isinstance(item, Section) and not item.children:
            raise SystemExit(f"the section {item.title!r} of the site is empty")
    return nav
