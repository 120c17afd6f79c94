"""compare: what counts as agreeing, and the words for what does not."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest
import torch

from gdgrade.compare import Difference, compare

E = np.random.default_rng(0).normal(size=(64, 2))


def found(got: object, expected: object, **kwargs: object) -> Difference:
    """The difference, which must be there."""
    difference = compare(got, expected, **kwargs)  # type: ignore[arg-type]
    assert difference is not None
    return difference


SHAPES = [
    (
        (64,),
        (64, 2),
        "one score vector per particle",
        "score: got (64,), expected (64, 2): one score vector per particle.",
    ),
    ((2, 64), (64, 2), None, "score: got (2, 64), expected (64, 2). The axes look swapped."),
    (
        (64, 1),
        (64,),
        "one number per sample",
        "score: got (64, 1), expected (64,): one number per sample. There is an axis of size 1 too many.",
    ),
    ((64,), (64, 1), None, "score: got (64,), expected (64, 1). An axis of size 1 is missing."),
    ((5, 1, 2), (5, 2, 1), None, "score: got (5, 1, 2), expected (5, 2, 1). The axis of size 1 is in the wrong place."),
    ((64, 64), (64,), None, "score: got (64, 64), expected (64,). Combining shapes (64,) and (64, 1) gives (64, 64)."),
    ((), (64,), None, "score: got one number, expected (64,). All entries were reduced to one number."),
    ((1,), (), None, "score: got (1,), expected one number. There is an axis of size 1 too many."),
    ((3, 4), (), None, "score: got (3, 4), expected one number."),
    ((0, 2), (64, 2), None, "score: got (0, 2), expected (64, 2)."),
]


@pytest.mark.parametrize(("got", "expected", "means", "message"), SHAPES)
def test_words_for_shapes(got: tuple[int, ...], expected: tuple[int, ...], means: str | None, message: str) -> None:
    """A wrong shape is spelled out: what came, what is due and what it means, what the slip looks like."""
    rng = np.random.default_rng(0)
    difference = found(rng.normal(size=got), rng.normal(size=expected), name="score", means=means)
    assert (difference.kind, difference.message) == ("shape", message)


TYPES = [
    (None, E, "f: got None, expected an array (64, 2). Is there a return statement?"),
    ("text", E, "f: got a text, expected an array (64, 2)."),
    (object(), E, "f: got an object of type object, expected an array (64, 2)."),
    (E + 1j, E, "f: got complex numbers, expected real numbers."),
    (E > 0, E, "f: got True or False, expected numbers with a fraction."),
    (np.round(E).astype(int), E, "f: got whole numbers (type int64), expected numbers with a fraction."),
    (np.array([None, 1.0]), E[0], "f: got an array that holds no plain numbers, expected an array (2,)."),
    (
        torch.eye(2).to_sparse(),
        E[:2],
        "f: got an array that holds no plain numbers, expected an array (2, 2).",
    ),
    (0.0, True, "f: got numbers of type float64, expected True or False."),
    (1.0, None, "f: got one number, expected None."),
    (1.0, "kmeans", "f: got one number, expected a text."),
    (10**400, 1.0, "f: got a number that is too large, expected one number."),
]


@pytest.mark.parametrize(("got", "expected", "message"), TYPES)
def test_words_for_types(got: object, expected: object, message: str) -> None:
    """A result of the wrong type is named as such."""
    difference = found(got, expected, name="f")
    assert (difference.kind, difference.message) == ("type", message)


STRUCTURES = [
    ((E, E), E, "f: got a tuple of 2, expected an array (64, 2)."),
    (E, (E, E[:, 0]), "f: got an array (64, 2), expected 2 results (x and log_det)."),
    ((E,), (E, E[:, 0]), "f: got 1 result, expected 2 results (x and log_det)."),
    ((E, E, E), (E, E[:, 0]), "f: got 3 results, expected 2 results (x and log_det)."),
    ({"a": E}, E, "f: got a dict of 1, expected an array (64, 2)."),
    (E, {"a": E}, "f: got an array (64, 2), expected a dict with key 'a'."),
    ({"b": E}, {"a": E, "b": E}, "f: the dict has no key 'a'."),
    (None, (E, E), "f: got None, expected 2 results (x and log_det). Is there a return statement?"),
]


@pytest.mark.parametrize(("got", "expected", "message"), STRUCTURES)
def test_words_for_structures(got: object, expected: object, message: str) -> None:
    """A wrong number or kind of results is said before anything about their numbers."""
    difference = found(got, expected, name="f", means="x and log_det")
    assert (difference.kind, difference.message) == ("structure", message)


Pair = namedtuple("Pair", "x y")

AGREE = [
    (torch.tensor(E), E),
    (E, torch.tensor(E)),
    (E.tolist(), E),
    (list(E), E),
    (E, list(E)),
    (tuple(E), E),
    (E.astype(np.longdouble), E),
    (np.asfortranarray(E), E),
    (E[::-1], E[::-1].copy()),
    (torch.tensor(E, requires_grad=True), E),
    (0.5, np.float64(0.5)),
    (torch.tensor(0.5), 0.5),
    (np.float32(0.5), 0.5),
    (2, 2.0),
    (torch.tensor(2), 2.0),
    ([E, 1.0], (E, 1.0)),
    (Pair(E, 1.0), (E, 1.0)),
    (np.array([1.0, 2.0]), (1.0, 2.0)),
    ([], np.zeros(0)),
    (OrderedDict(a=E, extra="x"), {"a": E}),
    ({"a": (1.0, {"b": E})}, {"a": (1.0, {"b": E})}),
    (np.array([1, 0, 1]), np.array([1.0, 0.0, 1.0])),
    (np.array([3.0]), np.array([3])),
    (1, True),
    (np.array([np.nan, -np.inf, 1.0]), np.array([np.nan, -np.inf, 1.0])),
    (None, None),
    ("a", "a"),
    ((), ()),
    (np.zeros((0, 2)), np.zeros((0, 2))),
    (1e-14, 0.0),
    (E + 0j, E + 0j),
]


@pytest.mark.parametrize(("got", "expected"), AGREE, ids=range(len(AGREE)))
def test_other_forms_of_the_right_answer_agree(got: object, expected: object) -> None:
    """torch for numpy, lists for arrays, NamedTuples for tuples, dicts with more keys: all right."""
    assert compare(got, expected) is None


def test_values_say_how_many_how_much_and_where() -> None:
    """Count, largest difference, its place and the first difference; the expected value stays out of the message."""
    got = E.copy()
    got[3, 1] += 0.25
    got[40, 0] -= 7.0
    difference = found(got, E, name="x")
    assert difference.kind == "value"
    where = "the first at [3, 1]; the largest difference is 7 at [40, 0]."
    assert difference.message == f"x: 2 of 128 numbers differ, {where}"
    assert difference.largest == pytest.approx(7.0)
    assert (difference.index, difference.first) == ((40, 0), (3, 1))
    assert difference.expected.startswith("from [3, 0]: [1.304, 0.9471, ")
    assert difference.got.startswith("from [3, 0]: [1.304, 1.197, ")


def test_one_number_reads_simply() -> None:
    """A single number has no index."""
    difference = found(1.5, 1.0, name="kl")
    assert difference.message == "kl: the number differs by 0.5."
    assert (difference.expected, difference.got, difference.index) == ("1", "1.5", ())


def test_excerpts_that_would_read_alike_get_more_digits() -> None:
    """A difference in the ninth digit can be seen."""
    difference = found([1.0, 2.00000002], [1.0, 2.0], rtol=1e-9)
    assert difference.expected != difference.got


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({3: np.nan}, "x: 1 of 8 numbers is NaN, the first at [3]."),
        ({2: np.inf, 5: -np.inf}, "x: 2 of 8 numbers are infinite, the first at [2]."),
        ({1: np.nan, 5: -np.inf}, "x: 2 of 8 numbers are not finite (1 NaN, 1 infinite), the first at [1]."),
    ],
)
def test_words_for_nan_and_infinity(change: dict[int, float], message: str) -> None:
    """Not finite is said before any value."""
    got = np.arange(8.0) * 2
    for i, value in change.items():
        got[i] = value
    difference = found(got, np.arange(8.0), name="x")
    assert (difference.kind, difference.message) == ("finite", message)


def test_expected_infinities_are_demanded() -> None:
    """Where minus infinity is due (a log-density outside its support), a number or plus infinity is wrong."""
    expected = np.array([0.0, -np.inf])
    assert found([0.0, -1e308], expected, name="x").message == (
        "x: 1 of 2 numbers should not be finite, the first at [1]."
    )
    assert found([0.0, np.inf], expected).kind == "finite"


@pytest.mark.parametrize(
    ("got", "pattern", "factor", "remark"),
    [
        (-E, "sign", None, "Every number has the opposite sign."),
        (0.5 * E, "factor", 0.5, ""),
        (E + 3.0, "offset", 3.0, ""),
        (E[::-1], "order", None, "These are the right numbers in another order."),
        (0 * E, "zeros", None, "Every number is 0."),
        (
            E * (1 + 1e-6),
            "precision",
            None,
            (
                "The differences are small beside the numbers: constants in float32 look like this, "
                "and so does a small wrong term."
            ),
        ),
    ],
)
def test_patterns_of_values(got: np.ndarray, pattern: str, factor: float | None, remark: str) -> None:
    """A recognised pattern is a field; only harmless ones make a remark, and a factor is never said."""
    difference = found(got, E)
    assert difference.pattern == pattern
    assert difference.factor == (factor if factor is None else pytest.approx(factor))
    assert difference.message.endswith(remark or f"at {list(difference.index or ())}.")


def test_transposed_square() -> None:
    """A transposed square matrix has the right shape and is still recognised."""
    assert found(E[:2].T, E[:2]).message.endswith("These are the right numbers with the axes swapped.")


def test_no_pattern_is_made_up() -> None:
    """Unrelated numbers, and two numbers (always multiples of each other), show no pattern."""
    assert found(E**2, E).pattern is None
    assert found([1.0, 2.0], [3.0, 6.0]).pattern is None


def test_earliest_stage_is_reported_first() -> None:
    """A wrong shape of the second result comes before wrong values of the first."""
    difference = found((E + 1, E[:, 0]), (E, E), name="f")
    assert (difference.kind, difference.name) == ("shape", "f[1]")


def test_names_and_meanings_of_items() -> None:
    """Items are called as in Python, each with its own words."""
    expected = {"x": (E, E[:, 0])}
    difference = found({"x": (E, E)}, expected, name="f", means={"x": [None, "one log-density each"]})  # type: ignore[dict-item]
    assert difference.message == "f['x'][1]: got (64, 2), expected (64,): one log-density each."


def test_each_item_has_its_own_scale() -> None:
    """A large first result does not loosen the tolerance of a small second one."""
    assert compare((1e9, 1e-3 + 1e-6), (1e9, 1e-3)) is not None


def test_whole_numbers_are_exact() -> None:
    """Integers beyond the precision of float64 are still told apart, and across signedness."""
    big = 2**60
    assert compare(np.array([big]), np.array([big])) is None
    assert found(np.array([big + 1]), np.array([big])).kind == "value"
    assert found(np.array([-1]), np.array([255], dtype=np.uint8)).kind == "value"


def test_own_tolerances() -> None:
    """rtol and atol replace the dtype's."""
    assert compare(1.05, 1.0, rtol=0.1) is None
    assert compare(1.05, 1.0, atol=0.1) is None
    assert compare(1e-13, 1e-20, atol=0.0) is not None


def test_text_differs() -> None:
    """Texts are compared as such, and shown quoted, short and without control characters."""
    difference = found("a\x1b[31m" + "b" * 500, "abc")
    assert (difference.kind, difference.expected) == ("value", "'abc'")
    assert len(difference.got) <= 40
    assert "\x1b" not in difference.got


def test_expected_that_cannot_be_compared_is_the_graders_mistake() -> None:
    """An expected object raises, so it costs no student a point."""
    with pytest.raises(TypeError, match="cannot compare the expected"):
        compare(1.0, object())
