"""French from end to end: a wrong answer on the terminal, in JSON, as a page; help; errors; and English unchanged."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gdgrade import language
from gdgrade.batch.grades import Grade
from gdgrade.batch.pages import write_pages
from gdgrade.cli import COMMANDS, FOR_STUDENTS, main
from gdgrade.course.loading import load_course
from gdgrade.report.html import report_page
from gdgrade.report.model import Report

ROOT = Path(__file__).parents[2]
WRONG = ROOT / "tests/submissions/ex05_langevin/wrong_step_noise_times_eta.py"
SHAPE = ROOT / "tests/submissions/ex05_langevin/wrong_wrong_shape.py"
NAMES = ("GDGRADE_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(autouse=True)
def _as_before():
    """What a command chose for its process does not reach the next test."""
    before = os.environ.get("LANGUAGE")
    yield
    language.use("en")
    os.environ.pop("LANGUAGE", None)
    if before is not None:
        os.environ["LANGUAGE"] = before


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments], env={"COLUMNS": "200"})


def check(file: Path, *options: str, **variables: str) -> str:
    """`gdgrade check` in a process of its own, whose language is set by these variables alone."""
    command = [sys.executable, "-m", "gdgrade", "check", "ex05", str(file), "--part", "5.2", *options]
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=120,
        env={**environment, "COLUMNS": "200", "PYTHONUTF8": "1", **variables},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def french() -> Report:
    return Report.from_json(check(WRONG, "--lang", "fr", "--format", "json"))


@pytest.fixture(scope="module")
def english() -> Report:
    return Report.from_json(check(WRONG, "--format", "json", LANG="C.UTF-8"))


def test_the_locale_gives_french() -> None:
    """Headings, title, message and hint; no word of the English ones."""
    out = check(WRONG, LANG="fr_FR.UTF-8")
    assert "Pas de Langevin" in out
    assert "ÉCHEC 5.2 Avec le bruit donné, le nouveau point est juste" in out
    assert "nombres sur 15 diffèrent" in out
    assert "attendu" in out
    assert "Indice\N{NO-BREAK SPACE}: Comment la dispersion du bruit" in out
    assert "Corrigez la partie 5.2, puis lancez" in out
    assert not re.search(r"FAILED|expected|differ;|points \(|Hint|then run|checks", out)


def test_a_variable_wins_over_the_locale_and_the_option_over_both() -> None:
    assert "FAILED 5.2" in check(WRONG, LANG="fr_FR.UTF-8", GDGRADE_LANG="en")
    assert "FAILED 5.2" in check(WRONG, "--lang", "en", LANG="fr_FR.UTF-8", GDGRADE_LANG="fr")
    assert "FAILED 5.2" in check(WRONG, LANG="de_DE.UTF-8")


def test_only_the_texts_differ(french: Report, english: Report) -> None:
    """Verdicts, points, mistakes, seeds and numbers are the same; every text is another, but for the numbers."""
    assert (french.language, english.language) == ("fr", "en")
    for mine, other in zip(french.checks, english.checks, strict=True):
        same = ("id", "part", "outcome", "cause", "points", "mistake", "seed", "expected", "got", "alpha", "traceback")
        assert {name: getattr(mine, name) for name in same} == {name: getattr(other, name) for name in same}
        assert mine.title != other.title
        assert (mine.message != other.message) or not mine.message
        assert (mine.hint != other.hint) or not mine.hint
    assert french.totals == english.totals
    assert all(mine.title != other.title for mine, other in zip(french.parts, english.parts, strict=True))


def test_french_reports_are_repeatable(french: Report) -> None:
    again = Report.from_json(check(WRONG, "--lang", "fr", "--format", "json"))
    assert again.without_timings() == french.without_timings()


def test_spawned_workers_speak_it_too() -> None:
    """Where nothing is forked, judge and worker are told the language with the job."""
    out = check(WRONG, "--lang", "fr", "--start-method", "spawn")
    assert "nombres sur 15 diffèrent" in out


def test_words_of_the_worker_are_french(tmp_path: Path) -> None:
    """A wrong signature, a missing function and an error are described by the confined process itself, or the judge."""
    file = tmp_path / "langevin.py"
    file.write_text("def langevin_step(x, score_fn):\n    return x\n", encoding="utf-8")
    out = check(file, "--lang", "fr")
    assert "ne peut pas être appelée comme le fait l'exercice" in out
    file.write_text("answer = 42\n", encoding="utf-8")
    assert "langevin_step n'est pas défini dans votre fichier" in check(file, "--lang", "fr")
    file.write_text("def langevin_step(x, score_fn, eta, noise=None):\n    return y\n", encoding="utf-8")
    assert "elle a levé NameError" in check(file, "--lang", "fr")


def test_the_page_is_french(french: Report) -> None:
    """Its lang attribute, headings and texts; hidden checks too."""
    with language.speaking("fr"):
        page = report_page(french.redacted())
    assert '<html lang="fr">' in page
    assert "Ce qui n&#39;est pas encore juste" in page
    assert "Un test caché a échoué." in page
    assert not re.search(r">(Parts|Progress|Remarks|expected|got)<|Hint\.|hidden check", page)
    assert '<html lang="en">' in report_page(french.redacted())


def test_pages_of_a_class_speak_as_their_verdicts(french: Report, english: Report, tmp_path: Path) -> None:
    """The student's page is in the language of the stored verdicts, the index for staff in English."""
    course = load_course(ROOT / "course.yml")

    def grade(student: str, report: Report) -> Grade:
        return Grade(
            student=student, name=student, exercise="ex05_langevin", file="langevin.py", sha256="0" * 64,
            max_points=20.0, report=report, problem="", submitted=None, time_source="", late=None, decisions=(),
            identifiers={}, layout="", run=1,
        )  # fmt: skip

    index, one, two = write_pages(course, [grade("alice", french), grade("bob", english)], tmp_path)
    assert '<html lang="en">' in index.read_text(encoding="utf-8")
    assert '<html lang="fr">' in one.read_text(encoding="utf-8")
    assert "Tous les exercices" in one.read_text(encoding="utf-8")
    assert '<html lang="en">' in two.read_text(encoding="utf-8")


def test_help_is_french_wherever_the_option_stands() -> None:
    for arguments in (["--lang", "fr", "check", "--help"], ["check", "--help", "--lang=fr"]):
        out = run(*arguments).output
        assert "Vérifie FILE comme solution de EXERCISE." in out
        assert "Usage\N{NO-BREAK SPACE}: " in out
        assert "Affiche cette aide." in out
        assert "gdgrade check ex05 --part 5.2" in out
    assert "Check FILE as a solution" in run("check", "--help").output, "the command itself was not changed"


def test_errors_are_french() -> None:
    assert "il n'y a pas de commande 'chekc'. Vouliez-vous dire 'check'" in run("--lang", "fr", "chekc").output
    assert "Argument manquant" in run("check", "--lang", "fr").output
    unknown = run("check", "ex99", "--lang", "fr")
    assert unknown.exit_code == 2
    assert "aucun exercice ne s'appelle 'ex99'" in unknown.output
    missing = run("check", "ex05", "nowhere/langevin.py", "--lang", "fr")
    assert "Il n'y a pas de fichier langevin.py." in missing.output


def test_another_language_is_refused() -> None:
    result = run("check", "ex05", "--lang", "de")
    assert result.exit_code == 2
    assert "'de' is not one of 'en', 'fr'" in result.output
    with pytest.raises(ValueError, match="one of en, fr"):
        language.use("de")


def test_commands_of_staff_stay_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDGRADE_LANG", "fr")
    out = run("batch", "--help").output
    assert "Grade all hand-ins in PATHS" in out
    assert "Usage: " in out


@pytest.mark.parametrize("name", sorted(FOR_STUDENTS & COMMANDS.keys()))
def test_every_command_of_students_takes_the_option(name: str) -> None:
    result = run(name, "--lang", "fr", "--help")
    assert result.exit_code == 0
    assert "Affiche cette aide." in result.output
    assert "--lang" in result.output


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_CA"}, "fr"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "fr_FR.UTF-8", "LANG": "en_US.UTF-8"}, "fr"),
        ({"LC_ALL": "", "LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANGUAGE": "fr:en", "LANG": "en_US.UTF-8"}, "fr"),
        ({"GDGRADE_LANG": "en", "LC_ALL": "fr_FR.UTF-8"}, "en"),
        ({"GDGRADE_LANG": "fr-CH"}, "fr"),
    ],
)
def test_the_preferred_language(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language.preferred() == expected


def test_verdicts_in_two_languages_are_two_verdicts() -> None:
    """A stored verdict is not given for one in another language; English keys are as they always were."""
    from gdgrade.batch.grading import key_of
    from gdgrade.judging import Options

    course = load_course(ROOT / "course.yml")
    exercise = course.exercise("ex05_langevin")
    keys = [key_of(course, exercise, "0", Options(language=name), "1") for name in ("en", "fr")]
    assert [key.how for key in keys] == ["full", "full fr"]


def test_the_schema_names_the_language() -> None:
    from gdgrade.report.model import schema

    assert "language" in schema()["properties"]
    assert json.loads(json.dumps(schema()))
