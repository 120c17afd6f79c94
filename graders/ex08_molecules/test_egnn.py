"""Part 8.4, second half: a layer and a network that turn with their molecule, whatever the weights.

Every fact is looked at with the student's own initial weights and with all of them shaken; in float64 to 1e-10.
"""

from molecule_networks import (
    HIDDEN,
    layer_answers,
    layer_gradients,
    layer_messages,
    layer_padding,
    layer_symmetries,
    network_answers,
    network_parameters,
    network_symmetries,
    network_uses,
)
from molecule_reading import run_either, run_with_type

from gdgrade.checks import CheckFailed, check, observe, require

SEEN = 1e-6  # a relative change beyond this is an effect, not rounding
WORDS = {
    "turned": "turning the molecule",
    "mirrored": "mirroring the molecule",
    "flipped": "changing the sign of one coordinate",
    "shifted": "moving the molecule",
    "reordered": "exchanging its atoms",
}


def exact(single):
    """Relative error up to which two ways to the same number agree."""
    return 1e-3 if single else 1e-10


@check("8.4", points=0.25)
def test_layer_shapes(student, draw):
    """The layer returns features and positions in their own shapes, finite, for molecules of one atom and more."""
    answers = run_either(student, layer_answers, draw.integers(0, 2**31))
    sizes = [size for size in ((2, 5), (3, 1), (1, 2)) * 2 for _ in range(2)]
    due = [((B, M, HIDDEN), (B, M, 3)) for B, M in sizes] + [((2, 4, 32), (2, 4, 3))]
    for answer, shapes in zip(answers, due, strict=True):
        require(isinstance(answer, tuple | list) and len(answer) == 2, "EGNNLayer must return the pair (h', x')")
        for value, shape, name in zip(answer, shapes, ("h'", "x'"), strict=True):
            finite_of_shape(value, shape, f"EGNNLayer: {name}")


@check("8.4", points=0.75)
def test_layer_turns(student, draw):
    """Turned or mirrored, a molecule gives the same features and the turned or mirrored positions."""
    judge(student, draw, layer_symmetries, "EGNNLayer", ("turned", "mirrored", "flipped"))


@check("8.4", points=0.5)
def test_layer_moves_along(student, draw):
    """Where the molecule is, and in which order its atoms come, makes no difference to the layer."""
    judge(student, draw, layer_symmetries, "EGNNLayer", ("shifted", "reordered"))


@check("8.4", points=0.25)
def test_layer_mask(student, draw):
    """Rows without an atom send nothing: the others answer as if those rows were not there."""
    found, single = run_with_type(student, layer_padding, draw.integers(0, 2**31))
    observe("padding seen by h' and by x'", [value > exact(single) for pair in found for value in pair])
    for pair, n in zip(found, (3, 5, 1), strict=True):
        require(
            max(pair) <= exact(single),
            f"EGNNLayer: rows that are masked out change the answer of the {n} atoms present",
        )


@check("8.4", points=0.5)
def test_layer_messages(student, draw):
    """Atoms are pushed along the lines to the others, by what distances and features say, averaged over the others."""
    found, single = run_with_type(student, layer_messages, draw.integers(0, 2**31))
    none = {
        "alone": "a single atom moves, or is not a finite number",
        "off the line": "two atoms move off the line through both",
        "unequal": "two atoms with equal features do not move by opposite vectors",
        "doubled": "an atom moves differently when its only neighbour is there twice",
        "mask of ones": "a mask of ones changes the answer",
    }
    some = {
        "distance": "h' does not depend on the distances",
        "features": "the moves do not depend on the features",
        "third": "the move of an atom does not depend on every other atom",
        "neighbour": "h' of an atom does not depend on the features of the other atom",
        "summed": "h' of an atom is the same when its only neighbour is there twice, so the messages are not summed",
    }
    observe("should be none", [bool(found[key] <= exact(single)) for key in none])
    observe("should be some", [bool(found[key] > SEEN) for key in some])
    observe("h' is not h", bool(found["changed"] > SEEN))
    # a right layer leaves the whole network of the messages out where an atom is alone; one whose atoms send to
    # themselves needs it all but for the weights of the distance, which is 0
    itself, added = found["only with a neighbour"] < 0.3, found["without weights"] <= 1e-6
    observe("sends to itself, h' is h plus something", [itself, added])
    observe("ratio of the doubled move", round(found["ratio"], 2) if found["ratio"] < 1e6 else None)
    for key, text in none.items():
        require(found[key] <= exact(single), f"EGNNLayer: {text}")
    for key, text in some.items():
        require(found[key] > SEEN, f"EGNNLayer: {text}")
    require(not itself, "EGNNLayer: h' of an atom hears a message that the atom sends to itself")
    require(added, "EGNNLayer: with all weights at zero h' is not h, so h' is not h plus something")


@check("8.4", points=0.25)
def test_layer_gradients(student, draw):
    """The layer is differentiable: its gradient is finite, and agrees with differences."""
    found = run_either(student, layer_gradients, draw.integers(0, 2**31))
    gap = found["gap"]
    observe("graph, finite, right", [found["graph"], found["value"], found["finite"], gap is None or gap < 1e-5])
    require(found["graph"], "EGNNLayer: autograd finds no way from h' and x' back to h and x")
    require(found["finite"], "EGNNLayer: gradients are not finite numbers, though no two atoms are in one place")
    require(gap is None or gap < 1e-5, "EGNNLayer: the gradient of autograd is not the slope of the answer")


@check("8.4", points=0.25)
def test_network_answers(student, draw):
    """The network returns a vector for every atom, of zero mean, for one atom and more, with h and without."""
    answers = run_either(student, network_answers, draw.integers(0, 2**31))
    due = [(B, M, 3) for B, M in ((3, 5), (2, 1), (1, 2)) * 2 for _ in range(2)] + [(3, 5, 3)]
    for y, shape in zip(answers, due, strict=True):
        finite_of_shape(y, shape, "EGNN")
    off = [float(y.double().mean(dim=1).abs().max()) / (float(y.double().abs().max()) + 1e-3) for y in answers]
    observe("zero mean", [value < 1e-4 for value in off])
    require(max(off) < 1e-4, "EGNN: the answer has a mean over the atoms")


@check("8.4", points=0.5)
def test_network_turns(student, draw):
    """The answer turns, is mirrored and reordered with the molecule, and does not see where it is."""
    judge(student, draw, network_symmetries, "EGNN", tuple(WORDS))


@check("8.4", points=0.5)
def test_network_looks(student, draw):
    """The answer depends on the molecule's own step and on its h, and on no other molecule."""
    found, single = run_with_type(student, network_uses, draw.integers(0, 2**31))
    tolerance = exact(single)
    some, none = ("time", "features"), ("another time", "others", "ones")
    observe("some", [bool(found[key] > SEEN) for key in some])
    observe("none", [bool(found[key] <= tolerance) for key in none])
    require(found["time"] > SEEN, "EGNN: the answer to some molecule does not depend on its own t")
    require(found["another time"] <= tolerance, "EGNN: the answer to a molecule depends on the t of another one")
    require(found["others"] <= tolerance, "EGNN: the answer to a molecule depends on the others of its batch")
    require(found["features"] > SEEN, "EGNN: the answer does not depend on h")
    require(found["ones"] <= tolerance, "EGNN: without h the answer is not that of h = 1")


@check("8.4", points=0.5, visibility="hidden")
def test_network_parameters(student, draw):
    """Every parameter that matters is registered and gets a finite gradient; hidden and n_layers have their effect."""
    found = run_either(student, network_parameters, draw.integers(0, 2**31))
    facts = {key: found[key] > 0 for key in ("hidden", "idle", "visible")}
    # A layer has several matrices of hidden times hidden: one of them in each of three more layers, in either of two
    # layers with three times hidden, and in all used ones together, is far below what any right network has.
    wider, deeper, used = found["wider"] > 2 * (3**2 - 1), found["deeper"] > 3, found["used"] > 1
    observe("parameters", [*facts.values(), found["finite"], wider, deeper])
    observe("layers that are used, a still network", [used, found["still"]])
    require(facts["visible"], "EGNN: there are no trainable parameters")
    require(found["finite"], "EGNN: gradients of the parameters are not finite")
    require(not facts["hidden"], f"EGNN: parameters() does not list {found['hidden']} tensors that matter")
    require(not facts["idle"], f"EGNN: the gradient of a loss does not reach {found['idle']} tensors that matter")
    require(wider, "EGNN: three times hidden hardly gives more parameters")
    require(deeper, "EGNN: more layers hardly give more parameters")
    require(used, "EGNN: with more layers hardly more parameters get a gradient: not all layers are used")
    require(not found["still"], "EGNN: with all weights at zero no atom moves, but the answer is x_t and not 0")


def finite_of_shape(value, shape, name):
    """Require an array of this shape with finite real numbers."""
    got = tuple(getattr(value, "shape", ()))
    require(got == shape, f"{name}: got shape {got}, expected {shape}")
    try:
        fine = bool(value.double().isfinite().all())
    except (AttributeError, RuntimeError, TypeError, NotImplementedError):
        raise CheckFailed(f"{name}: not an array of real numbers") from None
    require(fine, f"{name}: some entries are not finite")


def judge(student, draw, function, name, wanted):
    """Require these symmetries of the layer or the network, and that it does anything at all."""
    inputs = draw.integers(0, 2**31), draw.orthogonal(3), draw.permutation(5)
    found, single = run_with_type(student, function, *inputs)
    alive = found["still"] > SEEN if "still" in found else found["moving"] > SEEN
    observe("symmetries", [bool(found[key] <= exact(single)) for key in WORDS])
    observe("alive", bool(alive))
    if "features" in found:
        observe("features turned", bool(found["features"] <= exact(single)))
    for key in wanted:
        text = f"{name}: {WORDS[key]} does not change the answer as it should"
        require(found[key] <= exact(single), f"{text} (relative error {found[key]:.2g})")
    require(alive, f"{name}: with random weights nothing moves")
