"""Part 8.8, optional: one cloud laid over another."""

import torch
from molecule_reading import call_either, positions
from scipy.optimize import linear_sum_assignment

from gdgrade.checks import CheckFailed, agrees, check, close, observe, require


def quaternion_rotation(x, y):
    """The best rotation of x onto y (M, 3), from the largest eigenvector of Horn's 4x4 matrix (1987)."""
    S = (x - x.mean(0)).T @ (y - y.mean(0))
    twist = torch.stack([S[1, 2] - S[2, 1], S[2, 0] - S[0, 2], S[0, 1] - S[1, 0]])
    N = torch.zeros(4, 4)
    N[0, 0], N[0, 1:], N[1:, 0] = S.trace(), twist, twist
    N[1:, 1:] = S + S.T - S.trace() * torch.eye(3)
    w, *v = torch.linalg.eigh(N).eigenvectors[:, -1]
    v = torch.stack(v)
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) * torch.stack(
        [torch.stack([v[0], v[2], v[1]]), torch.stack([v[2], v[1], v[0]]), torch.stack([v[1], v[0], v[2]])]
    )
    return (w**2 - v @ v) * torch.eye(3) + 2 * torch.outer(v, v) + 2 * w * cross


def small_turn(draw, angle=0.15):
    """A rotation by `angle` radians about a random axis."""
    axis = torch.nn.functional.normalize(draw.normal(3), dim=0)
    a, b, c = axis.tolist()
    return torch.linalg.matrix_exp(angle * torch.tensor([[0.0, -c, b], [c, 0.0, -a], [-b, a, 0.0]]))


def far_apart():
    """Clouds (6, 3) of which four distant atoms fix the rotation, and two tell squared distances from plain ones.

    Of the two matchings of the last two atoms, one has distances 0 and 3, the other 2 and 2.
    """
    anchors = torch.tensor([[20.0, 0, 0], [-20, 4, 0], [0, 20, -9], [0, -24, 9]])
    x = torch.cat([anchors, torch.tensor([[0.0, 0, 0], [2, 0, 0]])])
    y = torch.cat([anchors, torch.tensor([[0.0, 0, 0], [-0.25, 1.984313, 0]])])
    return x, y


def mirrored(draw):
    """A flat cloud (5, 3) and its mirror image, which no turn makes fit, with every atom near its own image."""
    x = torch.tensor([[0.0, 0, 0.3], [1.5, 0, -0.3], [0, 1.8, 0.25], [-1.6, 0.2, -0.3], [0.2, -1.7, 0.3]])
    x = x + draw.uniform(5, 3, low=-0.1, high=0.1)
    return x, x * torch.tensor([1.0, 1.0, -1.0]) + 2.0


def laid(student, x, y):
    """(x' (M, 3), permutation (M,)) of the student's `align`, once they are well-formed."""
    answer = call_either(student, student.align, x, y)
    require(isinstance(answer, tuple | list) and len(answer) == 2, "align must return the pair (x', permutation)")
    moved = positions(answer[0], x.shape, "x'")
    try:
        match = torch.as_tensor(answer[1]).double()
    except (TypeError, ValueError, RuntimeError):
        raise CheckFailed("align: the permutation is no array") from None
    fits = tuple(match.shape) == (len(x),) and bool((match.sort().values == torch.arange(len(x))).all())
    observe("a permutation", fits)
    require(fits, f"align: the second result is not a permutation of 0 to {len(x) - 1}")
    return moved, match.long()


@check("8.8", points=0.5)
def test_kabsch(student, draw):
    """The rotation is the best one, also when noise or a mirror stands between the clouds."""
    for mirrored in (False, True):
        x = draw.normal(6, 3) * torch.tensor([1.0, 1.7, 0.6])
        turn = draw.orthogonal(3)
        turn = turn * torch.linalg.det(turn)
        y = x @ turn.T + 0.1 * draw.normal(6, 3) + draw.normal(3)
        y = y * torch.tensor([1.0, 1.0, -1.0]) if mirrored else y
        agrees(student.kabsch, quaternion_rotation, x, y, name="rotation", means="a 3x3 matrix", rtol=1e-6)


@check("8.8", points=0.5)
def test_align(student, draw):
    """A shuffled, moved, slightly turned copy is found; in general neither rotation nor matching can be bettered."""
    y = 1.5 * torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1.2, 0], [0, 0, 1.4], [1.1, 1, 1], [-1, -0.9, 0.3]])
    y = y + draw.uniform(6, 3, low=-0.1, high=0.1)
    shuffle = draw.permutation(6)
    order = shuffle[(shuffle.argsort() + 1) % 6]  # a cycle of all six: not its own inverse
    start = (y[order] @ small_turn(draw).T) + draw.normal(3)
    moved, match = laid(student, start, y)
    observe("found", match.tolist())
    observe("not turned", bool((moved - moved.mean(0) - start + start.mean(0)).abs().max() < 1e-5))
    observe("its places", bool((moved - y[order]).abs().max() < 1e-5))
    observe("in the order of y", bool((moved - y).abs().max() < 1e-5))
    observe("its centre", bool((moved.mean(0) - y.mean(0)).abs().max() < 1e-5))
    require(torch.equal(match, order), "align: the atoms of a shuffled, slightly turned copy are not found again")
    close(moved, y[order], "x' of a copy", atol=1e-5)
    x, y = far_apart()
    moved, match = laid(student, x, y)
    observe("least squares", match.tolist())
    require(match.tolist() == [0, 1, 2, 3, 5, 4], "align: a matching with a smaller sum of squared distances is near")
    for x, y in ((draw.normal(5, 3), draw.normal(5, 3) + 2.0), mirrored(draw)):
        moved, match = laid(student, x, y)
        turn = quaternion_rotation(x, moved)
        close(moved, (x - x.mean(0)) @ turn.T + moved.mean(0), "x' as x turned and moved", atol=1e-5)
        close(moved.mean(0), y.mean(0), "centre of x'", atol=1e-5)
        cost = torch.cdist(moved, y).square()
        best = cost[linear_sum_assignment(cost.numpy())].sum()
        close(cost[torch.arange(5), match].sum(), best, "cost of the matching", rtol=1e-5)
        turned = (x - x.mean(0)) @ quaternion_rotation(x, y[match]).T + y.mean(0)
        close(moved, turned, "x' for this matching", atol=1e-4)
