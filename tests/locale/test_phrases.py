"""Finished messages are recognised by the patterns they were made from."""

import pytest

from gdgrade.phrases import Pattern, Phrases

TEXTS = {
    "the loss": "la perte",
    "keeps the first": "garde la première",
    "layer that {name} coordinate": "couche qui {name} coordonnée",
    "{where}: the map is not {what}": "{where}\u00a0: l'application n'est pas {what}",
    "{name}: got shape {got}, expected {due}": "{name}\u00a0: reçu {got}, attendu {due}",
    "a set {{1, 2}}": "un ensemble {{1, 2}}",
    "{n} rows of {n}": "{n} lignes sur {n}",
    "It is wrong.": "C'est faux.",
}


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("the loss", "la perte"),
        ("the loss: got shape (3,), expected (3, 1)", "la perte\u00a0: reçu (3,), attendu (3, 1)"),
        ("layer that keeps the first coordinate", "couche qui garde la première coordonnée"),
        (
            "layer that keeps the first coordinate: the map is not rising",
            "couche qui garde la première coordonnée\u00a0: l'application n'est pas rising",
        ),
        ("a set {1, 2}", "un ensemble {1, 2}"),
        ("4 rows of 4", "4 lignes sur 4"),
        ("4 rows of 5", "4 rows of 5"),
        ("It is wrong. It is wrong.", "C'est faux. C'est faux."),
        ("the loss [3-float32]", "la perte [3-float32]"),
        (" the loss ", " la perte "),
        ("nobody knows this", "nobody knows this"),
        ("", ""),
        ("{name}: got shape {0.__class__}, expected {due}", "{name}\u00a0: reçu {0.__class__}, attendu {due}"),
    ],
)
def test_messages_are_translated(english: str, french: str) -> None:
    assert Phrases(TEXTS)(english) == french


def test_a_pattern_is_turned_round() -> None:
    assert Pattern("at {t}: {n} times").match("at 3: 4: 5 times") == {"t": "3", "n": "4: 5"}
    assert Pattern("{a} of {b}").match("3 from 4") is None


def test_a_hostile_message_ends() -> None:
    """Matching is linear in the message: a regular expression would go back and forth here for years."""
    phrases = Phrases({"{a} for {b} for {c} for {d} for {e} due": "{e}"})
    assert phrases("x for " * 20_000).startswith("x for x")
