"""Part 6.4: what a plan costs. Plans and potentials come from the reference, so only these functions are judged."""

import torch

from gdgrade.checks import agrees, check

NUMBER = "one number"


def coupling(draw, n, m):
    """A plan that solves nothing, with its marginals: P (n, m), a (n,), b (m,)."""
    P = draw.uniform(n, m, low=0.1, high=2.0) * draw.weights(m)
    P = P / P.sum()
    return P, P.sum(1), P.sum(0)


@check("6.4", points=0.5)
def test_transport_cost(student, reference, draw):
    """The cost of a plan counts every entry with its mass, and no root is taken."""
    for n, m in [(4, 6), (5, 2)]:
        P, _, _ = coupling(draw, n, m)
        C = draw.uniform(n, m, high=5.0)
        agrees(student.transport_cost, reference.transport_cost, P, C, name="transport cost", means=NUMBER)


@check("6.4", points=1)
def test_entropic_objective(student, reference, draw):
    """The objective is <P, C> plus eps times the divergence of P from a b^T, in nats."""
    for n, m, eps in [(4, 6, 0.7), (5, 2, 1.9)]:
        P, a, b = coupling(draw, n, m)
        args = (P, draw.uniform(n, m, high=3.0), a, b, eps)
        agrees(student.entropic_objective, reference.entropic_objective, *args, name="objective", means=NUMBER)


@check("6.4", points=0.5, visibility="hidden")
def test_plan_with_zeros(student, reference, draw):
    """A plan with entries that are zero has a finite objective."""
    a, b = torch.tensor([0.2, 0.5, 0.3]), torch.tensor([0.6, 0.4])
    P = torch.tensor([[0.2, 0.0], [0.4, 0.1], [0.0, 0.3]])
    C = draw.uniform(3, 2, high=3.0)
    # 1e-6 leaves room for log(P + 1e-12) and the like, which is as good a way.
    args = (P, C, a, b, 0.9)
    agrees(student.entropic_objective, reference.entropic_objective, *args, rtol=1e-6, name="objective", means=NUMBER)


@check("6.4", points=0.5)
def test_dual_objective(student, reference, draw):
    """The dual value averages each potential with the weights of its own side."""
    for n, m in [(4, 4), (3, 5)]:  # square first: there even exchanged weights give a number
        args = (draw.normal(n, mean=1.0), draw.normal(m, mean=2.0), draw.weights(n), draw.weights(m))
        agrees(student.dual_objective, reference.dual_objective, *args, name="dual value", means=NUMBER)


@check("6.4", points=0.5, visibility="hidden")
def test_primal_equals_dual(student, reference, draw):
    """At the solution the objective and the dual value are the same number; before, the dual value is smaller."""
    a, b, C, eps = draw.weights(5), draw.weights(3), draw.uniform(5, 3, high=3.0), 0.8
    P, f, g, _ = reference.sinkhorn_log(a, b, C, eps, tol=1e-13)

    def dual_value(P, C, a, b, eps):
        return a @ f + b @ g

    def objective(f, g, a, b):
        kl = (P * (P / (a[:, None] * b[None, :])).log()).sum()
        return (P * C).sum() + eps * kl

    agrees(student.entropic_objective, dual_value, P, C, a, b, eps, name="objective of the solution", means=NUMBER)
    agrees(student.dual_objective, objective, f, g, a, b, name="dual value of the solution", means=NUMBER)
