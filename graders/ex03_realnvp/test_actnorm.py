"""Part 3.7, a bonus: activation normalisation.

All comparisons leave the room of float32, in which code may work without asking: no mistake is as small as that.
"""

import torch
from flow_judging import SINGLE, label, log_det_label, near, pair, verdict, with_graph
from flow_probes import jacobian_forward, jacobian_inverse, randomise

from gdgrade.checks import check, observe, require


def batch(draw, n=12, dim=2):
    """Points with unequal means and spreads, (n, dim), dim at most 3."""
    return draw.normal(n, dim) * torch.tensor([4.0, 0.3, 1.5])[:dim] + torch.tensor([-3.0, 7.0, 0.5])[:dim]


def remember_parameters(layer):
    """Keep a layer's parameters where neither torch nor the student looks."""
    vars(layer)["_parameters_before"] = list(layer.parameters())


def parameters_are_the_same(layer):
    """Whether the layer's parameters are the objects that were remembered."""
    before, now = vars(layer).pop("_parameters_before"), list(layer.parameters())
    return len(now) == len(before) and all(a is b for a, b in zip(now, before, strict=True))


@check("3.7", points=0.5)
def test_first_batch(student, draw):
    """The first batch leaves inverse with mean 0 and standard deviation 1 in each coordinate."""
    layer, x = student.ActNorm(2), batch(draw)
    student.run(remember_parameters, layer)
    z, _ = pair(layer.inverse(x), len(x), "inverse")
    changed = observe("x changed", bool(student.mutated))
    sd = z.std(0, correction=0)
    named = ["right" if near(v, 1.0, 1e-4) or near(v, ((len(x) - 1) / len(x)) ** 0.5, 1e-4) else "other" for v in sd]
    same = observe("parameters are the same objects", student.run(parameters_are_the_same, layer))
    observe("means vanish", near(z.mean(0), torch.zeros(2), 1e-6))
    observe("spreads are one", named)
    observe("moved at all", not near(z, x, 1e-6))
    observe("whole table is standard", near(z.std(), 1.0, 1e-2) and near(z.mean(), 0.0, 1e-2))
    require(not changed, "inverse overwrites the points that it was given")
    require(near(z.mean(0), torch.zeros(2), 1e-5), "the first batch leaves with means other than zero")
    require(
        same,
        "the first batch replaces the parameters by new ones: an optimiser made before still moves the old ones, so "
        "write into them",
    )
    require(verdict(named), "the first batch leaves with standard deviations other than one in its two coordinates")


@check("3.7", points=0.5)
def test_maths(student, draw):
    """forward undoes inverse, and both log-determinants are those of autograd, with parameters moved by training."""
    dim = 3  # the other checks are in the plane
    layer, x = student.ActNorm(dim), batch(draw, dim=dim)
    layer.inverse(x)
    student.run(randomise, layer, draw.integers(0, 2**31))
    points, names = draw.normal(5, dim), []
    for direction, handle, function in (
        ("forward", layer, jacobian_forward),
        ("inverse", layer.inverse, jacobian_inverse),
    ):
        got = pair(handle(points), 5, direction, dim)[1]
        right = torch.linalg.slogdet(with_graph(student.run(function, layer, points), direction))[1]
        names.append(label_of(got, right))
        observe(f"log-determinant of {direction} is", names[-1])
    back = pair(layer(pair(layer.inverse(points), 5, "inverse", dim)[0]), 5, "forward", dim)[0]
    comes_back = observe("comes back", near(back, points, SINGLE.exact))
    require(comes_back, "forward(inverse(x)) is not x")
    require(verdict(names), "a log-determinant is not that of the Jacobian")


def label_of(got, right):
    """What a log-determinant of ActNorm is, compared with the right one."""
    return log_det_label(got, right, SINGLE.exact, times_batch=len(right) * right)


@check("3.7", points=0.5)
def test_later_batches(student, draw):
    """Later batches are mapped with the numbers of the first one."""
    layer, x = student.ActNorm(2), batch(draw)
    before = pair(layer.inverse(x), len(x), "inverse")[0]
    other = 0.5 * batch(draw, 8) + 3.0
    later = pair(layer.inverse(other), 8, "inverse")[0]
    low, high = x.argmin(0), x.argmax(0)  # far apart, so that the rounding of float32 stays small in their difference
    at = torch.arange(2)
    scale = (before[high, at] - before[low, at]) / (x[high, at] - x[low, at])
    right = before[low, at] + (other - x[low, at]) * scale
    own = (other - other.mean(0)) / other.std(0)
    named = observe(
        "a later batch is",
        label(
            later,
            SINGLE.exact,
            right=right,
            standardised_by_itself=own,
            standardised_by_itself_n=(other - other.mean(0)) / other.std(0, correction=0),
        ),
    )
    require(verdict([named]), "a later batch is not mapped with the shift and scale of the first one")
    again = pair(layer.inverse(x), len(x), "inverse")[0]
    require(near(again, before, SINGLE.exact), "the first batch, shown once more, is mapped to other points")


@check("3.7", points=0.5)
def test_saved_and_loaded(student, draw):
    """A loaded layer keeps its numbers: the first batch that it sees does not initialise it again."""
    old, new, x = student.ActNorm(2), student.ActNorm(2), batch(draw)
    old.inverse(x)
    student.run(lambda old, new: new.load_state_dict(old.state_dict()), old, new)
    other = 0.5 * batch(draw, 8) + 3.0
    expected, got = (pair(layer.inverse(other), 8, "inverse")[0] for layer in (old, new))
    observe("loaded layer answers alike", near(got, expected, SINGLE.exact))
    observe("loaded layer standardises its first batch", near(got.mean(0), torch.zeros(2), 1e-6))
    observe("the layer itself does", near(expected.mean(0), torch.zeros(2), 1e-6))
    require(
        near(got, expected, SINGLE.exact),
        "after load_state_dict the new layer maps a batch otherwise than the saved one",
    )
