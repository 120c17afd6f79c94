"""Every slip in a course file is reported with file, line, key, wrong value and fix."""

import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter

from gdgrade.course.errors import CourseError, Issue
from gdgrade.course.expectations import EXPECTED, _model, known_keys, pattern
from gdgrade.course.loading import course_from_text, load_course
from gdgrade.course.manifest import Course

Find = Callable[[str], list[Issue]]

# (what to replace, by what, the whole line of the error)
SLIPS = {
    "points_as_word": (
        '"Mean", points: 2',
        '"Mean", points: two',
        "course.yml:11: exercises[0].parts[0].points: must be a positive number, got 'two'. Write e.g. points: 2",
    ),
    "points_zero": (
        '"Mean", points: 2',
        '"Mean", points: 0',
        "course.yml:11: exercises[0].parts[0].points: must be a positive number, got 0. Write e.g. points: 2",
    ),
    "points_in_quotes": (
        '"Mean", points: 2',
        '"Mean", points: "2"',
        "course.yml:11: exercises[0].parts[0].points: must be a positive number, got '2'. Write e.g. points: 2",
    ),
    "points_true": (
        '"Mean", points: 2',
        '"Mean", points: true',
        "course.yml:11: exercises[0].parts[0].points: must be a positive number, got true. Write e.g. points: 2",
    ),
    "points_infinite": (
        '"Mean", points: 2',
        '"Mean", points: .inf',
        "course.yml:11: exercises[0].parts[0].points: must be a positive number, got .inf. Write e.g. points: 2",
    ),
    "points_nan": (
        '"Mean", points: 2',
        '"Mean", points: .nan',
        "course.yml:11: exercises[0].parts[0].points: must be a positive number, got .nan. Write e.g. points: 2",
    ),
    "points_missing": (
        '"Mean", points: 2',
        '"Mean"',
        "course.yml:11: exercises[0].parts[0].points: is missing. Add e.g. points: 2",
    ),
    "part_id_bare": (
        'id: "1.1"',
        "id: 1.10",
        'course.yml:11: exercises[0].parts[0].id: must be a text, got 1.10. Put it in quotes: id: "1.10"',
    ),
    "need_bare": (
        'needs: ["1.1"]',
        "needs: [1.1]",
        'course.yml:12: exercises[0].parts[1].needs[0]: must be a text, got 1.1. Put it in quotes: "1.1"',
    ),
    "needs_no_list": (
        'needs: ["1.1"]',
        'needs: "1.1"',
        (
            "course.yml:12: exercises[0].parts[1].needs: must be a list of part ids in quotes, got '1.1'. "
            'Write e.g. needs: ["5.1"]'
        ),
    ),
    "need_unknown": (
        'needs: ["1.1"]',
        'needs: ["1.9"]',
        "course.yml:12: exercises[0].parts[1].needs[0]: there is no part '1.9' in this exercise. Did you mean '1.3'?",
    ),
    "need_far_off": (
        'needs: ["1.1"]',
        'needs: ["zz"]',
        (
            "course.yml:12: exercises[0].parts[1].needs[0]: there is no part 'zz' in this exercise. "
            "The parts are 1.1, 1.2, 1.3."
        ),
    ),
    "need_of_itself": (
        'needs: ["1.1"]',
        'needs: ["1.2"]',
        (
            "course.yml:12: exercises[0].parts[1].needs: parts need each other in a circle: 1.2 -> 1.2. "
            "Delete one of the needs."
        ),
    ),
    "need_optional": (
        'needs: ["1.1"]',
        'needs: ["1.3"]',
        (
            "course.yml:12: exercises[0].parts[1].needs[0]: part '1.2' is required but needs '1.3', which is optional. "
            "Make '1.2' optional too, or delete the need."
        ),
    ),
    "unknown_key_near": (
        "deadline:",
        "dead_line:",
        "course.yml:9: exercises[0].dead_line: unknown key. Did you mean 'deadline'?",
    ),
    "unknown_key_far": (
        "seeds: {public: 7}",
        "seeds: {public: 7, zzz: 1}",
        "course.yml:2: seeds.zzz: unknown key. Known keys here: public.",
    ),
    "required_key_misspelt": (
        "entry: mean.py",
        "enrty: mean.py",
        "course.yml:8: exercises[0].enrty: unknown key. Did you mean 'entry'?",
    ),
    "inner_attribute": (
        "entry: mean.py",
        "entry: mean.py\n    own_limits: {seconds: 1}",
        "course.yml:9: exercises[0].own_limits: unknown key. Did you mean 'limits'?",
    ),
    "secret_seed": (
        "seeds: {public: 7}",
        "seeds: {public: 7, secret: 12345}",
        (
            "course.yml:2: seeds.secret: a secret seed must not stand in the course file, which students get. Set "
            "GDGRADE_SECRET_SEED, or name a file outside the course in GDGRADE_SECRET_FILE."
        ),
    ),
    "secret_seed_on_top": (
        "seeds: {public: 7}",
        "secret_seed: 12345",
        (
            "course.yml:2: secret_seed: a secret seed must not stand in the course file, which students get. Set "
            "GDGRADE_SECRET_SEED, or name a file outside the course in GDGRADE_SECRET_FILE."
        ),
    ),
    "deadline_without_zone": (
        "2026-12-14T23:59:00+01:00",
        "2026-12-14T23:59:00",
        (
            "course.yml:9: exercises[0].deadline: has no time zone, got 2026-12-14T23:59:00. "
            "Write e.g. deadline: 2026-12-14T23:59:00+01:00"
        ),
    ),
    "deadline_without_time": (
        "2026-12-14T23:59:00+01:00",
        "2026-12-14",
        (
            "course.yml:9: exercises[0].deadline: has no time zone, got 2026-12-14. "
            "Write e.g. deadline: 2026-12-14T23:59:00+01:00"
        ),
    ),
    "deadline_in_words": (
        "2026-12-14T23:59:00+01:00",
        "next Monday",
        (
            "course.yml:9: exercises[0].deadline: must be a date with time and time zone, got 'next Monday'. "
            "Write e.g. deadline: 2026-12-14T23:59:00+01:00"
        ),
    ),
    "deadline_as_number": (
        "2026-12-14T23:59:00+01:00",
        "1800000000",
        (
            "course.yml:9: exercises[0].deadline: must be a date with time and time zone, got 1800000000. "
            "Write e.g. deadline: 2026-12-14T23:59:00+01:00"
        ),
    ),
    "deadline_in_month_13": (
        "2026-12-14T23:59:00+01:00",
        "2026-13-14T23:59:00+01:00",
        (
            "course.yml:9: exercises[0].deadline: must be a date with time and time zone, "
            "got '2026-13-14T23:59:00+01:00'. Write e.g. deadline: 2026-12-14T23:59:00+01:00"
        ),
    ),
    "exercise_twice": (
        "id: ex02_spread",
        "id: ex01_mean",
        "course.yml:14: exercises[1].id: exercise id 'ex01_mean' stands twice: here and in line 6. Rename one of them.",
    ),
    "same_number": (
        "id: ex02_spread",
        "id: ex1_spread",
        (
            "course.yml:14: exercises[1].id: 'ex1_spread' and 'ex01_mean' (line 6) are both 'ex1' for short. "
            "Renumber one of them."
        ),
    ),
    "part_twice": (
        'id: "1.3"',
        'id: "1.1"',
        "course.yml:13: exercises[0].parts[2].id: part id '1.1' stands twice: here and in line 11. Rename one of them.",
    ),
    "key_twice": (
        "title: The mean",
        "title: The mean\n    title: The mode",
        "course.yml:8: exercises[0].title: stands twice: here and in line 7. Delete one of the two.",
    ),
    "forbidden_but_preloaded": (
        "forbidden_packages: [scipy]",
        "forbidden_packages: [scipy]\n    preload: [scipy.special]",
        (
            "course.yml:19: exercises[1].preload[0]: 'scipy.special' is forbidden, but what is preloaded the worker "
            "inherits. Delete it here."
        ),
    ),
    "entry_in_a_folder": (
        "entry: mean.py",
        "entry: ../mean.py",
        (
            "course.yml:8: exercises[0].entry: must be the name of a Python file, without folders, got '../mean.py'. "
            "Write e.g. entry: langevin.py"
        ),
    ),
    "exercise_id_with_slash": (
        "id: ex01_mean",
        "id: ex01/mean",
        (
            "course.yml:6: exercises[0].id: must be a name that Python can import, in small letters (letters, digits, "
            "underscores), got 'ex01/mean'. Write e.g. id: ex05_langevin"
        ),
    ),
    "empty_parts": (
        '    parts:\n      - {id: "2.1", title: "Variance", points: 4}\n',
        "    parts: []\n",
        (
            "course.yml:19: exercises[1].parts: must be a list with at least one part, got an empty list. "
            'Write e.g. parts: [{id: "5.1", title: "...", points: 4}]'
        ),
    ),
    "limits_negative": (
        "limits: {seconds: 30}",
        "limits: {seconds: -30}",
        "course.yml:17: exercises[1].limits.seconds: must be a positive number, got -30. Write e.g. seconds: 20",
    ),
    "memory_fraction": (
        "memory_mib: 512",
        "memory_mib: 0.5",
        "course.yml:3: limits.memory_mib: must be a whole positive number of MiB, got 0.5. Write e.g. memory_mib: 1024",
    ),
    "late_share": (
        "per_day: 0.1",
        "per_day: 10",
        "course.yml:4: late.per_day: must be a share between 0 and 1, got 10. Write e.g. per_day: 0.1",
    ),
    "arrays_other": (
        "arrays: numpy",
        "arrays: jax",
        "course.yml:1: course.arrays: must be torch or numpy, got 'jax'. Write e.g. arrays: torch",
    ),
    "revision_bare": (
        'revision: "1"',
        "revision: 1.10",
        'course.yml:1: course.revision: must be a text, got 1.10. Put it in quotes: revision: "1.10"',
    ),
    "title_is_yes": (
        "title: The mean",
        "title: yes",
        'course.yml:7: exercises[0].title: must be a text, got yes. Put it in quotes: title: "yes"',
    ),
    "title_empty": (
        "title: The mean",
        "title:",
        (
            "course.yml:7: exercises[0].title: must be a text of 1 to 200 characters, got nothing. "
            'Write e.g. title: "Langevin dynamics"'
        ),
    ),
    "sexagesimal": (
        "limits: {seconds: 30}",
        "limits: {seconds: 1:30}",
        "course.yml:17: exercises[1].limits.seconds: must be a positive number, got '1:30'. Write e.g. seconds: 20",
    ),
    "exercise_no_mapping": (
        "exercises:\n",
        "exercises:\n  - 3\n",
        (
            "course.yml:6: exercises[0]: must be a mapping with id, title, entry and parts, got 3. "
            "Write e.g. - id: ex05_langevin"
        ),
    ),
    "unsafe_tag": (
        "seeds: {public: 7}",
        "seeds: !!python/object/apply:os.system [ls]",
        (
            "course.yml:2: seeds: the tag !!python/object/apply:os.system is not allowed: a course file holds plain "
            "values only. Delete the tag."
        ),
    ),
    "binary_tag": (
        "title: The mean",
        "title: !!binary aGVsbG8=",
        (
            "course.yml:7: exercises[0].title: the tag !!binary is not allowed: a course file holds plain values only. "
            "Delete the tag."
        ),
    ),
    "merge_key": (
        "limits: {seconds: 30}",
        "<<: {seconds: 30}",
        "course.yml:17: exercises[1]: '<<' is not supported. Write the keys out.",
    ),
    "key_is_number": (
        "limits: {seconds: 30}",
        "5: {seconds: 30}",
        "course.yml:17: exercises[1]: a key must be a word, got '5'.",
    ),
    "tab": (
        "    entry: mean.py",
        "\tentry: mean.py",
        (
            "course.yml:8: is not valid YAML: found character '\\t' that cannot start any token. "
            "Indent with spaces, not with a tab."
        ),
    ),
    "colon_in_title": (
        "title: The mean",
        "title: The mean: a start",
        (
            "course.yml:7: is not valid YAML: mapping values are not allowed here. Put a text that holds a colon in "
            "quotes, and align the keys."
        ),
    ),
    "control_character": (
        "title: The mean",
        "title: The \x01mean",
        "course.yml:7: character U+0001 is not allowed in YAML. Delete it.",
    ),
    "second_document": (
        "exercises:",
        "---\nexercises:",
        "course.yml:5: is not valid YAML: but found another document. Keep one document: delete the line '---'.",
    ),
    "escape_of_no_character": (
        '"A tiny course"',
        '"A \\UFFFFFFFF course"',
        "course.yml: is not valid YAML: an escape in quotes names no character.",
    ),
}


@pytest.mark.parametrize("slip", SLIPS, ids=str)
def test_a_slip_is_named_with_place_and_fix(slip: str, good: str, issues: Find) -> None:
    """One slip gives exactly one issue: file, line, key, wrong value, fix."""
    old, new, expected = SLIPS[slip]
    assert old in good
    assert [str(issue) for issue in issues(good.replace(old, new, 1))] == [expected]


def test_all_slips_at_once(good: str, issues: Find) -> None:
    """Errors of YAML, of values and of needs are collected in one go, in the order of the file."""
    text = (
        good.replace("arrays: numpy", "arrays: jax")
        .replace("{public: 7}", "{public: -7}")
        .replace("points: 2", "points: two")
        .replace('needs: ["1.1"]', 'needs: ["1.7"]')
        .replace("entry: spread.py", "enter: spread.py")
        .replace("limits: {seconds: 30}", "limits: !x {seconds: 30}")
    )
    assert [(issue.line, issue.key) for issue in issues(text)] == [
        (1, "course.arrays"),
        (2, "seeds.public"),
        (11, "exercises[0].parts[0].points"),
        (12, "exercises[0].parts[1].needs[0]"),
        (16, "exercises[1].enter"),
        (17, "exercises[1].limits"),
    ]


def test_a_long_circle_is_spelled_out(good: str, issues: Find) -> None:
    """Three parts that need each other are one issue that names all three."""
    text = good.replace('"Mean", points: 2', '"Mean", points: 2, needs: ["1.3"]')
    text = text.replace("points: 1, optional: true", 'points: 1, needs: ["1.2"]')
    (issue,) = issues(text)
    assert "1.1 -> 1.3 -> 1.2 -> 1.1" in issue.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "course.yml: is empty. Start from the course.yml of another course."),
        ("# nothing but a comment\n", "course.yml: is empty. Start from the course.yml of another course."),
        ("- a\n", "course.yml:1: must be a mapping of keys such as 'course:' and 'exercises:'."),
        ("just words", "course.yml:1: must be a mapping of keys such as 'course:' and 'exercises:'."),
        ("[" * 100_000, "course.yml:1: is not valid YAML: values are nested more than 20 deep."),
        ("a: *b\n", "course.yml:1: is not valid YAML: found undefined alias 'b'."),
    ],
    ids=["empty", "comment", "list", "text", "brackets", "alias"],
)
def test_what_is_no_course_at_all(text: str, expected: str, issues: Find) -> None:
    """Emptiness, other YAML and brackets without end get one plain sentence."""
    assert [str(issue) for issue in issues(text)] == [expected]


def test_a_bomb_of_aliases_ends_early(issues: Find) -> None:
    """Nine aliases of nine aliases, nine times over, would be 4e8 values; reading stops at 20,000."""
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    (issue,) = issues("\n".join(rows))
    assert issue.message.startswith("unfolds to more than 20000 values")


def test_an_alias_that_contains_itself(issues: Find) -> None:
    """A circle of aliases is named, not followed."""
    found = issues("course: &c [*c]\n")
    assert "an alias (*name) that contains itself. Write the value out." in [issue.message for issue in found]


def test_plain_aliases_work(good: str) -> None:
    """An alias that saves typing is fine."""
    text = good.replace("limits: {seconds: 10, memory_mib: 512}", "limits: &l {seconds: 10, memory_mib: 512}")
    course = course_from_text(text.replace("limits: {seconds: 30}", "limits: *l"), "course.yml")
    assert course.exercises[1].limits == course.limits


def test_numbers_mean_what_they_look_like(good: str) -> None:
    """YAML 1.1 reads 010 as eight; here it is ten, as a teacher expects."""
    text = good.replace("{public: 7}", "{public: 010}")
    assert course_from_text(text, "course.yml").seeds.public == 10


def test_files_that_cannot_be_read(tmp_path: Path, good: str) -> None:
    """A folder, a missing file, a pipe, Latin-1, UTF-16 and a giant each get their own sentence."""
    (tmp_path / "latin.yml").write_bytes(good.replace("The mean", "Le zèbre").encode("latin-1"))
    (tmp_path / "utf16.yml").write_text(good, encoding="utf-16")
    (tmp_path / "giant.yml").write_bytes(b"#" * 600_000)
    os.mkfifo(tmp_path / "pipe.yml")
    expected = {
        "": "is a folder, not a course file. Give the course.yml in it.",
        "none.yml": "does not exist. Give the course file with --course.",
        "pipe.yml": "is not an ordinary file.",
        "latin.yml": "is not in UTF-8 (byte 0xe8). Save it as UTF-8.",
        "utf16.yml": "is in UTF-16. Save it as UTF-8.",
        "giant.yml": "is larger than 500000 bytes, which no course file is.",
    }
    for name, message in expected.items():
        with pytest.raises(CourseError) as caught:
            load_course(tmp_path / name)
        (issue,) = caught.value.issues
        assert issue.message == message
        assert issue.file == str(tmp_path / name)
        assert issue.line == {"latin.yml": 7, "utf16.yml": 1}.get(name)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path, good: str) -> None:
    """Editors on Windows put one in front of UTF-8."""
    (tmp_path / "course.yml").write_bytes(b"\xef\xbb\xbf" + good.encode())
    assert load_course(tmp_path / "course.yml").id == "tiny"


def test_errors_are_inert(issues: Find) -> None:
    """Control characters in keys and values of a course file do not reach the terminal."""
    found = issues('"\\e[31mred": 1\ncourse: "\\e[31m"\nexercises: []\n')
    assert found
    assert not any("\x1b" in str(issue) for issue in found)


def test_a_course_error_survives_pickling(good: str) -> None:
    """Errors travel between processes with their issues."""
    with pytest.raises(CourseError) as caught:
        course_from_text(good.replace("points: 2", "points: two"), "course.yml")
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.issues == caught.value.issues
    assert str(again) == str(caught.value)


def _all_patterns(path: tuple[str | int, ...] = ()) -> Iterator[str]:
    for key in known_keys(path):
        yield pattern((*path, key))
        yield from _all_patterns((*path, key))


def test_every_key_has_words_and_an_example() -> None:
    """No key of the models lacks its entry in the table of expectations, and no entry is stale."""
    table = {key.replace("[]", "") for key in EXPECTED if not key.endswith("[]")}
    assert table == set(_all_patterns())


# Examples that can stand in a file as they are; the others are fragments that show the shape only.
WHOLE = [key for key, (_, example) in EXPECTED.items() if example[0].isalpha() and "followed" not in example]


@pytest.mark.parametrize("key", WHOLE, ids=str)
def test_every_example_of_an_error_is_right(key: str) -> None:
    """What an error message advises to write is accepted at that place."""
    _, example = EXPECTED[key]
    *folders, name = key.replace("[]", "").split(".")
    model: type[BaseModel] = Course
    for step in folders:
        model = _inner(model, step)
    field = next(field for own, field in model.model_fields.items() if (field.alias or own) == name)
    value = yaml.safe_load(example)[name]
    if name == "deadline":
        value = example.removeprefix("deadline: ")  # the loader hands over the text of a date
    kind = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    TypeAdapter(kind).validate_python(value)


def _inner(model: type[BaseModel], key: str) -> type[BaseModel]:
    field = next(field for own, field in model.model_fields.items() if (field.alias or own) == key)
    found = _model(field.annotation)
    assert found is not None
    return found
