"""The tutorial of docs/instructors.md, run from its own text; the check API's page is that of the docstrings."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from gdgrade.author.apidoc import reference
from gdgrade.cli import main

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COURSE = """\
course: {id: tutorial, title: "A course", revision: "1", arrays: torch}
seeds: {public: 3}
exercises:
  - id: ex01_first
    title: "What was there before"
    entry: first.py
    preload: [torch]
    parts:
      - {id: "1.1", title: "A part", points: 1}
"""


def steps() -> list[tuple[str, str, str]]:
    """(language, what follows it, text) of the tutorial's blocks, in order."""
    text = (ROOT / "docs/instructors.md").read_text()
    begin = text.index("## Add an exercise in an afternoon")
    return BLOCK.findall(text[begin : text.index("## What `author check` proves")])


def test_tutorial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of the tutorial succeeds, with every file as it is printed there."""
    (tmp_path / "course.yml").write_text(COURSE)
    monkeypatch.chdir(tmp_path)
    commands, template, output = [], set(), ""
    for language, more, text in steps():
        if language == "console":
            for line in text.splitlines():
                command = re.findall(r'"[^"]*"|\S+', line.removeprefix("$ gdgrade "))
                result = CliRunner().invoke(main, [word.strip('"') for word in command])
                assert result.exit_code == 0, f"{line}\n{result.output}"
                commands.append(line)
                output = result.output if "author check" in line else output
            if len(commands) == 2:  # "delete the template's": what the new files do not replace
                template = {*Path("graders/ex09_ddim").glob("test_*.py"), *Path("tests/submissions").glob("*/*.py")}
        elif more.startswith(" file="):
            path = Path(more.removeprefix(" file="))
            assert path.parent.is_dir(), path
            path.write_text(text)
            template.discard(path)
        elif more.startswith(" parts="):
            course = Path("course.yml").read_text()
            Path("course.yml").write_text(course[: course.index("    parts:", course.index("ex09_ddim"))] + text)
        if "wrong_noise_of_old_level" in more:
            for path in template:
                path.unlink()
    assert len(commands) == 5
    assert "REPLACE" not in output  # nothing of the template is left, hints for another exercise least of all
    assert (tmp_path / "handout/tape/ex09_ddim/tape.json").is_file()
    assert not (tmp_path / "handout/reference").exists()


def test_check_api_page_is_up_to_date() -> None:
    """docs/check-api.md is what `python -m gdgrade.author.apidoc` writes."""
    assert (ROOT / "docs/check-api.md").read_text() == reference()
