"""The hints of the course itself: three for each part, and none gives the answer's code away."""

import ast
from pathlib import Path

import pytest

from gdgrade.author.fragments import pieces, squeezed
from gdgrade.author.paper import hints_on_request
from gdgrade.course.loading import load_course
from gdgrade.course.manifest import Exercise
from gdgrade.workspace.hints import read

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = load_course(ROOT / "course.yml").exercises


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.short)
def test_three_hints_per_part(exercise: Exercise) -> None:
    """Each part has exactly three; the first asks; none holds a piece of the reference's code."""
    reference = exercise.reference_path.read_text(encoding="utf-8")
    found = read(exercise)
    assert {part: len(texts) for part, texts in found.items()} == {part.id: 3 for part in exercise.parts}
    assert [part for part, texts in found.items() if "?" not in texts[0]] == []
    section = hints_on_request(exercise, reference)
    assert (section.problems, section.notes) == ((), ())


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.short)
def test_translated_hints_have_the_same_structure(exercise: Exercise) -> None:
    """Where a French file is there, no part of it is silently left in English."""
    if not (exercise.folder("exercises") / "hints.fr.yml").is_file():
        pytest.skip("not translated yet")
    french, english = read(exercise, "fr"), read(exercise)
    assert {part: len(texts) for part, texts in french.items()} == {part: len(texts) for part, texts in english.items()}
    assert [part for part in english if set(french[part]) & set(english[part])] == []
    code = {squeezed(line) for line in pieces(ast.parse(exercise.reference_path.read_text(encoding="utf-8")))}
    assert [part for part, texts in french.items() if any(key in squeezed(" ".join(texts)) for key in code)] == []


def test_faults_are_found(checkout: Path) -> None:
    """A hint with the answer in it, a part that is not there, two hints, and a part without any."""
    exercise = load_course(checkout / "course.yml").exercises[0].model_copy()
    reference = exercise.reference_path.read_text(encoding="utf-8")
    section = hints_on_request(exercise, reference)
    assert section.problems == ()
    assert section.notes == ("part 1.3 has no hints",)
    folder = exercise.folder("exercises")
    old = (folder / "hints.yml").read_text()
    try:
        (folder / "hints.yml").write_text(
            '"1.1": ["Try (w[:, None] * x).sum(axis=0) / w.sum()", b]\n"4.2": [a, b, c]\n'
        )
        section = hints_on_request(exercise, reference)
    finally:
        (folder / "hints.yml").write_text(old)
    assert any("code of the reference" in problem for problem in section.problems)
    assert any("no part 4.2" in problem for problem in section.problems)
    assert "part 1.1 has 2 hints, not 3" in section.notes
