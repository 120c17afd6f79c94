"""Every text for students has its French: in the engine, in course.yml and in each exercise's graders."""

from pathlib import Path

import pytest

from gdgrade.author import catalogues
from gdgrade.author.catalogues import Entry
from gdgrade.author.coursetexts import course_texts, exercise_texts
from gdgrade.author.enginetexts import engine_texts
from gdgrade.author.translations import ENGINE, course_catalogue, statements, tasks
from gdgrade.course.loading import load_course

ROOT = Path(__file__).parents[2]
COURSE = load_course(ROOT / "course.yml")


def test_the_engine_is_translated() -> None:
    """No text is missing, fuzzy or obsolete; placeholders agree; the compiled catalogue says the same."""
    entries = engine_texts()
    assert len(entries) > 300, "the extraction finds too little"
    assert list(catalogues.problems(ENGINE, entries)) == []


def test_the_titles_of_the_course_are_translated() -> None:
    task = next(tasks(COURSE, ["course"]))
    assert len(task.entries) >= len(COURSE.exercises) + sum(len(exercise.parts) for exercise in COURSE.exercises) - 5
    assert list(catalogues.problems(task.path, task.entries)) == []


@pytest.mark.parametrize("exercise", [exercise.id for exercise in COURSE.exercises])
def test_an_exercise_is_translated(exercise: str) -> None:
    """Titles and messages of its checks, titles and hints of its mistakes, its statement and its hints on request."""
    (task,) = tasks(COURSE, [exercise])
    checks = sum(text.count("@check(") for text in map(_read, (ROOT / "graders" / exercise).glob("test_*.py")))
    assert len(task.entries) > checks, "the extraction finds too little"
    assert [*catalogues.problems(task.path, task.entries), *statements(COURSE, [exercise])] == []


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("string", "problem"),
    [
        ("", "missing"),
        ("{got} points", "placeholders differ (most)"),
        ("{got} sur {most} points {more}", "placeholders differ (more)"),
        ("{got} sur {most} points !", "a no-break space is due"),
        ("{got} sur {most} points!", "a no-break space is due"),
        ("{got} sur {most} points\u00a0!", None),
    ],
)
def test_what_is_wrong_with_a_translation_is_found(tmp_path: Path, string: str, problem: str | None) -> None:
    path, entries = tmp_path / "fr.po", [Entry("{got} of {most} points!", ("x.py",), True)]
    catalogues.update(path, entries)
    text = _read(path).replace('msgstr ""\n', f'msgstr "{string}"\n')
    path.write_text(text.replace(f'msgstr "{string}"\n"Lang', 'msgstr ""\n"Lang'), encoding="utf-8")
    catalogues.compile_catalogue(path)
    found = list(catalogues.problems(path, entries))
    assert len(found) == (problem is not None), found
    assert problem is None or problem in found[0]


def test_a_change_is_noticed(tmp_path: Path) -> None:
    """A new text is missing, a changed one fuzzy, a vanished one obsolete, and a `.mo` of another `.po` stale."""
    path = tmp_path / "fr.po"
    before, after = (
        Entry("the samples do not follow the law", ("x.py",)),
        Entry("the draws do not follow the law", ("x.py",)),
    )
    catalogues.update(path, [before])
    assert "no such catalogue" in next(iter(catalogues.problems(tmp_path / "other.po", [before])))
    path.write_text(_read(path).replace('law"\nmsgstr ""', 'law"\nmsgstr "les tirages"'), encoding="utf-8")
    assert [problem.split(": ")[1] for problem in catalogues.problems(path, [before])] == [
        "not made from the .po file beside it; compile it"
    ]
    catalogues.compile_catalogue(path)
    assert list(catalogues.problems(path, [before])) == []
    assert any("obsolete" in problem for problem in catalogues.problems(path, []))
    assert any("missing" in problem for problem in catalogues.problems(path, [before, after]))
    catalogues.update(path, [after])
    assert any("fuzzy" in problem for problem in catalogues.problems(path, [after]))
    assert not catalogues.update(path, [after]), "a second update changes nothing"


def test_the_texts_of_graders_are_found(tmp_path: Path) -> None:
    """Docstrings of checks, messages, f-strings as patterns, names; not labels, keys, or modules nobody imports."""
    (tmp_path / "test_a.py").write_text(
        """
import helper
from gdgrade.checks import check, observe, require

@check("1.1", points=1)
def test_step(student, draw):
    \"\"\"A step is right.\"\"\"
    rows = {"no text here": 1}
    observe("a label", len(rows["no text here"]))
    require(len(rows) == 3, f"got {len(rows)} rows, {helper.DUE:.2f} are due in {{braces}}")
    agrees(student.f, name="points", means="one row per point")
    require(draw == "in that mode", f"the {'bias' if draw else 'weight'} is wrong")
""",
        encoding="utf-8",
    )
    (tmp_path / "helper.py").write_text('DUE = 3\nNAMES = {"keeps the first": 1}\n', encoding="utf-8")
    (tmp_path / "plots.py").write_text('TITLE = "no message of a check"\n', encoding="utf-8")
    found = {text.msgid: text.pattern for text in exercise_texts(tmp_path)}
    assert found == {
        "A step is right.": False,
        "got {len_rows} rows, {helper_DUE} are due in {{braces}}": True,
        "points": False,
        "one row per point": False,
        "the {bias_if_draw_else_weight} is wrong": True,
        "bias": False,
        "weight": False,
        "keeps the first": False,
    }


def test_each_title_of_the_course_counts_once() -> None:
    texts = [text.msgid for text in course_texts(COURSE)]
    assert len(texts) == len(set(texts))
    assert COURSE.title in texts
    assert course_catalogue(COURSE) == ROOT / "locale" / "fr.po"
