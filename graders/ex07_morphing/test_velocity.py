"""Part 7.1: the velocity of the entropic transport, debiased and not."""

import torch
from morphing_oracles import PLAN_RTOL, cloud, pair, pull_of_pair, shift_of

from gdgrade.checks import agrees, check

VECTORS = "one vector per particle"


@check("7.1", points=1)
def test_shifted_cloud(student, draw):
    """If the target is the cloud shifted, in any order, the velocity is the shift, for every eps."""
    for n, d in ((9, 2), (6, 3)):
        x, shift = cloud(draw, n, d), shift_of(draw, d)
        y = x[draw.permutation(n)] + shift

        def law(x, y, eps, shift=shift):
            return shift.expand(x.shape)

        for eps in (1.1, 1.7):
            agrees(student.ot_velocity, law, x, y, eps, rtol=PLAN_RTOL, name="velocity", means=VECTORS)


@check("7.1", points=0.5)
def test_equal_clouds(student, draw):
    """Between a cloud and itself, in any order, nothing moves."""
    x = cloud(draw, 8, 2)

    def nothing(x, y, eps):
        return torch.zeros_like(x)

    y = x[draw.permutation(8)]
    agrees(student.ot_velocity, nothing, x, y, 1.5, atol=PLAN_RTOL, name="velocity", means=VECTORS)


@check("7.1", points=1)
def test_two_by_two(student, draw):
    """For two particles and two targets the velocity is the one found by hand."""
    for eps in (1.0, 2.5):
        arm, target_arm = shift_of(draw, 3, 0.4, 0.9), shift_of(draw, 3, 0.4, 0.9)
        target_arm = target_arm * torch.sign(arm) * torch.tensor([1.0, 1.0, -0.5])
        middle, target_middle = draw.normal(3), draw.normal(3)

        def law(x, y, eps, arm=arm, target_arm=target_arm, shift=target_middle - middle):
            turn = pull_of_pair(arm, target_arm, eps) - pull_of_pair(arm, arm, eps)
            return pair(shift, turn)

        x, y = pair(middle, arm), pair(target_middle, -target_arm)
        agrees(student.ot_velocity, law, x, y, eps, rtol=PLAN_RTOL, name="velocity", means=VECTORS)


@check("7.1", points=0.5)
def test_unequal_sizes(student, reference, draw):
    """The velocity is right when there are more particles than targets, or fewer, or only one."""
    for n, m, d in ((7, 4, 3), (3, 8, 2), (1, 5, 2), (4, 1, 2)):
        inputs = cloud(draw, n, d), cloud(draw, m, d, centre=0.6), 1.5
        agrees(student.ot_velocity, reference.ot_velocity, *inputs, rtol=PLAN_RTOL, name="velocity", means=VECTORS)


@check("7.1", points=0.5)
def test_without_debiasing(student, reference, draw):
    """With debias=False the velocity is the way to the barycentric image."""
    for n, m in ((5, 7), (6, 6)):
        inputs = cloud(draw, n, 2), cloud(draw, m, 2, centre=0.4), 1.5
        both = student.ot_velocity, reference.ot_velocity
        agrees(*both, *inputs, debias=False, rtol=PLAN_RTOL, name="velocity without debiasing", means=VECTORS)


@check("7.1", points=0.5)
def test_far_away(student, draw):
    """A target forty lengths away pulls with finite, right arrows."""
    x, shift = cloud(draw, 7, 2), 40 * shift_of(draw, 2)

    def law(x, y, eps):
        return shift.expand(x.shape)

    y = x[draw.permutation(7)] + shift
    agrees(student.ot_velocity, law, x, y, 1.2, rtol=1e-6, name="velocity", means=VECTORS)


@check("7.1", points=1, visibility="hidden")
def test_slow_problem(student, reference, draw):
    """The velocity is right where Sinkhorn needs some hundred iterations."""
    # A wide gap makes Sinkhorn slow, between two clouds only if they have equal shares on either side of it, as in the
    # second problem, and from x to itself in both. After a hundred iterations either is mostly off by 1e-4 and more,
    # and rarely both; after a thousand by 1e-9 to 1e-5, and solvers that stop at row errors of 1e-6 by at most 3e-5.
    gap, both = torch.tensor([2.4, 0.0]), (student.ot_velocity, reference.ot_velocity)
    for n, n_beyond, m, m_beyond in ((5, 2, 2, 6), (4, 2, 6, 3)):
        x = torch.cat([0.3 * cloud(draw, n, 2), 0.3 * cloud(draw, n_beyond, 2) + gap])
        y = torch.cat([0.3 * cloud(draw, m, 2), 0.3 * cloud(draw, m_beyond, 2) + gap])
        agrees(*both, x, y, 1.1, rtol=PLAN_RTOL, name="velocity", means=VECTORS)
