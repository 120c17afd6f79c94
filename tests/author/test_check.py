"""`author check`: the tiny course is sound, and each way of being unsound is found."""

import json
import threading
from pathlib import Path

from click.testing import CliRunner

from gdgrade.author import soundness
from gdgrade.author import tables as author_tables
from gdgrade.cli import main

EX = "ex01_statistics"
HARMLESS = """

@mistake(of="weighted_mean", title="nothing wrong", hint="Really?")
def harmless(ref, x, w):
    return (x * w[:, None]).sum(axis=0) / w.sum()
"""


def edit(root: Path, name: str, *changes: tuple[str, str]) -> None:
    path = root / name
    text = path.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text)


def test_the_tiny_course_is_sound(numpy_course: Path) -> None:
    """Every section holds; the command says so in JSON; a second run judges nothing anew."""
    arguments = ["author", "check", "--course", str(numpy_course), "--format", "json"]
    result = CliRunner().invoke(main, arguments)
    (verdict,) = json.loads(result.stdout)
    assert [problem for section in verdict["sections"] for problem in section["problems"]] == []
    assert result.exit_code == 0
    names = {section["name"]: section["figures"] for section in verdict["sections"]}
    assert names["mutants"]["share"] == 1
    assert names["false failures"]["bound"] < 0.05
    assert verdict["confusion"]["deviation"] == {"deviation": 2}
    assert verdict["judged"] > 20

    (again,) = json.loads(CliRunner().invoke(main, arguments).stdout)
    assert again["judged"] == 0
    assert again["sections"] == verdict["sections"]


def test_a_change_of_one_planted_line_judges_that_file_only(numpy_course: Path) -> None:
    """What the change does not touch comes from the cache."""
    arguments = ["author", "check", "--course", str(numpy_course), "--format", "html"]
    CliRunner().invoke(main, arguments)
    planted = f"tests/submissions/{EX}/right_average.py"
    edit(numpy_course, planted, ("mean(1)", "mean(axis=1)"))
    result = CliRunner().invoke(main, [*arguments[:-1], "json"])
    assert json.loads(result.stdout)[0]["judged"] == 1


def test_flaws_are_found(numpy_course: Path, verdict_on) -> None:
    """One spoiled exercise, many flaws, each named in its section."""
    graders = f"graders/{EX}"
    edit(
        numpy_course,
        f"{graders}/test_moments.py",
        ('    """The weighted variance of each column is right."""\n', ""),
        ('@check("1.1", points=2)', '@check("1.1", points=1)'),
        # nothing is looked at: mutants survive, mistakes are not caught, junk passes
        (
            'agrees(student.weighted_mean, reference.weighted_mean, x, w, name="mean", means="one number per column")',
            "student.weighted_mean(x, w)",
        ),
        (
            'agrees(student.weighted_variance, reference.weighted_variance, x, w, name="variance")',
            "student.weighted_variance(x, w)",
        ),
        (
            'agrees(student.weighted_variance, at_home, x + 100.0, w, name="variance", rtol=1e-3)',
            "student.weighted_variance(x, w)",
        ),
    )
    edit(
        numpy_course,
        f"{graders}/mistakes.py",
        ("What comes out if all weights are 2?", "Is it (w[:, None] * x).sum(axis=0) / w.sum() or not?"),
    )
    with (numpy_course / f"{graders}/mistakes.py").open("a") as file:
        file.write(HARMLESS)
    stub = f"exercises/{EX}/statistics_by_hand.py"
    edit(numpy_course, stub, ("def weighted_mean", "def unknown():\n    pass\n\n\ndef weighted_mean"))
    verdict = verdict_on(numpy_course)
    assert not verdict.sound
    problems = {section.name: " ".join(section.problems) for section in verdict.sections}
    assert "worth 1 points, course.yml says 2" in problems["points and needs"]
    assert "moments/variance has no docstring" in problems["titles and stub"]
    assert "the stub defines unknown" in problems["titles and stub"]
    assert "harmless is caught by no exact check" in problems["mistakes"]
    assert "deviation is caught by no exact check" in problems["mistakes"]
    assert "the hint of mean_not_divided holds code of the reference" in problems["hints"]
    assert "moments/mean should fail and does not" in problems["planted wrong answers"]
    assert "weighted_mean" in problems["mutants"]
    assert any("weighted_mean" in survivor.name for survivor in verdict.survivors)
    assert "passes moments/mean" in problems["junk answers"]


def test_secrets_and_chance(numpy_course: Path, verdict_on) -> None:
    """A hidden input that a public check hands out, a check that fails by chance, and a wrong accusation."""
    (numpy_course / f"graders/{EX}/test_more.py").write_text(
        '''
import numpy as np

from gdgrade.checks import agrees, check, observe, require

X, W = np.linspace(0.1, 2.3, 8).reshape(4, 2), np.array([0.5, 1.5, 2.5, 3.5])


@check("1.1", points=0)
def test_open(student, reference):
    """Public."""
    agrees(student.weighted_mean, reference.weighted_mean, X, W)


@check("1.1", points=0, visibility="hidden")
def test_secret(student, reference):
    """Hidden, on the same data."""
    agrees(student.weighted_mean, reference.weighted_mean, X, W)


@check("1.3", points=0)
def test_lucky(student, draw):
    """Fails one draw in four."""
    student.bootstrap_means(draw.normal(5), 3)
    require(draw.uniform() < 0.75, "bad luck")
'''
    )
    verdict = verdict_on(numpy_course)
    problems = {section.name: " ".join(section.problems) for section in verdict.sections}
    assert "more/open reveals an input of the hidden check more/secret" in problems["hidden inputs"]
    assert "more/lucky failed the reference" in problems.get("false failures", "") + problems["reference"]
    assert not verdict.sound


CHANCE = {
    "np_random": ("np.random.normal(size=4)", "it draws from np.random, which"),
    "module_random": ("np.array([random.random() for _ in range(4)])", "it draws from the module random"),
    "no_seed": ("np.random.default_rng().normal(size=4)", "default_rng() without a seed"),
    "the_clock": ("np.array([time.time_ns() % 1000, 1.0, 2.0])", "it asks for other things"),
    "judged_by_luck": ("draw.normal(4) + 0 * np.random.normal()", "it draws from np.random"),
}
FAIR = {
    "drawn": "draw.normal(4)",
    "seeded": "np.random.RandomState(3).normal(size=4)",
    "seeded_global": "np.random.seed(3) or np.random.normal(size=4)",
    "own_generator": "np.random.default_rng(draw.seed).normal(size=4)",
}


def test_randomness_without_a_seed(numpy_course: Path, verdict_on) -> None:
    """A check that draws from elsewhere than its seed is named; the student's own draws and seeded ones are fair."""
    checks = {name: x for name, (x, _) in CHANCE.items()} | FAIR
    text = "import random\nimport time\n\nimport numpy as np\n\nfrom gdgrade.checks import check, require\n"
    for name, x in checks.items():
        text += f'''

@check("1.3", points=0)
def test_{name}(student, draw):
    """Takes its numbers from somewhere."""
    x = {x}
    student.bootstrap_means(x, 3)
    require(student.weighted_mean(x[:, None], np.ones(len(x)))[0] < 2000, "no mean")
'''
    (numpy_course / f"graders/{EX}/test_chance.py").write_text(text)
    verdict = verdict_on(numpy_course)
    found = next(section for section in verdict.sections if section.name == "same seed, same run")
    for name, (_, words) in CHANCE.items():
        assert any(f"chance/{name}: " in line and words in line for line in found.problems), name
    assert len(found.problems) == len(CHANCE)
    assert not verdict.sound


def test_usage(numpy_course: Path) -> None:
    """An unknown exercise is a wrong usage."""
    result = CliRunner().invoke(main, ["author", "check", "ex77", "--course", str(numpy_course)])
    assert result.exit_code == 2


def test_a_table_for_each_as_soon_as_it_is_there(numpy_course: Path, monkeypatch) -> None:
    """The exercise that is done first is shown first, while the other is at work; the last line counts both."""
    arguments = ["--course", str(numpy_course)]
    assert CliRunner().invoke(main, ["author", "new", "ex02_second", "--title", "Second", *arguments]).exit_code == 0
    quick = threading.Event()
    one_by_one = soundness.examine

    def first_waits(course, exercise, *args, **options):
        verdict = one_by_one(course, exercise, *args, **options)
        if exercise.id == EX:
            assert quick.wait(60)
        return verdict

    show = author_tables.print_verdict

    def shown(verdict, console, **options):
        show(verdict, console, **options)
        if verdict.exercise == "ex02_second":
            quick.set()

    monkeypatch.setattr(soundness, "examine", first_waits)
    monkeypatch.setattr(author_tables, "print_verdict", shown)
    result = CliRunner().invoke(main, ["author", "check", *arguments])
    assert result.exit_code == 0, result.output
    heads = [line.split()[0] for line in result.output.splitlines() if line.startswith("ex")]
    assert heads == ["ex02_second", EX]
    assert "2 of 2 exercises sound" in result.output.splitlines()[-1]
