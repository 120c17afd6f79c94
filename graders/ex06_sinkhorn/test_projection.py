"""Part 6.6: the barycentric projection. Plans come from the reference."""

import torch

from gdgrade.checks import agrees, check


@check("6.6", points=1)
def test_uneven_plans(student, reference, draw):
    """Every point is sent to the mean of y, weighted with its own row of the plan."""
    for n, m, d in [(5, 3, 4), (2, 6, 1)]:
        a, b, y = draw.weights(n), draw.weights(m), draw.normal(m, d)
        P, *_ = reference.sinkhorn_log(a, b, draw.uniform(n, m, high=3.0), 0.8, tol=1e-13)
        args = (student.barycentric_projection, reference.barycentric_projection, P, y, a)
        agrees(*args, name="barycentric projection", means="one row per point of x")


@check("6.6", points=1, visibility="hidden")
def test_known_plans(student, draw):
    """A one-to-one plan sends every point to its partner, and the plan a b^T sends all to the mean of y."""
    a, order = draw.weights(5), draw.permutation(5)
    y = draw.normal(5, 2, mean=1.0)
    one_to_one = torch.zeros(5, 5)
    one_to_one[torch.arange(5), order] = a

    def partner(P, y, a):
        return y[order]

    agrees(student.barycentric_projection, partner, one_to_one, y, a, name="projection of a one-to-one plan")
    b, y = draw.weights(4), draw.normal(4, 3, mean=1.0)

    def mean(P, y, a):
        return (b @ y).expand(5, 3)

    agrees(student.barycentric_projection, mean, a[:, None] * b[None, :], y, a, name="projection of a b^T")
